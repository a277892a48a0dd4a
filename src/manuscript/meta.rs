//! The keys of the front matter and what their values may be.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::model::issue::{Image, Inlines, Meta, Moment};
use crate::model::{Finding, Severity};

use super::date;
use super::fields::{self, Fields};
use super::front_matter::{self, Entry, Value};

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
}

/// Reads each key. A value that can't be used is an error; an unknown key is a warning.
pub(super) fn read(entries: &[Entry]) -> Known {
    let mut known = Known::default();
    for entry in entries {
        let key = front_matter::normal(&entry.key);
        if let Err(finding) = known.take(&key, entry) {
            known.findings.push(finding.at(entry.line, None));
        }
        known.lines.entry(key).or_insert(entry.line);
    }
    known
}

impl Known {
    fn take(&mut self, key: &str, entry: &Entry) -> Taken<()> {
        match key {
            "title" => self.meta.title = self.title(entry)?,
            "number" => self.meta.number = number(entry)?,
            "date" => (self.meta.date, self.meta.time) = when(entry)?,
            "subject" => self.meta.subject = self.inlines(entry)?,
            "preheader" => self.meta.preheader = self.inlines(entry)?,
            "language" => self.meta.language = language(entry)?,
            "list" => self.meta.list = some(one_line(entry)?),
            "utm_campaign" => self.meta.utm_campaign = some(one_line(entry)?),
            "cover" => self.meta.cover = cover(entry)?,
            "draft" => self.meta.draft = flag(entry)?,
            _ => return Err(unknown(&entry.key, key)),
        }
        Ok(())
    }

    /// The title is the same for everybody, since it appears on the web and in lists too.
    fn title(&mut self, entry: &Entry) -> Taken<String> {
        let title = one_line(entry)?;
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
        let (inlines, found) = fields::plain_inlines(&one_line(entry)?);
        self.findings
            .extend(unknown_fields(&found, |_| (entry.line, None)));
        Ok(inlines)
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

fn unknown(written: &str, key: &str) -> Box<Finding> {
    let near = front_matter::KEYS
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(known, key), known))
        .min()
        .filter(|(distance, known)| *distance * 3 <= known.len().max(3));
    let help = match near {
        Some((_, known)) => format!("Did you mean “{known}”?"),
        None => format!(
            "It is ignored. The known keys are {}.",
            front_matter::KEYS.join(", ")
        ),
    };
    Box::new(Finding::new(
        Severity::Warning,
        "front-matter-unknown",
        format!("unknown key “{written}” in the front matter"),
        help,
    ))
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
        Value::Table(_) | Value::Other => Err(wrong(entry, "text")),
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

/// A date; with a time, in RFC 3339 or as `2026-11-30 07:00`.
fn when(entry: &Entry) -> Taken<(Option<jiff::civil::Date>, Option<Moment>)> {
    let text = one_line(entry)?;
    if text.is_empty() {
        return Ok((None, None));
    }
    let tight = text.replacen(" +", "+", 1).replacen(" Z", "Z", 1);
    if let Ok(exact) = tight.parse::<Timestamp>() {
        let date = tight.get(..10).and_then(|d| d.parse().ok());
        return Ok((date, Some(Moment::Exact(exact))));
    }
    if text.contains(':')
        && let Ok(local) = text.parse::<DateTime>()
    {
        return Ok((Some(local.date()), Some(Moment::Local(local))));
    }
    match date::whole(&text) {
        Some(date) => Ok((Some(date), None)),
        None => Err(wrong(
            entry,
            "a date such as 2026-11-30 or 2026-11-30 07:00",
        )),
    }
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
            (of("src"), of("alt"))
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
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" | "" => Ok(false),
            _ => Err(wrong(entry, "true or false")),
        },
        Value::Table(_) | Value::Other => Err(wrong(entry, "true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::issue::{Field, Inline};

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
                ("front-matter-unknown", 3),
                ("front-matter-unknown", 4),
                ("front-matter-value", 5),
                ("front-matter-value", 6),
                ("field-unknown", 7)
            ]
        );
        assert!(known.findings[1].help.contains("title"));
        assert!(known.findings[5].help.contains("{{ name }}"));
    }
}
