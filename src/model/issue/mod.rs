//! One issue of a newsletter as typed parts: what `manuscript` reads from the author's file, and what
//! `compose::html` and `compose::text` write from.
//!
//! Whatever has no type of its own stays ordinary text ([`Block`]s): no word and no link is ever dropped.
//! An author's HTML is read into the same parts, so nothing here is markup: every string is text, to be
//! escaped where it is written.

pub mod walk;

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Facts about an issue, from its front matter or, without one, from its text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// The title, without markup.
    pub title: String,
    /// The issue's number; `None` where the author gave none.
    pub number: Option<u32>,
    /// Whether the title says the number, so that it need not stand beside it.
    pub is_number_in_title: bool,
    /// The date that the issue carries.
    pub date: Option<Date>,
    /// Whether the title says the date, so that it need not stand beside it.
    pub is_date_in_title: bool,
    /// The date with its time, where the author gave one.
    pub time: Option<Moment>,
    /// May hold personal fields; empty: the title.
    pub subject: Inlines,
    /// May hold personal fields; empty: the beginning of the text.
    pub preheader: Inlines,
    /// BCP 47; `None`: the list's.
    pub language: Option<String>,
    /// The key of the list; `None`: the only one.
    pub list: Option<String>,
    /// In place of the list's `utm.campaign`.
    pub utm_campaign: Option<String>,
    /// The picture above the title.
    pub cover: Option<Image>,
    /// Whether [`Meta::cover`] was named for another program, so that nothing is wrong where it is missing.
    pub is_cover_borrowed: bool,
    /// Whether the schedule passes it over.
    pub draft: bool,
    /// Further times before which the schedule passes it over, such as a site generator's date of publication.
    pub not_before: Vec<Moment>,
}

/// A date with a time of day, as the author gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// With an offset from UTC.
    Exact(Timestamp),
    /// As clocks show it in the list's zone.
    Local(DateTime),
}

impl Meta {
    /// The number, where it is not in the title.
    pub fn number_beside_title(&self) -> Option<u32> {
        self.number.filter(|_| !self.is_number_in_title)
    }

    /// The date, where it is not in the title.
    pub fn date_beside_title(&self) -> Option<Date> {
        self.date.filter(|_| !self.is_date_in_title)
    }

    /// Whether the issue is dated in the future, and so not ready for the schedule. A date without a time
    /// begins at midnight in the list's zone.
    pub fn is_future(&self, now: Timestamp, zone: &TimeZone) -> bool {
        let midnight = |date: Date| Moment::Local(date.at(0, 0, 0, 0));
        let own = self.time.or(self.date.map(midnight));
        own.iter().chain(&self.not_before).any(|at| match at {
            Moment::Exact(at) => *at > now,
            Moment::Local(at) => zone.to_datetime(now) < *at,
        })
    }
}

/// A whole issue, in reading order.
#[derive(Clone, Debug, PartialEq)]
pub struct Issue {
    /// The facts about it.
    pub meta: Meta,
    /// All of its text.
    pub parts: Vec<Part>,
    /// The file's name without its ending; stands in commands and `utm.campaign`.
    pub slug: String,
}

/// A part of an issue.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Ordinary text.
    Text(Vec<Block>),
    /// What stands first: headings with a few lines each.
    Summary(Vec<SummaryGroup>),
    /// The list of what follows. `entries` link to the sections in reading order where they can be told.
    Contents {
        /// What stands above the entries.
        intro: Vec<Block>,
        /// A line for each thing to come.
        entries: Vec<ContentsEntry>,
    },
    /// A heading with what belongs to it.
    Section(Section),
    /// The call to subscribe.
    Subscribe {
        /// Its heading; empty where it has none.
        heading: Inlines,
        /// What stands below the heading.
        body: Vec<Body>,
    },
    /// Who writes this.
    About {
        /// Its heading; empty where it has none.
        heading: Inlines,
        /// What stands below the heading.
        body: Vec<Block>,
    },
}

/// A heading of the summary with its lines.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryGroup {
    /// The heading.
    pub heading: Inlines,
    /// The lines below it.
    pub blocks: Vec<Block>,
}

/// A line of the list of what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentsEntry {
    /// What the line says.
    pub title: Inlines,
    /// The index in [`Issue::parts`] of the section it names.
    pub part: Option<usize>,
}

/// A section of an issue, numbered or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The number that stood in the heading, as in `1.本周特稿`; the heading holds it no more.
    pub number: Option<u32>,
    /// Empty where items stand before the first heading.
    pub heading: Inlines,
    /// The level of the heading in the author's file, 1 to 6.
    pub level: u8,
    /// What stands below the heading.
    pub body: Vec<Body>,
}

/// What a section holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// One thing that the issue points to.
    Item(Box<Item>),
    /// The preview of a page.
    Card(Card),
    /// Ordinary text.
    Text(Vec<Block>),
}

/// One thing that the issue points to.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The title, which links to `url`.
    pub title: Inlines,
    /// As the author wrote it, byte for byte.
    pub url: String,
    /// The domain that stands beside the title, with a link of its own.
    pub source: Option<Source>,
    /// The picture of the item.
    pub image: Option<Image>,
    /// The picture's caption; empty where there is none.
    pub caption: Inlines,
    /// The preview of the page that it points to.
    pub card: Option<Card>,
    /// What the author says about it.
    pub comment: Vec<Block>,
    /// From 1, in the author's file.
    pub line: usize,
}

/// The source of an item as the author named it, such as `arxiv.org`.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The name that is shown.
    pub name: Inlines,
    /// Where it links to, as the author wrote it.
    pub url: String,
}

/// The preview of a page: what Revue and Medium draw for a bare link.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// The page, as the author wrote its address.
    pub url: String,
    /// The page's title.
    pub title: Inlines,
    /// What the page is about; empty where the author's file does not say.
    pub description: Inlines,
    /// The last line of the card, such as `www.forbes.com`.
    pub domain: Inlines,
    /// From 1, in the author's file.
    pub line: usize,
}

/// A picture as the author named it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Image {
    /// A path relative to the file, or an http(s) address; as written.
    pub src: String,
    /// What is read where the picture is not shown; may be empty.
    pub alt: String,
    /// The title; empty where there is none.
    pub title: String,
    /// In CSS pixels, where the author's HTML asked for it.
    pub width: Option<u32>,
    /// From 1, in the author's file.
    pub line: usize,
}

/// A block of ordinary text.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A paragraph.
    Paragraph(Inlines),
    /// A heading within a part.
    Heading {
        /// 1 to 6, as in the author's file.
        level: u8,
        /// Its text.
        inlines: Inlines,
    },
    /// A quotation.
    Quote(Vec<Block>),
    /// A list.
    List {
        /// Whether its items are numbered.
        ordered: bool,
        /// The number of the first item.
        start: usize,
        /// Whether its items stand without space between them.
        tight: bool,
        /// The items, in order.
        items: Vec<ListItem>,
    },
    /// A block of code.
    Code {
        /// What stands behind the fence, such as `rust`; may be empty.
        info: String,
        /// The code, byte for byte.
        literal: String,
    },
    /// A table.
    Table {
        /// The alignment of each column.
        align: Vec<Align>,
        /// The cells of the head.
        head: Vec<Inlines>,
        /// The cells of each row below it.
        rows: Vec<Vec<Inlines>>,
    },
    /// A paragraph that is nothing but a picture, with its caption where one follows in emphasis.
    Figure {
        /// The picture.
        image: Image,
        /// Where the picture links to, as the author wrote it.
        link: Option<String>,
        /// The caption; empty where there is none.
        caption: Inlines,
    },
    /// The preview of a page.
    Card(Card),
    /// A remark that stands out, such as a warning.
    Alert {
        /// What kind of remark it is.
        kind: AlertKind,
        /// Its title; empty: the usual one of its kind.
        title: Inlines,
        /// What it says.
        blocks: Vec<Block>,
    },
    /// Terms with what they mean.
    Definitions(Vec<Definition>),
    /// A line across the text.
    Rule,
}

/// The kinds of remarks that stand out, as GitHub names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertKind {
    /// Useful information.
    Note,
    /// Advice.
    Tip,
    /// What one must know.
    Important,
    /// What needs attention now.
    Warning,
    /// What may go wrong.
    Caution,
}

/// Terms with what they mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definition {
    /// The terms, a line each.
    pub terms: Vec<Inlines>,
    /// What they mean.
    pub blocks: Vec<Block>,
}

/// An item of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListItem {
    /// Whether a task is done: `- [x]` is `Some(true)`; `None`: no task.
    pub task: Option<bool>,
    /// What the item holds.
    pub blocks: Vec<Block>,
}

/// How the cells of a column are aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// As the direction of the text has it.
    None,
    /// Where lines begin.
    Start,
    /// In the middle.
    Center,
    /// Where lines end.
    End,
}

/// A run of text within a block.
pub type Inlines = Vec<Inline>;

/// A piece of text within a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Inline {
    /// Plain text.
    Text(String),
    /// Emphasis, as a rule in italics.
    Emphasis(Inlines),
    /// Strong emphasis, as a rule in bold.
    Strong(Inlines),
    /// Text that is struck through.
    Strike(Inlines),
    /// Code.
    Code(String),
    /// A link.
    Link {
        /// As the author wrote it, byte for byte.
        url: String,
        /// The title; empty where there is none.
        title: String,
        /// The text of the link.
        children: Inlines,
        /// From 1, in the author's file.
        line: usize,
    },
    /// A picture within text.
    Image(Image),
    /// `<u>`, `<ins>`, `<sup>`, `<sub>`, `<small>`, `<mark>`, `<kbd>` and their like.
    Tag {
        /// The element's name.
        name: &'static str,
        /// What stands in it.
        children: Inlines,
    },
    /// A line break of the file, which counts as a space.
    SoftBreak,
    /// A line break that is meant.
    HardBreak,
    /// A personal field.
    Field(Field),
    /// Shows nothing: a place that links of the same issue lead to, by this name.
    Anchor(String),
    /// The mark of a footnote in the text.
    NoteMark {
        /// The footnote's number, from 1 in the order of their first marks.
        number: u32,
        /// Which of the marks of this footnote it is, from 1.
        nth: u32,
    },
    /// The number that begins a footnote.
    NoteLabel {
        /// The footnote's number.
        number: u32,
        /// Whether a mark in the text refers to it.
        is_marked: bool,
    },
}

/// A personal field of the author's: `{{ name | default("reader") }}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// The person's name.
    Name {
        /// What stands in its place where the name is not known.
        default: String,
    },
    /// The person's address.
    Email,
}

/// The plain words of some inlines, as a subject or an alternative text needs them; a field gives its default.
pub fn plain(inlines: &[Inline]) -> String {
    let mut out = String::new();
    for inline in inlines {
        match inline {
            Inline::Text(t) | Inline::Code(t) => out.push_str(t),
            Inline::Emphasis(c) | Inline::Strong(c) | Inline::Strike(c) => out.push_str(&plain(c)),
            Inline::Link { children, .. } | Inline::Tag { children, .. } => {
                out.push_str(&plain(children))
            }
            Inline::Image(image) => out.push_str(&image.alt),
            Inline::SoftBreak | Inline::HardBreak => out.push(' '),
            Inline::Field(Field::Name { default }) => out.push_str(default),
            Inline::Field(Field::Email)
            | Inline::Anchor(_)
            | Inline::NoteMark { .. }
            | Inline::NoteLabel { .. } => {}
        }
    }
    out
}

/// A picture that was found, read and measured; `compose` looks it up by the author's `src`.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// As the author named it.
    pub src: String,
    /// Where it was read from.
    pub path: PathBuf,
    /// Lower-case hexadecimal SHA-256 of `bytes`, shortened to 32 digits; the name under `/media/`.
    pub hash: String,
    /// `png`, `jpg` or `gif`.
    pub ext: &'static str,
    /// The file that is served.
    pub bytes: Vec<u8>,
    /// Width of `bytes`, in pixels.
    pub width_px: u32,
    /// Height of `bytes`, in pixels.
    pub height_px: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_ready_from_its_date_on_in_the_lists_zone() {
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        let meta = |date: &str, time| Meta {
            date: date.parse().ok(),
            time,
            ..Meta::default()
        };
        let now: Timestamp = "2026-11-29T15:00:00Z".parse().unwrap(); // midnight in Tokyo
        assert!(!meta("2026-11-30", None).is_future(now, &zone));
        assert!(meta("2026-12-01", None).is_future(now, &zone));
        assert!(!Meta::default().is_future(now, &zone));
        let at = |hour| {
            Some(Moment::Local(
                jiff::civil::date(2026, 11, 30).at(hour, 0, 0, 0),
            ))
        };
        assert!(meta("2026-11-30", at(7)).is_future(now, &zone));
        assert!(!meta("2026-11-30", at(0)).is_future(now, &zone));
        let exact = |text: &str| Some(Moment::Exact(text.parse().unwrap()));
        assert!(meta("2026-11-29", exact("2026-11-29T15:00:01Z")).is_future(now, &zone));
        assert!(!meta("2026-11-29", exact("2026-11-29T15:00:00Z")).is_future(now, &zone));
        let published_later = Meta {
            not_before: exact("2026-11-29T15:00:01Z").into_iter().collect(),
            ..meta("2026-11-29", None)
        };
        assert!(published_later.is_future(now, &zone));
    }
}
