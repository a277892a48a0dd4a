//! An issue is composed once: its typed parts become what is stored and sent.
//!
//! [`compose`] is the whole pipeline. `places` settles the links within the issue. `html` lays it out as an outline in
//! which every piece of content is a token; the theme makes an MJML document of the outline, mrml renders that document,
//! and the content, escaped by `html`, takes the tokens' place. `text` writes the plain text, `check` collects the
//! findings. Nothing here reads a clock, a database or the network.

pub(crate) mod check;
mod film;
mod html;
pub(crate) mod pictures;
mod places;
mod readable;
pub(crate) mod text;
pub(crate) mod theme;

use crate::link::utm::Tagger;
use crate::model::issue::{Field, Inline, Issue, plain};
use crate::model::rendered::{Context, FORMAT, MergeField, Piece};
use crate::model::{List, Rendered};
use crate::phrases::Phrases;
use pictures::Pictures;
use theme::slots::{self, Slots};
use theme::{Density, Theme, ThemeError};

/// Gmail cuts a mail whose HTML is longer than this, and hides its end behind a link.
pub(crate) const CLIPPED_BYTES: usize = 102 * 1024;
/// Bytes that a merge field takes, roughly: the length of a signed link.
const SPOT_BYTES: usize = 160;

/// What an issue is composed with, beside the author's text.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    /// The list that the issue belongs to.
    pub list: &'a List,
    /// The theme that it is set in.
    pub theme: &'a Theme,
    /// The pictures that were found beside its file.
    pub pictures: &'a Pictures,
    /// What the URLs of pictures begin with, such as `https://letters.example.org/media/`; empty if they lie beside the
    /// HTML.
    pub media_base: &'a str,
    /// Adds the UTM parameters to the author's links.
    pub tagger: &'a Tagger,
}

impl Setting<'_> {
    /// The language of the mail: the issue's own, else the list's.
    pub(crate) fn language<'s>(&'s self, issue: &'s Issue) -> &'s str {
        issue
            .meta
            .language
            .as_deref()
            .unwrap_or(&self.list.language)
    }
}

/// An issue, composed.
#[derive(Clone, Debug)]
pub(crate) struct Composed {
    /// What is stored and sent.
    pub rendered: Rendered,
    /// The MJML document with the content in the tokens' place, for `issue.mjml`.
    pub mjml: Vec<Piece>,
}

/// Composes an issue: subject, HTML and text, cut at the merge fields.
///
/// # Errors
/// [`ThemeError`] if the theme can't be used with this issue; no content of an issue makes composing fail.
pub(crate) fn compose(issue: &Issue, setting: &Setting) -> Result<Composed, ThemeError> {
    let settled = places::settled(issue);
    let issue = settled.as_ref();
    let language = setting.language(issue);
    let mut slots = Slots::default();
    let outline = html::outline(issue, setting, setting.theme.look(language), &mut slots);
    let mut typeset = setting
        .theme
        .set(language, Density::Open, outline.clone(), &slots)?;
    if bytes(&typeset.html) > CLIPPED_BYTES {
        typeset = setting
            .theme
            .set(language, Density::Dense, outline, &slots)?;
    }
    let rendered = Rendered {
        format: FORMAT,
        subject: subject(issue, setting.list),
        html: typeset.html,
        text: text::write(issue, setting),
        language: language.to_owned(),
        date: issue.meta.date,
    };
    Ok(Composed {
        rendered,
        mjml: typeset.mjml,
    })
}

/// Gives an issue without a title the name of its list, and a subject that tells it from the others.
pub(crate) fn name_by_list(issue: &mut Issue, list: &List) {
    let meta = &mut issue.meta;
    if !meta.title.is_empty() {
        return;
    }
    meta.title.clone_from(&list.name);
    if meta.subject.is_empty() {
        let phrases = Phrases::of(meta.language.as_deref().unwrap_or(&list.language));
        let subject = match (meta.number, meta.date) {
            (Some(number), _) => format!("{} #{number}", list.name),
            (None, Some(date)) => format!("{}, {}", list.name, phrases.date(date)),
            (None, None) => return,
        };
        meta.subject = vec![Inline::Text(subject)];
    }
}

/// The size of HTML in bytes once its merge fields are filled in, roughly.
fn bytes(html: &[Piece]) -> usize {
    html.iter()
        .map(|piece| {
            if let Piece::Text(text) = piece {
                text.len()
            } else {
                SPOT_BYTES
            }
        })
        .sum()
}

/// The subject: the author's, else the title of the issue, else the name of the list; always one line.
fn subject(issue: &Issue, list: &List) -> Vec<Piece> {
    let mut out = Vec::new();
    for inline in &issue.meta.subject {
        match inline {
            Inline::Field(field) => {
                let field = match field {
                    Field::Name { default } => MergeField::Name {
                        default: default.clone(),
                    },
                    Field::Email => MergeField::Email,
                };
                out.push(Piece::Field {
                    field,
                    context: Context::Text,
                });
            }
            other => slots::push(&mut out, &one_line(&plain(std::slice::from_ref(other)))),
        }
    }
    if out.is_empty() {
        let title = if issue.meta.title.is_empty() {
            &list.name
        } else {
            &issue.meta.title
        };
        slots::push(&mut out, &one_line(title));
    }
    out
}

/// Text without line breaks and other control characters.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
