//! The keys of the front matter and what their values may be.
//!
//! The keys are our own; `site_keys` says which keys of other programs mean the same.

use std::collections::HashMap;

use crate::format;
use crate::model::issue::{Image, Inlines, Meta};
use crate::model::{Finding, Severity};

use super::dialects;
use super::fields::{self, Fields};
use super::front_matter::{self, Entries, Entry, Value};
use super::site_keys::{self, Meaning};
use super::when::{self, Dated, Order};

/// The value of a key, or the finding that says why it can't be used.
type Taken<T> = Result<T, Box<Finding>>;

/// The front matter, read.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The values of the keys.
    pub meta: Meta,
    /// The lines of the file that keys stand on, by the key's normal form.
    pub lines: HashMap<String, usize>,
    /// What is wrong with keys and values.
    pub findings: Vec<Finding>,
    /// Keys that mean nothing here, with their lines.
    unknown: Vec<(String, usize)>,
    /// The rank of the site's key that a value was taken from, by meaning; the lowest wins.
    ranks: HashMap<Meaning, usize>,
}

/// Reads each key. A value of ours that can't be used is an error; keys that mean nothing here are one note.
pub(super) fn read(entries: &Entries) -> Known {
    let mut known = Known {
        findings: entries.findings.clone(),
        ..Known::default()
    };
    // Our own keys first: those of other programs only fill in what they leave open.
    for entry in &entries.list {
        let key = front_matter::normal(&entry.key);
        if !front_matter::KEYS.contains(&key.as_str()) {
            continue;
        }
        if let Err(finding) = known.take(&key, entry) {
            known.findings.push(finding.at(entry.line, None));
        }
        known.lines.insert(key, entry.line);
    }
    for entry in &entries.list {
        let key = front_matter::normal(&entry.key);
        if !front_matter::KEYS.contains(&key.as_str()) && !known.take_site_key(entry) {
            known.not_known(entry, &key);
        }
    }
    known.findings.extend(known.unknown_keys());
    known
}

impl Known {
    fn take(&mut self, key: &str, entry: &Entry) -> Taken<()> {
        match key {
            "title" => self.meta.title = self.title(entry)?,
            "number" => self.meta.number = number(entry)?,
            "date" => {
                let dated = self.when(entry)?;
                (self.meta.date, self.meta.time) =
                    dated.map_or((None, None), |d| (Some(d.date), d.time));
            }
            "subject" => self.meta.subject = self.inlines(entry)?,
            "preheader" => self.meta.preheader = self.inlines(entry)?,
            "language" => self.meta.language = language(entry)?,
            "list" => self.meta.list = some(one_line(entry)?),
            "utm_campaign" => self.meta.utm_campaign = some(one_line(entry)?),
            "cover" => self.meta.cover = cover(entry)?,
            "draft" => self.meta.draft |= flag(entry)?,
            _ => {}
        }
        Ok(())
    }

    /// Takes what a key of another program says; whether it says anything that has a meaning here.
    fn take_site_key(&mut self, entry: &Entry) -> bool {
        let Some((meaning, rank)) = site_keys::meaning(&entry.key) else {
            return false;
        };
        let is_set = match meaning {
            Meaning::Number => self.meta.number.is_some(),
            Meaning::Subject => !self.meta.subject.is_empty(),
            Meaning::Preheader => !self.meta.preheader.is_empty(),
            Meaning::Cover => self.meta.cover.is_some(),
            Meaning::Language => self.meta.language.is_some(),
            Meaning::Date
            | Meaning::Published
            | Meaning::Draft
            | Meaning::Status
            | Meaning::Nested => false,
        };
        if is_set && self.ranks.get(&meaning).is_none_or(|taken| *taken <= rank) {
            return true;
        }
        let is_taken = match meaning {
            Meaning::Number => number(entry).is_ok_and(|n| self.set_number(n)),
            Meaning::Subject => self.inlines(entry).map(|i| self.meta.subject = i).is_ok(),
            Meaning::Preheader => self.preheader(entry),
            Meaning::Cover => self.borrowed_cover(entry),
            Meaning::Language => language(entry).map(|l| self.meta.language = l).is_ok(),
            Meaning::Date => self.site_date(entry, rank),
            Meaning::Draft => flag(entry).is_ok_and(|is_draft| self.draft_by(entry, is_draft)),
            Meaning::Published => match flag(entry) {
                Ok(is_published) => self.draft_by(entry, !is_published),
                Err(_) => self.site_date(entry, rank),
            },
            Meaning::Status => match one_line(entry) {
                Ok(status) => self.draft_by(entry, site_keys::is_not_ready(&status)),
                Err(_) => false,
            },
            Meaning::Nested => {
                self.nested(entry);
                true
            }
        };
        if is_taken && meaning != Meaning::Date {
            self.ranks.insert(meaning, rank);
        }
        is_taken
    }

    fn set_number(&mut self, number: Option<u32>) -> bool {
        self.meta.number = number;
        number.is_some()
    }

    /// A summary for readers of a site says in an inbox what the issue is about.
    fn preheader(&mut self, entry: &Entry) -> bool {
        let Ok(text) = one_line(entry) else {
            return false;
        };
        let text = site_keys::bare_words(&text);
        let (text, _) = dialects::line(&text);
        self.meta.preheader = fields::plain_inlines(text.trim()).0;
        true
    }

    fn borrowed_cover(&mut self, entry: &Entry) -> bool {
        let Some((src, alt)) = site_keys::picture(&entry.value) else {
            return false;
        };
        self.meta.is_cover_borrowed = true;
        self.meta.cover = Some(Image {
            src,
            alt,
            line: entry.line,
            ..Image::default()
        });
        true
    }

    /// A date of publication holds the issue back while it is in the future, whatever `date` says.
    fn site_date(&mut self, entry: &Entry, rank: usize) -> bool {
        let Ok(Some(dated)) = self.when(entry) else {
            return false;
        };
        self.meta.not_before.push(dated.moment());
        let is_better = self
            .ranks
            .get(&Meaning::Date)
            .is_some_and(|taken| rank < *taken);
        if self.meta.date.is_none() || is_better {
            (self.meta.date, self.meta.time) = (Some(dated.date), dated.time);
            self.ranks.insert(Meaning::Date, rank);
        }
        true
    }

    /// Notes that a key of another program makes the issue a draft, or that it does not.
    fn draft_by(&mut self, entry: &Entry, is_draft: bool) -> bool {
        if is_draft {
            self.meta.draft = true;
            let value = one_line(entry).unwrap_or_default();
            let message = format!("“{}: {value}” makes this issue a draft", entry.key);
            let help = "The schedule skips it. `send` still sends it when you ask for it.";
            let finding = Finding::new(Severity::Note, "draft-by-key", message, help);
            self.findings.push(finding.at(entry.line, None));
        }
        true
    }

    /// Tables such as Zola's `[extra]` and Hugo's `[params]`: what they say of drafts and dates counts, since a mail can't be taken back.
    fn nested(&mut self, entry: &Entry) {
        let Value::Table(table) = &entry.value else {
            return;
        };
        for (key, value) in table {
            let inner = Entry {
                key: key.clone(),
                value: Value::Text(value.clone()),
                line: entry.line,
            };
            let meaning = match front_matter::normal(key).as_str() {
                "draft" => Some(Meaning::Draft),
                _ => site_keys::meaning(key).map(|(meaning, _)| meaning),
            };
            if matches!(
                meaning,
                Some(Meaning::Draft | Meaning::Published | Meaning::Status | Meaning::Date)
            ) {
                let _ = match meaning {
                    Some(Meaning::Draft) => flag(&inner).is_ok_and(|is| self.draft_by(&inner, is)),
                    _ => self.take_site_key(&inner),
                };
            }
        }
    }

    /// A key that is nearly one of ours is named; all others are named together.
    fn not_known(&mut self, entry: &Entry, key: &str) {
        let near = format::nearest(key, front_matter::KEYS).filter(|near| {
            let distance = strsim::damerau_levenshtein(near, key);
            distance * 3 <= near.len().max(3) && !site_keys::is_usual(key)
        });
        let Some(near) = near else {
            return self.unknown.push((entry.key.clone(), entry.line));
        };
        let message = format!("unknown key “{}” in the front matter", entry.key);
        let help = format!("Did you mean “{near}”?");
        self.findings.push(
            Finding::new(Severity::Warning, "front-matter-unknown", message, help)
                .at(entry.line, None),
        );
    }

    fn unknown_keys(&self) -> Option<Finding> {
        /// So that a file of hundreds of keys is no message of hundreds of words.
        const NAMED: usize = 12;
        let (first, rest) = self.unknown.split_first()?;
        let mut names: Vec<&str> = self
            .unknown
            .iter()
            .map(|(k, _)| k.as_str())
            .take(NAMED)
            .collect();
        if self.unknown.len() > NAMED {
            names.push("…");
        }
        let message = match rest {
            [] => format!(
                "the key “{}” in the front matter has no meaning here",
                first.0
            ),
            _ => format!(
                "keys in the front matter that have no meaning here: {}",
                names.join(", ")
            ),
        };
        let help = format!(
            "Nothing needs to be done. The known keys are {}.",
            front_matter::KEYS.join(", ")
        );
        let lines = self.unknown.iter().map(|(_, line)| *line).collect();
        Some(Finding::new(Severity::Note, "front-matter-unknown", message, help).at_lines(lines))
    }

    /// The title is the same for everybody, since it appears on the web and in lists too.
    fn title(&mut self, entry: &Entry) -> Taken<String> {
        let title = self.translated(entry)?;
        if Fields::take(&title).1.iter().next().is_some() {
            let message = "personal fields are not filled in the title";
            let help = "Put it in the subject: subject = \"…\"";
            let finding = Finding::new(Severity::Warning, "field-not-filled", message, help);
            self.findings.push(finding.at(entry.line, None));
        }
        Ok(title)
    }

    /// A line of text with personal fields.
    fn inlines(&mut self, entry: &Entry) -> Taken<Inlines> {
        let (inlines, found) = fields::plain_inlines(&self.translated(entry)?);
        self.findings
            .extend(unknown_fields(&found, |_| (entry.line, None)));
        Ok(inlines)
    }

    /// A line of text without the syntax of other programs.
    fn translated(&mut self, entry: &Entry) -> Taken<String> {
        let (text, findings) = dialects::line(&one_line(entry)?);
        self.findings
            .extend(findings.into_iter().map(|f| f.at(entry.line, None)));
        Ok(text)
    }

    /// A date; how one of numbers alone was understood is told.
    fn when(&mut self, entry: &Entry) -> Taken<Option<Dated>> {
        let text = one_line(entry)?;
        if text.is_empty() {
            return Ok(None);
        }
        let Some(dated) = when::read(&text) else {
            return Err(wrong(
                entry,
                "a date such as 2026-11-30 or 2026-11-30 07:00",
            ));
        };
        if let Some(order) = dated.order {
            let date = dated.date;
            let order = match order {
                Order::DayFirst => "the day first",
                Order::MonthFirst { .. } => "the month first",
            };
            let message = format!("“{text}” is read as {date}, with {order}");
            let help = format!("Write {date}, or the date that you mean in that form.");
            let finding = Finding::new(Severity::Warning, "front-matter-date", message, help);
            self.findings.push(finding.at(entry.line, None));
        }
        // Nobody gets an issue too early because of the order of day and month.
        if let Some(Order::MonthFirst { other: Some(other) }) = dated.order {
            self.meta.not_before.push(when::midnight(other));
        }
        Ok(Some(dated))
    }
}

/// Braces that hold no field that we know, each at the place that `place` gives for its line and column.
pub(super) fn unknown_fields(
    fields: &Fields,
    place: impl Fn((usize, usize)) -> (usize, Option<usize>),
) -> Vec<Finding> {
    let unknown = fields.iter().filter(|f| f.field.is_none());
    unknown
        .map(|found| {
            let (line, column) = place((found.line, found.column));
            unknown_field(found).at(line, column)
        })
        .collect()
}

/// A misspelt field stops a send, since everybody would read its braces; the syntax of other programs does not.
fn unknown_field(found: &fields::Found) -> Finding {
    let source = &found.source;
    if !found.is_mistaken() {
        let message = format!("{source} is no personal field and stays as it is written");
        let help =
            "Personal fields are {{ name }}, {{ email }} and {{ name | default(\"reader\") }}.";
        return Finding::new(Severity::Warning, "field-unknown", message, help);
    }
    let written = source.trim_matches(['{', '}']);
    let help = match found.nearest() {
        Some(near) if !written.trim_start().starts_with(near) => {
            format!("Did you mean {{{{ {near} }}}}?")
        }
        Some(_) => "A default is written {{ name | default(\"reader\") }}.".to_owned(),
        None => {
            "Personal fields are {{ name }}, {{ email }} and {{ name | default(\"reader\") }}. \
                 To show braces, put them in code."
                .to_owned()
        }
    };
    let message =
        format!("{source} is no personal field, and readers would see it as it is written");
    Finding::new(Severity::Error, "field-unknown", message, help)
}

fn wrong(entry: &Entry, wanted: &str) -> Box<Finding> {
    Box::new(Finding::new(
        Severity::Error,
        "front-matter-value",
        format!("“{}” in the front matter is not {wanted}", entry.key),
        format!("Write {wanted}, or remove the line."),
    ))
}

/// Text with each run of white space and line ends made one space.
fn one_line(entry: &Entry) -> Taken<String> {
    match &entry.value {
        Value::Text(text) => Ok(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Value::Flag(flag) => Ok(flag.to_string()),
        Value::Table(_) | Value::List(_) | Value::Other => Err(wrong(entry, "text")),
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|t| !t.is_empty())
}

fn number(entry: &Entry) -> Taken<Option<u32>> {
    let text = one_line(entry)?;
    let digits = text.trim_start_matches(['#', '№']).trim();
    if text.is_empty() {
        return Ok(None);
    }
    digits
        .parse()
        .map(Some)
        .map_err(|_| wrong(entry, "a whole number"))
}

/// A BCP 47 tag; `zh_CN` is taken for `zh-CN`.
fn language(entry: &Entry) -> Taken<Option<String>> {
    let tag = one_line(entry)?.replace('_', "-");
    if tag.is_empty() {
        return Ok(None);
    }
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let good = (2..=8).contains(&first.len())
        && first.chars().all(|c| c.is_ascii_alphabetic())
        && parts
            .all(|p| (1..=8).contains(&p.len()) && p.chars().all(|c| c.is_ascii_alphanumeric()));
    if good {
        Ok(Some(tag))
    } else {
        Err(wrong(entry, "a language tag such as en, zh-Hans or pt-BR"))
    }
}

/// A path, `![alternative text](path)`, or a table of `src` and `alt`.
fn cover(entry: &Entry) -> Taken<Option<Image>> {
    let (src, alt) = match &entry.value {
        Value::Table(table) => {
            let of = |key: &str| table.get(key).cloned().unwrap_or_default();
            match site_keys::picture(&entry.value) {
                Some(found) if of("src").is_empty() => found,
                _ => (of("src"), of("alt")),
            }
        }
        _ => {
            let text = one_line(entry)?;
            match text
                .strip_prefix("![")
                .and_then(|t| t.strip_suffix(')'))
                .and_then(|t| t.rsplit_once("]("))
            {
                Some((alt, src)) => (src.trim().to_owned(), alt.to_owned()),
                None => (text, String::new()),
            }
        }
    };
    let image = Image {
        src,
        alt,
        title: String::new(),
        width: None,
        line: entry.line,
    };
    Ok(Some(image).filter(|i| !i.src.is_empty()))
}

fn flag(entry: &Entry) -> Taken<bool> {
    match &entry.value {
        Value::Flag(flag) => Ok(*flag),
        Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "1" => Ok(true),
            "false" | "no" | "off" | "n" | "0" | "" => Ok(false),
            _ => Err(wrong(entry, "true or false")),
        },
        Value::Table(_) | Value::List(_) | Value::Other => Err(wrong(entry, "true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::issue::{Field, Inline, Moment};

    fn of(text: &str) -> Known {
        read(
            &front_matter::split(text)
                .unwrap()
                .unwrap()
                .entries()
                .unwrap(),
        )
    }

    #[test]
    fn every_key_is_taken() {
        let known = of(
            "+++\ntitle = \"A  title\"\nnumber = 22\ndate = 2026-11-30T07:00:00+01:00\n\
            subject = \"For {{ name | default('you') }}\"\npreheader = \"x\"\nlanguage = \"zh_CN\"\nlist = \"weekly\"\n\
            utm_campaign = \"c\"\ncover = { src = \"c.png\", alt = \"A c\" }\ndraft = true\n+++\n",
        );
        let meta = known.meta;
        assert_eq!(
            (known.findings, meta.title.as_str(), meta.number),
            (vec![], "A title", Some(22))
        );
        assert_eq!(meta.date, Some(jiff::civil::date(2026, 11, 30)));
        assert_eq!(
            meta.time,
            Some(Moment::Exact("2026-11-30T06:00:00Z".parse().unwrap()))
        );
        let name = Inline::Field(Field::Name {
            default: "you".into(),
        });
        assert_eq!(meta.subject, [Inline::Text("For ".into()), name]);
        assert_eq!(
            (meta.language.as_deref(), meta.list.as_deref()),
            (Some("zh-CN"), Some("weekly"))
        );
        let cover = meta.cover.unwrap();
        assert_eq!(
            (
                cover.src.as_str(),
                cover.alt.as_str(),
                cover.line,
                meta.draft
            ),
            ("c.png", "A c", 10, true)
        );
        assert_eq!(known.lines["draft"], 11);
    }

    #[test]
    fn a_title_is_the_same_for_everybody() {
        let known = of("title: For {{ name }}\n");
        assert_eq!(known.meta.title, "For {{ name }}");
        assert_eq!(
            (known.findings[0].code, known.findings[0].line),
            ("field-not-filled", Some(1))
        );
    }

    #[test]
    fn pelicans_lines_are_taken() {
        let known = of(
            "Title: This Week 75\nDate: 2015-03-23 07:00\nLang: en\nCover: ![A c](c.png)\nDraft: no\n",
        );
        assert_eq!(known.meta.title, "This Week 75");
        assert_eq!(
            known.meta.time,
            Some(Moment::Local(jiff::civil::date(2015, 3, 23).at(7, 0, 0, 0)))
        );
        assert_eq!(known.meta.cover.unwrap().alt, "A c");
        assert_eq!(
            (known.meta.language.as_deref(), known.meta.draft),
            (Some("en"), false)
        );
    }

    #[test]
    fn what_can_t_be_taken_is_named_with_its_line() {
        let known = of(
            "---\nnumber: twenty\ntilte: x\nflavour: y\ndate: soon\ndraft: maybe\nsubject: '{{ nmae }}'\n---\n",
        );
        let found: Vec<_> = known
            .findings
            .iter()
            .map(|f| (f.code, f.line.unwrap()))
            .collect();
        assert_eq!(
            found,
            [
                ("front-matter-value", 2),
                ("front-matter-value", 5),
                ("front-matter-value", 6),
                ("field-unknown", 7),
                ("front-matter-unknown", 3),
                ("front-matter-unknown", 4),
            ]
        );
        assert!(known.findings[4].help.contains("title"));
        assert!(known.findings[3].help.contains("{{ name }}"));
        let weights = [4, 5].map(|at: usize| known.findings[at].severity);
        assert_eq!(weights, [Severity::Warning, Severity::Note]);
    }

    #[test]
    fn keys_of_sites_that_mean_nothing_here_are_one_note() {
        let known = of(
            "---\nlayout: post\ntitle: News\nauthor: btb\npermalink: /1\nslug: news-1\ntags: [a, b]\n\
            categories: [c]\ncomments: true\npublished: true\nbuild: {render: always}\n---\n",
        );
        let [note] = known.findings.as_slice() else {
            panic!("{:#?}", known.findings)
        };
        assert_eq!(
            (note.severity, note.code),
            (Severity::Note, "front-matter-unknown")
        );
        assert_eq!(
            (note.line, note.lines.as_slice()),
            (Some(2), &[2, 4, 5, 6, 7, 8, 9, 11][..])
        );
        for key in [
            "layout",
            "author",
            "permalink",
            "slug",
            "tags",
            "categories",
            "comments",
        ] {
            assert!(note.message.contains(key), "{}", note.message);
        }
        assert!(!note.message.contains("published") && !known.meta.draft);
    }

    #[test]
    fn what_sites_call_otherwise_is_taken_and_our_own_keys_win() {
        let known = of(
            "---\ntitle: T\nexcerpt: A short excerpt.\ndescription: What *this* is <b>about</b>.\nimage: a.png\n\
            image_alt: x\npubDate: 2026-01-05T10:00:00Z\nissue: 12\nlocale: pt_BR\n---\n",
        );
        let meta = known.meta;
        assert_eq!(meta.preheader, [Inline::Text("What this is about.".into())]);
        assert_eq!(
            meta.cover.map(|c| (c.src, c.line)),
            Some(("a.png".into(), 5))
        );
        assert_eq!(
            (meta.date, meta.number),
            (Some(jiff::civil::date(2026, 1, 5)), Some(12))
        );
        assert_eq!(
            (meta.language.as_deref(), meta.is_cover_borrowed),
            (Some("pt-BR"), true)
        );
        let own = of(
            "---\ndescription: d\nimage: i.png\npublishDate: 2027-01-01\npreheader: p\ncover: c.png\ndate: 2026-01-01\n---\n",
        );
        let meta = own.meta;
        assert_eq!(meta.preheader, [Inline::Text("p".into())]);
        assert_eq!(meta.cover.map(|c| c.src).as_deref(), Some("c.png"));
        assert_eq!(
            (meta.date, meta.is_cover_borrowed),
            (Some(jiff::civil::date(2026, 1, 1)), false)
        );
        assert_eq!(
            meta.not_before,
            [when::midnight(jiff::civil::date(2027, 1, 1))]
        );
        for (front, want) in [
            ("images: [a.png, b.png]", "a.png"),
            (
                "featured_image: https://a.example/a.png",
                "https://a.example/a.png",
            ),
            ("cover_image: '![Alt](a.png)'", "a.png"),
            ("cover: {image: a.png, alt: Alt}", "a.png"),
            ("featuredImage: {path: a.png}", "a.png"),
            ("thumbnail: a.png", "a.png"),
            ("header: {teaser: a.png}", "a.png"),
        ] {
            let meta = of(&format!("---\ntitle: T\n{front}\n---\n")).meta;
            assert_eq!(meta.cover.map(|c| c.src).as_deref(), Some(want), "{front}");
        }
    }

    #[test]
    fn drafts_of_other_programs_are_drafts() {
        for front in [
            "published: false",
            "published: 'no'",
            "publish: false",
            "Status: draft",
            "status: hidden",
            "status: Skip",
            "status: in progress",
            "draft: \"true\"",
            "draft: True",
            "draft: yes",
            "draft: 1",
            "wip: true",
            "extra: {draft: true}",
            "params: {published: false}",
        ] {
            assert!(
                of(&format!("---\ntitle: T\n{front}\n---\n")).meta.draft,
                "{front}"
            );
        }
        assert!(of("Title: T\nStatus: draft\n").meta.draft);
        assert!(
            of("+++\ntitle = \"T\"\n[extra]\ndraft = true\n+++\n")
                .meta
                .draft
        );
        for front in [
            "published: true",
            "published: 2020-01-01",
            "publish: true",
            "status: published",
            "Status: PUBLISH",
            "draft: 'false'",
            "draft: no",
            "status: ''",
        ] {
            assert!(
                !of(&format!("---\ntitle: T\n{front}\n---\n")).meta.draft,
                "{front}"
            );
        }
    }

    #[test]
    fn a_date_in_the_future_under_any_key_holds_an_issue_back() {
        let now = "2026-11-30T06:00:00Z".parse().unwrap();
        for front in [
            "publishDate: 2026-12-24",
            "date: 2026-01-01\npublishDate: 2026-12-24",
            "pubDate: 2026-12-24",
            "publish_date: 'December 24, 2026'",
            "published: 2026-12-24",
            "published_at: 2026-12-24T07:00:00Z",
            "scheduled: 2026-12-24",
            "send_at: 2026-12-24 07:00",
            "created: 2026-12-24",
            "date: 12/24/2026",
            "date: 10/12/2026",
            "embargo: 2026-12-24",
            "extra: {publish_date: 2026-12-24}",
        ] {
            let meta = of(&format!("---\ntitle: T\n{front}\n---\n")).meta;
            assert!(meta.is_future(now, &jiff::tz::TimeZone::UTC), "{front}");
        }
        let past = of("---\ntitle: T\ndate: 11/26/2026\npublishDate: 2026-11-26\n---\n").meta;
        assert!(!past.is_future(now, &jiff::tz::TimeZone::UTC));
    }

    #[test]
    fn an_american_date_is_a_warning_that_says_how_it_was_read() {
        let known = of("---\ntitle: T\ndate: 11-28-2026\n---\n");
        assert_eq!(known.meta.date, Some(jiff::civil::date(2026, 11, 28)));
        let found = &known.findings[0];
        assert_eq!((found.severity, found.line), (Severity::Warning, Some(3)));
        assert!(found.message.contains("2026-11-28"), "{}", found.message);
    }
}
