//! Blocks in a row become the parts of a letter.
//!
//! What can be told is typed: the summary, the list of contents, sections with their items, the call to
//! subscribe, the note about the author. The rest stays ordinary text, in its place. Nothing is dropped but
//! lines across the page at the edges of parts, which a theme draws in its own way.

use crate::model::issue::{Block, Body, Inlines, Part, Section, plain};

use super::contents;
use super::items;
use super::words::{self, folded};

/// A block with the line it begins on.
#[derive(Clone, Debug)]
pub(super) struct Top {
    pub block: Block,
    pub line: usize,
}

/// The most blocks a call to subscribe, or a note about the author, is taken to have.
const SHORT: usize = 8;

/// Shapes the blocks of a letter whose title has been taken off.
pub(super) fn parts(tops: Vec<Top>) -> Vec<Part> {
    let level = section_level(&tops);
    let mut groups = group(tops, level);
    let mut parts = Vec::new();
    if let Some(head) = groups.next_if_headless() {
        contents::head(head, level, &mut parts);
    }
    for Group {
        heading,
        level,
        body,
    } in groups.0
    {
        parts.push(section(heading, level, body));
    }
    contents::tie(&mut parts);
    parts
}

/// The level on which sections stand: the highest that is used twice, or else the highest.
pub(super) fn section_level(tops: &[Top]) -> u8 {
    let mut counts = [0usize; 7];
    for top in tops {
        if let Block::Heading { level, inlines } = &top.block
            && items::heading(inlines).is_none()
        {
            counts[usize::from(*level).min(6)] += 1;
        }
    }
    let highest = |least: usize| (1..7u8).find(|level| counts[usize::from(*level)] >= least);
    highest(2).or_else(|| highest(1)).unwrap_or(1)
}

/// A heading with what stands below it.
pub(super) struct Group {
    /// Empty for what stands before the first heading.
    pub heading: Inlines,
    pub level: u8,
    pub body: Vec<Top>,
}

struct Groups(std::vec::IntoIter<Group>);

impl Groups {
    /// What stands before the first heading, if anything does.
    fn next_if_headless(&mut self) -> Option<Vec<Top>> {
        let first = self.0.as_mut_slice().first_mut()?;
        if !first.heading.is_empty() {
            return None;
        }
        let body = std::mem::take(&mut first.body);
        self.0.next();
        Some(body)
    }
}

/// Cuts blocks at the headings that begin a section.
fn group(tops: Vec<Top>, section: u8) -> Groups {
    let mut groups = vec![Group {
        heading: Inlines::new(),
        level: section,
        body: Vec::new(),
    }];
    for top in tops {
        match top.block {
            Block::Heading { level, inlines }
                if level <= section && items::heading(&inlines).is_none() =>
            {
                groups.push(Group {
                    heading: inlines,
                    level,
                    body: Vec::new(),
                });
            }
            block => {
                if let Some(group) = groups.last_mut() {
                    group.body.push(Top {
                        block,
                        line: top.line,
                    });
                }
            }
        }
    }
    if groups[0].body.is_empty() {
        groups.remove(0);
    }
    Groups(groups.into_iter())
}

/// One section; a call to subscribe and a note about the author are told by their headings.
pub(super) fn section(heading: Inlines, level: u8, body: Vec<Top>) -> Part {
    let body = items::body(body);
    let blocks: usize = body
        .iter()
        .map(|b| {
            if let Body::Text(blocks) = b {
                blocks.len()
            } else {
                1
            }
        })
        .sum();
    let has_items = body.iter().any(|b| matches!(b, Body::Item(_)));
    let short = blocks <= SHORT && !has_items;
    let title = folded(&plain(&heading));
    if short && words::calls_to_subscribe(&title) {
        return Part::Subscribe { heading, body };
    }
    if short && words::is_about(&title) {
        let blocks = body.into_iter().flat_map(|b| match b {
            Body::Text(blocks) => blocks,
            Body::Card(card) => vec![Block::Card(card)],
            Body::Item(_) => Vec::new(),
        });
        return Part::About {
            heading,
            body: blocks.collect(),
        };
    }
    let (number, heading) = contents::numbered(heading);
    Part::Section(Section {
        number,
        heading,
        level,
        body,
    })
}

/// Drops lines across the page at both ends.
pub(super) fn without_rules(mut tops: Vec<Top>) -> Vec<Top> {
    let rule = |t: &Top| matches!(t.block, Block::Rule);
    while tops.last().is_some_and(rule) {
        tops.pop();
    }
    let start = tops.iter().position(|t| !rule(t)).unwrap_or(tops.len());
    tops.drain(..start);
    tops
}

/// The blocks alone.
pub(super) fn blocks(tops: Vec<Top>) -> Vec<Block> {
    tops.into_iter().map(|t| t.block).collect()
}
