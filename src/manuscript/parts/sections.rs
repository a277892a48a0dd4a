//! Sections: where one begins, and what its heading says it is.

use crate::model::issue::{Block, Body, Inlines, Part, Section, plain};

use super::items;
use crate::manuscript::headings::{self, folded, numbered};
use crate::manuscript::tidy::TopBlock;

/// The most blocks a call to subscribe, or a note about the author, is taken to have.
const SHORT: usize = 8;

/// The heading level of sections, from 1 to 6: the highest that is used twice, or else the highest that is used.
pub(crate) fn section_level(tops: &[TopBlock]) -> u8 {
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

/// A heading with the blocks below it.
pub(crate) struct Group {
    /// Empty only for what stands before the first heading of a summary.
    pub heading: Inlines,
    /// The level of the heading, from 1; 7 where there is none.
    pub level: u8,
    /// What stands below the heading, up to the next group.
    pub body: Vec<TopBlock>,
}

/// Cuts blocks at the headings that begin a section: what stands before the first of them, and the sections.
pub(crate) fn cut(tops: Vec<TopBlock>, section: u8) -> (Vec<TopBlock>, Vec<Group>) {
    let mut head = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    for TopBlock { block, line } in tops {
        match block {
            Block::Heading { level, inlines }
                if level <= section && items::heading(&inlines).is_none() =>
            {
                groups.push(Group {
                    heading: inlines,
                    level,
                    body: Vec::new(),
                });
            }
            block => groups
                .last_mut()
                .map_or(&mut head, |group| &mut group.body)
                .push(TopBlock { block, line }),
        }
    }
    (head, groups)
}

/// One section; a call to subscribe and a note about the author are recognised by their headings.
pub(crate) fn section(heading: Inlines, level: u8, body: Vec<TopBlock>) -> Part {
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
    if short && headings::calls_to_subscribe(&title) {
        return Part::Subscribe { heading, body };
    }
    if short && headings::is_about(&title) {
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
    let (number, heading) = numbered(heading);
    Part::Section(Section {
        number,
        heading,
        level,
        body,
    })
}
