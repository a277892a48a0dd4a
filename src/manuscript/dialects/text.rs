//! A text that is edited and still knows which line each of its lines was.

use std::ops::Range;

use super::guard::line_starts;
use crate::manuscript::lines::{Line, Lines};

/// A part of a text and what takes its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Edit {
    /// In bytes.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub with: String,
}

/// A text with its lines.
pub(super) struct Text {
    text: String,
    lines: Vec<Line>,
}

impl Text {
    /// A text as it stands in a file.
    pub(super) fn new(text: &str) -> Self {
        let lines = (1..=text.matches('\n').count() + 1)
            .map(|origin| Line {
                origin,
                is_changed: false,
            })
            .collect();
        Self {
            text: text.to_owned(),
            lines,
        }
    }

    /// The text as it stands now.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the lines of the text come from, by places in it.
    pub(super) fn places(&self) -> Places<'_> {
        Places {
            starts: line_starts(&self.text),
            lines: &self.lines,
        }
    }

    /// Makes edits; of two that overlap the one that begins first is made.
    pub(super) fn edit(&mut self, mut edits: Vec<Edit>) {
        if edits.is_empty() {
            return;
        }
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let mut out = Copy {
            text: String::with_capacity(self.text.len() + 256),
            lines: vec![self.lines[0]],
            from: &self.lines,
            at: 0,
        };
        let mut done = 0;
        for edit in &edits {
            if edit.range.start < done {
                continue;
            }
            out.keep(&self.text[done..edit.range.start]);
            out.replace(&self.text[edit.range.clone()], &edit.with);
            done = edit.range.end;
        }
        out.keep(&self.text[done..]);
        let (text, lines) = (out.text, out.lines);
        (self.text, self.lines) = (text, lines);
    }

    /// The text, and where its lines come from.
    pub(super) fn into_parts(self) -> (String, Lines) {
        (self.text, Lines::new(self.lines))
    }
}

/// The lines of a text by the places where they begin.
pub(super) struct Places<'t> {
    starts: Vec<usize>,
    lines: &'t [Line],
}

impl Places<'_> {
    /// The line of the original that a place in the text stands on, from 1.
    pub(super) fn origin(&self, at: usize) -> usize {
        let index = self
            .starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1);
        self.lines.get(index).map_or(1, |line| line.origin)
    }
}

/// A text that is being written from another.
struct Copy<'l> {
    text: String,
    lines: Vec<Line>,
    from: &'l [Line],
    /// The index of the line of `from` that comes next.
    at: usize,
}

impl Copy<'_> {
    fn keep(&mut self, part: &str) {
        self.text.push_str(part);
        for _ in part.matches('\n') {
            self.at += 1;
            self.lines.push(self.line(self.at));
        }
    }

    fn replace(&mut self, old: &str, new: &str) {
        let last = self.at + old.matches('\n').count();
        self.text.push_str(new);
        if let Some(line) = self.lines.last_mut() {
            line.is_changed = true;
        }
        for nth in 1..=new.matches('\n').count() {
            let line = self.line((self.at + nth).min(last));
            self.lines.push(Line {
                is_changed: true,
                ..line
            });
        }
        self.at = last;
        let origin = self.line(last).origin;
        if new.contains('\n')
            && let Some(line) = self.lines.last_mut()
        {
            line.origin = origin;
        }
    }

    fn line(&self, at: usize) -> Line {
        self.from[at.min(self.from.len() - 1)]
    }
}

/// The line that a place stands on, without its end.
pub(super) fn line_around(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..end
}

/// Whether nothing but white space stands beside a range on its lines.
pub(super) fn is_alone(text: &str, range: &Range<usize>) -> bool {
    let start = line_around(text, range.start).start;
    let end = line_around(text, range.end).end;
    text[start..range.start].trim().is_empty() && text[range.end..end].trim().is_empty()
}

/// What takes the place of a range that is a block of its own: apart from the lines around it by empty ones.
pub(super) fn as_block(text: &str, range: &Range<usize>, block: &str) -> String {
    let start = line_around(text, range.start).start;
    let end = line_around(text, range.end).end;
    let indent = &text[start..range.start];
    let before = text[..start].trim_end_matches('\n');
    let is_apart = start == 0 || text[..start].ends_with("\n\n") || before.is_empty();
    let followed = text[end..].strip_prefix('\n').unwrap_or_default();
    let is_followed = !followed
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .is_empty();
    let mut out = String::new();
    if !is_apart {
        out.push('\n');
        out.push_str(indent);
    }
    out.push_str(block);
    if is_followed {
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_known_after_edits() {
        let mut text = Text::new("one\ntwo\nthree\nfour\n");
        text.edit(vec![
            Edit {
                range: 4..7,
                with: "2\n\n2b".into(),
            },
            Edit {
                range: 10..17,
                with: String::new(),
            },
        ]);
        assert_eq!(text.as_str(), "one\n2\n\n2b\nthr\n");
        let (_, lines) = text.into_parts();
        let origins: Vec<_> = (1..=6).map(|line| lines.origin(line)).collect();
        assert_eq!(origins, [1, 2, 2, 2, 3, 5]);
        assert!(!lines.is_changed(1) && lines.is_changed(2) && lines.is_changed(5));
        assert_eq!(Lines::default().origin(7), 7);
    }
}
