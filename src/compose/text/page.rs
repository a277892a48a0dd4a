//! The page of a text part as it grows: lines with their indentation, and the empty lines between them.

use crate::model::rendered::Piece;

use super::wrap::{Run, push};

/// The width of the page, in columns of display.
pub(super) const COLUMNS: usize = 72;
/// However deep text is indented, it keeps this many columns.
const LEAST_COLUMNS: usize = 24;

/// The lines that are done, and how the next one begins.
#[derive(Debug, Default)]
pub(super) struct Page {
    pieces: Vec<Piece>,
    /// What each line begins with: indentation, `> `, `| `.
    prefix: String,
    /// In place of the prefix, once: a list's bullet stands there.
    first: Option<String>,
    /// Empty lines to come before the next one, and what they begin with.
    gap: usize,
    gap_prefix: String,
}

impl Page {
    /// The finished text.
    pub(super) fn into_pieces(self) -> Vec<Piece> {
        self.pieces
    }

    /// The columns that are left beside the prefix.
    pub(super) fn columns(&self) -> usize {
        COLUMNS
            .saturating_sub(unicode_width::UnicodeWidthStr::width(self.prefix.as_str()))
            .max(LEAST_COLUMNS)
    }

    /// At least so many empty lines before what comes.
    pub(super) fn gap(&mut self, lines: usize) {
        if self.gap == 0 || self.prefix.len() < self.gap_prefix.len() {
            self.gap_prefix.clone_from(&self.prefix);
        }
        self.gap = self.gap.max(lines);
    }

    /// Takes back a gap that was asked for.
    pub(super) fn no_gap(&mut self) {
        self.gap = 0;
    }

    /// Begins more indentation; `bullet` stands in its place on the first line. Gives what [`Page::close`]
    /// wants to end it.
    pub(super) fn open(&mut self, more: &str, bullet: Option<&str>) -> usize {
        let before = self.prefix.len();
        if let Some(bullet) = bullet {
            let start = self.first.take().unwrap_or_else(|| self.prefix.clone());
            self.first = Some(start + bullet);
        }
        self.prefix.push_str(more);
        before
    }

    /// Ends the indentation that began at `before`.
    pub(super) fn close(&mut self, before: usize) {
        self.prefix.truncate(before);
    }

    /// Writes a bullet that nothing was written beside.
    pub(super) fn end_bullet(&mut self) {
        if self.first.is_some() {
            self.line(Vec::new());
        }
    }

    /// A run of text, wrapped.
    pub(super) fn run(&mut self, run: &Run) {
        for line in run.lines(self.columns()) {
            self.line(line);
        }
    }

    /// One line as it is.
    pub(super) fn line(&mut self, line: Vec<Piece>) {
        if !self.pieces.is_empty() {
            let empty = if self.gap_prefix.len() > self.prefix.len() {
                &self.prefix
            } else {
                &self.gap_prefix
            };
            let empty = format!("{}\n", empty.trim_end()).repeat(self.gap);
            push(&mut self.pieces, Piece::Text(empty));
        }
        self.gap = 0;
        let start = self.first.take().unwrap_or_else(|| self.prefix.clone());
        let start = if line.is_empty() {
            start.trim_end().to_owned()
        } else {
            start
        };
        push(&mut self.pieces, Piece::Text(start));
        line.into_iter()
            .for_each(|piece| push(&mut self.pieces, piece));
        push(&mut self.pieces, Piece::Text("\n".into()));
    }

    /// One line of text as it is.
    pub(super) fn text(&mut self, text: &str) {
        let text = text.trim_end();
        self.line(if text.is_empty() {
            Vec::new()
        } else {
            vec![Piece::Text(text.to_owned())]
        });
    }
}
