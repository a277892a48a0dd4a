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

/// The most characters of what stands in brackets behind a title, such as `(5 minute read)`.
const ASIDE_CHARS: usize = 60;

/// An item's title and address, if a heading is one: a link and nothing else, but for a picture character before it and
/// a few words in brackets behind it.
pub(crate) fn heading(inlines: &[Inline]) -> Option<(Inlines, String)> {
    let (before, core, behind) = around(inlines);
    let (title, url) = match core {
        [Inline::Link { url, children, .. }] if on_web(url) && !is_picture(children) => {
            (unbold(children), url.clone())
        }
        [Inline::Strong(inner) | Inline::Emphasis(inner)] => heading(inner)?,
        _ => return None,
    };
    let title = before
        .iter()
        .cloned()
        .chain(title)
        .chain(behind.iter().cloned());
    Some((title.collect(), url))
}

/// What stands around a title and belongs to it: picture characters before, an aside in brackets behind.
fn around(inlines: &[Inline]) -> (&[Inline], &[Inline], &[Inline]) {
    let start = match inlines.first() {
        Some(Inline::Text(text)) if is_decoration(text) => 1,
        _ => 0,
    };
    let end = match inlines.last() {
        Some(Inline::Text(text))
            if inlines.len() > start + 1 && (is_aside(text) || is_decoration(text)) =>
        {
            inlines.len() - 1
        }
        _ => inlines.len(),
    };
    (&inlines[..start], &inlines[start..end], &inlines[end..])
}

/// Whether a text is picture characters and the like: `🌟 🐎 `, `1️⃣`, `《`.
fn is_decoration(text: &str) -> bool {
    let is_key = text.contains('\u{20E3}');
    let plain = |c: char| c.is_alphanumeric() && !(is_key && c.is_ascii_digit());
    !text.is_ascii() && !text.chars().any(plain) && text.chars().count() <= 16
}

/// Whether a text is a few words in brackets.
fn is_aside(text: &str) -> bool {
    let text = text.trim();
    let inner = text
        .strip_prefix(['(', '（', '['])
        .and_then(|t| t.strip_suffix([')', '）', ']']));
    inner.is_some_and(|inner| {
        !inner.contains(['(', ')', '（', '）']) && inner.chars().count() <= ASIDE_CHARS
    })
}

/// The beginning of an item, if this block is one.
fn opening(block: &Block) -> Option<Opening> {
    match block {
        Block::Heading { level, inlines } => {
            let (title, url) = heading(inlines)?;
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
            let rest = trim(rest.to_vec());
            let whole = |(title, url), source| Opening {
                title,
                url,
                source,
                rest: rest.clone(),
                level: 7,
            };
            if let Some(found) = bold_title(line) {
                return Some(whole(found, None));
            }
            let (first, after) = line.split_first()?;
            let found = bold_title(std::slice::from_ref(first))?;
            match after {
                [dashes @ .., Inline::Link { url, children, .. }]
                    if is_dashes(dashes) && on_web(url) =>
                {
                    let source = Source {
                        name: unbold(children),
                        url: url.clone(),
                    };
                    Some(whole(found, Some(source)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The title and address of a line that is a link in bold, whichever of the two stands outside, with what may stand
/// around a title.
fn bold_title(line: &[Inline]) -> Option<(Inlines, String)> {
    let (before, core, behind) = around(line);
    let (title, url) = match core {
        [Inline::Link { url, children, .. }] if on_web(url) => match children.as_slice() {
            [Inline::Strong(title)] if !is_picture(title) => (title.clone(), url.clone()),
            _ => return None,
        },
        [Inline::Strong(inner)] => {
            let (lead, core, aside) = around(inner);
            match core {
                [Inline::Link { url, children, .. }] if on_web(url) && !is_picture(children) => {
                    let title = lead.iter().chain(children).chain(aside);
                    (title.cloned().collect(), url.clone())
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    let title = before
        .iter()
        .cloned()
        .chain(title)
        .chain(behind.iter().cloned());
    Some((title.collect(), url))
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

/// What a section holds, before it is decided what is an item.
enum Piece {
    Text(TopBlock),
    /// What begins like an item, with the blocks below it.
    Candidate {
        top: TopBlock,
        opening: Opening,
        below: Vec<Block>,
    },
}

/// Sorts the blocks of a section into items and text.
///
/// A linked heading with a long text below it is a chapter, which stays heading and text; but not among items of its own
/// level: there it is set as they are.
pub(crate) fn body(tops: Vec<TopBlock>) -> Vec<Body> {
    let pieces = pieces(tops);
    let short: Vec<u8> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Candidate { opening, below, .. } if !is_chapter(below) => Some(opening.level),
            _ => None,
        })
        .collect();
    let mut out = Vec::new();
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(top) => text.push(top),
            Piece::Candidate {
                top,
                opening,
                below,
            } if is_chapter(&below) && !short.contains(&opening.level) => {
                text.push(top);
                text.extend(below.into_iter().map(|block| TopBlock { block, line: 0 }));
            }
            Piece::Candidate {
                top,
                opening,
                below,
            } => {
                push_text(&mut out, std::mem::take(&mut text));
                out.push(Body::Item(Box::new(item(opening, below, top.line))));
            }
        }
    }
    push_text(&mut out, text);
    out
}

fn pieces(tops: Vec<TopBlock>) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rest = without_rules(tops).into_iter().peekable();
    while let Some(top) = rest.next() {
        let Some(opening) = opening(&top.block) else {
            out.push(Piece::Text(top));
            continue;
        };
        let mut below = Vec::new();
        while let Some(next) = rest.next_if(|next| belongs(&next.block, opening.level)) {
            below.push(next.block);
        }
        out.push(Piece::Candidate {
            top,
            opening,
            below,
        });
    }
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
