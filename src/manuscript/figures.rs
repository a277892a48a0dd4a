//! Paragraphs that are pictures: figures, and the captions that follow them in emphasis.

use crate::model::issue::{Block, Image, Inline, Inlines};

use super::tidy::{TopBlock, trim};

/// The blocks of one paragraph: a line that is nothing but a picture becomes a figure.
pub(super) fn paragraph(inlines: Inlines) -> Vec<Block> {
    if !inlines.iter().any(|i| picture(i).is_some()) {
        return if inlines.is_empty() {
            Vec::new()
        } else {
            vec![Block::Paragraph(inlines)]
        };
    }
    let mut blocks = Vec::new();
    let mut text = Inlines::new();
    for line in lines(inlines) {
        match <[Inline; 1]>::try_from(trim(line.clone()))
            .ok()
            .and_then(|[only]| figure(only))
        {
            None => text.extend(line),
            Some(figure) => {
                push_text(&mut blocks, std::mem::take(&mut text));
                blocks.push(figure);
            }
        }
    }
    push_text(&mut blocks, text);
    blocks
}

/// Gives each figure the caption that follows it: a paragraph, or the first line of one, all in emphasis.
pub(super) fn caption(blocks: Vec<Block>) -> Vec<Block> {
    let tops = blocks
        .into_iter()
        .map(|block| TopBlock { block, line: 0 })
        .collect();
    caption_tops(tops)
        .into_iter()
        .map(|top| top.block)
        .collect()
}

/// Makes captions of the paragraphs that follow a figure, in blocks that know their lines.
pub(super) fn caption_tops(tops: Vec<TopBlock>) -> Vec<TopBlock> {
    let mut out: Vec<TopBlock> = Vec::with_capacity(tops.len());
    for top in tops {
        match (out.last_mut().map(|t| &mut t.block), top.block) {
            (Some(Block::Figure { caption, .. }), Block::Paragraph(inlines))
                if caption.is_empty() =>
            {
                let (found, rest) = split_caption(inlines);
                *caption = found;
                if !rest.is_empty() {
                    out.push(TopBlock {
                        block: Block::Paragraph(rest),
                        line: top.line,
                    });
                }
            }
            (_, block) => out.push(TopBlock {
                block,
                line: top.line,
            }),
        }
    }
    out
}

/// Takes a first line in emphasis off a paragraph.
fn split_caption(inlines: Inlines) -> (Inlines, Inlines) {
    let alone = matches!(
        inlines.get(1),
        None | Some(Inline::SoftBreak | Inline::HardBreak)
    );
    let mut rest = inlines.into_iter();
    match rest.next() {
        Some(Inline::Emphasis(caption)) if alone => (caption, trim(rest.collect())),
        first => (Inlines::new(), first.into_iter().chain(rest).collect()),
    }
}

fn push_text(blocks: &mut Vec<Block>, inlines: Inlines) {
    let inlines = trim(inlines);
    if !inlines.is_empty() {
        blocks.push(Block::Paragraph(inlines));
    }
}

/// Cuts inlines after each break; the break stays at the end of its line.
fn lines(inlines: Inlines) -> Vec<Inlines> {
    let mut lines = vec![Inlines::new()];
    for inline in inlines {
        let ends = matches!(inline, Inline::SoftBreak | Inline::HardBreak);
        if let Some(line) = lines.last_mut() {
            line.push(inline);
        }
        if ends {
            lines.push(Inlines::new());
        }
    }
    lines
}

/// The picture that an inline is, on its own or as a link.
fn picture(inline: &Inline) -> Option<&Image> {
    match inline {
        Inline::Image(image) => Some(image),
        Inline::Link { children, .. } => match children.as_slice() {
            [Inline::Image(image)] => Some(image),
            _ => None,
        },
        _ => None,
    }
}

fn figure(inline: Inline) -> Option<Block> {
    let image = picture(&inline)?.clone();
    let link = if let Inline::Link { url, .. } = inline {
        Some(url)
    } else {
        None
    };
    Some(Block::Figure {
        image,
        link,
        caption: Inlines::new(),
    })
}
