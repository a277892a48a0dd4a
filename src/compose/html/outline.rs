//! The outline that a theme sees: the issue's parts as plain values, each piece of content a token.
//!
//! Whatever is missing is an empty string or `none`, so that a template can ask `{% if item.caption %}`.
//! `mjml/README.md` lists the values for those who write themes; keep it true.

use minijinja::{Value, context};
use unicode_width::UnicodeWidthStr as _;

use super::inlines::hold_a_link;
use super::pairs::{self, Shape};
use super::{Html, Writer};
use crate::compose::theme::slots::Slots;
use crate::compose::theme::{Look, Role};
use crate::compose::{Setting, places};
use crate::model::issue::{
    Block, Body, Card, ContentsEntry, Image, Inline, Issue, Item, Part, Section, plain,
};
use crate::model::rendered::{MergeField, Purpose};
use crate::phrases::Phrases;

/// Titles wider than this, in columns of display, are set smaller.
const LONG_TITLE_COLUMNS: usize = 22;
/// How many characters of the text are taken for the preheader where the author gives none.
const PREHEADER_CHARS: usize = 110;

/// The outline of an issue for its theme; the content goes into `slots`.
pub(crate) fn outline(issue: &Issue, setting: &Setting, look: &Look, slots: &mut Slots) -> Value {
    let language = setting.language(issue);
    let mut layout = Outline {
        writer: Writer::new(setting, look, Phrases::of(language)),
        phrases: Phrases::of(language),
        issue,
        setting,
        slots,
    };
    let parts: Vec<Value> = issue
        .parts
        .iter()
        .enumerate()
        .map(|(index, part)| layout.part(index, part))
        .collect();
    context! {
        lang => layout.text(language),
        subject => layout.subject(),
        preheader => layout.preheader(),
        masthead => layout.masthead(),
        footer => layout.footer(),
        items => issue.parts.iter().map(items_of).sum::<usize>(),
        parts,
    }
}

struct Outline<'a, 's> {
    writer: Writer<'a>,
    phrases: Phrases,
    issue: &'a Issue,
    setting: &'a Setting<'a>,
    slots: &'s mut Slots,
}

impl<'a> Outline<'a, '_> {
    /// A token for what `write` writes; empty where it writes nothing.
    fn html(&mut self, role: Role, write: impl FnOnce(&Writer<'a>, &mut Html)) -> String {
        self.html_by(self.writer.with(role), write)
    }

    fn html_by(
        &mut self,
        writer: Writer<'a>,
        write: impl FnOnce(&Writer<'a>, &mut Html),
    ) -> String {
        let mut out = Html::default();
        write(&writer, &mut out);
        if out.is_empty() {
            String::new()
        } else {
            self.slots.put(out.into_pieces())
        }
    }

    /// A token for plain text, good for elements and attributes; empty where there is none.
    fn text(&mut self, text: &str) -> String {
        self.html(Role::Text, |_, out| out.text(text))
    }

    /// Whether our words are in the language of the issue.
    fn speaks(&self) -> bool {
        self.phrases.speaks(self.setting.language(self.issue))
    }

    /// A token for words of ours, for elements only: where they are in another language than the issue, they say so.
    fn ours(&mut self, text: &str) -> String {
        let foreign = !self.speaks() && text.chars().any(char::is_alphabetic);
        let language = self.phrases.language();
        self.html(Role::Text, |_, out| {
            if foreign {
                out.raw(&format!("<span lang=\"{language}\" dir=\"ltr\">"));
            }
            out.text(text);
            if foreign {
                out.close("span");
            }
        })
    }

    fn inlines(&mut self, role: Role, inlines: &[Inline]) -> String {
        self.html(role, |writer, out| writer.inlines(out, inlines))
    }

    fn subject(&mut self) -> String {
        let meta = &self.issue.meta;
        let subject = if meta.subject.is_empty() {
            meta.title.clone()
        } else {
            plain(&meta.subject)
        };
        self.text(if subject.is_empty() {
            &self.setting.list.name
        } else {
            &subject
        })
    }

    fn preheader(&mut self) -> String {
        let given = &self.issue.meta.preheader;
        if given.is_empty() {
            let beginning = beginning(self.issue);
            self.text(&beginning)
        } else {
            self.inlines(Role::Text, given)
        }
    }

    fn masthead(&mut self) -> Value {
        let (issue, list) = (self.issue, self.setting.list);
        let meta = &issue.meta;
        let title = if meta.title.is_empty() {
            &list.name
        } else {
            &meta.title
        };
        let named = title.to_lowercase().contains(&list.name.to_lowercase());
        let mut facts = Vec::new();
        if !named && !list.name.is_empty() {
            let apart = self.writer.is_right_to_left();
            facts.push(self.html(Role::Text, |_, out| {
                // Or a Latin name and the number after it would change places.
                if apart {
                    out.raw("<bdi>");
                }
                out.text(&list.name);
                if apart {
                    out.close("bdi");
                }
            }));
        }
        // A number and a date are never broken.
        let own = [
            meta.number_beside_title()
                .map(|number| self.phrases.numbered(number)),
            meta.date_beside_title().map(|date| self.phrases.date(date)),
        ];
        for fact in own.into_iter().flatten() {
            facts.push(self.ours(&fact.replace(' ', "\u{a0}")));
        }
        context! {
            title => self.html(Role::Text, |writer, out| {
                if places::leads_to_top(issue) {
                    writer.place(out, places::TOP);
                }
                out.text(title);
            }),
            long => title.width() > LONG_TITLE_COLUMNS,
            hangs => title.starts_with(['《', '「', '【', '（', '“']) && self.writer.cjk,
            number => meta.number_beside_title().map(|n| n.to_string()).unwrap_or_default(),
            facts,
            cover => meta.cover.as_ref().map_or_else(none, |cover| self.image(cover)),
        }
    }

    fn footer(&mut self) -> Value {
        let list = self.setting.list;
        let [before, since, after] = self.phrases.reasons(&list.name);
        let spoken = self.speaks();
        let why = self.html(Role::Footer, |_, out| {
            out.text(&before);
            out.raw("<bdi>");
            out.field(MergeField::Email);
            out.raw("</bdi>");
            out.text(&since);
            out.field(MergeField::SubscribedSince);
            out.text(&after);
        });
        let address = self.html(Role::Footer, |_, out| {
            for (i, line) in list
                .postal_address
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .enumerate()
            {
                if i > 0 {
                    out.raw("<br>");
                }
                out.text(line);
            }
        });
        let unsubscribe_url = self.html(Role::Footer, |_, out| {
            out.field(MergeField::Link(Purpose::Unsubscribe));
        });
        context! {
            // Only where these words are not in the language of the issue.
            lang => if spoken { "" } else { self.phrases.language() },
            why, address, unsubscribe_url,
            unsubscribe => self.text(self.phrases.unsubscribe),
            sent_with => self.text(self.phrases.sent_with),
        }
    }

    fn part(&mut self, index: usize, part: &'a Part) -> Value {
        match part {
            Part::Text(blocks) => {
                context! { kind => "text", html => self.blocks(self.writer, blocks) }
            }
            Part::Summary(groups) => {
                let writer = self.writer.with(Role::Summary).below(2);
                let groups: Vec<Value> = groups
                    .iter()
                    .map(|group| {
                        context! {
                            heading => self.inlines(Role::Summary, &group.heading),
                            html => self.blocks(writer, &group.blocks),
                        }
                    })
                    .collect();
                context! { kind => "summary", groups }
            }
            Part::Contents { intro, entries } => {
                let entries: Vec<Value> = entries
                    .iter()
                    .enumerate()
                    .map(|(i, entry)| self.entry(i, entry))
                    .collect();
                context! {
                    kind => "contents",
                    label => self.ours(self.phrases.contents),
                    intro => self.blocks(self.writer, intro),
                    entries,
                }
            }
            Part::Section(section) => self.section(index, section),
            Part::Subscribe { heading, body } => {
                let writer = self.writer.with(Role::Call).below(2);
                context! {
                    kind => "subscribe",
                    heading => self.html_by(writer, |w, out| w.inlines(out, heading)),
                    label => self.ours(self.phrases.subscribe),
                    runs => self.runs(writer, 2, body),
                }
            }
            Part::About { heading, body } => context! {
                kind => "about",
                heading => self.inlines(Role::Text, heading),
                html => self.blocks(self.writer.below(2), body),
            },
        }
    }

    fn blocks(&mut self, writer: Writer<'a>, blocks: &[Block]) -> String {
        self.html_by(writer, |writer, out| writer.blocks(out, blocks))
    }

    /// A row of the contents. It leads to its section, unless the author's words in it lead elsewhere.
    fn entry(&mut self, index: usize, entry: &ContentsEntry) -> Value {
        let section = entry
            .part
            .and_then(|part| match self.issue.parts.get(part) {
                Some(Part::Section(section)) => Some((part, section)),
                _ => None,
            });
        let title = self.html(Role::Contents, |writer, out| match section {
            Some((part, _)) if !hold_a_link(&entry.title) => {
                writer.link(out, &format!("#{}", anchor(part)), "", &entry.title);
            }
            _ => writer.inlines(out, &entry.title),
        });
        let number = section
            .and_then(|(_, s)| s.number)
            .map_or(index + 1, |n| n as usize);
        let count = section.map_or(0, |(_, section)| items_in(&section.body));
        context! {
            title,
            number => number.to_string(),
            count => if count > 0 { self.ours(&self.phrases.counted(count)) } else { String::new() },
        }
    }

    fn section(&mut self, index: usize, section: &'a Section) -> Value {
        // Without a heading of its own, its content is below the title of the issue.
        let rank = if section.heading.is_empty() { 1 } else { 2 };
        let writer = self.writer.below(rank);
        context! {
            kind => "section",
            id => anchor(index),
            number => section.number.map(|n| n.to_string()).unwrap_or_default(),
            heading => self.inlines(Role::Text, &section.heading),
            items => items_in(&section.body),
            runs => self.runs(writer, rank, &section.body),
        }
    }

    /// What a section holds, with items that follow one another taken together.
    fn runs(&mut self, writer: Writer<'a>, rank: u8, body: &'a [Body]) -> Vec<Value> {
        let mut runs = Vec::new();
        let mut items = Vec::new();
        let mut shapes = Vec::new();
        for part in body {
            if !matches!(part, Body::Item(_)) && !items.is_empty() {
                runs.push(self.run_of_items(&mut items, &mut shapes));
            }
            match part {
                Body::Item(item) => {
                    items.push(self.item(writer, rank + 1, item));
                    shapes.push(self.shape(item));
                }
                Body::Card(card) => {
                    runs.push(context! { kind => "card", card => self.card(writer, card, "") })
                }
                Body::Text(blocks) => {
                    runs.push(context! { kind => "text", html => self.blocks(writer, blocks) });
                }
            }
        }
        if !items.is_empty() {
            runs.push(self.run_of_items(&mut items, &mut shapes));
        }
        runs
    }

    /// Items that follow one another, and whether they can stand in pairs.
    fn run_of_items(&self, items: &mut Vec<Value>, shapes: &mut Vec<Shape>) -> Value {
        let paired = pairs::fit(&std::mem::take(shapes));
        context! { kind => "items", paired, items => std::mem::take(items) }
    }

    fn shape(&self, item: &Item) -> Shape {
        let picture = item
            .image
            .as_ref()
            .and_then(|image| self.writer.picture(image));
        Shape::of(item, picture.map(|shown| shown.size))
    }

    fn item(&mut self, writer: Writer<'a>, rank: u8, item: &'a Item) -> Value {
        let own_links = hold_a_link(&item.title);
        let title = self.html(writer.in_call_or(Role::Title), |writer, out| {
            if own_links {
                writer.inlines(out, &item.title);
            } else {
                writer.link(out, &item.url, "", &item.title);
            }
        });
        let image = item
            .image
            .as_ref()
            .map_or_else(none, |image| self.image(image));
        let missing = item
            .image
            .as_ref()
            .filter(|_| image.is_none())
            .map_or("", |image| &image.alt);
        // The card of another page, such as a film, has a domain of its own.
        let card_domain = item
            .card
            .as_ref()
            .filter(|card| host(&card.url) == host(&item.url))
            .map(|card| plain(&card.domain))
            .unwrap_or_default();
        let source = self.source(writer, item, &card_domain, own_links);
        let said = item
            .source
            .as_ref()
            .map_or_else(|| card_domain.clone(), |source| plain(&source.name));
        context! {
            rank, title, source, image,
            source_hangs => self.writer.cjk && item.source.as_ref().is_some_and(|s| starts_with_bracket(&s.name)),
            hangs => self.writer.cjk && starts_with_bracket(&item.title),
            // In the place of a picture that is missing.
            alt => self.text(missing),
            caption => self.html(writer.in_call_or(Role::Caption), |writer, out| {
                if !item.caption.is_empty() { writer.paragraph(out, &item.caption, true); }
            }),
            card => item.card.as_ref().map_or_else(none, |card| self.card(writer, card, &said)),
            html => self.blocks(writer.below(rank), &item.comment),
        }
    }

    /// The domain of an item, a link where the author made it one or the title can't be.
    fn source(
        &mut self,
        writer: Writer<'a>,
        item: &Item,
        card_domain: &str,
        title_has_links: bool,
    ) -> String {
        self.html(writer.in_call_or(Role::Source), |writer, out| {
            match &item.source {
                Some(source) => {
                    writer.link(out, &source.url, "", &source.name);
                    if title_has_links && source.url != item.url {
                        out.raw(" ");
                        writer.link(out, &item.url, "", &[]);
                    }
                }
                None if title_has_links => writer.link(out, &item.url, "", &[]),
                None if !card_domain.is_empty() => out.text(card_domain),
                None => out.text(&host(&item.url)),
            }
        })
    }

    /// A card; its domain stands in it only where it differs from what was said before.
    fn card(&mut self, writer: Writer<'a>, card: &Card, said: &str) -> Value {
        let role = writer.in_call_or(Role::Card);
        let name = writer.title_of(card);
        let title = self.html(role, |writer, out| {
            if name.is_empty() {
                writer.link(out, &card.url, "", &card.domain);
            } else {
                writer.card_title(out, card, &name);
            }
        });
        let differs = plain(&card.domain) != said && !name.is_empty();
        let url = self.writer.address(&card.url);
        context! {
            title,
            // Not a link, for where a button stands beside it.
            name => self.inlines(role, if hold_a_link(&name) { &[] } else { &name }),
            hangs => self.writer.cjk && starts_with_bracket(&name),
            description => self.inlines(role, &card.description),
            domain => if differs { self.inlines(role, &card.domain) } else { String::new() },
            url => if super::inlines::is_on_the_web(&card.url) {
                self.html(role, |_, out| out.pieces(&url))
            } else {
                String::new()
            },
        }
    }

    /// A picture; `none` where it is missing.
    fn image(&mut self, image: &Image) -> Value {
        let Some(shown) = self.writer.picture(image) else {
            return none();
        };
        let (width, height) = shown.size.unwrap_or_default();
        context! {
            src => self.text(&shown.src),
            alt => self.text(&image.alt),
            title => self.text(&image.title),
            width, height,
        }
    }
}

fn starts_with_bracket(inlines: &[Inline]) -> bool {
    plain(inlines).starts_with(['【', '《', '「', '『', '（', '〈', '“'])
}

/// The name of a section within the mail.
fn anchor(part: usize) -> String {
    format!("part{part}")
}

fn items_in(body: &[Body]) -> usize {
    body.iter()
        .filter(|part| matches!(part, Body::Item(_)))
        .count()
}

fn items_of(part: &Part) -> usize {
    match part {
        Part::Section(section) => items_in(&section.body),
        _ => 0,
    }
}

/// The host of an address as people write it, without `www.`.
fn host(url: &str) -> String {
    let parsed = url::Url::parse(url).ok();
    let host = parsed
        .as_ref()
        .and_then(url::Url::host_str)
        .unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

/// What a template sees where there is no picture or card.
fn none() -> Value {
    Value::from(())
}

/// The first words of an issue: what inboxes show beside the subject where the author gives no preheader.
fn beginning(issue: &Issue) -> String {
    let mut words = String::new();
    for part in &issue.parts {
        match part {
            Part::Text(blocks) => words_of(blocks, &mut words),
            Part::Summary(groups) => groups
                .iter()
                .for_each(|group| words_of(&group.blocks, &mut words)),
            Part::Contents { intro, .. } => words_of(intro, &mut words),
            Part::Section(section) => {
                for body in &section.body {
                    match body {
                        Body::Text(blocks) => words_of(blocks, &mut words),
                        Body::Item(item) => {
                            words.push_str(&plain(&item.title));
                            words.push(' ');
                        }
                        Body::Card(_) => {}
                    }
                }
            }
            Part::Subscribe { .. } | Part::About { .. } => {}
        }
        if words.chars().count() > PREHEADER_CHARS {
            break;
        }
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    let words = words.join(" ");
    match words.char_indices().nth(PREHEADER_CHARS) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words,
    }
}

fn words_of(blocks: &[Block], out: &mut String) {
    for block in blocks {
        match block {
            Block::Paragraph(inlines) => {
                out.push_str(&plain(inlines));
                out.push(' ');
            }
            Block::List { items, .. } => items.iter().for_each(|item| words_of(&item.blocks, out)),
            Block::Quote(blocks) => words_of(blocks, out),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beginning_of(text: &str) -> String {
        beginning(&crate::manuscript::read(text, "1.md", "1").unwrap().issue)
    }

    #[test]
    fn the_first_words_are_taken_and_a_long_text_is_cut() {
        assert_eq!(
            beginning_of("title: T\n\nGood *morning*.\n\n- one\n- two\n\n> three\n"),
            "Good morning. one two three"
        );
        let long = beginning_of(&format!("title: T\n\n{}\n", "ä ".repeat(200)));
        assert_eq!(long.chars().count(), PREHEADER_CHARS);
        assert!(long.ends_with("ä…"), "{long}");
        assert_eq!(beginning_of("title: T\n"), "");
    }
}
