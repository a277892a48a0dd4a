//! A theme: a folder of MJML that mail is set in, built in or the author's own.
//!
//! `theme.toml` holds colours, sizes and the styles of running text (`manifest`); `layout.mjml` and the files
//! it includes are Jinja over MJML and see an outline of the mail in which every content is a token (`slots`).
//! Files are examined when they are loaded (`lint`). mrml is used here and nowhere else, on documents that
//! hold no byte of an author's. What the content looks like in HTML is `html`'s business; `mjml/README.md`
//! explains the format to those who write themes.

mod error;
pub(crate) mod escape;
mod files;
mod fonts;
mod lint;
mod manifest;
pub(crate) mod slots;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use minijinja::{Environment, UndefinedBehavior, Value, context};
use mrml::prelude::render::RenderOptions;

use crate::model::rendered::Piece;
use crate::phrases::script::Script;
pub(crate) use error::ThemeError;
pub(crate) use manifest::{Look, Role, Styles};
use slots::Slots;

/// The file that every theme begins with.
const LAYOUT: &str = "layout.mjml";
/// Steps of the template engine that one mail may take; an issue of 400 items takes a tenth of it.
const FUEL: u64 = 2_000_000;

/// A theme that was read and found sound. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Theme(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    templates: Environment<'static>,
    /// One for each script, in the order of [`Script::ALL`].
    looks: Vec<Look>,
}

/// How much a theme may spend on layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Density {
    /// As the theme is meant to be.
    Open,
    /// With less markup per item, for an issue that Gmail would cut otherwise: templates see `dense`.
    Dense,
}

/// A mail rendered by mrml, with a token wherever content goes.
#[derive(Clone, Debug)]
pub(crate) struct Skeleton {
    html: String,
    mjml: String,
}

impl Skeleton {
    /// The mail with its content in the tokens' place.
    pub(crate) fn fill(&self, slots: &Slots) -> Typeset {
        Typeset {
            html: slots.fill(&self.html),
            mjml: slots.fill(&self.mjml),
        }
    }
}

/// A mail set in a theme.
#[derive(Clone, Debug)]
pub(crate) struct Typeset {
    /// The HTML with the content in it, cut at the merge fields.
    pub html: Vec<Piece>,
    /// The MJML document that mrml rendered, with the content in the tokens' place.
    pub mjml: Vec<Piece>,
}

impl Theme {
    /// Loads a theme by name: the folder `themes_dir`/NAME where there is one, else the one inside the binary.
    ///
    /// # Errors
    /// [`ThemeError`] where neither exists, a file can't be read, or the linter finds a fault.
    pub(crate) fn load(name: &str, themes_dir: Option<&Path>) -> Result<Theme, ThemeError> {
        let files = files::read(name, themes_dir)?;
        let manifest = manifest::read(&files)?;
        let looks = Script::ALL
            .iter()
            .map(|script| manifest.look(*script))
            .collect::<Result<_, _>>()?;
        lint::check(&files)?;
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_fuel(Some(FUEL));
        templates.add_filter("fit", fit);
        for (file, source) in &files.templates {
            templates
                .add_template_owned(file.clone(), source.clone())
                .map_err(|error| ThemeError::in_template(name, &error))?;
        }
        Ok(Theme(Arc::new(Inner {
            name: name.to_owned(),
            templates,
            looks,
        })))
    }

    /// The name that it was loaded by.
    #[cfg(test)]
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// The names that [`Theme::load`] may be given: the themes inside the binary and the folders of `themes_dir`.
    pub(crate) fn names(themes_dir: Option<&Path>) -> Vec<String> {
        files::names(themes_dir)
    }

    /// How the theme sets a language (BCP 47).
    pub(crate) fn look(&self, language: &str) -> &Look {
        let script = Script::of(language);
        let index = Script::ALL
            .iter()
            .position(|s| *s == script)
            .unwrap_or_default();
        &self.0.looks[index]
    }

    /// Sets a mail: the outline's tokens go through MJML, then the content takes their place.
    ///
    /// # Errors
    /// [`ThemeError`] where a template asks for what the outline does not hold, makes MJML that can't be
    /// rendered, or puts content where mrml drops it.
    pub(crate) fn set(
        &self,
        language: &str,
        density: Density,
        outline: Value,
        slots: &Slots,
    ) -> Result<Typeset, ThemeError> {
        Ok(self
            .skeleton(language, density, outline, slots)?
            .fill(slots))
    }

    /// Renders a mail as far as its tokens, so that content can take their place many times.
    ///
    /// # Errors
    /// [`ThemeError`] where a template asks for what the outline does not hold, makes MJML that can't be
    /// rendered, or puts content where mrml drops it.
    pub(crate) fn skeleton(
        &self,
        language: &str,
        density: Density,
        outline: Value,
        slots: &Slots,
    ) -> Result<Skeleton, ThemeError> {
        let mjml = self.document(language, density, outline)?;
        lint::check_depth(&mjml).map_err(|error| self.fault(error.to_string()))?;
        let html = self.render(&mjml)?;
        if slots.lost(&mjml, &html) {
            return Err(self.fault("the theme puts text into a place that MJML does not show"));
        }
        Ok(Skeleton { html, mjml })
    }

    /// The MJML document of an outline, compact and with the tokens in it.
    fn document(
        &self,
        language: &str,
        density: Density,
        outline: Value,
    ) -> Result<String, ThemeError> {
        let look = self.look(language);
        let rtl = look.script().is_right_to_left();
        let (dir, start, end) = if rtl {
            ("rtl", "right", "left")
        } else {
            ("ltr", "left", "right")
        };
        let layout = self
            .0
            .templates
            .get_template(LAYOUT)
            .map_err(|e| self.template_fault(&e))?;
        let written = layout
            .render(context! {
                ..context! { dir, start, end, rtl, cjk => look.script().is_cjk(), korean => look.script() == Script::Korean, dense => density == Density::Dense },
                ..look.values(),
                ..outline
            })
            .map_err(|e| self.template_fault(&e))?;
        Ok(compact(&written))
    }

    fn render(&self, document: &str) -> Result<String, ThemeError> {
        // No fonts: mrml would link Google's for every stack that names Roboto.
        let options = RenderOptions {
            disable_comments: false,
            social_icon_origin: None,
            fonts: HashMap::new(),
        };
        mrml::parse(document)
            .map_err(|error| self.fault(format!("the theme's MJML can't be read: {error}")))?
            .element
            .render(&options)
            .map(|html| compact(&html))
            .map_err(|error| self.fault(format!("the theme's MJML can't be rendered: {error}")))
    }

    fn fault(&self, what: impl Into<String>) -> ThemeError {
        let help = format!("Fix the theme's {LAYOUT}, or name another theme.");
        ThemeError::new(what, help).at(format!("{}/{LAYOUT}", self.0.name))
    }

    fn template_fault(&self, error: &minijinja::Error) -> ThemeError {
        ThemeError::in_template(&self.0.name, error)
    }
}

/// Takes out white space between two tags that holds a line break; a space on one line stays.
fn compact(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    let mut rest = document;
    while let Some(end) = rest.find('>') {
        let (tag, after) = rest.split_at(end + 1);
        out.push_str(tag);
        let text = after.trim_start();
        let gap = &after[..after.len() - text.len()];
        let between_tags = text.starts_with('<') || text.is_empty();
        rest = if between_tags && gap.contains('\n') {
            text
        } else {
            after
        };
    }
    out.push_str(rest);
    out
}

/// The filter `image|fit(600)`: the size in which a picture is shown in a column so many pixels wide.
/// A picture whose size is not known (it lies on the web) has neither width nor height.
fn fit(image: &Value, column_px: u32) -> Result<Value, minijinja::Error> {
    let pixels = |name: &str| {
        image
            .get_attr(name)
            .ok()
            .and_then(|v| u32::try_from(v).ok())
            .filter(|n| *n > 0)
    };
    let (Some(width), Some(height)) = (pixels("width"), pixels("height")) else {
        return Ok(context! { width => (), height => () });
    };
    let shown = width.min(column_px);
    let high = (u64::from(height) * u64::from(shown) + u64::from(width) / 2) / u64::from(width);
    Ok(context! { width => shown, height => high.max(1) })
}
