//! Names that authors give to places, so that links of the same issue can lead there: `<a id="x">`, `## Heading {#x}`.
//!
//! A name becomes an inline that shows nothing. Here it is put where it disturbs nobody who recognises headings, items
//! and lists by their form. What links make of the names is `compose`'s.

use crate::model::issue::{Block, Inline, Inlines};

use super::tidy::TopBlock;

/// The longest name that is taken, in bytes.
const NAME_MAX_BYTES: usize = 200;

/// The inline for a name; `None` for one that no link can lead to.
pub(super) fn anchor(name: &str) -> Option<Inline> {
    let name = name.trim();
    let good = !name.is_empty()
        && name.len() <= NAME_MAX_BYTES
        && !name.contains(|c: char| c.is_whitespace() || c.is_control());
    good.then(|| Inline::Anchor(name.to_owned()))
}

/// Takes a name in braces off the end of a heading, as kramdown, Pandoc and Hugo write it: `{#x}`, `{: #x .class}`.
pub(super) fn of_heading(mut inlines: Inlines) -> Inlines {
    let Some(Inline::Text(last)) = inlines.last_mut() else {
        return inlines;
    };
    let Some((before, name)) = braces(last) else {
        return inlines;
    };
    let anchor = anchor(name);
    last.truncate(before);
    if last.is_empty() {
        inlines.pop();
    }
    if let Some(anchor) = anchor {
        put_behind(&mut inlines, anchor);
    }
    inlines
}

/// Where the text before the braces ends, and the name in them.
fn braces(text: &str) -> Option<(usize, &str)> {
    let open = text.rfind('{')?;
    let inside = text[open..]
        .strip_prefix('{')?
        .trim_end()
        .strip_suffix('}')?;
    let inside = inside.strip_prefix(':').unwrap_or(inside);
    let name = inside
        .split_whitespace()
        .find_map(|word| word.strip_prefix('#'))?;
    Some((text[..open].trim_end().len(), name))
}

/// Puts a name behind the words of a heading: within its last link or emphasis, by which items are recognised, and so
/// that its first words keep their place.
fn put_behind(inlines: &mut Inlines, anchor: Inline) {
    match inlines.last_mut() {
        Some(
            Inline::Link { children, .. } | Inline::Strong(children) | Inline::Emphasis(children),
        ) => put_behind(children, anchor),
        _ => inlines.push(anchor),
    }
}

/// Puts a name before the words of a paragraph.
fn put_before(inlines: &mut Inlines, anchor: Inline) {
    match inlines.first_mut() {
        Some(
            Inline::Link { children, .. } | Inline::Strong(children) | Inline::Emphasis(children),
        ) => put_before(children, anchor),
        _ => inlines.insert(0, anchor),
    }
}

/// Gives names to the beginning of some blocks; where it has no words, in a paragraph of their own that shows nothing.
pub(super) fn put_into(blocks: &mut Vec<Block>, names: Inlines) {
    if !names.is_empty() && !blocks.first_mut().is_some_and(|b| give(b, &names)) {
        blocks.insert(0, Block::Paragraph(names));
    }
}

/// Gives names to a block that has words at its beginning.
fn give(block: &mut Block, names: &Inlines) -> bool {
    match block {
        Block::Heading { inlines, .. } => {
            for name in names {
                put_behind(inlines, name.clone());
            }
        }
        Block::Paragraph(inlines) => {
            for name in names.iter().rev() {
                put_before(inlines, name.clone());
            }
        }
        Block::Quote(blocks) | Block::Alert { blocks, .. } => {
            return blocks.first_mut().is_some_and(|b| give(b, names));
        }
        Block::List { items, .. } => {
            return items
                .first_mut()
                .and_then(|i| i.blocks.first_mut())
                .is_some_and(|b| give(b, names));
        }
        _ => return false,
    }
    true
}

/// Whether a block is nothing but names.
fn is_bare(block: &Block) -> bool {
    matches!(block, Block::Paragraph(inlines) if !inlines.is_empty() && inlines.iter().all(|i| match i {
        Inline::Anchor(_) | Inline::SoftBreak | Inline::HardBreak => true,
        Inline::Text(text) => text.trim().is_empty(),
        _ => false,
    }))
}

/// Gives the names that stand alone to the block that follows them.
pub(super) fn settle(tops: Vec<TopBlock>) -> Vec<TopBlock> {
    let mut out: Vec<TopBlock> = Vec::with_capacity(tops.len());
    let mut waiting: Option<(Inlines, usize)> = None;
    for mut top in tops {
        if is_bare(&top.block) {
            if let Block::Paragraph(inlines) = top.block {
                let names = inlines
                    .into_iter()
                    .filter(|i| matches!(i, Inline::Anchor(_)));
                waiting
                    .get_or_insert_with(|| (Inlines::new(), top.line))
                    .0
                    .extend(names);
            }
            continue;
        }
        if let Some((names, line)) = waiting.take()
            && !give(&mut top.block, &names)
        {
            let block = Block::Paragraph(names);
            out.push(TopBlock { block, line });
        }
        out.push(top);
    }
    if let Some((names, line)) = waiting {
        let block = Block::Paragraph(names);
        out.push(TopBlock { block, line });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Inline {
        Inline::Text(text.into())
    }

    #[test]
    fn a_name_in_braces_is_taken_off_a_heading() {
        for (heading, words, name) in [
            ("Numbers {#stats}", "Numbers", Some("stats")),
            ("数字 {: #统计 .wide}", "数字", Some("统计")),
            ("Numbers {#stats .big} ", "Numbers", Some("stats")),
            ("Use {#x} here", "Use {#x} here", None),
            ("Sets {a, b}", "Sets {a, b}", None),
            ("{", "{", None),
        ] {
            let mut wanted = vec![text(words)];
            wanted.extend(name.map(|n| Inline::Anchor(n.into())));
            assert_eq!(of_heading(vec![text(heading)]), wanted, "{heading}");
        }
    }

    #[test]
    fn a_name_that_stands_alone_goes_to_what_follows() {
        let tops = |blocks: Vec<Block>| -> Vec<TopBlock> {
            let top = |block| TopBlock { block, line: 1 };
            blocks.into_iter().map(top).collect()
        };
        let anchor = Inline::Anchor("x".into());
        let alone = Block::Paragraph(vec![anchor.clone()]);
        let heading = |inlines| Block::Heading { level: 2, inlines };
        let settled = settle(tops(vec![
            alone.clone(),
            heading(vec![text("H")]),
            Block::Rule,
        ]));
        assert_eq!(
            super::super::tidy::blocks(settled),
            [heading(vec![text("H"), anchor]), Block::Rule]
        );
        let settled = settle(tops(vec![alone.clone(), Block::Rule]));
        assert_eq!(super::super::tidy::blocks(settled), [alone, Block::Rule]);
    }
}
