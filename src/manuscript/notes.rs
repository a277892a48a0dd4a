//! The numbers of footnotes: 1, 2, 3 in the order in which the text first refers to them, whatever their labels are.

use std::collections::HashMap;

use crate::model::issue::{Block, Inline, Inlines};

/// The footnotes of one text.
#[derive(Debug, Default)]
pub(super) struct Notes {
    numbers: HashMap<String, u32>,
    /// The greatest number that the text refers to; those beyond it are not referred to.
    marked: u32,
}

impl Notes {
    /// Notes that the text refers to a footnote.
    pub(super) fn refer(&mut self, label: &str, number: u32) {
        self.numbers.insert(label.to_owned(), number);
        self.marked = self.marked.max(number);
    }

    /// The number of a footnote. One that the text does not refer to comes after the others.
    pub(super) fn number(&mut self, label: &str) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let next = next.max(self.marked).saturating_add(1);
        *self.numbers.entry(label.to_owned()).or_insert(next)
    }

    /// The blocks of a footnote, its number before its first words.
    pub(super) fn labelled(&mut self, label: &str, mut blocks: Vec<Block>) -> Vec<Block> {
        let number = self.number(label);
        let own = Inline::NoteLabel {
            number,
            is_marked: number <= self.marked,
        };
        match blocks.first_mut() {
            Some(Block::Paragraph(inlines)) => inlines.insert(0, own),
            _ => blocks.insert(0, Block::Paragraph(Inlines::from([own]))),
        }
        blocks
    }
}
