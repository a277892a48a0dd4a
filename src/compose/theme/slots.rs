//! Content beside the document: a theme is rendered with a token wherever content goes, and the content,
//! already escaped, takes the tokens' place afterwards.
//!
//! So no byte of an author's text ever passes through mrml, which would damage it, and nothing in it can be
//! taken for markup. The content is not searched for tokens: text that happens to look like one stays text.

use crate::model::rendered::Piece;

/// What every token begins with. The linter refuses themes that hold it themselves.
pub(super) const TOKEN_START: &str = "lpT";
/// What every token ends with, so that `lpT1x` is no part of `lpT17x`.
const TOKEN_END: char = 'x';

/// The content of one document, by token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots(Vec<Vec<Piece>>);

/// A place in a document whose content is set later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot(usize);

impl Slot {
    /// The token that stands for its content.
    pub(crate) fn token(self) -> String {
        format!("{TOKEN_START}{}{TOKEN_END}", self.0)
    }
}

impl Slots {
    /// Keeps some content, and gives the token that stands for it.
    pub(crate) fn put(&mut self, content: Vec<Piece>) -> String {
        self.0.push(content);
        Slot(self.0.len() - 1).token()
    }

    /// A slot that is empty until [`Slots::set`] gives it content.
    pub(crate) fn reserve(&mut self) -> Slot {
        self.0.push(Vec::new());
        Slot(self.0.len() - 1)
    }

    /// Replaces the content of a slot of this document.
    pub(crate) fn set(&mut self, slot: Slot, content: Vec<Piece>) {
        if let Some(place) = self.0.get_mut(slot.0) {
            *place = content;
        }
    }

    /// The document with the content in the tokens' place, cut at the merge fields.
    pub(crate) fn fill(&self, document: &str) -> Vec<Piece> {
        let mut out = Vec::new();
        let mut rest = document;
        while let Some((before, index, after)) = self.next(rest) {
            push(&mut out, before);
            for piece in &self.0[index] {
                match piece {
                    Piece::Text(text) => push(&mut out, text),
                    field => out.push(field.clone()),
                }
            }
            rest = after;
        }
        push(&mut out, rest);
        out
    }

    /// The tokens that stand in `document` and are missing from `rendered`: content that a reader would lose.
    pub(crate) fn lost(&self, document: &str, rendered: &str) -> bool {
        let kept = self.present(rendered);
        self.present(document)
            .iter()
            .zip(kept)
            .any(|(before, after)| *before && !after)
    }

    fn present(&self, document: &str) -> Vec<bool> {
        let mut present = vec![false; self.0.len()];
        let mut rest = document;
        while let Some((_, index, after)) = self.next(rest) {
            present[index] = true;
            rest = after;
        }
        present
    }

    /// What stands before the next token, its index, and what stands after it.
    fn next<'d>(&self, document: &'d str) -> Option<(&'d str, usize, &'d str)> {
        let mut from = 0;
        while let Some(found) = document[from..].find(TOKEN_START) {
            let start = from + found;
            let tail = &document[start + TOKEN_START.len()..];
            let digits = tail
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(tail.len());
            let index = tail[..digits]
                .parse::<usize>()
                .ok()
                .filter(|index| *index < self.0.len());
            if let (Some(index), Some(after)) = (index, tail[digits..].strip_prefix(TOKEN_END)) {
                return Some((&document[..start], index, after));
            }
            from = start + TOKEN_START.len();
        }
        None
    }
}

/// Appends text to the last piece, or as a new one after a merge field.
pub(crate) fn push(pieces: &mut Vec<Piece>, text: &str) {
    if text.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(Piece::Text(last)) => last.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// Pieces as one text, for messages and tests: merge fields stand as their names.
#[cfg(test)]
pub(crate) fn flat(pieces: &[Piece]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Field { field, .. } => {
                let _ = write!(out, "[{field:?}]");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rendered::{Context, MergeField};

    fn text(t: &str) -> Vec<Piece> {
        vec![Piece::Text(t.to_owned())]
    }

    #[test]
    fn content_that_looks_like_a_token_stays() {
        let mut slots = Slots::default();
        let first = slots.put(text("see lpT1x and lpT0x"));
        let second = slots.put(text("two"));
        let filled = slots.fill(&format!("<p>{first}</p><p>{second}{second}</p>"));
        assert_eq!(filled, text("<p>see lpT1x and lpT0x</p><p>twotwo</p>"));
    }

    #[test]
    fn no_token_is_the_beginning_of_another() {
        let mut slots = Slots::default();
        let tokens: Vec<String> = (0..120)
            .map(|i| slots.put(text(&format!("({i})"))))
            .collect();
        let want: String = (0..120).map(|i| format!("({i})")).collect();
        assert_eq!(slots.fill(&tokens.concat()), text(&want));
    }

    #[test]
    fn what_only_resembles_a_token_is_left_alone() {
        let mut slots = Slots::default();
        slots.put(text("zero"));
        for document in [
            "lpT",
            "lpTx",
            "lpT7x",
            "lpT0",
            "lpT0y",
            "lpT99999999999999999999999x",
            "lplpT",
        ] {
            assert_eq!(slots.fill(document), text(document));
        }
        assert_eq!(slots.fill("lpTlpT0x"), text("lpTzero"));
    }

    #[test]
    fn spots_cut_the_document() {
        let mut slots = Slots::default();
        let field = Piece::Field {
            field: MergeField::Email,
            context: Context::Html,
        };
        let token = slots.put(vec![Piece::Text("to ".into()), field.clone()]);
        let filled = slots.fill(&format!("<p>{token}.</p>"));
        assert_eq!(
            filled,
            vec![
                Piece::Text("<p>to ".into()),
                field,
                Piece::Text(".</p>".into())
            ]
        );
    }

    #[test]
    fn a_token_that_a_renderer_dropped_is_noticed() {
        let mut slots = Slots::default();
        let (kept, dropped) = (slots.put(text("kept")), slots.put(text("dropped")));
        let document = format!("{kept} {dropped}");
        assert!(slots.lost(&document, &kept));
        assert!(!slots.lost(&kept, &document));
    }
}
