//! A text on the way through it: what is known of its blocks, and where the search goes on behind code.

use std::cell::Cell;
use std::ops::Range;

use super::guard::{Guard, guard, holding};
use super::report::Kind;
use super::text::{Edit, is_alone, line_around};

/// The most bytes that a run of inline code is searched for its end.
const CODE_BYTES: usize = 10_000;

/// How many bytes may be looked at ahead in all: a fixed number, and a multiple of the text.
const AHEAD_BYTES: usize = 1_000_000;
const AHEAD_TIMES: usize = 16;

/// What a dialect found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Where it ends.
    pub end: usize,
    /// What takes its place.
    pub with: String,
    /// What is reported about it.
    pub notes: Vec<(Kind, String)>,
    /// Edits elsewhere that belong to it.
    pub more: Vec<Edit>,
}

impl Found {
    /// Something that is left out.
    pub(super) fn nothing(end: usize) -> Self {
        Self {
            end,
            ..Self::default()
        }
    }

    /// Something that another text takes the place of.
    pub(super) fn text(end: usize, with: impl Into<String>) -> Self {
        Self {
            end,
            with: with.into(),
            ..Self::default()
        }
    }

    /// Tells of it.
    pub(super) fn noted(mut self, kind: Kind, name: impl Into<String>) -> Self {
        self.notes.push((kind, name.into()));
        self
    }
}

/// A text with what is known of its blocks.
pub(super) struct Walk<'t> {
    /// The whole text.
    pub text: &'t str,
    guard: Guard,
    /// Whether it is one line that is no Markdown.
    pub is_line: bool,
    /// How many bytes may still be looked at ahead, so that a text full of beginnings without ends is read quickly.
    ahead_bytes: Cell<usize>,
}

impl<'t> Walk<'t> {
    /// The body of an issue.
    pub(super) fn body(text: &'t str) -> Self {
        Self {
            text,
            guard: guard(text),
            is_line: false,
            ahead_bytes: Cell::new(AHEAD_BYTES + AHEAD_TIMES * text.len()),
        }
    }

    /// A line that is no Markdown.
    pub(super) fn line(text: &'t str) -> Self {
        Self {
            text,
            guard: Guard::default(),
            is_line: true,
            ahead_bytes: Cell::new(AHEAD_BYTES),
        }
    }

    /// The blocks of code and comments, in order.
    pub(super) fn code(&self) -> &[Range<usize>] {
        &self.guard.code
    }

    /// The text from a place on.
    pub(super) fn from(&self, at: usize) -> &str {
        &self.text[at..]
    }

    /// The last character before a place.
    pub(super) fn before(&self, at: usize) -> Option<char> {
        self.text[..at].chars().next_back()
    }

    /// Whether a place is in a block of HTML.
    pub(super) fn is_html(&self, at: usize) -> bool {
        holding(&self.guard.html, at).is_some()
    }

    /// Where a sign stands next, at most `most_bytes` on.
    pub(super) fn find(&self, from: usize, sign: &str, most_bytes: usize) -> Option<usize> {
        let end = floor(self.text, from.saturating_add(most_bytes));
        let within = self.text.get(from..end)?;
        let found = within.find(sign);
        self.has_looked(found.unwrap_or(within.len()))
            .then_some(from + found?)
    }

    /// Where a sign stands next, at most `most_bytes` on and not beyond an empty line.
    pub(super) fn find_near(&self, from: usize, sign: &str, most_bytes: usize) -> Option<usize> {
        let found = self.find(from, sign, most_bytes)?;
        (!holds_empty_line(&self.text[from..found])).then_some(found)
    }

    /// Counts what was looked at ahead; whether it was not too much.
    pub(super) fn has_looked(&self, bytes: usize) -> bool {
        let left = self.ahead_bytes.get();
        self.ahead_bytes.set(left.saturating_sub(bytes));
        left > bytes
    }

    /// The end of the inline code that begins at a place; the end of its backticks where nothing closes it.
    fn end_of_code(&self, at: usize) -> usize {
        let rest = self.from(at);
        let run = rest.len() - rest.trim_start_matches('`').len();
        let end = floor(self.text, at.saturating_add(CODE_BYTES));
        let mut from = at + run;
        while let Some(found) = self.text[from..end].find('`').map(|i| from + i) {
            if !self.has_looked(found - from) || holds_empty_line(&self.text[at + run..found]) {
                break;
            }
            let rest = self.from(found);
            let length = rest.len() - rest.trim_start_matches('`').len();
            if length == run {
                return found + run;
            }
            from = found + length;
            if from >= end {
                break;
            }
        }
        at + run
    }

    /// The end of what is shown as it is, or not at all, in HTML that begins at a place.
    fn end_of_opaque_html(&self, at: usize) -> Option<usize> {
        const PAIRS: [(&str, &str); 6] = [
            ("<!--", "-->"),
            ("<code", "</code>"),
            ("<pre", "</pre>"),
            ("<kbd", "</kbd>"),
            ("<samp", "</samp>"),
            ("<script", "</script>"),
        ];
        let rest = self.from(at);
        let (begin, end) = PAIRS.iter().find(|(begin, _)| rest.starts_with(begin))?;
        if *begin != "<!--" && rest[begin.len()..].starts_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
        self.find(at, end, self.text.len())
            .map(|found| found + end.len())
    }
}

/// A place in a text that is at most so far and no half character.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Whether a line of some text is empty, those at its ends left out.
pub(super) fn holds_empty_line(text: &str) -> bool {
    let mut lines = text.split('\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_some() && line.trim().is_empty() {
            return true;
        }
    }
    false
}

/// Where the search goes on when nothing was found at a place: behind code, an escaped character or one character.
pub(super) fn passed(walk: &Walk, at: usize) -> usize {
    let rest = walk.from(at);
    let mut chars = rest.chars();
    let length = match chars.next() {
        Some('`') if !walk.is_line => return walk.end_of_code(at),
        Some('<') if !walk.is_line => match walk.end_of_opaque_html(at) {
            Some(end) => return end,
            None => 1,
        },
        Some('\\') => {
            1 + chars
                .next()
                .filter(char::is_ascii_punctuation)
                .map_or(0, char::len_utf8)
        }
        Some(first) => first.len_utf8(),
        None => 1,
    };
    // Letters and spaces begin nothing but lines.
    let plain = |c: char| !(c.is_ascii_punctuation() || c == '\n');
    let skipped = &rest[length..];
    let more = skipped.find(|c| !plain(c)).unwrap_or(skipped.len());
    at + if rest.starts_with('\n') {
        length
    } else {
        length + more
    }
}

/// A text as it is searched for something that stands in its prose: code and comments are passed over.
pub(super) struct Prose<'t>(Walk<'t>);

impl<'t> Prose<'t> {
    /// A text with what is known of its blocks.
    pub(super) fn new(text: &'t str) -> Self {
        Self(Walk::body(text))
    }

    /// The end of the block of code or comment that a place is in.
    pub(super) fn end_of_opaque(&self, at: usize) -> Option<usize> {
        holding(self.0.code(), at).map(|range| range.end)
    }

    /// Whether a place is in a block of HTML.
    pub(super) fn is_html(&self, at: usize) -> bool {
        self.0.is_html(at)
    }

    /// Where the search goes on behind a place.
    pub(super) fn passed(&self, at: usize) -> usize {
        passed(&self.0, at)
    }
}

/// The whole line that a place stands on.
pub(super) fn line_of<'t>(walk: &Walk<'t>, at: usize) -> (Range<usize>, &'t str) {
    let range = line_around(walk.text, at);
    (range.clone(), &walk.text[range])
}

/// What takes the place of something: a block where it stands alone on its line, else something within it.
pub(super) fn set(walk: &Walk, range: &Range<usize>, block: &str, inline: &str) -> String {
    if is_alone(walk.text, range) && !walk.is_html(range.start) {
        super::text::as_block(walk.text, range, block)
    } else {
        inline.to_owned()
    }
}
