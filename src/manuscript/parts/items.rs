//! What a section holds: items with their picture, caption, card and comment, and ordinary text.
//!
//! An item begins with a heading that is a link, or with a paragraph whose first line is a link in bold,
//! with or without its source: `[**Title**](url)**—**[**arxiv.org**](url)`.

use crate::model::issue::{Block, Body, Inline, Inlines, Item, Source, plain};

use crate::manuscript::tidy::{TopBlock, trim, without_rules};

/// An item with more blocks than this below it is a chapter: it stays heading and text.
const MOST_BLOCKS: usize = 12;
/// A list with more entries than this makes a chapter too.
const MOST_ENTRIES: usize = 6;

/// How an item begins.
pub(crate) struct Opening {
    title: Inlines,
    url: String,
    source: Option<Source>,
    /// What follows the title in the same paragraph.
    rest: Inlines,
    /// The level of the heading; 7 for a paragraph.
    level: u8,
}

/// An item's title and address, if a heading is one: a link and nothing else.
pub(crate) fn heading(inlines: &[Inline]) -> Option<(&Inlines, &str)> {
    match inlines {
        [Inline::Link { url, children, .. }] if on_web(url) && !is_picture(children) => {
            Some((children, url))
        }
        [Inline::Strong(inner) | Inline::Emphasis(inner)] => heading(inner),
        _ => None,
    }
}

/// The beginning of an item, if this block is one.
fn opening(block: &Block) -> Option<Opening> {
    match block {
        Block::Heading { level, inlines } => {
            let (title, url) = heading(inlines)?;
            let (title, url) = (unbold(title), url.to_owned());
            Some(Opening {
                title,
                url,
                source: None,
                rest: Inlines::new(),
                level: *level,
            })
        }
        Block::Paragraph(inlines) => {
            let end = inlines
                .iter()
                .position(|i| matches!(i, Inline::SoftBreak | Inline::HardBreak));
            let (line, rest) = inlines.split_at(end.unwrap_or(inlines.len()));
            let (first, after) = line.split_first()?;
            let (title, url) = bold_link(first)?;
            let source = match after {
                [] => None,
                [dashes @ .., Inline::Link { url, children, .. }]
                    if is_dashes(dashes) && on_web(url) =>
                {
                    Some(Source {
                        name: unbold(children),
                        url: url.clone(),
                    })
                }
                _ => return None,
            };
            Some(Opening {
                title: title.clone(),
                url: url.to_owned(),
                source,
                rest: trim(rest.to_vec()),
                level: 7,
            })
        }
        _ => None,
    }
}

/// The words and address of a link that is bold, whichever of the two stands outside.
fn bold_link(inline: &Inline) -> Option<(&Inlines, &str)> {
    match inline {
        Inline::Link { url, children, .. } if on_web(url) => match children.as_slice() {
            [Inline::Strong(title)] if !is_picture(title) => Some((title, url)),
            _ => None,
        },
        Inline::Strong(inner) => match inner.as_slice() {
            [Inline::Link { url, children, .. }] if on_web(url) && !is_picture(children) => {
                Some((children, url))
            }
            _ => None,
        },
        _ => None,
    }
}

fn on_web(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

fn is_picture(children: &[Inline]) -> bool {
    children.iter().any(|c| matches!(c, Inline::Image(_)))
}

fn unbold(inlines: &Inlines) -> Inlines {
    match inlines.as_slice() {
        [Inline::Strong(inner)] => inner.clone(),
        _ => inlines.clone(),
    }
}

/// Whether what stands between title and source is only a dash.
fn is_dashes(inlines: &[Inline]) -> bool {
    let text = plain(inlines);
    !text.trim().is_empty()
        && text
            .chars()
            .all(|c| c.is_whitespace() || "—–-―|·:：*".contains(c))
}

/// Sorts the blocks of a section into items and text.
pub(crate) fn body(tops: Vec<TopBlock>) -> Vec<Body> {
    let mut out = Vec::new();
    let mut rest = without_rules(tops).into_iter().peekable();
    let mut text = Vec::new();
    while let Some(top) = rest.next() {
        let Some(opening) = opening(&top.block) else {
            text.push(top);
            continue;
        };
        let mut below = Vec::new();
        while let Some(next) = rest.next_if(|next| belongs(&next.block, opening.level)) {
            below.push(next.block);
        }
        if is_chapter(&below) {
            text.push(top);
            text.extend(below.into_iter().map(|block| TopBlock { block, line: 0 }));
        } else {
            push_text(&mut out, std::mem::take(&mut text));
            out.push(Body::Item(Box::new(item(opening, below, top.line))));
        }
    }
    push_text(&mut out, text);
    out
}

/// Whether a block goes on with an item that began on that level.
fn belongs(block: &Block, level: u8) -> bool {
    match block {
        Block::Rule => false,
        Block::Heading {
            level: its,
            inlines,
        } => *its > level && heading(inlines).is_none(),
        other => opening(other).is_none(),
    }
}

fn is_chapter(below: &[Block]) -> bool {
    below.len() > MOST_BLOCKS
        || below.iter().any(|block| match block {
            Block::List { items, .. } => {
                items.len() > MOST_ENTRIES
                    || items
                        .iter()
                        .any(|i| i.blocks.iter().any(|b| matches!(b, Block::List { .. })))
            }
            Block::Table { .. } | Block::Heading { .. } => true,
            _ => false,
        })
}

/// Puts an item together from what stands below its title.
fn item(opening: Opening, below: Vec<Block>, line: usize) -> Item {
    let Opening {
        title,
        url,
        source,
        rest,
        ..
    } = opening;
    let mut item = Item {
        title,
        url,
        source,
        image: None,
        caption: Inlines::new(),
        card: None,
        comment: Vec::new(),
        line,
    };
    if !rest.is_empty() {
        item.comment.push(Block::Paragraph(rest));
    }
    for block in below {
        let at_head = item.comment.is_empty() && item.card.is_none();
        match block {
            Block::Figure {
                image,
                link,
                caption,
            } if at_head
                && item.image.is_none()
                && link.as_ref().is_none_or(|l| *l == item.url) =>
            {
                item.image = Some(image);
                item.caption = caption;
            }
            Block::Card(card) if item.card.is_none() && item.comment.is_empty() => {
                item.card = Some(card)
            }
            other => item.comment.push(other),
        }
    }
    item
}

/// Adds text between items; a card that stands alone is a body of its own.
fn push_text(out: &mut Vec<Body>, tops: Vec<TopBlock>) {
    let mut text = Vec::new();
    for top in without_rules(tops) {
        match top.block {
            Block::Card(card) => {
                if !text.is_empty() {
                    out.push(Body::Text(std::mem::take(&mut text)));
                }
                out.push(Body::Card(card));
            }
            block => text.push(block),
        }
    }
    if !text.is_empty() {
        out.push(Body::Text(text));
    }
}
