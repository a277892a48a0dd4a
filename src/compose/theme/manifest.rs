//! `theme.toml`: the palette, the sizes, and the styles that running text gets.

use std::collections::BTreeMap;

use minijinja::Value;
use serde::Deserialize;
use toml::Spanned;

use super::error::ThemeError;
use super::files::{Files, MANIFEST};
use super::fonts::stacks;
use crate::phrases::script::Script;

/// `theme.toml` as it stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// Colours by name; they stand inline.
    light: BTreeMap<String, String>,
    /// The colors of dark mode, for clients that honour `prefers-color-scheme`; the names are those of `light`.
    dark: BTreeMap<String, String>,
    /// Numbers by name, for templates and styles.
    size: BTreeMap<String, Size>,
    /// What differs where characters fill their em.
    #[serde(default)]
    size_cjk: BTreeMap<String, Size>,
    /// Styles by role and element; roles fall back to `text`.
    #[serde(default)]
    styles: Sheet,
    #[serde(default)]
    styles_cjk: Sheet,
    #[serde(default)]
    styles_rtl: Sheet,
}

type Sheet = BTreeMap<String, BTreeMap<String, Spanned<String>>>;

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Size {
    Whole(i64),
    Fraction(f64),
    Text(String),
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Size::Whole(n) => n.fmt(f),
            Size::Fraction(n) => n.fmt(f),
            Size::Text(t) => t.fmt(f),
        }
    }
}

/// A place in a mail whose text may be styled apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Ordinary text and the comments on items.
    Text,
    /// The lines of the summary at the head of the issue.
    Summary,
    /// The heading of an item, a link.
    Title,
    /// The domain that an item comes from.
    Source,
    /// What stands under a picture.
    Caption,
    /// The preview of a page.
    Card,
    /// A row of the contents.
    Contents,
    /// The call to subscribe.
    Call,
    /// The lines at the foot of the mail.
    Footer,
}

impl Role {
    const ALL: [(Role, &'static str); 9] = [
        (Role::Text, "text"),
        (Role::Summary, "summary"),
        (Role::Title, "title"),
        (Role::Source, "source"),
        (Role::Caption, "caption"),
        (Role::Card, "card"),
        (Role::Contents, "contents"),
        (Role::Call, "call"),
        (Role::Footer, "footer"),
    ];
}

/// What a style can be given for. The last are the parts of a preview card inside running text, and `gap`,
/// the pixels between two blocks, which a style names as `{gap}`: nothing where the block is the first.
const ELEMENTS: [&str; 29] = [
    "p",
    "h2",
    "h3",
    "h4",
    "a",
    "em",
    "code",
    "ul",
    "ol",
    "li",
    "quote",
    "pre",
    "table",
    "th",
    "td",
    "hr",
    "img",
    "figcaption",
    "mark",
    "small",
    "kbd",
    "card",
    "card_title",
    "card_text",
    "card_domain",
    "alert",
    "alert_stop",
    "column",
    "gap",
];

/// The styles of one role, by element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Styles(BTreeMap<String, String>);

impl Styles {
    /// The inline style of an element; empty where the theme gives none.
    pub(crate) fn get(&self, element: &str) -> &str {
        self.0.get(element).map_or("", String::as_str)
    }

    /// The style of a block, which keeps its distance from the one before unless it is the first.
    pub(crate) fn block(&self, element: &str, first: bool) -> String {
        let gap = if first { "0" } else { self.get("gap") };
        self.get(element).replace("{gap}", gap)
    }
}

/// How a theme sets one script.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    script: Script,
    /// In the order of [`Role::ALL`].
    roles: Vec<Styles>,
    values: Value,
}

impl Look {
    /// The script that this look is for.
    pub(crate) fn script(&self) -> Script {
        self.script
    }

    /// The styles of the elements in a role.
    pub(crate) fn styles(&self, role: Role) -> &Styles {
        let index = Role::ALL
            .iter()
            .position(|(r, _)| *r == role)
            .unwrap_or_default();
        &self.roles[index]
    }

    /// What templates see: `light`, `dark`, `size`, and the stacks of fonts.
    pub(super) fn values(&self) -> Value {
        self.values.clone()
    }
}

/// A manifest with the files it came from, for its errors.
pub(super) struct Read<'f> {
    files: &'f Files,
    manifest: Manifest,
}

/// Reads `theme.toml`.
///
/// # Errors
/// It is no TOML of the shape of [`Manifest`], or a colour of `[light]` is missing from `[dark]`.
pub(super) fn read(files: &Files) -> Result<Read<'_>, ThemeError> {
    let manifest: Manifest = toml::from_str(&files.manifest).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| line_of(&files.manifest, span.start));
        files.error_at(MANIFEST, line, error.message())
    })?;
    let lacks = manifest
        .light
        .keys()
        .find(|name| !manifest.dark.contains_key(*name));
    if let Some(name) = lacks {
        return Err(files.error_at(
            MANIFEST,
            1,
            format!("[dark] has no colour “{name}”, but [light] has"),
        ));
    }
    Ok(Read { files, manifest })
}

impl Read<'_> {
    /// Resolves every style for a script.
    pub(super) fn look(&self, script: Script) -> Result<Look, ThemeError> {
        let mut sizes = self.manifest.size.clone();
        if script.is_cjk() {
            sizes.extend(self.manifest.size_cjk.clone());
        }
        let mut names: BTreeMap<String, String> = self.manifest.light.clone();
        names.extend(
            sizes
                .iter()
                .map(|(name, size)| (name.clone(), size.to_string())),
        );
        names.extend(stacks(script).map(|(name, stack)| (name.to_owned(), stack.to_owned())));
        let roles = Role::ALL
            .iter()
            .map(|(_, role)| self.role(role, script, &names))
            .collect::<Result<_, _>>()?;
        let colours = |m: &BTreeMap<String, String>| {
            Value::from_pairs(m.iter().map(|(k, v)| (k.clone(), v.clone())))
        };
        let light = colours(&self.manifest.light);
        let dark = colours(&self.manifest.dark);
        let size = Value::from_pairs(sizes.iter().map(|(k, v)| (k.clone(), number(v))));
        let fonts = Value::from_pairs(stacks(script));
        let values = minijinja::context! { light, dark, size, ..fonts };
        Ok(Look {
            script,
            roles,
            values,
        })
    }

    fn role(
        &self,
        role: &str,
        script: Script,
        names: &BTreeMap<String, String>,
    ) -> Result<Styles, ThemeError> {
        let none = Sheet::default();
        let m = &self.manifest;
        let cjk = if script.is_cjk() {
            &m.styles_cjk
        } else {
            &none
        };
        let rtl = if script.is_right_to_left() {
            &m.styles_rtl
        } else {
            &none
        };
        let mut styles = BTreeMap::new();
        for sheet in [&m.styles, cjk, rtl] {
            self.check_roles(sheet)?;
        }
        for role in ["text", role] {
            for sheet in [&m.styles, cjk, rtl] {
                for (element, style) in sheet.get(role).into_iter().flatten() {
                    styles.insert(element.clone(), self.resolve(element, style, names)?);
                }
            }
        }
        Ok(Styles(styles))
    }

    fn check_roles(&self, sheet: &Sheet) -> Result<(), ThemeError> {
        for (role, elements) in sheet {
            if !Role::ALL.iter().any(|(_, name)| name == role) {
                let line = elements
                    .values()
                    .next()
                    .map_or(1, |style| self.line(style).saturating_sub(1));
                return Err(self.files.error_at(
                    MANIFEST,
                    line,
                    format!("there is no role “{role}”"),
                ));
            }
        }
        Ok(())
    }

    /// A style with its `{names}` replaced; `{gap}` stays, since it depends on where the element stands.
    fn resolve(
        &self,
        element: &str,
        style: &Spanned<String>,
        names: &BTreeMap<String, String>,
    ) -> Result<String, ThemeError> {
        let refuse = |what: String| Err(self.files.error_at(MANIFEST, self.line(style), what));
        if !ELEMENTS.contains(&element) {
            return refuse(format!("“{element}” can't be styled"));
        }
        let mut out = String::new();
        let mut rest = style.get_ref().as_str();
        if let Some(bad) = rest
            .chars()
            .find(|c| matches!(c, '"' | '<' | '>' | '&' | '\\') || c.is_control())
        {
            return refuse(format!(
                "the character {} can't stand in a style",
                bad.escape_default()
            ));
        }
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, tail)) = after.split_once('}') else {
                return refuse("a { has no }".to_owned());
            };
            out.push_str(before);
            match names.get(name) {
                _ if name == "gap" => out.push_str("{gap}"),
                Some(value) => out.push_str(value),
                None => return refuse(format!("there is no colour, size or stack “{name}”")),
            }
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn line(&self, style: &Spanned<String>) -> usize {
        line_of(&self.files.manifest, style.span().start)
    }
}

/// Sizes that are whole numbers stay numbers, so that templates can compare them.
fn number(size: &Size) -> Value {
    match size {
        Size::Whole(n) => Value::from(*n),
        other => Value::from(other.to_string()),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(offset)
        .filter(|b| **b == b'\n')
        .count()
        + 1
}
