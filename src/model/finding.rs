//! What is wrong, or worth knowing, about an author's file: one finding a place.

use std::fmt;

use serde::Serialize;

/// How much a finding weighs. An error stops a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It stops a send.
    Error,
    /// It deserves a look before the issue goes out.
    Warning,
    /// It is said for information.
    Note,
}

/// One finding, as `check --json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// A stable word for scripts, such as `picture-missing`.
    pub code: &'static str,
    /// The file as the author named it.
    pub file: String,
    /// From 1; `None` where the finding is about the whole file.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
    /// Every line that it is about, `line` among them, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<usize>,
    /// What is the matter, in one sentence without a final stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Finding {
    /// A finding about the whole file; add a place with [`Finding::at`].
    pub fn new(
        severity: Severity,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            code,
            file: String::new(),
            line: None,
            column: None,
            lines: Vec::new(),
            message: message.into(),
            help: help.into(),
        }
    }

    /// Puts the finding at a line and, where known, a column (both from 1).
    pub fn at(mut self, line: usize, column: Option<usize>) -> Self {
        self.line = Some(line);
        self.column = column;
        self
    }

    /// Puts the finding at several lines: the first is its place.
    pub fn at_lines(mut self, mut lines: Vec<usize>) -> Self {
        lines.sort_unstable();
        lines.dedup();
        self.line = lines.first().copied();
        self.lines = if lines.len() > 1 { lines } else { Vec::new() };
        self
    }

    /// The finding, a number of lines further down.
    pub fn moved(mut self, lines: usize) -> Self {
        self.line = self.line.map(|line| line + lines);
        self.lines.iter_mut().for_each(|line| *line += lines);
        self
    }

    /// Where it is, as editors jump to it: `file`, `file:line` or `file:line:column`.
    pub fn place(&self) -> String {
        match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", self.file),
            (Some(line), None) => format!("{}:{line}", self.file),
            (None, _) => self.file.clone(),
        }
    }
}

/// The finding as one paragraph: where, what, and what to do about it.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.place(), self.message, self.help)
    }
}
