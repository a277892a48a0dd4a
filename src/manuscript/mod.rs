//! An author's file becomes an [`Issue`].
//!
//! The way of a file: it is normalised (line ends, BOM); its front matter is taken off (`front`, `meta`);
//! personal fields are replaced by stand-ins (`fields`); comrak reads the Markdown, and `blocks`, `inlines`
//! and `html_blocks` turn its tree into our parts; `shape` types what can be told. Nothing an author wrote
//! is dropped but comments, lines across the page, and what no reader sees (scripts, styles).
//!
//! # The best form of a letter
//!
//! Any Markdown reads well. Written like this, every part is typed:
//!
//! ```text
//! +++
//! title = "Akira's Machine Learning News"
//! number = 22
//! date = 2021-07-25
//! +++
//!
//! A few words before everything else.
//!
//! ### This week
//!
//! - headings below the level of sections, with a few lines each, are the summary
//!
//! ---
//!
//! What follows:
//!
//! 1. Features
//!
//! ## 1. Features
//!
//! ### [An item's title](https://a.example/page)
//!
//! ![what the picture shows](plot.png)
//! *The caption.*
//!
//! > [The title of a preview card](https://a.example/page)
//! > The beginning of its text…
//!
//! The comment, in as many paragraphs as it takes.
//!
//! ## Subscribe
//!
//! ## About me
//! ```
//!
//! Exports of Revue and Medium are read as well: items as bold links with their source, captions that share
//! a paragraph with the comment, cards (`cards`), separators made of dashes, numbers in headings, title,
//! number and date in the text.

mod address;
mod blocks;
mod cards;
mod contents;
pub(crate) mod date;
mod elements;
mod fields;
mod figures;
pub(crate) mod front;
mod head;
mod html;
mod html_blocks;
mod inlines;
mod items;
mod language;
mod lint;
mod meta;
mod nest;
mod reader;
mod shape;
mod skeleton;
mod words;

use std::ops::Range;

use comrak::nodes::NodeValue;
use comrak::{Arena, Node, Options, parse_document};

use crate::model::Finding;
use crate::model::issue::walk::{self, Seen};
use crate::model::issue::{Block, Issue, Part};

pub(crate) use inlines::is_east_asian;
pub(crate) use skeleton::{Kept, skeleton};

use fields::Fields;
use reader::Reader;
use shape::Top;

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub issue: Issue,
    /// What is worth telling the author, in the order of lines.
    pub findings: Vec<Finding>,
}

/// Reads an author's file.
///
/// `file` is its name as findings show it; `slug` is the name without folder and ending.
///
/// # Errors
/// Only front matter that is malformed; everything else is shown as well as can be, and told in
/// [`Parsed::findings`].
pub fn read(text: &str, file: &str, slug: &str) -> Result<Parsed, Vec<Finding>> {
    let named = |mut findings: Vec<Finding>| {
        findings.iter_mut().for_each(|f| f.file = file.to_owned());
        findings.sort_by_key(|f| f.line);
        findings
    };
    let text = normalise(text);
    let front = front::split(&text).map_err(|finding| named(vec![*finding]))?;
    let entries = front
        .map_or(Ok(Vec::new()), |f| f.entries())
        .map_err(named)?;
    let known = meta::read(&entries);
    let body = front.map_or(text.as_str(), |f| f.body);
    let offset = text[..text.len() - body.len()].matches('\n').count();

    let (body, fields) = Fields::take(body);
    let mut reader = Reader::new(&fields, offset);
    let (mut tops, notes) = tops(&body, &mut reader);
    let mut findings = known.findings;
    findings.append(&mut reader.findings);
    findings.extend(meta::unknown_fields(&fields, |(line, column)| {
        (line + offset, Some(column))
    }));

    let mut meta = known.meta;
    findings.extend(lint::empty_headings(&tops));
    findings.extend(head::complete(
        &mut meta,
        &mut tops,
        slug,
        known.lines.get("title").copied(),
    ));
    findings.extend(lint::lengths(&meta, &known.lines));
    let mut parts = shape::parts(tops);
    if !notes.is_empty() {
        parts.push(Part::Text(notes));
    }
    walk::runs_mut(&mut parts, &mut inlines::join);
    if meta.language.is_none() {
        meta.language = language::guess(&words(&meta.title, &parts)).map(str::to_owned);
    }
    let issue = Issue {
        meta,
        parts,
        slug: slug.to_owned(),
    };
    Ok(Parsed {
        issue,
        findings: named(findings),
    })
}

/// One kind of line end, no byte order mark, no control characters that a mail could not hold.
pub(crate) fn normalise(text: &str) -> String {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\0' => out.push('\u{FFFD}'),
            '\u{B}' | '\u{C}' | '\u{85}' => out.push(' '),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// CommonMark with what letters use of GitHub's additions.
fn options<'c>() -> Options<'c> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.cjk_friendly_emphasis = true;
    options.parse.leave_footnote_definitions = true;
    options
}

/// A stretch of the body that became blocks: one of Markdown's, or the several that make a card.
struct Stretch {
    /// The lines of the body, from 0, the end not included.
    lines: Range<usize>,
    blocks: Vec<Block>,
    is_footnote: bool,
}

/// Reads a body; cards are put together, lines of dashes are lines across the page.
fn stretches(body: &str, reader: &mut Reader) -> Vec<Stretch> {
    let arena = Arena::new();
    let root = parse_document(&arena, body, &options());
    let nodes: Vec<Node> = root.children().collect();
    let lines: Vec<&str> = body.split('\n').collect();
    reader.lines = lines.iter().map(|line| (*line).to_owned()).collect();
    let markers = lint::markers(root, reader);
    reader.findings.extend(markers);
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        let is_footnote = matches!(node.data().value, NodeValue::FootnoteDefinition(_));
        let (mut blocks, spanned) = match cards::card(&nodes[at..], &lines, reader) {
            Some((card, spanned)) => (vec![Block::Card(card)], spanned),
            None => (reader.block(node, 0), 1),
        };
        for block in &mut blocks {
            if words::is_separator(block) {
                *block = Block::Rule;
            }
        }
        let last = nodes[at + spanned - 1].data().sourcepos.end.line;
        let first = node
            .data()
            .sourcepos
            .start
            .line
            .saturating_sub(1)
            .min(lines.len());
        out.push(Stretch {
            lines: first..last.clamp(first, lines.len()),
            blocks,
            is_footnote,
        });
        at += spanned;
    }
    out
}

/// The blocks of a body, and the footnotes, which go to the end.
fn tops(body: &str, reader: &mut Reader) -> (Vec<Top>, Vec<Block>) {
    let (mut tops, mut notes) = (Vec::new(), Vec::new());
    for stretch in stretches(body, reader) {
        let line = stretch.lines.start + 1 + reader.offset;
        if stretch.is_footnote {
            notes.extend(stretch.blocks);
        } else {
            tops.extend(stretch.blocks.into_iter().map(|block| Top { block, line }));
        }
    }
    (figures::caption_tops(tops), notes)
}

/// Every word that readers see.
fn words(title: &str, parts: &[Part]) -> String {
    let mut out = title.to_owned();
    walk::parts(parts, &mut |seen| {
        if let Seen::Text(text) = seen {
            out.push(' ');
            out.push_str(text);
        }
    });
    out
}

#[cfg(test)]
mod tests;
