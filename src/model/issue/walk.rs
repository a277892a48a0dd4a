//! A walk through everything that an issue shows, in reading order.

use super::{Block, Body, Card, Image, Inline, Inlines, Item, Part, Section};

/// Something on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen<'i> {
    /// Words in running text.
    Text(&'i str),
    /// Words in code.
    Code(&'i str),
    /// An address that words or a picture lead to; `line` is 0 where it is not known.
    Link {
        /// As the author wrote it.
        url: &'i str,
        /// From 1, in the author's file.
        line: usize,
    },
    /// A picture.
    Image(&'i Image),
    /// A place that links of the issue lead to.
    Anchor(&'i str),
}

/// Walks through parts.
pub fn parts<'i>(parts: &'i [Part], see: &mut dyn FnMut(Seen<'i>)) {
    for part in parts {
        match part {
            Part::Text(all) => blocks(all, see),
            Part::Summary(groups) => {
                for group in groups {
                    inlines(&group.heading, see);
                    blocks(&group.blocks, see);
                }
            }
            Part::Contents { intro, entries } => {
                blocks(intro, see);
                entries.iter().for_each(|e| inlines(&e.title, see));
            }
            Part::Section(section) => {
                inlines(&section.heading, see);
                section.body.iter().for_each(|b| body(b, see));
            }
            Part::Subscribe { heading, body: all } => {
                inlines(heading, see);
                all.iter().for_each(|b| body(b, see));
            }
            Part::About { heading, body } => {
                inlines(heading, see);
                blocks(body, see);
            }
        }
    }
}

fn body<'i>(body: &'i Body, see: &mut dyn FnMut(Seen<'i>)) {
    match body {
        Body::Item(one) => item(one, see),
        Body::Card(one) => card(one, see),
        Body::Text(all) => blocks(all, see),
    }
}

fn item<'i>(item: &'i Item, see: &mut dyn FnMut(Seen<'i>)) {
    inlines(&item.title, see);
    see(Seen::Link {
        url: &item.url,
        line: item.line,
    });
    if let Some(source) = &item.source {
        inlines(&source.name, see);
        see(Seen::Link {
            url: &source.url,
            line: item.line,
        });
    }
    if let Some(image) = &item.image {
        see(Seen::Image(image));
    }
    inlines(&item.caption, see);
    if let Some(one) = &item.card {
        card(one, see);
    }
    blocks(&item.comment, see);
}

fn card<'i>(card: &'i Card, see: &mut dyn FnMut(Seen<'i>)) {
    for run in [&card.title, &card.description, &card.domain] {
        inlines(run, see);
    }
    see(Seen::Link {
        url: &card.url,
        line: card.line,
    });
}

/// Walks through blocks.
pub fn blocks<'i>(blocks: &'i [Block], see: &mut dyn FnMut(Seen<'i>)) {
    for one in blocks {
        block(one, see);
    }
}

/// Walks through one block.
pub fn block<'i>(block: &'i Block, see: &mut dyn FnMut(Seen<'i>)) {
    match block {
        Block::Paragraph(run) | Block::Heading { inlines: run, .. } => inlines(run, see),
        Block::Quote(all) => blocks(all, see),
        Block::List { items, .. } => items.iter().for_each(|i| blocks(&i.blocks, see)),
        Block::Code { literal, .. } => see(Seen::Code(literal)),
        Block::Table { head, rows, .. } => {
            head.iter()
                .chain(rows.iter().flatten())
                .for_each(|cell| inlines(cell, see));
        }
        Block::Figure {
            image,
            link,
            caption,
        } => {
            see(Seen::Image(image));
            if let Some(url) = link {
                see(Seen::Link {
                    url,
                    line: image.line,
                });
            }
            inlines(caption, see);
        }
        Block::Card(one) => card(one, see),
        Block::Alert {
            title, blocks: all, ..
        } => {
            inlines(title, see);
            blocks(all, see);
        }
        Block::Definitions(all) => {
            for one in all {
                one.terms.iter().for_each(|term| inlines(term, see));
                blocks(&one.blocks, see);
            }
        }
        Block::Rule => {}
    }
}

/// Walks through inlines.
pub fn inlines<'i>(run: &'i [Inline], see: &mut dyn FnMut(Seen<'i>)) {
    for inline in run {
        match inline {
            Inline::Text(text) => see(Seen::Text(text)),
            Inline::Code(code) => see(Seen::Code(code)),
            Inline::Emphasis(c)
            | Inline::Strong(c)
            | Inline::Strike(c)
            | Inline::Tag { children: c, .. } => {
                inlines(c, see);
            }
            Inline::Link {
                url,
                children,
                line,
                ..
            } => {
                inlines(children, see);
                see(Seen::Link { url, line: *line });
            }
            Inline::Image(image) => see(Seen::Image(image)),
            Inline::SoftBreak | Inline::HardBreak => see(Seen::Text(" ")),
            Inline::Anchor(name) => see(Seen::Anchor(name)),
            Inline::Field(_) | Inline::NoteMark { .. } | Inline::NoteLabel { .. } => {}
        }
    }
}

/// Hands every run of inlines to `change`, those of parts and blocks, not those within others.
pub fn runs_mut(parts: &mut [Part], change: &mut dyn FnMut(&mut Inlines)) {
    for part in parts {
        match part {
            Part::Text(all) => runs_of_blocks(all, change),
            Part::Summary(groups) => {
                for group in groups {
                    change(&mut group.heading);
                    runs_of_blocks(&mut group.blocks, change);
                }
            }
            Part::Contents { intro, entries } => {
                runs_of_blocks(intro, change);
                entries.iter_mut().for_each(|e| change(&mut e.title));
            }
            Part::Section(Section { heading, body, .. }) | Part::Subscribe { heading, body } => {
                change(heading);
                body.iter_mut().for_each(|b| runs_of_body(b, change));
            }
            Part::About { heading, body } => {
                change(heading);
                runs_of_blocks(body, change);
            }
        }
    }
}

fn runs_of_body(body: &mut Body, change: &mut dyn FnMut(&mut Inlines)) {
    match body {
        Body::Item(item) => {
            change(&mut item.title);
            item.source.iter_mut().for_each(|s| change(&mut s.name));
            change(&mut item.caption);
            item.card.iter_mut().for_each(|c| runs_of_card(c, change));
            runs_of_blocks(&mut item.comment, change);
        }
        Body::Card(card) => runs_of_card(card, change),
        Body::Text(all) => runs_of_blocks(all, change),
    }
}

fn runs_of_card(card: &mut Card, change: &mut dyn FnMut(&mut Inlines)) {
    for run in [&mut card.title, &mut card.description, &mut card.domain] {
        change(run);
    }
}

/// Changes each run of text in blocks, at any depth.
pub fn runs_of_blocks(blocks: &mut [Block], change: &mut dyn FnMut(&mut Inlines)) {
    for block in blocks {
        match block {
            Block::Paragraph(run) | Block::Heading { inlines: run, .. } => change(run),
            Block::Quote(all) => runs_of_blocks(all, change),
            Block::List { items, .. } => items
                .iter_mut()
                .for_each(|i| runs_of_blocks(&mut i.blocks, change)),
            Block::Table { head, rows, .. } => head
                .iter_mut()
                .chain(rows.iter_mut().flatten())
                .for_each(&mut *change),
            Block::Figure { caption, .. } => change(caption),
            Block::Card(card) => runs_of_card(card, change),
            Block::Alert { title, blocks, .. } => {
                change(title);
                runs_of_blocks(blocks, change);
            }
            Block::Definitions(all) => {
                for one in all {
                    one.terms.iter_mut().for_each(&mut *change);
                    runs_of_blocks(&mut one.blocks, change);
                }
            }
            Block::Code { .. } | Block::Rule => {}
        }
    }
}
