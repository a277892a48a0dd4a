//! Runs of text: emphasis, links, inline pictures, personal fields.

use super::Html;
use super::{Writer, scaled};
use crate::compose::readable::readable;
use crate::model::destination::Destination;
use crate::model::issue::{Field, Image, Inline, plain};
use crate::model::rendered::{MergeField, Piece};
use crate::phrases::script::is_right_to_left;

/// Whether a URL is an `http:` or `https:` one, in any letter case.
pub(super) fn is_on_the_web(url: &str) -> bool {
    Destination::of(url) == Destination::Web
}

/// Whether a link stands somewhere among these.
pub(super) fn hold_a_link(inlines: &[Inline]) -> bool {
    inlines.iter().any(|inline| match inline {
        Inline::Link { .. } => true,
        Inline::Emphasis(c)
        | Inline::Strong(c)
        | Inline::Strike(c)
        | Inline::Tag { children: c, .. } => hold_a_link(c),
        _ => false,
    })
}

/// The pictures of a paragraph that holds two or more of them and nothing else.
pub(super) fn gallery(inlines: &[Inline]) -> Option<Vec<&Inline>> {
    let is_picture = |inline: &Inline| match inline {
        Inline::Image(_) => true,
        Inline::Link { children, .. } => matches!(children.as_slice(), [Inline::Image(_)]),
        _ => false,
    };
    let is_gap = |inline: &Inline| match inline {
        Inline::SoftBreak | Inline::HardBreak => true,
        Inline::Text(text) => text.trim().is_empty(),
        _ => false,
    };
    if !inlines.iter().all(|i| is_picture(i) || is_gap(i)) {
        return None;
    }
    let pictures: Vec<&Inline> = inlines.iter().filter(|i| is_picture(i)).collect();
    (pictures.len() > 1).then_some(pictures)
}

/// What may open a line of Chinese or Japanese and is blank in its left half, so that the line must hang.
fn hangs(inlines: &[Inline]) -> bool {
    match inlines.first() {
        Some(Inline::Text(text)) => text.starts_with(['【', '《', '「', '『', '（', '〈', '“']),
        Some(
            Inline::Emphasis(c)
            | Inline::Strong(c)
            | Inline::Strike(c)
            | Inline::Link { children: c, .. },
        ) => hangs(c),
        _ => false,
    }
}

impl Writer<'_> {
    /// The style of a block of text: `element`'s, and hanging where its first line opens with a bracket.
    pub(super) fn text_style(&self, element: &str, first: bool, inlines: &[Inline]) -> String {
        let mut style = self.styles().block(element, first);
        if self.cjk && hangs(inlines) {
            style.push_str(";text-indent:-.5em");
        }
        style
    }

    /// Opens an element around these words. Among text from right to left it tells where they run the other way,
    /// or their full stop would stand at their beginning.
    pub(super) fn open_text(&self, out: &mut Html, element: &str, style: &str, inlines: &[Inline]) {
        let direction = if self.turn(inlines) {
            " dir=\"ltr\""
        } else {
            ""
        };
        out.open(&format!("{element}{direction}"), style);
    }

    /// Whether the mail runs from right to left and all of these words from left to right.
    fn turn(&self, inlines: &[Inline]) -> bool {
        if !self.is_right_to_left() {
            return false;
        }
        let words = plain(inlines);
        words.chars().any(char::is_alphabetic) && !words.chars().any(is_right_to_left)
    }

    /// Writes a run of inlines.
    pub(super) fn inlines(&self, out: &mut Html, inlines: &[Inline]) {
        for inline in inlines {
            self.inline(out, inline);
        }
    }

    fn inline(&self, out: &mut Html, inline: &Inline) {
        match inline {
            Inline::Text(text) if self.breaks_at_slashes => {
                for (i, part) in text.split_inclusive('/').enumerate() {
                    if i > 0 {
                        out.raw("<wbr>");
                    }
                    out.text(part);
                }
            }
            Inline::Text(text) => out.text(text),
            Inline::Emphasis(children) => self.element(out, "em", "em", children),
            Inline::Strong(children) => self.element(out, "strong", "", children),
            Inline::Strike(children) => self.element(out, "s", "", children),
            Inline::Code(text) => {
                let name = if self.is_right_to_left() {
                    "code dir=\"ltr\""
                } else {
                    "code"
                };
                out.open(name, self.styles().get("code"));
                out.text(text);
                out.close("code");
            }
            Inline::Link {
                url,
                title,
                children,
                ..
            } => self.link(out, url, title, children),
            Inline::Image(image) => self.inline_image(out, image),
            Inline::Tag { name, children } => self.element(out, name, name, children),
            Inline::SoftBreak => out.raw("\n"),
            Inline::HardBreak => out.raw("<br>"),
            Inline::Anchor(name) => self.place(out, name),
            Inline::NoteMark { number, nth } => self.note_mark(out, *number, *nth),
            Inline::NoteLabel { number, is_marked } => self.note_label(out, *number, *is_marked),
            Inline::Field(field) => out.field(match field {
                Field::Name { default } => MergeField::Name {
                    default: default.clone(),
                },
                Field::Email => MergeField::Email,
            }),
        }
    }

    /// A place that links of the mail lead to. Outlook looks for `name`; a link can't stand within another.
    pub(super) fn place(&self, out: &mut Html, name: &str) {
        let element = if self.linked { "span" } else { "a" };
        out.raw(&format!("<{element}"));
        out.attribute("id", name);
        if !self.linked {
            out.attribute("name", name);
        }
        out.raw(">");
        out.close(element);
    }

    /// The mark of a footnote, which leads to it.
    fn note_mark(&self, out: &mut Html, number: u32, nth: u32) {
        out.raw("<sup style=\"font-size:.75em;line-height:0\">");
        if self.linked {
            out.text(&number.to_string());
        } else {
            let own = match nth {
                0 | 1 => format!("fnref{number}"),
                nth => format!("fnref{number}-{nth}"),
            };
            self.note_link(out, &own, &format!("fn{number}"), &number.to_string());
        }
        out.close("sup");
    }

    /// The number of a footnote, which leads back to its first mark.
    fn note_label(&self, out: &mut Html, number: u32, is_marked: bool) {
        if is_marked {
            let (own, mark) = (format!("fn{number}"), format!("fnref{number}"));
            self.note_link(out, &own, &mark, &format!("{number}."));
        } else {
            out.text(&format!("{number}."));
        }
        out.text(" ");
    }

    fn note_link(&self, out: &mut Html, own: &str, other: &str, words: &str) {
        out.raw(&format!("<a id=\"{own}\" name=\"{own}\" href=\"#{other}\""));
        let style = self.styles().get("a");
        if !style.is_empty() {
            out.raw(&format!(" style=\"{style}\""));
        }
        out.raw(">");
        out.text(words);
        out.close("a");
    }

    /// `element` is the name in HTML, `styled` the name of its style.
    fn element(&self, out: &mut Html, element: &str, styled: &str, children: &[Inline]) {
        out.open(element, self.styles().get(styled));
        self.inlines(out, children);
        out.close(element);
    }

    /// A link of the author's. One that is not safe to follow is shown: its words, and where it would lead.
    pub(super) fn link(&self, out: &mut Html, url: &str, title: &str, children: &[Inline]) {
        self.link_around(out, url, title, |out| {
            let before = children
                .iter()
                .any(|c| !matches!(c, Inline::Text(t) if t.trim().is_empty()));
            let turned = self.is_right_to_left() && (!before || self.turn(children));
            if turned {
                out.raw("<bdi dir=\"ltr\">");
            }
            if !before || plain(children) == url {
                out.text(&readable(url));
            } else {
                self.within_link().inlines(out, children);
            }
            if turned {
                out.close("bdi");
            }
        });
    }

    /// Writes a link around what `inside` writes. A URL that is not safe to follow is shown in brackets after it instead.
    pub(super) fn link_around(
        &self,
        out: &mut Html,
        url: &str,
        title: &str,
        inside: impl FnOnce(&mut Html),
    ) {
        if Destination::of(url) == Destination::Nowhere {
            inside(out);
            out.text(&format!(" ({url})"));
            return;
        }
        out.raw("<a");
        out.raw(" href=\"");
        out.pieces(&self.address(url));
        out.raw("\"");
        if !title.is_empty() {
            out.attribute("title", title);
        }
        let style = self.styles().get("a");
        if !style.is_empty() {
            out.raw(&format!(" style=\"{style}\""));
        }
        out.raw(">");
        inside(out);
        out.close("a");
    }

    /// The address that readers get of an author's link, not yet escaped.
    pub(super) fn address(&self, url: &str) -> Vec<Piece> {
        match Destination::of(url) {
            Destination::Web => self.setting.tagger.tag(url),
            _ => vec![Piece::Text(url.to_owned())],
        }
    }

    /// A picture in running text, in its own size but never wider than the column.
    fn inline_image(&self, out: &mut Html, image: &Image) {
        let Some(shown) = self.picture(image) else {
            out.text(&image.alt);
            return;
        };
        out.raw("<img");
        out.attribute("src", &shown.src);
        out.attribute("alt", &image.alt);
        if !image.title.is_empty() {
            out.attribute("title", &image.title);
        }
        // Where the author says nothing: twice as many pixels as are shown, as on the screens of most readers.
        match (image.width, shown.size) {
            (Some(width), None) => out.raw(&format!(" width=\"{width}\"")),
            (None, None) => {}
            (asked, Some(size)) => {
                let (width, height) = scaled(size, asked.unwrap_or(size.0.div_ceil(2)));
                out.raw(&format!(" width=\"{width}\" height=\"{height}\""));
            }
        }
        let align = if self.in_gallery { "top" } else { "middle" };
        out.raw(&format!(
            " style=\"max-width:100%;height:auto;border:0;vertical-align:{align}\">"
        ));
    }

    /// Pictures side by side where there is room, else one below the other, with a gap between them either way.
    pub(super) fn gallery(&self, out: &mut Html, pictures: &[&Inline]) {
        for (i, picture) in pictures.iter().enumerate() {
            if i > 0 {
                out.raw("&ensp;");
            }
            out.raw("<span style=\"display:inline-block;max-width:100%;margin:0 0 8px;vertical-align:top\">");
            self.in_gallery().inline(out, picture);
            out.close("span");
        }
    }
}
