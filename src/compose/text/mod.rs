//! The text part of the mail, for those who read without HTML.
//!
//! It is written from the [`Issue`], wrapped at 72 columns of display width. Headings are underlined;
//! addresses stand below the block that they belong to, numbered where a block has several. Every word and
//! every link of the issue is in it.

mod flow;
mod page;
mod wrap;

use crate::model::List;
use crate::model::destination::Destination;
use crate::model::issue::{
    Block, Body, Card, ContentsEntry, Inline, Inlines, Issue, Item, ListItem, Part, plain,
};
use crate::model::rendered::{Context, MergeField, Piece, Purpose};

use super::Setting;
use super::film::{self, Film};
use crate::phrases::Phrases;
use flow::{Flow, Notes, bracketed, leads_out};
use page::{COLUMNS, Page};
use wrap::Run;

/// Writes the text part of an issue; merge fields are in [`Context::Text`], lines end in LF.
pub(crate) fn write(issue: &Issue, setting: &Setting) -> Vec<Piece> {
    let tag = |url: &str| setting.tagger.tag(url);
    text_of(issue, setting.list, setting.language(issue), &tag)
}

/// Makes the address that readers get of an author's link, not yet escaped.
type Tag<'a> = &'a dyn Fn(&str) -> Vec<Piece>;

/// Writes an issue of a list; `tag` makes the addresses that readers get of its links.
fn text_of(issue: &Issue, list: &List, language: &str, tag: Tag) -> Vec<Piece> {
    let phrases = Phrases::of(language);
    let mut writer = Writer {
        page: Page::default(),
        notes: Notes::default(),
        tag,
        phrases,
    };
    writer.masthead(issue, list, phrases);
    for part in &issue.parts {
        writer.part(part, &issue.parts);
    }
    writer.footer(list, phrases);
    writer.page.into_pieces()
}

/// The text part as it is written.
struct Writer<'a> {
    page: Page,
    notes: Notes,
    tag: Tag<'a>,
    phrases: Phrases,
}

impl Writer<'_> {
    fn masthead(&mut self, issue: &Issue, list: &List, phrases: Phrases) {
        let meta = &issue.meta;
        let title = if meta.title.is_empty() {
            &list.name
        } else {
            &meta.title
        };
        let mut run = Run::default();
        run.push(title);
        self.page.run(&run);
        let mut facts: Vec<String> = meta
            .number_beside_title()
            .map(|n| phrases.numbered(n))
            .into_iter()
            .collect();
        facts.extend(meta.date_beside_title().map(|d| phrases.date(d)));
        if !facts.is_empty() {
            self.page.text(&facts.join(" · "));
        }
        self.page.text(&"=".repeat(run.columns().clamp(3, COLUMNS)));
        self.page.gap(1);
        if let Some(cover) = &meta.cover {
            self.picture(&cover.alt);
        }
    }

    fn part(&mut self, part: &Part, all: &[Part]) {
        match part {
            Part::Text(blocks) => self.blocks(blocks),
            Part::Summary(groups) => {
                for group in groups {
                    self.heading(&group.heading, None, '~');
                    self.blocks(&group.blocks);
                }
            }
            Part::Contents { intro, entries } => self.contents(intro, entries, all),
            Part::Section(section) => {
                self.page.gap(2);
                self.heading(&section.heading, section.number, '-');
                section.body.iter().for_each(|b| self.body(b));
            }
            Part::Subscribe { heading, body } => {
                self.page.gap(2);
                self.heading(heading, None, '-');
                body.iter().for_each(|b| self.body(b));
            }
            Part::About { heading, body } => {
                self.page.gap(2);
                self.heading(heading, None, '-');
                self.blocks(body);
            }
        }
    }

    fn contents(&mut self, intro: &[Block], entries: &[ContentsEntry], all: &[Part]) {
        self.blocks(intro);
        for (at, entry) in entries.iter().enumerate() {
            let number = match entry.part.and_then(|part| all.get(part)) {
                Some(Part::Section(section)) => section.number,
                _ => None,
            };
            let bullet = number.map_or_else(|| format!("{}. ", at + 1), |n| format!("{n}. "));
            let indent = " ".repeat(bullet.len());
            self.within(&indent, Some(&bullet), |this| {
                this.paragraph(&entry.title);
            });
            self.page.no_gap();
        }
        self.page.gap(1);
    }

    /// A heading, underlined; its links are listed below.
    fn heading(&mut self, heading: &Inlines, number: Option<u32>, line: char) {
        let mut run = Run::default();
        if let Some(number) = number {
            run.push(&format!("{number}. "));
        }
        let address = self.flow().block(heading, &mut run);
        if run.is_empty() {
            return;
        }
        self.page.gap(1);
        self.page.run(&run);
        let columns = run.columns().clamp(3, self.page.columns());
        self.page.text(&line.to_string().repeat(columns));
        self.addresses(address);
        self.page.gap(1);
    }

    fn body(&mut self, body: &Body) {
        match body {
            Body::Item(item) => self.item(item),
            Body::Card(card) => self.card(card, &[]),
            Body::Text(blocks) => self.blocks(blocks),
        }
    }

    fn item(&mut self, item: &Item) {
        self.page.gap(1);
        let mut shown = vec![item.url.as_str()];
        let mut run = Run::default();
        self.flow().inlines(&item.title, &mut run);
        self.page.run(&run);
        self.address(&item.url);
        if let Some(source) = &item.source {
            let name = plain(&source.name);
            if source.url != item.url {
                let mut run = Run::default();
                self.flow().inlines(&source.name, &mut run);
                self.page.run(&run);
                self.address(&source.url);
                shown.push(&source.url);
            } else if !item.url.contains(&name) {
                self.page.text(&name);
            }
        }
        self.page.gap(1);
        if let Some(image) = &item.image {
            self.picture(&image.alt);
        }
        if !item.caption.is_empty() {
            self.paragraph(&item.caption);
        }
        if let Some(card) = &item.card {
            self.card(card, &shown);
        }
        self.blocks(&item.comment);
    }

    /// A card; an address that stands just above is not repeated.
    fn card(&mut self, card: &Card, shown: &[&str]) {
        self.page.gap(1);
        self.within("| ", None, |this| {
            let film = match film::of(&card.url) {
                Some(Film::On(site)) => this.phrases.film(Some(site)),
                Some(Film::File) => this.phrases.film(None),
                None => String::new(),
            };
            let name = vec![Inline::Text(film)];
            let title = if card.title.is_empty() {
                &name
            } else {
                &card.title
            };
            for run in [title, &card.description] {
                if !plain(run).is_empty() {
                    this.paragraph(run);
                    this.page.no_gap();
                }
            }
            let domain = plain(&card.domain);
            if !card.url.contains(&domain) {
                this.paragraph(&card.domain);
                this.page.no_gap();
            }
            if !shown.contains(&card.url.as_str()) {
                this.address(&card.url);
            }
        });
        self.page.gap(1);
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(inlines) => self.paragraph(inlines),
            Block::Heading { inlines, .. } => self.heading(inlines, None, '~'),
            Block::Quote(blocks) => {
                self.page.gap(1);
                self.within("> ", None, |this| this.blocks(blocks));
                self.page.gap(1);
            }
            Block::List {
                ordered,
                start,
                tight,
                items,
            } => self.list(*ordered, *start, *tight, items),
            Block::Code { literal, .. } => {
                self.page.gap(1);
                let literal = literal.trim_end_matches('\n');
                self.within("    ", None, |this| {
                    literal.split('\n').for_each(|line| this.page.text(line))
                });
                self.page.gap(1);
            }
            Block::Table { head, rows, .. } => self.table(head, rows),
            Block::Figure {
                image,
                link,
                caption,
            } => {
                self.picture(&image.alt);
                if let Some(url) = link {
                    self.page.no_gap();
                    self.address(url);
                    self.page.gap(1);
                }
                self.paragraph(caption);
            }
            Block::Card(card) => self.card(card, &[]),
            Block::Alert {
                kind,
                title,
                blocks,
            } => {
                let own = [Inline::Text(self.phrases.alert(*kind).to_owned())];
                let title = if title.is_empty() {
                    own.to_vec()
                } else {
                    title.clone()
                };
                self.page.gap(1);
                self.within("| ", None, |this| {
                    let mut run = Run::default();
                    this.flow().inlines(&[Inline::Strong(title)], &mut run);
                    this.page.run(&run);
                    this.addresses(None);
                    this.blocks(blocks);
                });
                self.page.gap(1);
            }
            Block::Definitions(all) => {
                for one in all {
                    for term in &one.terms {
                        self.paragraph(term);
                        self.page.no_gap();
                    }
                    self.within("    ", None, |this| this.blocks(&one.blocks));
                    self.page.gap(1);
                }
            }
            Block::Rule => {
                self.page.gap(1);
                self.page.text("* * *");
                self.page.gap(1);
            }
        }
    }

    /// A paragraph, with the addresses that stand in it below.
    fn paragraph(&mut self, inlines: &Inlines) {
        let mut run = Run::default();
        let address = self.flow().block(inlines, &mut run);
        if !run.is_empty() {
            self.page.run(&run);
        }
        self.addresses(address);
        self.page.gap(1);
    }

    /// What stands in the place of a picture.
    fn picture(&mut self, alt: &str) {
        let mut run = Run::default();
        run.push(&bracketed(alt));
        if !run.is_empty() {
            self.page.run(&run);
            self.page.gap(1);
        }
    }

    fn list(&mut self, ordered: bool, start: usize, tight: bool, items: &[ListItem]) {
        let widest = start.saturating_add(items.len()).to_string().len();
        for (at, item) in items.iter().enumerate() {
            let number = start.saturating_add(at);
            let mut bullet = if ordered {
                format!("{number}. {}", " ".repeat(widest))
            } else {
                "- ".to_owned()
            };
            if ordered {
                bullet.truncate(widest + 2);
            }
            let indent = " ".repeat(bullet.len());
            if let Some(done) = item.task {
                bullet.push_str(if done { "[x] " } else { "[ ] " });
            }
            self.within(&indent, Some(&bullet), |this| {
                for block in &item.blocks {
                    this.block(block);
                    if tight {
                        this.page.no_gap();
                    }
                }
                this.page.end_bullet();
            });
        }
        self.page.gap(1);
    }

    /// A table: in columns where it fits the page, else a row a line.
    fn table(&mut self, head: &[Inlines], rows: &[Vec<Inlines>]) {
        self.page.gap(1);
        let all: Vec<&[Inlines]> = [head]
            .into_iter()
            .filter(|h| !h.is_empty())
            .chain(rows.iter().map(Vec::as_slice))
            .collect();
        let runs: Vec<Vec<Run>> = all
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| {
                        let mut run = Run::default();
                        self.flow().inlines(&without_breaks(cell), &mut run);
                        run
                    })
                    .collect()
            })
            .collect();
        let columns = runs.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| {
            runs.iter()
                .filter_map(|r| r.get(at))
                .map(Run::columns)
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let fits =
            widths.iter().sum::<usize>() + 3 * columns.saturating_sub(1) <= self.page.columns();
        for (at, row) in runs.iter().enumerate() {
            let mut line = Run::default();
            for (column, cell) in row.iter().enumerate() {
                if column > 0 {
                    line.push(" | ");
                }
                line.append(cell);
                if fits && column + 1 < row.len() {
                    line.pad(widths[column].saturating_sub(cell.columns()));
                }
            }
            self.within("  ", Some(""), |this| this.page.run(&line));
            if at == 0 && !head.is_empty() {
                self.page
                    .text(&"-".repeat(line.columns().clamp(3, self.page.columns())));
            }
        }
        self.addresses(None);
        self.page.gap(1);
    }

    /// Lists the addresses that wait, or the only one of a block.
    fn addresses(&mut self, only: Option<String>) {
        if let Some(url) = only {
            self.address(&url);
        }
        for (number, url) in self.notes.take() {
            let url = (self.tag)(&url);
            self.page.line(enclosed(&format!("[{number}] <"), url));
        }
    }

    /// An address on a line of its own.
    fn address(&mut self, url: &str) {
        if leads_out(url) {
            let url = (self.tag)(url);
            self.page.line(enclosed("<", url));
        } else if Destination::of(url) == Destination::Nowhere {
            self.page.text(&format!("({url})"));
        }
    }

    fn footer(&mut self, list: &List, phrases: Phrases) {
        self.page.gap(2);
        self.page.text(&"-".repeat(COLUMNS / 3));
        let [before, since, after] = phrases.reasons(&list.name);
        let mut why = Run::default();
        why.push(&before);
        why.push_field(MergeField::Email);
        why.push(&since);
        why.push_field(MergeField::SubscribedSince);
        why.push(&after);
        self.page.run(&why);
        let field = Piece::Field {
            field: MergeField::Link(Purpose::Unsubscribe),
            context: Context::Text,
        };
        self.page.line(vec![
            Piece::Text(format!("{}: <", phrases.unsubscribe)),
            field,
            Piece::Text(">".into()),
        ]);
        for line in list.postal_address.lines().filter(|l| !l.trim().is_empty()) {
            let mut run = Run::default();
            run.push(line);
            self.page.run(&run);
        }
        self.page.gap(1);
        self.page.text(phrases.sent_with);
    }

    fn flow(&mut self) -> Flow<'_> {
        Flow {
            notes: &mut self.notes,
            tag: self.tag,
        }
    }

    /// Writes with more indentation; see [`Page::within`].
    fn within(&mut self, more: &str, bullet: Option<&str>, write: impl FnOnce(&mut Self)) {
        let before = self.page.open(more, bullet);
        write(self);
        self.page.close(before);
    }
}

/// A cell's inlines on one line.
fn without_breaks(cell: &[Inline]) -> Inlines {
    cell.iter()
        .map(|i| {
            if *i == Inline::HardBreak {
                Inline::SoftBreak
            } else {
                i.clone()
            }
        })
        .collect()
}

/// An address between what opens it and `>`.
fn enclosed(open: &str, url: Vec<Piece>) -> Vec<Piece> {
    let mut out = vec![Piece::Text(open.to_owned())];
    for piece in url {
        wrap::push(&mut out, piece);
    }
    wrap::push(&mut out, Piece::Text(">".into()));
    out
}

#[cfg(test)]
mod tests;
