//! Blocks of ordinary text: paragraphs, lists, quotations, code, figures, cards; `tables` writes tables.
//!
//! A block keeps its distance from the one before by its own margin; the first keeps none. Every block bears
//! its style inline, so that a client that drops the style sheet still shows the design.

use super::Html;
use super::inlines::gallery;
use super::{Shown, Writer, scaled};
use crate::compose::film::{self, Film};
use crate::compose::theme::Role;
use crate::model::issue::{
    AlertKind, Block, Card, Definition, Image, Inline, Inlines, ListItem, plain,
};

/// Lists and quotations may nest deeper than this; their text then stands at the same depth.
const DEPTH_MAX: usize = 12;

impl Writer<'_> {
    /// Writes blocks one below the other.
    pub(super) fn blocks(&self, out: &mut Html, blocks: &[Block]) {
        self.blocks_at(out, blocks, 0);
    }

    fn blocks_at(&self, out: &mut Html, blocks: &[Block], depth: usize) {
        // The rank of headings may fall by one at most, wherever the author begins.
        let mut rank = self.top_heading - 1;
        let mut first = true;
        for block in blocks {
            if let Block::Heading { level, inlines } = block {
                rank = (*level).clamp(self.top_heading, 6).min(rank + 1);
                self.heading(out, rank, inlines, first);
            } else if is_place(block) {
                // It shows nothing, so it takes no room.
                if let Block::Paragraph(inlines) = block {
                    self.inlines(out, inlines);
                }
                continue;
            } else {
                self.block(out, block, first, depth);
            }
            first = false;
        }
    }

    fn heading(&self, out: &mut Html, rank: u8, inlines: &[Inline], first: bool) {
        let style = self.text_style(&format!("h{}", rank.clamp(2, 4)), first, inlines);
        let name = format!("h{rank}");
        self.open_text(out, &name, &style, inlines);
        self.inlines(out, inlines);
        out.close(&name);
    }

    fn block(&self, out: &mut Html, block: &Block, first: bool, depth: usize) {
        match block {
            Block::Paragraph(inlines) => self.paragraph(out, inlines, first),
            Block::Heading { level, inlines } => {
                self.heading(out, (*level).clamp(2, 6), inlines, first)
            }
            Block::Quote(blocks) => {
                out.open("blockquote", &self.styles().block("quote", first));
                self.blocks_at(out, blocks, depth + 1);
                out.close("blockquote");
            }
            Block::List { items, .. } if depth >= DEPTH_MAX => {
                for (i, item) in items.iter().enumerate() {
                    out.open(
                        "div",
                        if first && i == 0 {
                            ""
                        } else {
                            "margin:8px 0 0"
                        },
                    );
                    self.blocks_at(out, &item.blocks, depth);
                    out.close("div");
                }
            }
            Block::List {
                ordered,
                start,
                tight,
                items,
            } => {
                self.list(out, *ordered, *start, *tight, items, first, depth);
            }
            Block::Code { literal, .. } => self.code(out, literal, first),
            Block::Table { align, head, rows } => self.table(out, align, head, rows, first),
            Block::Figure {
                image,
                link,
                caption,
            } => self.figure(out, image, link.as_deref(), caption, first),
            Block::Card(card) => self.card(out, card, first),
            Block::Alert {
                kind,
                title,
                blocks,
            } => {
                self.alert(out, *kind, title, first, |out| {
                    self.blocks_at(out, blocks, depth + 1)
                });
            }
            Block::Definitions(all) => self.definitions(out, all, first, depth),
            Block::Rule => out.raw(&format!(
                "<hr style=\"{}\">",
                self.styles().block("hr", first)
            )),
        }
    }

    /// Writes a paragraph; `first` says that no block stands above it, so that it keeps no distance.
    pub(super) fn paragraph(&self, out: &mut Html, inlines: &[Inline], first: bool) {
        self.open_text(out, "p", &self.text_style("p", first, inlines), inlines);
        match gallery(inlines) {
            Some(pictures) => self.gallery(out, &pictures),
            None => self.inlines(out, inlines),
        }
        out.close("p");
    }

    /// A remark that stands out: a bar at its side and its title in bold.
    fn alert(
        &self,
        out: &mut Html,
        kind: AlertKind,
        title: &[Inline],
        first: bool,
        inside: impl FnOnce(&mut Html),
    ) {
        let stops = matches!(kind, AlertKind::Warning | AlertKind::Caution);
        let (class, styled) = if stops {
            ("s", "alert_stop")
        } else {
            ("r", "alert")
        };
        let style = match self.styles().block(styled, first) {
            // A theme of before there were such remarks.
            style if style.is_empty() => self.styles().block("quote", first),
            style => style,
        };
        out.open(&format!("div class=\"{class}\""), &style);
        let bold = format!("{};font-weight:700", self.styles().block("p", true));
        let title_of_kind = [Inline::Text(self.phrases().alert(kind).to_owned())];
        let title = if title.is_empty() {
            title_of_kind.as_slice()
        } else {
            title
        };
        self.open_text(out, "p", bold.trim_start_matches(';'), title);
        self.inlines(out, title);
        out.close("p");
        out.open("div", "padding-top:4px");
        inside(out);
        out.close("div");
        out.close("div");
    }

    /// Terms in bold, with what they mean below, set in.
    fn definitions(&self, out: &mut Html, all: &[Definition], first: bool, depth: usize) {
        let side = if self.is_right_to_left() {
            "0 24px 0 0"
        } else {
            "0 0 0 24px"
        };
        out.open("dl", "margin:0");
        let mut first = first;
        for one in all {
            for term in &one.terms {
                let bold = format!("{};font-weight:700", self.text_style("p", first, term));
                self.open_text(out, "dt", bold.trim_start_matches(';'), term);
                self.inlines(out, term);
                out.close("dt");
                first = false;
            }
            let style = format!("{};margin:{side}", self.styles().block("p", true));
            out.open("dd", style.trim_start_matches(';'));
            self.blocks_at(out, &one.blocks, depth + 1);
            out.close("dd");
        }
        out.close("dl");
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of Block::List, and where it stands"
    )]
    fn list(
        &self,
        out: &mut Html,
        ordered: bool,
        start: usize,
        tight: bool,
        items: &[ListItem],
        first: bool,
        depth: usize,
    ) {
        // The summary's lines stand without bullets, as paragraphs: its headings are marks enough.
        if self.role == Role::Summary && !ordered && depth == 0 {
            for (i, item) in items.iter().enumerate() {
                self.bare_item(out, item, first && i == 0, depth);
            }
            return;
        }
        let name = if ordered { "ol" } else { "ul" };
        // A task has a box in place of a bullet, at the edge of the text.
        let boxes = if !items.is_empty() && items.iter().all(|item| item.task.is_some()) {
            ";padding:0"
        } else {
            ""
        };
        out.raw(&format!(
            "<{name} style=\"{}{boxes}\"",
            self.styles().block(name, first)
        ));
        if ordered && start != 1 {
            out.raw(&format!(" start=\"{start}\""));
        }
        out.raw(">");
        for (i, item) in items.iter().enumerate() {
            let mut style = self
                .styles()
                .get("li")
                .replace("{gap}", if i == 0 { "0" } else { "6px" });
            if item.task.is_some() {
                style.push_str(";list-style:none");
            }
            out.open("li", &style);
            if let Some(done) = item.task {
                out.raw(if done { "&#9745; " } else { "&#9744; " });
            }
            match item.blocks.as_slice() {
                [Block::Paragraph(inlines), rest @ ..] if tight || rest.is_empty() => {
                    self.inlines(out, inlines);
                    if !rest.is_empty() {
                        out.open("div", "margin:6px 0 0");
                        self.blocks_at(out, rest, depth + 1);
                        out.close("div");
                    }
                }
                blocks => self.blocks_at(out, blocks, depth + 1),
            }
            out.close("li");
        }
        out.close(name);
    }

    fn bare_item(&self, out: &mut Html, item: &ListItem, first: bool, depth: usize) {
        let mut first = first;
        for block in &item.blocks {
            match block {
                Block::Paragraph(inlines) => self.paragraph(out, inlines, first),
                block => self.block(out, block, first, depth + 1),
            }
            first = false;
        }
    }

    fn code(&self, out: &mut Html, literal: &str, first: bool) {
        let style = self.styles().block("pre", first);
        // Code runs from left to right in every language.
        let ltr = if self.is_right_to_left() {
            " dir=\"ltr\" align=\"left\""
        } else {
            ""
        };
        out.raw(&format!("<pre{ltr} style=\"{style}\">"));
        // HTML drops a line break right after <pre>.
        if literal.starts_with('\n') {
            out.raw("\n");
        }
        out.text(literal.strip_suffix('\n').unwrap_or(literal));
        out.close("pre");
    }

    /// A picture on its own, across the column where it has the pixels for it.
    fn figure(
        &self,
        out: &mut Html,
        image: &Image,
        link: Option<&str>,
        caption: &[Inline],
        first: bool,
    ) {
        let shown = self.picture(image);
        let missing = shown.is_none();
        let words = |out: &mut Html| match shown {
            Some(shown) => {
                let mut alt = image.alt.clone();
                if alt.is_empty() && link.is_some() {
                    alt = plain(caption);
                }
                if let (true, Some(url)) = (alt.is_empty(), link) {
                    alt = url.to_owned();
                }
                self.image(out, image, &shown, &alt);
            }
            None if image.alt.is_empty() && caption.is_empty() => out.text(&image.src),
            None => out.text(&image.alt),
        };
        let name = if missing { "p" } else { "div" };
        let style = self.styles().block("p", first);
        if missing {
            // Set as the alt of a picture that a client does not show.
            out.raw(&format!(
                "<p class=\"m\" style=\"{style};{}\">",
                self.styles().get("img")
            ));
        } else {
            out.open(name, &style);
        }
        match link {
            Some(url) => self.link_around(out, url, "", words),
            None => words(out),
        }
        out.close(name);
        if !caption.is_empty() {
            let caption_writer = self.with(Role::Caption);
            let mut style = caption_writer.text_style("p", true, caption);
            style = format!("{};{style}", self.styles().get("figcaption"));
            caption_writer.open_text(out, "p class=\"m\"", style.trim_start_matches(';'), caption);
            caption_writer.inlines(out, caption);
            out.close("p");
        }
    }

    fn image(&self, out: &mut Html, image: &Image, shown: &Shown, alt: &str) {
        let column: u32 = self.styles().get("column").parse().unwrap_or(520);
        let widest = image.width.map_or(column, |asked| asked.clamp(1, column));
        out.raw("<img");
        out.attribute("src", &shown.src);
        out.attribute("alt", alt);
        if !image.title.is_empty() {
            out.attribute("title", &image.title);
        }
        let style = self.styles().get("img");
        match (shown.size, image.width) {
            (Some(size), _) => {
                let (wide, high) = scaled(size, size.0.min(widest));
                let fits = format!("width:100%;max-width:{wide}px;height:auto");
                out.raw(&format!(
                    " width=\"{wide}\" height=\"{high}\" style=\"{fits};{style}\">"
                ));
            }
            (None, Some(_)) => {
                out.raw(&format!(
                    " width=\"{widest}\" style=\"max-width:100%;height:auto;{style}\">"
                ));
            }
            (None, None) => out.raw(&format!(" style=\"max-width:100%;height:auto;{style}\">")),
        }
    }

    /// The preview of a page within running text.
    fn card(&self, out: &mut Html, card: &Card, first: bool) {
        let writer = self.with(Role::Card);
        let styles = writer.styles();
        out.open("div class=\"b v\"", &styles.block("card", first));
        let title = self.title_of(card);
        if !title.is_empty() {
            out.open("p", styles.get("card_title"));
            writer.card_title(out, card, &title);
            out.close("p");
        }
        if !card.description.is_empty() {
            out.open("p class=\"m\"", styles.get("card_text"));
            writer.inlines(out, &card.description);
            out.close("p");
        }
        if !card.domain.is_empty() || title.is_empty() {
            out.open("p class=\"m\"", styles.get("card_domain"));
            if title.is_empty() {
                writer.link(out, &card.url, "", &card.domain);
            } else {
                writer.inlines(out, &card.domain);
            }
            out.close("p");
        }
        out.close("div");
    }

    /// What a card is called: its title, or, of a film without one, where it is shown; empty otherwise.
    pub(super) fn title_of(&self, card: &Card) -> Inlines {
        if !card.title.is_empty() {
            return card.title.clone();
        }
        let film = match film::of(&card.url) {
            Some(Film::On(site)) => self.phrases().film(Some(site)),
            Some(Film::File) => self.phrases().film(None),
            None => return Inlines::new(),
        };
        vec![Inline::Text(film)]
    }

    /// The title of a card, leading to its page.
    pub(super) fn card_title(&self, out: &mut Html, card: &Card, title: &[Inline]) {
        if super::inlines::hold_a_link(title) {
            self.inlines(out, title);
            out.raw(" ");
            self.link(out, &card.url, "", &card.domain);
        } else {
            self.link(out, &card.url, "", title);
        }
    }
}

/// Whether a block is nothing but places that links lead to.
fn is_place(block: &Block) -> bool {
    matches!(block, Block::Paragraph(inlines)
        if !inlines.is_empty() && inlines.iter().all(|i| matches!(i, Inline::Anchor(_))))
}
