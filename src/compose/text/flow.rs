//! Inlines as plain text. Addresses of links are numbered, and listed below the block that they stand in.

use std::collections::HashMap;

use crate::compose::readable::readable;
use crate::model::destination::Destination;
use crate::model::issue::{Field, Inline, Inlines, plain};
use crate::model::rendered::{MergeField, Piece};

use super::wrap::Run;
use super::{Tag, enclosed};

/// Addresses that wait to be listed below a block.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// How many were numbered so far in the whole text.
    count: usize,
    /// What is to be listed below the present block: number and address, not yet tagged.
    waiting: Vec<(usize, String)>,
    /// The numbers of those that wait.
    numbers: HashMap<String, usize>,
}

impl Notes {
    /// The number of an address; one that stands in this block already keeps its number.
    fn number(&mut self, url: &str) -> usize {
        if let Some(number) = self.numbers.get(url) {
            return *number;
        }
        self.count += 1;
        self.waiting.push((self.count, url.to_owned()));
        self.numbers.insert(url.to_owned(), self.count);
        self.count
    }

    /// Takes what waits, to be listed.
    pub(super) fn take(&mut self) -> Vec<(usize, String)> {
        self.numbers.clear();
        std::mem::take(&mut self.waiting)
    }
}

/// How inlines are written.
pub(super) struct Flow<'a> {
    /// The addresses that are listed below the present block.
    pub notes: &'a mut Notes,
    /// Makes the address that readers get of the author's.
    pub tag: Tag<'a>,
}

impl Flow<'_> {
    /// Writes the inlines of a block. A block whose only link stands at its end shows the address below
    /// itself without a number; it is returned.
    pub(super) fn block(&mut self, inlines: &[Inline], run: &mut Run) -> Option<String> {
        if let Some((before, link, after)) = ends_in_link(inlines)
            && self.notes.waiting.is_empty()
        {
            self.inlines(before, run);
            if let Inline::Link { url, children, .. } = link {
                self.inlines(plainly(children), run);
                self.inlines(after, run);
                return Some(url.clone());
            }
        }
        self.inlines(plainly(inlines), run);
        None
    }

    /// Appends inlines to a run; links get numbers.
    pub(super) fn inlines(&mut self, inlines: &[Inline], run: &mut Run) {
        for inline in inlines {
            self.inline(inline, run);
        }
    }

    fn inline(&mut self, inline: &Inline, run: &mut Run) {
        match inline {
            Inline::Text(text) => run.push(text),
            Inline::SoftBreak => run.push(" "),
            Inline::HardBreak => run.break_line(),
            Inline::Code(code) => self.between("`", &[Inline::Text(code.clone())], run),
            Inline::Strong(children) => self.between("*", children, run),
            Inline::Emphasis(children) => self.between("_", children, run),
            Inline::Strike(children) => self.between("~", children, run),
            Inline::Tag {
                name: "sup",
                children,
            } if is_power(children) => {
                run.push("^");
                self.inlines(children, run);
            }
            Inline::Tag { children, .. } => self.inlines(children, run),
            Inline::Image(image) => run.push(&bracketed(&image.alt)),
            Inline::Field(Field::Name { default }) => run.push_field(MergeField::Name {
                default: default.clone(),
            }),
            Inline::Field(Field::Email) => run.push_field(MergeField::Email),
            Inline::Link { url, children, .. } => self.link(url, children, run),
            Inline::Anchor(_) => {}
            Inline::NoteMark { number, .. } => run.push_mark(raised(*number)),
            Inline::NoteLabel { number, .. } => run.push(&format!("{} ", raised(*number))),
        }
    }

    fn link(&mut self, url: &str, children: &Inlines, run: &mut Run) {
        let words = plain(children);
        let leads_out = leads_out(url);
        if leads_out && words == *url {
            let shown = readable(url);
            if shown == *url {
                return run.push_whole(enclosed("<", (self.tag)(url)));
            }
            run.push_whole(vec![Piece::Text(shown.into_owned())]);
        } else {
            self.inlines(plainly(children), run);
        }
        if leads_out && url.strip_prefix("mailto:") != Some(words.as_str()) {
            let number = self.notes.number(url);
            run.push_mark(format!("[{number}]"));
        }
    }

    fn between(&mut self, mark: &str, children: &[Inline], run: &mut Run) {
        // A link in bold needs no stars as well.
        if children
            .iter()
            .all(|c| matches!(c, Inline::Link { .. } | Inline::Image(_)))
        {
            return self.inlines(children, run);
        }
        run.push(mark);
        self.inlines(children, run);
        run.push(mark);
    }
}

/// Inlines without emphasis around all of them, which emphasises nothing.
fn plainly(inlines: &[Inline]) -> &[Inline] {
    match inlines {
        [Inline::Strong(all) | Inline::Emphasis(all)] => all,
        _ => inlines,
    }
}

/// An alternative text in the place of its picture.
pub(super) fn bracketed(alt: &str) -> String {
    if alt.trim().is_empty() {
        String::new()
    } else {
        format!("[{}]", alt.trim())
    }
}

/// Whether a URL leads out of the mail.
pub(super) fn leads_out(url: &str) -> bool {
    Destination::of(url).is_outside()
}

/// The number of a footnote, raised: it can't be taken for that of a link.
fn raised(number: u32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digits = number.to_string();
    digits
        .bytes()
        .map(|digit| DIGITS[usize::from(digit - b'0')])
        .collect()
}

/// Whether a superscript is a number, which would run together with what it raises.
fn is_power(children: &[Inline]) -> bool {
    let text = plain(children);
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || "+-−".contains(c))
}

/// Cuts inlines around their only link, if at most a full stop follows it.
fn ends_in_link(inlines: &[Inline]) -> Option<(&[Inline], &Inline, &[Inline])> {
    let at = inlines
        .iter()
        .rposition(|i| matches!(i, Inline::Link { .. }))?;
    let (before, rest) = inlines.split_at(at);
    let (link, after) = rest.split_first()?;
    let Inline::Link { url, children, .. } = link else {
        return None;
    };
    let short = plain(after)
        .chars()
        .all(|c| ".,;:!?。！？；：）)」』】\"”’".contains(c));
    let only = !has_link(before) && !has_link(children) && !has_link(after);
    let listed = leads_out(url) && plain(children) != *url && !url.starts_with("mailto:");
    (short && only && listed).then_some((before, link, after))
}

fn has_link(inlines: &[Inline]) -> bool {
    let mut found = false;
    crate::model::issue::walk::inlines(inlines, &mut |seen| {
        found |= matches!(seen, crate::model::issue::walk::Seen::Link { .. });
    });
    found
}
