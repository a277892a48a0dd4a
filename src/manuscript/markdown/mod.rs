//! The Markdown of a manuscript, parsed by comrak and turned into our blocks and inlines.

mod blocks;
mod cards;
mod inlines;

use std::ops::Range;

use comrak::nodes::NodeValue;
use comrak::{Arena, Node, Options, parse_document};

use super::notes::Notes;
use super::reader::Reader;
use super::tidy::{TopBlock, is_separator};
use super::{figures, lint};
use crate::model::issue::Block;

/// CommonMark with those of GitHub's additions that newsletters use.
pub(super) fn options<'c>() -> Options<'c> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.cjk_friendly_emphasis = true;
    options.extension.alerts = true;
    options.extension.description_lists = true;
    options.extension.shortcodes = true;
    options.parse.leave_footnote_definitions = true;
    options
}

/// The words of a line of Markdown, without its marks and tags.
pub(super) fn plain_words(text: &str) -> String {
    let arena = Arena::new();
    let mut out = String::new();
    for node in parse_document(&arena, text, &options()).descendants() {
        match &node.data().value {
            NodeValue::Text(text) => out.push_str(text),
            NodeValue::Code(code) => out.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak | NodeValue::Paragraph => out.push(' '),
            NodeValue::HtmlBlock(html) => {
                for piece in super::html::markup(&html.literal) {
                    if let super::html::Markup::Text(text) = piece {
                        out.push_str(&text);
                    }
                }
            }
            _ => {}
        }
    }
    out
}

/// Some lines of the body and the blocks they became: one block of Markdown, or the several that make a card.
pub(super) struct Stretch {
    /// The lines of the body, from 0, the end not included.
    pub lines: Range<usize>,
    /// What the lines became.
    pub blocks: Vec<Block>,
    /// The number of the footnote that they define.
    pub footnote: Option<u32>,
}

/// Parses a body. Cards are put together; lines of dashes are thematic breaks.
pub(super) fn stretches(body: &str, reader: &mut Reader) -> Vec<Stretch> {
    let arena = Arena::new();
    let root = parse_document(&arena, body, &options());
    let nodes: Vec<Node> = root.children().collect();
    let lines: Vec<&str> = body.split('\n').collect();
    reader.lines = lines.iter().map(|line| (*line).to_owned()).collect();
    reader.notes = Notes::default();
    for node in root.descendants() {
        if let NodeValue::FootnoteReference(note) = &node.data().value {
            reader.notes.refer(&note.name, note.ix);
        }
    }
    let markers = lint::markers(root, reader);
    reader.findings.extend(markers);
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        let footnote = match &node.data().value {
            NodeValue::FootnoteDefinition(note) => Some(reader.notes.number(&note.name)),
            _ => None,
        };
        let (mut blocks, spanned) = match cards::card(&nodes[at..], &lines, reader) {
            Some((card, spanned)) => (vec![Block::Card(card)], spanned),
            None => (reader.block(node, 0), 1),
        };
        for block in &mut blocks {
            if is_separator(block) {
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
            footnote,
        });
        at += spanned;
    }
    out
}

/// The top-level blocks of a body, and its footnotes in the order of their numbers, which go to the end of the issue.
pub(super) fn top_blocks(body: &str, reader: &mut Reader) -> (Vec<TopBlock>, Vec<Block>) {
    let (mut tops, mut notes) = (Vec::new(), Vec::new());
    for stretch in stretches(body, reader) {
        let line = reader.line(stretch.lines.start + 1);
        if let Some(number) = stretch.footnote {
            notes.push((number, stretch.blocks));
        } else {
            tops.extend(
                stretch
                    .blocks
                    .into_iter()
                    .map(|block| TopBlock { block, line }),
            );
        }
    }
    notes.sort_by_key(|(number, _)| *number);
    let notes = notes.into_iter().flat_map(|(_, blocks)| blocks).collect();
    (figures::caption_tops(tops), notes)
}
