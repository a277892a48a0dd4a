//! Which line of the author's file each line of a translated text was.

/// The lines of a text, each with the line of the original that it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Vec<Line>);

/// A line of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// The line of the original, from 1.
    pub origin: usize,
    /// Whether it does not stand as it stood.
    pub is_changed: bool,
}

impl Lines {
    /// Lines in the order of their text.
    pub(super) fn new(lines: Vec<Line>) -> Self {
        Self(lines)
    }

    /// The line of the original, both counted from 1; without any lines they are the same.
    pub(super) fn origin(&self, line: usize) -> usize {
        match self.0.get(line.wrapping_sub(1)) {
            Some(found) => found.origin,
            None => line.saturating_sub(self.0.len()) + self.0.last().map_or(0, |last| last.origin),
        }
    }

    /// Whether the line does not stand as it stood, so that columns in it say nothing.
    pub(super) fn is_changed(&self, line: usize) -> bool {
        self.0
            .get(line.wrapping_sub(1))
            .is_some_and(|l| l.is_changed)
    }
}
