//! A page of the inbox, from the mails and what the reader chose.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::index::Entry;
use super::mail::Mail;
use super::{Asked, DemoFacts, Inbox, NextIssue, Sum};
use crate::format::count;

/// How many mails a page of the list holds.
const PER_PAGE: usize = 100;

/// How a mail is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum View {
    #[default]
    Html,
    Text,
    Headers,
    Source,
}

impl View {
    const ALL: [(View, &'static str, &'static str); 4] = [
        (View::Html, "html", "HTML"),
        (View::Text, "text", "Text"),
        (View::Headers, "headers", "Headers"),
        (View::Source, "source", "Source"),
    ];
}

/// The widths at which a mail can be looked at, in pixels, the default last.
const WIDTHS: [(u32, &str); 2] = [(375, "Phone 375"), (600, "Desktop 600")];

/// What the reader chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    view: View,
    width: u32,
    find: String,
    /// From 1.
    page: usize,
}

impl Choice {
    pub(super) fn of(asked: &Asked) -> Choice {
        let view = View::ALL
            .iter()
            .find(|(_, word, _)| *word == asked.view)
            .map_or(View::Html, |(v, ..)| *v);
        Choice {
            view,
            width: if asked.width == "375" { 375 } else { 600 },
            find: asked.find.trim().to_owned(),
            page: asked.page.parse().unwrap_or(1).max(1),
        }
    }

    /// The query that keeps these choices; what is the default is left out.
    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if self.view != View::Html {
            let word = View::ALL
                .iter()
                .find(|(v, ..)| *v == self.view)
                .map_or("html", |(_, word, _)| word);
            query.append_pair("view", word);
        }
        if self.width != 600 {
            query.append_pair("width", &self.width.to_string());
        }
        if !self.find.is_empty() {
            query.append_pair("find", &self.find);
        }
        if self.page > 1 {
            query.append_pair("page", &self.page.to_string());
        }
        let query = query.finish();
        if query.is_empty() {
            query
        } else {
            format!("?{query}")
        }
    }
}

#[derive(Template)]
#[template(path = "inbox/pages/inbox.html")]
struct Page<'a> {
    title: String,
    style: &'a str,
    facts: &'a DemoFacts,
    sum: Option<String>,
    next: Option<NextIssue>,
    find: &'a str,
    rows: Vec<Row<'a>>,
    /// What the list says where it is empty.
    empty: &'static str,
    newer: Option<String>,
    older: Option<String>,
    open: Option<Open<'a>>,
    /// Whether the page is about one mail; on a phone the list is then another page.
    single: bool,
    back: String,
}

struct Row<'a> {
    href: String,
    to: &'a str,
    subject: &'a str,
    time: String,
    current: bool,
}

/// The open mail.
struct Open<'a> {
    mail: &'a Mail,
    facts: String,
    tabs: Vec<Link>,
    widths: Vec<Link>,
    width: u32,
    body: String,
    view: View,
}

struct Link {
    href: String,
    label: &'static str,
    current: bool,
}

/// A page of the list, and the open mail beside it.
pub(super) fn page(
    inbox: &Inbox,
    entries: &[Arc<Entry>],
    open: Option<(Arc<Entry>, Mail)>,
    single: bool,
    choice: &Choice,
) -> Response {
    let found: Vec<&Entry> = entries
        .iter()
        .map(AsRef::as_ref)
        .filter(|e| matches(e, &choice.find))
        .collect();
    let pages = found.len().div_ceil(PER_PAGE).max(1);
    let choice = &Choice {
        page: choice.page.min(pages),
        ..choice.clone()
    };
    let shown = found
        .iter()
        .skip((choice.page - 1) * PER_PAGE)
        .take(PER_PAGE);
    let turn = |page: usize| {
        format!(
            "/{}",
            Choice {
                page,
                ..choice.clone()
            }
            .query()
        )
    };
    let open = open
        .as_ref()
        .map(|(entry, mail)| (entry, mail, opened(entry, mail, choice, &inbox.facts.zone)));
    let current = open.as_ref().map(|(entry, ..)| entry.id.as_str());
    let page = Page {
        title: match &open {
            Some((_, mail, _)) if single => format!("{} · demo inbox", mail.subject),
            _ => "Letterpress demo inbox".into(),
        },
        style: &inbox.style_name,
        facts: &inbox.facts,
        sum: inbox.facts.sum.borrow().as_ref().map(sum_in_words),
        next: inbox.facts.next.borrow().clone(),
        find: &choice.find,
        rows: shown
            .map(|entry| Row {
                href: format!("/mail/{}{}", entry.id, choice.query()),
                to: &entry.to,
                subject: &entry.subject,
                time: clock(entry.received_at, &inbox.facts.zone),
                current: current == Some(&entry.id),
            })
            .collect(),
        empty: if entries.is_empty() {
            "No mail yet. Reload this page in a moment."
        } else {
            "No mail matches."
        },
        newer: (choice.page > 1).then(|| turn(choice.page - 1)),
        older: (choice.page < pages).then(|| turn(choice.page + 1)),
        open: open.map(|(.., open)| open),
        single,
        back: format!("/{}", choice.query()),
    };
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn opened<'a>(entry: &Entry, mail: &'a Mail, choice: &Choice, zone: &TimeZone) -> Open<'a> {
    let at = |choice: Choice| format!("/mail/{}{}", entry.id, choice.query());
    // A mail of text alone has nothing to show as HTML.
    let view = if mail.html.is_none() && choice.view == View::Html {
        View::Text
    } else {
        choice.view
    };
    let tabs = View::ALL
        .iter()
        .filter(|(v, ..)| *v != View::Html || mail.html.is_some());
    let date = mail
        .date
        .unwrap_or(entry.received_at)
        .to_zoned(zone.clone());
    Open {
        mail,
        facts: format!(
            "to {} · from {} · {} · {} KB",
            mail.to,
            mail.from,
            date.strftime("%-d %B %Y, %H:%M:%S"),
            entry.bytes.div_ceil(1024)
        ),
        tabs: tabs
            .map(|(v, _, label)| Link {
                href: at(Choice {
                    view: *v,
                    ..choice.clone()
                }),
                label,
                current: *v == view,
            })
            .collect(),
        widths: WIDTHS
            .iter()
            .map(|(width, label)| Link {
                href: at(Choice {
                    width: *width,
                    ..choice.clone()
                }),
                label,
                current: *width == choice.width,
            })
            .collect(),
        width: choice.width,
        body: format!("/mail/{}/body", entry.id),
        view,
    }
}

/// Whether a mail's address or subject holds the words, without regard to case.
fn matches(entry: &Entry, find: &str) -> bool {
    let find = find.to_lowercase();
    entry.to.to_lowercase().contains(&find) || entry.subject.to_lowercase().contains(&find)
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Such as `12 planned = 12 sent · 0 failed · 61 mails/s`: planned is the sum of the rest.
fn sum_in_words(sum: &Sum) -> String {
    let t = &sum.totals;
    let mut words = format!("{} planned = {} sent", count(t.planned()), count(t.sent));
    let more = [
        (t.queued + t.sending, "waiting"),
        (t.deferred, "deferred"),
        (t.uncertain, "uncertain"),
        (t.cancelled, "cancelled"),
        (t.skipped, "skipped"),
    ];
    for (n, word) in more.into_iter().filter(|(n, _)| *n > 0) {
        words += &format!(" · {} {word}", count(n));
    }
    words += &format!(" · {} failed", count(t.failed));
    if let Some(rate) = sum.rate_per_s {
        words += &format!(" · {rate:.0} mails/s");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::delivery::Totals;

    #[test]
    fn the_sum_adds_up_and_shows_zero_failed() {
        let totals = Totals {
            sent: 1200,
            queued: 5,
            sending: 2,
            skipped: 1,
            ..Totals::default()
        };
        assert_eq!(
            sum_in_words(&Sum {
                totals,
                rate_per_s: Some(61.4)
            }),
            "1,208 planned = 1,200 sent · 7 waiting · 1 skipped · 0 failed · 61 mails/s"
        );
        let totals = Totals {
            sent: 12,
            ..Totals::default()
        };
        assert_eq!(
            sum_in_words(&Sum {
                totals,
                rate_per_s: None
            }),
            "12 planned = 12 sent · 0 failed"
        );
    }

    #[test]
    fn choices_survive_their_query() {
        let choice = Choice {
            view: View::Headers,
            width: 375,
            find: "a&b é".into(),
            page: 3,
        };
        assert_eq!(
            choice.query(),
            "?view=headers&width=375&find=a%26b+%C3%A9&page=3"
        );
        assert_eq!(Choice::of(&Asked::default()).query(), "");
    }
}
