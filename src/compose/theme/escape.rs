//! Escaping: the one place where an author's characters become HTML.

use super::slots;
use crate::model::rendered::{Context, MergeField, Piece};

/// HTML that is being written: pieces of markup with the merge fields between them.
#[derive(Debug, Default)]
pub(crate) struct Html(Vec<Piece>);

impl Html {
    /// Appends markup of our own, or an author's that was cleaned before.
    pub(crate) fn raw(&mut self, markup: &str) {
        slots::push(&mut self.0, markup);
    }

    /// Appends an author's text, for an element's content or for an attribute in double quotes.
    pub(crate) fn text(&mut self, text: &str) {
        slots::push(&mut self.0, &escaped(text));
    }

    /// Appends ` name="value"`.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) {
        self.raw(&format!(" {name}=\"{}\"", escaped(value)));
    }

    /// Appends `<name style="…">`.
    pub(crate) fn open(&mut self, name: &str, style: &str) {
        if style.is_empty() {
            self.raw(&format!("<{name}>"));
        } else {
            self.raw(&format!("<{name} style=\"{style}\">"));
        }
    }

    /// Appends `</name>`.
    pub(crate) fn close(&mut self, name: &str) {
        self.raw(&format!("</{name}>"));
    }

    /// Appends a merge field, for an element's content or for an attribute in double quotes.
    pub(crate) fn field(&mut self, field: MergeField) {
        self.0.push(Piece::Field {
            field,
            context: Context::Html,
        });
    }

    /// Appends pieces that are not escaped yet, such as an address that holds merge fields.
    pub(crate) fn pieces(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.text(text),
                Piece::Field { field, .. } => self.field(field.clone()),
            }
        }
    }

    /// Whether nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was written.
    pub(crate) fn into_pieces(self) -> Vec<Piece> {
        self.0
    }
}

/// Text as it stands in an element or in an attribute in double quotes.
///
/// Line breaks become LF, since no bare CR may reach the wire; other control characters, which HTML forbids,
/// are left out. Everything else survives, the joiners of emoji and wide spaces included.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rendered::Purpose;

    #[test]
    fn an_address_may_hold_a_merge_field() {
        let mut out = Html::default();
        let link = MergeField::Link(Purpose::Unsubscribe);
        out.pieces(&[
            Piece::Text("https://e.example/?a&u=".into()),
            Piece::Field {
                field: link.clone(),
                context: Context::Text,
            },
        ]);
        let html = Piece::Field {
            field: link,
            context: Context::Html,
        };
        assert_eq!(
            out.into_pieces(),
            [Piece::Text("https://e.example/?a&amp;u=".into()), html]
        );
    }
}
