//! What stands before the first section: text, and the summary where there is one.

use crate::model::issue::walk::{self, Seen};
use crate::model::issue::{Block, Inlines, Part, SummaryGroup};

use super::sections::{Group, own_headings, section};
use crate::manuscript::tidy::{TopBlock, blocks, without_rules};

/// A summary is short; more blocks or characters than this are sections of their own.
const SUMMARY_BLOCKS: usize = 30;
const SUMMARY_CHARS: usize = 4000;

/// Turns what stands before the first section into parts; `level` is the heading level of sections.
pub(crate) fn before_sections(tops: Vec<TopBlock>, level: u8, parts: &mut Vec<Part>) {
    let first = tops
        .iter()
        .position(|t| matches!(&t.block, Block::Heading { .. }))
        .unwrap_or(tops.len());
    let mut opening = tops;
    let rest = opening.split_off(first);
    if rest.is_empty() {
        return text(opening, parts);
    }
    text(opening, parts);
    let (groups, tail) = summary_groups(rest);
    if is_summary(&groups) {
        let group = |g: Group| SummaryGroup {
            heading: g.heading,
            blocks: blocks(g.body),
        };
        parts.push(Part::Summary(groups.into_iter().map(group).collect()));
        text(tail, parts);
        return;
    }
    let mut groups = groups;
    // No summary: what follows the line across the page belongs to the last group again.
    match groups.last_mut() {
        Some(last) => last.body.extend(tail),
        None => text(tail, parts),
    }
    for Group {
        heading,
        level: own,
        body,
    } in groups
    {
        if heading.is_empty() {
            parts.push(section(heading, level, body));
        } else {
            parts.push(section(heading, own, body));
        }
    }
}

/// Cuts the head into headings with what is below them, up to a line across the page after which no heading
/// comes; what follows that line is the tail.
fn summary_groups(tops: Vec<TopBlock>) -> (Vec<Group>, Vec<TopBlock>) {
    let last_heading = tops
        .iter()
        .rposition(|t| matches!(&t.block, Block::Heading { .. }))
        .unwrap_or(0);
    let rule = tops
        .iter()
        .skip(last_heading)
        .position(|t| matches!(t.block, Block::Rule));
    let mut tops = tops;
    let tail = match rule {
        Some(after) => tops.split_off(last_heading + after),
        None => Vec::new(),
    };
    let mut groups: Vec<Group> = Vec::new();
    let own = own_headings(&tops);
    for (top, own) in tops.into_iter().zip(own) {
        match top.block {
            Block::Heading { level, inlines } if own => {
                groups.push(Group {
                    heading: inlines,
                    level,
                    body: Vec::new(),
                });
            }
            block => {
                let top = TopBlock {
                    block,
                    line: top.line,
                };
                match groups.last_mut() {
                    Some(group) => group.body.push(top),
                    None => groups.push(Group {
                        heading: Inlines::new(),
                        level: 7,
                        body: vec![top],
                    }),
                }
            }
        }
    }
    (groups, without_rules(tail))
}

/// Whether headings with what is below them read as a summary: a few lines each, and nothing else.
fn is_summary(groups: &[Group]) -> bool {
    let all: Vec<&Block> = groups
        .iter()
        .flat_map(|g| &g.body)
        .map(|t| &t.block)
        .collect();
    let simple = all
        .iter()
        .all(|b| matches!(b, Block::Paragraph(_) | Block::List { .. }));
    let mut chars = 0;
    for block in &all {
        walk::block(block, &mut |seen| {
            if let Seen::Text(text) | Seen::Code(text) = seen {
                chars += text.chars().count();
            }
        });
    }
    !groups.is_empty()
        && groups
            .iter()
            .all(|g| !g.heading.is_empty() && !g.body.is_empty())
        && simple
        && all.len() <= SUMMARY_BLOCKS
        && chars <= SUMMARY_CHARS
}

/// Ordinary text, without the lines across the page at its ends.
fn text(tops: Vec<TopBlock>, parts: &mut Vec<Part>) {
    let tops = without_rules(tops);
    if !tops.is_empty() {
        parts.push(Part::Text(blocks(tops)));
    }
}
