//! Sections: where one begins, and what its heading says it is.

use crate::model::issue::{Block, Body, Inlines, Part, Section, plain};

use super::items;
use crate::manuscript::headings::{self, folded, numbered};
use crate::manuscript::tidy::TopBlock;

/// The most blocks a call to subscribe, or a note about the author, is taken to have.
const SHORT: usize = 8;

/// Which blocks are headings that can begin a section: those that are no items, and that do not stand below an item as
/// part of it.
pub(crate) fn own_headings(tops: &[TopBlock]) -> Vec<bool> {
    let mut item = None;
    tops.iter()
        .map(|top| match &top.block {
            Block::Heading { level, inlines } if items::heading(inlines).is_some() => {
                item = Some(*level);
                false
            }
            Block::Heading { level, .. } if item.is_some_and(|item| *level > item) => false,
            Block::Heading { .. } => {
                item = None;
                true
            }
            Block::Rule => {
                item = None;
                false
            }
            _ => false,
        })
        .collect()
}

/// The heading level of sections, from 1 to 6: the highest that is used twice, or else the highest that is used. A lone
/// heading above all of those is their section.
pub(crate) fn section_level(tops: &[TopBlock]) -> u8 {
    let own = own_headings(tops);
    let levels: Vec<u8> = tops
        .iter()
        .zip(own)
        .filter_map(|(top, own)| match &top.block {
            Block::Heading { level, .. } if own => Some((*level).clamp(1, 6)),
            _ => None,
        })
        .collect();
    let highest = |least: usize| {
        (1..7u8).find(|level| levels.iter().filter(|l| *l == level).count() >= least)
    };
    let Some(repeated) = highest(2) else {
        return highest(1).unwrap_or(1);
    };
    match levels.first() {
        // One of the first level is rather a second title.
        Some(first) if *first > 1 && *first < repeated => *first,
        _ => repeated,
    }
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
    let own = own_headings(&tops);
    for (TopBlock { block, line }, own) in tops.into_iter().zip(own) {
        match block {
            Block::Heading { level, inlines } if level <= section && own => {
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
