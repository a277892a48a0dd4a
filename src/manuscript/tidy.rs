//! What the reading does with blocks and inlines once they are ours: blank ends trimmed, line ends joined, rules at
//! the edges dropped.

use crate::model::issue::{Block, Inline, Inlines};

use super::language::is_east_asian;

/// A top-level block with the line that it begins on.
#[derive(Clone, Debug)]
pub(super) struct TopBlock {
    /// The block.
    pub block: Block,
    /// The line of the file that it begins on, from 1; 0 where that is not known.
    pub line: usize,
}

/// The blocks without their lines.
pub(super) fn blocks(tops: Vec<TopBlock>) -> Vec<Block> {
    tops.into_iter().map(|t| t.block).collect()
}

/// Drops thematic breaks at both ends.
pub(super) fn without_rules(mut tops: Vec<TopBlock>) -> Vec<TopBlock> {
    let rule = |t: &TopBlock| matches!(t.block, Block::Rule);
    while tops.last().is_some_and(rule) {
        tops.pop();
    }
    let start = tops.iter().position(|t| !rule(t)).unwrap_or(tops.len());
    tops.drain(..start);
    tops
}

/// Whether a paragraph is nothing but dashes or stars: a thematic break drawn by hand.
pub(super) fn is_separator(block: &Block) -> bool {
    let Block::Paragraph(inlines) = block else {
        return false;
    };
    let mut marks = 0;
    for inline in inlines {
        let Inline::Text(text) = inline else {
            return false;
        };
        for c in text.chars().filter(|c| !c.is_whitespace()) {
            if !"—–-―─━⸺⸻=_~*•·⁂".contains(c) {
                return false;
            }
            marks += 1;
        }
    }
    marks >= 3
        || inlines
            .iter()
            .any(|i| matches!(i, Inline::Text(t) if t.contains(['⁂', '⸻'])))
}

/// Drops what shows nothing at the ends of a block: breaks and white space.
pub(super) fn trim(mut inlines: Inlines) -> Inlines {
    let blank = |i: &Inline| match i {
        Inline::SoftBreak | Inline::HardBreak => true,
        Inline::Text(t) => t.trim().is_empty(),
        _ => false,
    };
    while inlines.last().is_some_and(blank) {
        inlines.pop();
    }
    let start = inlines
        .iter()
        .position(|i| !blank(i))
        .unwrap_or(inlines.len());
    inlines.drain(..start);
    if let Some(Inline::Text(first)) = inlines.first_mut() {
        *first = first.trim_start().to_owned();
    }
    if let Some(Inline::Text(last)) = inlines.last_mut() {
        last.truncate(last.trim_end().len());
    }
    inlines
}

/// Drops doubled breaks, and the line ends of a source that stand between two East Asian characters, where
/// a space would be seen. Done last, since captions and titles are recognised by their line ends.
pub(super) fn join(run: &mut Inlines) {
    let mut out = Inlines::with_capacity(run.len());
    let mut rest = std::mem::take(run).into_iter().peekable();
    while let Some(mut inline) = rest.next() {
        if let Some(children) = children_mut(&mut inline) {
            join(children);
        }
        match (out.last_mut(), inline) {
            (Some(last @ (Inline::SoftBreak | Inline::HardBreak)), Inline::HardBreak) => {
                *last = Inline::HardBreak
            }
            (Some(Inline::SoftBreak | Inline::HardBreak), Inline::SoftBreak) => {}
            (before, Inline::SoftBreak) => {
                let before = before.and_then(|i| edge(i, true));
                let after = rest.peek().and_then(|i| edge(i, false));
                if !(before.is_some_and(is_east_asian) && after.is_some_and(is_east_asian)) {
                    out.push(Inline::SoftBreak);
                }
            }
            (_, other) => out.push(other),
        }
    }
    *run = out;
}

fn children_mut(inline: &mut Inline) -> Option<&mut Inlines> {
    match inline {
        Inline::Emphasis(c) | Inline::Strong(c) | Inline::Strike(c) => Some(c),
        Inline::Link { children, .. } | Inline::Tag { children, .. } => Some(children),
        _ => None,
    }
}

/// The last or first character of an inline.
fn edge(inline: &Inline, last: bool) -> Option<char> {
    let end =
        |list: &Inlines| if last { list.last() } else { list.first() }.and_then(|i| edge(i, last));
    match inline {
        Inline::Text(t) | Inline::Code(t) => {
            if last {
                t.chars().next_back()
            } else {
                t.chars().next()
            }
        }
        Inline::Emphasis(c) | Inline::Strong(c) | Inline::Strike(c) => end(c),
        Inline::Link { children, .. } | Inline::Tag { children, .. } => end(children),
        _ => None,
    }
}
