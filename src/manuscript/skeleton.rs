//! What of a letter comes again in the next one: its title, its date, its headings, the list of contents, the
//! call to subscribe and the note about the author, as they stand in the file.

use crate::model::issue::{Block, plain};

use super::fields::Fields;
use super::reader::Reader;
use super::shape::{Top, section_level};
use super::words::{self, folded};
use super::{Stretch, contents, date, items};

/// A stretch of the file that comes again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kept {
    /// The heading with the title; its number rises.
    Title(String),
    /// A line with the date of the issue.
    Date(String),
    /// Something that stays as it is.
    Same(String),
}

/// Finds what comes again in a body, in reading order.
pub(crate) fn skeleton(body: &str) -> Vec<Kept> {
    let (text, fields) = Fields::take(body);
    let stretches = super::stretches(&text, &mut Reader::new(&fields, 0));
    let after_title = stretches.iter().skip(1).flat_map(|s| &s.blocks);
    let tops: Vec<Top> = after_title
        .map(|block| Top {
            block: block.clone(),
            line: 0,
        })
        .collect();
    let level = section_level(&tops);
    let titles: Vec<String> = stretches
        .iter()
        .filter_map(|s| heading(s).map(|(_, t)| folded(&t)))
        .collect();

    let lines: Vec<&str> = body.split('\n').collect();
    let mut out = Vec::new();
    // Whether the section that we are in comes again as a whole.
    let mut whole = false;
    let mut dated = false;
    for (at, stretch) in stretches.iter().enumerate() {
        let source = lines[stretch.lines.clone()]
            .join("\n")
            .trim_end()
            .to_owned();
        match heading(stretch) {
            Some((1, _)) if at == 0 => out.push(Kept::Title(source)),
            Some((its, title)) => {
                if its <= level {
                    let title = folded(&title);
                    whole = words::calls_to_subscribe(&title) || words::is_about(&title);
                }
                out.push(Kept::Same(source));
            }
            None if matches!(stretch.blocks.as_slice(), [] | [Block::Rule]) => {}
            None if whole || is_contents(stretch, &titles) => out.push(Kept::Same(source)),
            None if !dated && is_date(stretch) => {
                dated = true;
                out.push(Kept::Date(source));
            }
            None => {}
        }
    }
    out
}

/// The level and words of a heading that is no item.
fn heading(stretch: &Stretch) -> Option<(u8, String)> {
    match stretch.blocks.first() {
        Some(Block::Heading { level, inlines }) if items::heading(inlines).is_none() => {
            Some((*level, plain(inlines)))
        }
        _ => None,
    }
}

fn is_date(stretch: &Stretch) -> bool {
    matches!(stretch.blocks.first(), Some(Block::Paragraph(inlines)) if date::leading(&plain(inlines)).is_some())
}

/// Whether a list names the headings of the letter.
fn is_contents(stretch: &Stretch, titles: &[String]) -> bool {
    let titles: Vec<(usize, String)> = titles
        .iter()
        .map(|t| {
            (
                0,
                t.trim_start_matches(|c: char| c.is_ascii_digit())
                    .to_owned(),
            )
        })
        .collect();
    stretch
        .blocks
        .first()
        .is_some_and(|block| contents::names_sections(block, &titles))
}
