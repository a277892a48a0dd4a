//! Whether items can stand in pairs, each in half a mail's width: they are short, hold nothing wide, and the two of a pair
//! are about as high as one another, so that no hole is left beside the shorter.
//!
//! Heights are estimated: nobody knows the fonts of a reader.

use unicode_width::UnicodeWidthStr as _;

use crate::model::issue::{Block, Inline, Item, plain};

/// The width of one of two columns, in pixels.
const COLUMN_PX: u32 = 258;
/// About as many columns of display fit into it in the type of comments.
const LINE_COLUMNS: usize = 31;
/// The longest comment, in columns of display: some sixteen lines.
const COMMENT_COLUMNS_MAX: usize = 500;
/// The longest list, in entries.
const ENTRIES_MAX: usize = 4;
/// The most by which the two of a pair may differ, in pixels.
const DIFFERENCE_MAX_PX: u32 = 220;
/// The height of a picture whose size is not known, in pixels.
const PICTURE_PX: u32 = 160;

/// What matters of an item for its place beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether half the width is enough for everything in it.
    is_narrow: bool,
    /// About how high it is in a column.
    height_px: u32,
}

impl Shape {
    /// The shape of an item. `picture`: the size of its picture, where it has one that is shown and the size is known.
    pub(super) fn of(item: &Item, picture: Option<Option<(u32, u32)>>) -> Shape {
        let comment: usize = item.comment.iter().map(columns).sum();
        let lines = |columns: usize, line_px: u32| {
            u32::try_from(columns.div_ceil(LINE_COLUMNS)).unwrap_or(u32::MAX / 4096) * line_px
        };
        let picture_px = match picture {
            None => 0,
            Some(Some((width, height))) if width > 0 => {
                let shown = u64::from(width.min(COLUMN_PX));
                u32::try_from(u64::from(height) * shown / u64::from(width))
                    .unwrap_or(u32::MAX / 4096)
            }
            Some(_) => PICTURE_PX,
        };
        let card_px = item.card.as_ref().map_or(0, |card| {
            70 + lines(width(&card.title) * 4 / 3, 30) + lines(width(&card.description), 25)
        });
        Shape {
            is_narrow: comment <= COMMENT_COLUMNS_MAX && item.comment.iter().all(is_narrow),
            height_px: picture_px
                .saturating_add(card_px)
                .saturating_add(lines(width(&item.caption), 22))
                .saturating_add(lines(width(&item.title) * 5 / 4, 28))
                .saturating_add(lines(comment, 27)),
        }
    }
}

/// Whether items can stand in pairs. Of an odd number the first stands alone, across the whole width.
pub(super) fn fit(shapes: &[Shape]) -> bool {
    let pairs = &shapes[shapes.len() % 2..];
    !pairs.is_empty()
        && shapes.iter().all(|shape| shape.is_narrow)
        && pairs.chunks(2).all(|pair| match pair {
            [one, other] => one.height_px.abs_diff(other.height_px) <= DIFFERENCE_MAX_PX,
            _ => true,
        })
}

fn width(inlines: &[Inline]) -> usize {
    plain(inlines).width()
}

/// How many columns of display a block takes.
fn columns(block: &Block) -> usize {
    match block {
        Block::Paragraph(inlines) => width(inlines),
        // An entry is set in, and begins a line.
        Block::List { items, .. } => items
            .iter()
            .flat_map(|item| &item.blocks)
            .map(|block| columns(block) * 5 / 4 + LINE_COLUMNS / 2)
            .sum(),
        Block::Quote(blocks) => blocks.iter().map(|block| columns(block) * 5 / 4).sum(),
        _ => 0,
    }
}

/// Whether half the width is enough for a block.
fn is_narrow(block: &Block) -> bool {
    match block {
        Block::Paragraph(inlines) => !inlines.iter().any(|i| matches!(i, Inline::Image(_))),
        Block::List { items, .. } => {
            items.len() <= ENTRIES_MAX
                && items.iter().all(|item| {
                    item.blocks
                        .iter()
                        .all(|block| matches!(block, Block::Paragraph(_)))
                })
        }
        Block::Quote(blocks) => blocks
            .iter()
            .all(|block| matches!(block, Block::Paragraph(_))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(comments: &str) -> Vec<Shape> {
        let text: String = comments
            .split('|')
            .enumerate()
            .map(|(i, comment)| {
                format!(
                    "### [Item {i}](https://a.example/{i})\n\n{}\n\n",
                    comment.replace('/', "\n")
                )
            })
            .collect();
        let issue = crate::manuscript::read(&format!("title: T\n\n## S\n\n{text}"), "1.md", "1")
            .unwrap()
            .issue;
        let mut out = Vec::new();
        for part in &issue.parts {
            if let crate::model::issue::Part::Section(section) = part {
                for body in &section.body {
                    if let crate::model::issue::Body::Item(item) = body {
                        out.push(Shape::of(item, None));
                    }
                }
            }
        }
        out
    }

    #[test]
    fn short_items_alike_stand_in_pairs() {
        assert!(fit(&shapes("Short.|Short.|Short.|Short.")));
        assert!(fit(&shapes("Short.|Short.|Short.|Short.|Short.")));
        assert!(fit(&shapes("- a/- b|Short.")));
        assert!(!fit(&shapes("Alone.")));
        assert!(!fit(&[]));
    }

    #[test]
    fn what_is_wide_long_or_leaves_a_hole_stands_alone() {
        let long = "A sentence of some length. ".repeat(30);
        let half = "A sentence of some length. ".repeat(16);
        for comments in [
            "Short.|```/code/```|Short.|Short.".to_owned(),
            format!("{long}|{long}"),
            format!("Short.|{half}"),
            "- a/- b/- c/- d/- e|- a/- b/- c/- d/- e".to_owned(),
        ] {
            assert!(!fit(&shapes(&comments)), "{comments}");
        }
    }
}
