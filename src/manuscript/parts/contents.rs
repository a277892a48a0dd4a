//! The list of contents: the list before the first section whose entries are the headings of sections.

use crate::model::issue::walk::{self, Seen};
use crate::model::issue::{Block, ContentsEntry, Inline, Inlines, ListItem, Part, plain};

use crate::manuscript::headings::{folded, numbered};

/// Finds the list that names the sections to come, and ties its entries to them.
pub(crate) fn tie(parts: &mut Vec<Part>) {
    let titles = titles(parts);
    let first = titles.first().map_or(parts.len(), |(at, _)| *at);
    let found = parts[..first]
        .iter()
        .enumerate()
        .rev()
        .find_map(|(at, part)| match part {
            Part::Text(blocks) => blocks
                .iter()
                .position(|b| names_sections(b, &titles))
                .map(|list| (at, list)),
            _ => None,
        });
    let Some((at, list)) = found else { return };
    let Part::Text(blocks) = parts.remove(at) else {
        return;
    };
    parts.splice(at..at, around_list(blocks, list));
    let titles = self::titles(parts);
    for part in parts {
        let Part::Contents { entries, .. } = part else {
            continue;
        };
        for entry in entries {
            let name = entry_name(&entry.title);
            entry.part = titles
                .iter()
                .find(|(_, title)| same(title, &name))
                .map(|(at, _)| *at);
        }
    }
}

/// The folded headings of an issue, with the places of their parts.
fn titles(parts: &[Part]) -> Vec<(usize, String)> {
    let folded = |(at, part): (usize, &Part)| {
        let heading = match part {
            Part::Section(section) => &section.heading,
            Part::Subscribe { heading, .. } | Part::About { heading, .. } => heading,
            _ => return None,
        };
        Some((at, folded(&plain(heading))))
    };
    parts
        .iter()
        .enumerate()
        .filter_map(folded)
        .filter(|(_, title)| !title.is_empty())
        .collect()
}

/// The text before, the list of contents with its introduction, the text after.
fn around_list(mut blocks: Vec<Block>, list: usize) -> Vec<Part> {
    let after = blocks.split_off(list + 1);
    let entries = blocks.pop().as_ref().and_then(entries).unwrap_or_default();
    // The introduction is what stands after a line across the page, or else the paragraph just before.
    let rule = blocks
        .iter()
        .rposition(|b| matches!(b, Block::Rule))
        .map(|rule| rule + 1);
    let just_before =
        blocks.len() - usize::from(matches!(blocks.last(), Some(Block::Paragraph(_))));
    let intro = blocks.split_off(rule.unwrap_or(just_before));
    let entries = entries
        .into_iter()
        .map(|title| ContentsEntry { title, part: None })
        .collect();
    let text = |blocks: Vec<Block>| {
        Some(Part::Text(unruled(blocks))).filter(|p| *p != Part::Text(Vec::new()))
    };
    [
        text(blocks),
        Some(Part::Contents { intro, entries }),
        text(after),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn unruled(mut blocks: Vec<Block>) -> Vec<Block> {
    while matches!(blocks.last(), Some(Block::Rule)) {
        blocks.pop();
    }
    let start = blocks
        .iter()
        .position(|b| !matches!(b, Block::Rule))
        .unwrap_or(blocks.len());
    blocks.drain(..start);
    blocks
}

/// The entries of a plain list: one paragraph each, without links that lead out of the issue.
fn entries(block: &Block) -> Option<Vec<Inlines>> {
    let Block::List { items, .. } = block else {
        return None;
    };
    items
        .iter()
        .map(|item| match item {
            ListItem { task: None, blocks } => match blocks.as_slice() {
                [Block::Paragraph(inlines)] => in_page(inlines),
                _ => None,
            },
            ListItem { .. } => None,
        })
        .collect()
}

/// An entry's words, without its in-page link; `None` where it leads elsewhere.
fn in_page(inlines: &Inlines) -> Option<Inlines> {
    let mut leads_out = false;
    walk::inlines(inlines, &mut |seen| {
        leads_out |= match seen {
            Seen::Link { url, .. } => !url.starts_with('#'),
            Seen::Image(_) => true,
            Seen::Text(_) | Seen::Code(_) | Seen::Anchor(_) => false,
        };
    });
    match inlines.as_slice() {
        _ if leads_out => None,
        [Inline::Link { children, .. }] => Some(children.clone()),
        _ => Some(inlines.clone()),
    }
}

/// Whether most entries of a list are headings of sections.
pub(crate) fn names_sections(block: &Block, titles: &[(usize, String)]) -> bool {
    let Some(entries) = entries(block).filter(|e| e.len() >= 2) else {
        return false;
    };
    let known = |entry: &&Inlines| {
        let name = entry_name(entry);
        titles.iter().any(|(_, title)| same(title, &name))
    };
    entries.iter().filter(known).count() * 10 >= entries.len() * 6
}

fn entry_name(entry: &Inlines) -> String {
    folded(&plain(&numbered(entry.clone()).1))
}

/// Whether two folded titles mean the same section: one may go on where the other ends.
fn same(title: &str, entry: &str) -> bool {
    let enough = title.len().min(entry.len()) >= 4;
    title == entry || (enough && (title.starts_with(entry) || entry.starts_with(title)))
}
