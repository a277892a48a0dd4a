//! The head of a letter: what stands before its first section. A summary, the list of contents, and text.

use crate::model::issue::walk::{self, Seen};
use crate::model::issue::{
    Block, ContentsEntry, Inline, Inlines, ListItem, Part, SummaryGroup, plain,
};

use super::items;
use super::shape::{Group, Top, blocks, section, without_rules};
use super::words::folded;

/// A summary is short; more blocks or characters than this are sections of their own.
const SUMMARY_BLOCKS: usize = 30;
const SUMMARY_CHARS: usize = 4000;

/// Shapes the head; `level` is the level on which sections stand.
pub(super) fn head(tops: Vec<Top>, level: u8, parts: &mut Vec<Part>) {
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
fn summary_groups(tops: Vec<Top>) -> (Vec<Group>, Vec<Top>) {
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
    for top in tops {
        match top.block {
            Block::Heading { level, inlines } if items::heading(&inlines).is_none() => {
                groups.push(Group {
                    heading: inlines,
                    level,
                    body: Vec::new(),
                });
            }
            block => {
                let top = Top {
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
fn text(tops: Vec<Top>, parts: &mut Vec<Part>) {
    let tops = without_rules(tops);
    if !tops.is_empty() {
        parts.push(Part::Text(blocks(tops)));
    }
}

/// Takes a number off a heading: `1.本周特稿` is section 1, `本周特稿`.
pub(super) fn numbered(mut heading: Inlines) -> (Option<u32>, Inlines) {
    let Some(Inline::Text(first)) = heading.first() else {
        return (None, heading);
    };
    let digits = &first[..first
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(first.len())];
    let rest = &first[digits.len()..];
    let mut after = rest.chars();
    let dot = after.next().is_some_and(|c| ".、．)）:：".contains(c));
    let rest = after.as_str();
    let number = digits
        .parse::<u32>()
        .ok()
        .filter(|n| n.to_string() == digits && *n < 1000);
    let more = !rest.trim().is_empty() || heading.len() > 1;
    // "1.5 release" is no numbered heading, and "12:30" is a time.
    if !dot || number.is_none() || !more || rest.starts_with(|c: char| c.is_ascii_digit()) {
        return (None, heading);
    }
    let rest = rest.trim_start().to_owned();
    if rest.is_empty() {
        drop(heading.remove(0))
    } else {
        heading[0] = Inline::Text(rest)
    }
    (number, heading)
}

/// Finds the list that names the sections to come, and ties its entries to them.
pub(super) fn tie(parts: &mut Vec<Part>) {
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

/// The entries of a plain list: one paragraph each, without links that lead out of the letter.
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
            Seen::Text(_) | Seen::Code(_) => false,
        };
    });
    match inlines.as_slice() {
        _ if leads_out => None,
        [Inline::Link { children, .. }] => Some(children.clone()),
        _ => Some(inlines.clone()),
    }
}

/// Whether most entries of a list are headings of sections.
pub(super) fn names_sections(block: &Block, titles: &[(usize, String)]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_off_headings_and_only_they() {
        let of = |text: &str| {
            let (number, rest) = numbered(vec![Inline::Text(text.into())]);
            (number, plain(&rest))
        };
        assert_eq!(of("1.本周特稿/新闻"), (Some(1), "本周特稿/新闻".into()));
        assert_eq!(of("12、工具"), (Some(12), "工具".into()));
        assert_eq!(of("3) Tools"), (Some(3), "Tools".into()));
        for text in [
            "1.5 release",
            "2021 年",
            "12:30 news",
            "007. Bond",
            "1.",
            "5 tools",
            "",
            "Tools",
        ] {
            assert_eq!(of(text), (None, text.to_owned()));
        }
    }
}
