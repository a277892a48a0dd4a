//! Why a theme can't be used.

use std::fmt;

use super::LAYOUT;

/// A fault of a theme: what is wrong, where, and what to do about it. Faces decide how the three are laid out; as one
/// text they are a paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThemeError {
    /// What is wrong, as a sentence without a final stop.
    pub what: String,
    /// Where: `THEME/FILE:LINE` with the line counted from 1, `THEME/FILE`, or a path; `None` where no file is at fault.
    pub place: Option<String>,
    /// What to do about it, in whole sentences.
    pub help: String,
}

impl ThemeError {
    /// A fault that no file is the place of; see [`ThemeError::at`].
    pub(crate) fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        ThemeError {
            what: what.into(),
            place: None,
            help: help.into(),
        }
    }

    /// Names the place of a fault.
    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// A fault at a line, counted from 1, of one of the theme's files.
    pub(super) fn in_file(theme: &str, file: &str, line: usize, what: impl Into<String>) -> Self {
        Self::new(what, "Fix this line of the theme.").at(format!("{theme}/{file}:{line}"))
    }

    /// The template engine's error. An include wraps the error of the file that it includes, which is the one to show.
    pub(super) fn in_template(theme: &str, error: &minijinja::Error) -> Self {
        let mut error = error;
        while let Some(inner) =
            std::error::Error::source(error).and_then(|e| e.downcast_ref::<minijinja::Error>())
        {
            error = inner;
        }
        let file = error.name().unwrap_or(LAYOUT);
        let what = error.detail().map_or_else(
            || error.kind().to_string(),
            |detail| format!("{}: {detail}", error.kind()),
        );
        match error.line() {
            Some(line) => Self::in_file(theme, file, line, what),
            None => Self::new(what, "Fix this file of the theme.").at(format!("{theme}/{file}")),
        }
    }
}

impl fmt::Display for ThemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}. {}", self.what, self.help)
    }
}

impl std::error::Error for ThemeError {}
