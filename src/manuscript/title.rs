//! Title, number and date where the front matter does not give them: they are read from the text.

use crate::model::issue::walk::{self, Seen};
use crate::model::issue::{Block, Inline, Inlines, Meta, plain};
use crate::model::{Finding, Severity};

use super::tidy::TopBlock;
use super::{date, number};

/// The number of blocks after the title that are searched for a date.
const NEAR: usize = 6;
/// A longer line mentions a date rather than being one.
const DATE_LINE_CHARS: usize = 80;

/// Completes what the front matter left open, and removes the heading with the title from the text. Returns a finding if
/// there is no title.
///
/// `title_line` is the line of the front matter that the title stands on.
pub(super) fn complete(
    meta: &mut Meta,
    tops: &mut Vec<TopBlock>,
    slug: &str,
    title_line: Option<usize>,
) -> Option<Finding> {
    let mut finding = None;
    let heading = first_heading(tops);
    if meta.title.is_empty() {
        match heading {
            Some((at, text)) => {
                meta.title = text;
                take_off(tops, at);
            }
            None => {
                meta.title = fallback(tops, slug);
                let message = format!("this issue has no title; “{}” is used instead", meta.title);
                let help = "Add title = \"…\" to the front matter, or begin the text with # and the title.";
                let line = title_line.unwrap_or(1);
                finding = Some(
                    Finding::new(Severity::Warning, "title-missing", message, help).at(line, None),
                );
            }
        }
    } else if let Some((at, text)) = heading
        && (text == meta.title || number::in_title(&text).1 == number::in_title(&meta.title).1)
    {
        take_off(tops, at);
    }
    number_and_date(meta, tops);
    finding
}

fn number_and_date(meta: &mut Meta, tops: &[TopBlock]) {
    let full = meta.title.clone();
    let (number, rest) = number::in_title(&full);
    meta.number = meta.number.or(number);
    if meta.number == number && rest != full {
        // The subject keeps the number that the title gives up.
        if meta.subject.is_empty() {
            meta.subject = vec![Inline::Text(full.clone())];
        }
        meta.title = rest.to_owned();
    }
    if meta.date.is_none() {
        let near = tops
            .iter()
            .take_while(|t| !matches!(t.block, Block::Heading { .. }))
            .take(NEAR);
        meta.date = date_within(&full).or_else(|| near.filter_map(|t| date_line(&t.block)).next());
    }
}

/// The date that a title holds anywhere.
fn date_within(title: &str) -> Option<jiff::civil::Date> {
    let mut before = ' ';
    for (at, c) in title.char_indices() {
        if !before.is_alphanumeric()
            && let Some(date) = date::leading(&title[at..])
        {
            return Some(date);
        }
        before = c;
    }
    None
}

/// The date of a short paragraph that begins with one.
fn date_line(block: &Block) -> Option<jiff::civil::Date> {
    let Block::Paragraph(inlines) = block else {
        return None;
    };
    let text = plain(inlines);
    if text.chars().count() <= DATE_LINE_CHARS {
        date::leading(&text)
    } else {
        None
    }
}

/// The first block, if it is a heading of the first level: its place and its words.
fn first_heading(tops: &[TopBlock]) -> Option<(usize, String)> {
    let at = tops
        .iter()
        .position(|t| !matches!(t.block, Block::Rule | Block::Figure { .. }))?;
    match &tops[at].block {
        Block::Heading { level: 1, inlines } => {
            let text = one_line(inlines);
            (!text.is_empty()).then_some((at, text))
        }
        _ => None,
    }
}

/// Takes a title's heading off; one that holds more than words stays, as text.
fn take_off(tops: &mut Vec<TopBlock>, at: usize) {
    let Some(TopBlock {
        block: Block::Heading { inlines, .. },
        ..
    }) = tops.get_mut(at)
    else {
        return;
    };
    let mut more = false;
    walk::inlines(inlines, &mut |seen| {
        more |= matches!(seen, Seen::Link { .. } | Seen::Image(_))
    });
    if more {
        let inlines = std::mem::take(inlines);
        tops[at].block = Block::Paragraph(inlines);
    } else {
        tops.remove(at);
    }
}

/// What stands for a title: the first heading, or the file's name.
fn fallback(tops: &[TopBlock], slug: &str) -> String {
    let heading = tops.iter().find_map(|t| match &t.block {
        Block::Heading { inlines, .. } => Some(one_line(inlines)),
        _ => None,
    });
    heading
        .filter(|h| !h.is_empty())
        .unwrap_or_else(|| slug.to_owned())
}

fn one_line(inlines: &Inlines) -> String {
    plain(inlines)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
