//! Title, number and date where the front matter does not give them: they are read from the text and the file's name,
//! and taken off a title that holds them too, so that each stands once.

use std::collections::HashMap;

use crate::model::issue::walk::{self, Seen};
use crate::model::issue::{Block, Image, Inline, Inlines, Meta, plain};
use crate::model::{Finding, Severity};

use super::tidy::TopBlock;
use super::{date, file_name, headings, number};

/// The number of blocks after the title that are searched for a date.
const NEAR: usize = 6;
/// A longer line mentions a date rather than being one.
const DATE_LINE_CHARS: usize = 80;

/// Completes what the front matter left open, and removes the heading with the title from the text. Returns a finding if
/// there is no title: then it stays empty, and the list's name takes its place.
///
/// `lines` are those of the front matter's keys.
pub(super) fn complete(
    meta: &mut Meta,
    tops: &mut Vec<TopBlock>,
    slug: &str,
    lines: &HashMap<String, usize>,
) -> Option<Finding> {
    if meta.title.is_empty() {
        match title_heading(tops) {
            Some((at, text)) => {
                meta.title = text;
                take_off(tops, at);
            }
            None => meta.title = by_subject(&meta.subject),
        }
    } else if let Some((at, text)) = first_heading(tops)
        && (text == meta.title || number::in_title(&text).1 == number::in_title(&meta.title).1)
    {
        take_off(tops, at);
    }
    number_and_date(meta, tops, slug);
    if !meta.title.is_empty() {
        return None;
    }
    let message = "this issue has no title; the list's name is used instead";
    let help = "Add title = \"…\" to the front matter, or begin the text with # and the title.";
    let line = lines.get("title").copied().unwrap_or(1);
    Some(Finding::new(Severity::Note, "title-missing", message, help).at(line, None))
}

fn number_and_date(meta: &mut Meta, tops: &[TopBlock], slug: &str) {
    let full = meta.title.clone();
    let in_title = number::in_title(&full).0;
    let date_in_title = date_within(&full);
    meta.number = meta.number.or(in_title);
    if meta.date.is_none() {
        let near = tops
            .iter()
            .take_while(|t| !matches!(t.block, Block::Heading { .. }))
            .take(NEAR);
        meta.date = date_in_title.or_else(|| near.filter_map(|t| date_line(&t.block)).next());
    }
    let (by_name, dated) = file_name::number_and_date(slug);
    meta.number = meta.number.or(by_name);
    meta.date = meta.date.or(dated);
    // What the title says differently from the front matter stays in it.
    let number = in_title.filter(|n| meta.number == Some(*n));
    let date = date_in_title.filter(|d| meta.date == Some(*d));
    let short = number::without_number_and_date(&full, number, date);
    if short != full {
        // The subject keeps what the title gives up.
        if meta.subject.is_empty() {
            meta.subject = vec![Inline::Text(full)];
        }
        meta.title = short;
    }
    meta.is_number_in_title = number.is_some() && number::in_title(&meta.title).0 == number;
    meta.is_date_in_title = date.is_some() && date_within(&meta.title) == date;
}

/// A subject that is the same for everybody serves as title.
fn by_subject(subject: &Inlines) -> String {
    let is_same = subject.iter().all(|i| !matches!(i, Inline::Field(_)));
    if is_same {
        one_line(subject)
    } else {
        String::new()
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

/// The first block, if it is a heading: its place and its words.
fn first_heading(tops: &[TopBlock]) -> Option<(usize, String)> {
    let at = tops
        .iter()
        .position(|t| !matches!(t.block, Block::Rule | Block::Figure { .. }))?;
    match &tops[at].block {
        Block::Heading { inlines, .. } => {
            let text = words(inlines);
            (!text.is_empty()).then_some((at, text))
        }
        _ => None,
    }
}

/// The heading that is the title: a first one of the first level that is the only one, or the only one that is no
/// section's; or a first one that holds a picture.
fn title_heading(tops: &[TopBlock]) -> Option<(usize, String)> {
    let (at, text) = first_heading(tops)?;
    let Block::Heading { level, inlines } = &tops[at].block else {
        return None;
    };
    if !pictures(inlines).is_empty() {
        return Some((at, text));
    }
    let others: Vec<&Inlines> = tops
        .iter()
        .skip(at + 1)
        .filter_map(|t| match &t.block {
            Block::Heading { level: 1, inlines } => Some(inlines),
            _ => None,
        })
        .collect();
    let is_numbered = |inlines: &&Inlines| headings::numbered((*inlines).clone()).0.is_some();
    let names_issue = number::in_title(&text).0.is_some() || date_within(&text).is_some();
    let is_title = others.is_empty()
        || names_issue
        || (others.iter().any(is_numbered) && !is_numbered(&inlines));
    (*level == 1 && is_title).then_some((at, text))
}

/// Takes a title's heading off. Its pictures stay, and one that holds links stays as text.
fn take_off(tops: &mut Vec<TopBlock>, at: usize) {
    let Some(TopBlock {
        block: Block::Heading { inlines, .. },
        line,
    }) = tops.get_mut(at)
    else {
        return;
    };
    let line = *line;
    let pictures = pictures(inlines);
    let shown = pictures.len() + pictures.iter().filter(|(_, link)| link.is_some()).count();
    let mut more = 0;
    walk::inlines(inlines, &mut |seen| {
        more += usize::from(matches!(seen, Seen::Link { .. } | Seen::Image(_)))
    });
    if more > shown {
        let inlines = std::mem::take(inlines);
        tops[at].block = Block::Paragraph(inlines);
        return;
    }
    let figures = pictures.into_iter().map(|(image, link)| TopBlock {
        block: Block::Figure {
            image,
            link,
            caption: Inlines::new(),
        },
        line,
    });
    tops.splice(at..=at, figures);
}

/// The pictures of a heading, each with where it links to.
fn pictures(inlines: &Inlines) -> Vec<(Image, Option<String>)> {
    inlines
        .iter()
        .filter_map(|inline| match inline {
            Inline::Image(image) => Some((image.clone(), None)),
            Inline::Link { url, children, .. } => match children.as_slice() {
                [Inline::Image(image)] => Some((image.clone(), Some(url.clone()))),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// The words of a heading, without those of its pictures.
fn words(inlines: &Inlines) -> String {
    let is_picture = |inline: &&Inline| {
        matches!(inline, Inline::Image(_))
            || matches!(inline, Inline::Link { children, .. } if matches!(children.as_slice(), [Inline::Image(_)]))
    };
    let kept: Inlines = inlines.iter().filter(|i| !is_picture(i)).cloned().collect();
    one_line(&kept)
}

fn one_line(inlines: &Inlines) -> String {
    plain(inlines)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
