//! Front matter: what an author says about an issue before it begins.
//!
//! TOML between `+++`, YAML between `---`, or bare `Key: value` lines up to the first empty one (Pelican,
//! MultiMarkdown). Here it is found, and its keys and values are read with their lines; `meta` says what the keys mean.

use std::collections::HashMap;

use serde_saphyr::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::{Finding, Severity};

/// The most bytes that front matter may have: a title of a megabyte is no title.
const MAX_BYTES: usize = 64 * 1024;
/// The most keys that it may have. An issue has use for ten.
const KEYS_MAX: usize = 500;
/// How deep its values may be nested.
const DEPTH_MAX: usize = 32;
/// The most mistakes that are told of one front matter.
const MISTAKES_MAX: usize = 20;

/// How front matter is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// TOML between lines of `+++`.
    Toml,
    /// YAML between lines of `---`.
    Yaml,
    /// `Key: value` lines up to the first empty one.
    Bare,
}

/// Front matter as it stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Front<'t> {
    /// How it is written.
    pub style: Style,
    /// What stands between the fences.
    pub inner: &'t str,
    /// The line of the file, from 1, on which `inner` begins.
    pub line: usize,
    /// Everything after it.
    pub body: &'t str,
}

/// One key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The key as the author wrote it.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// The line of the file that it is on, from 1.
    pub line: usize,
}

/// A value, as far as an issue has use for one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Text, a number or a date, as it was written.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A table with text in it, such as `cover = { src = "…", alt = "…" }`.
    Table(HashMap<String, String>),
    /// A list, a date without a day, or whatever else no key takes.
    Other,
}

/// The known keys, in their usual spelling.
pub(super) const KEYS: [&str; 10] = [
    "title",
    "number",
    "date",
    "subject",
    "preheader",
    "language",
    "list",
    "utm_campaign",
    "cover",
    "draft",
];

/// The normal form of a key: `UTM-Campaign` and `utm_campaign` are the same.
pub(crate) fn normal(key: &str) -> String {
    match key
        .trim()
        .to_ascii_lowercase()
        .replace(['-', ' '], "_")
        .as_str()
    {
        "lang" => "language".to_owned(),
        key => key.to_owned(),
    }
}

/// Finds the front matter that a text begins with.
///
/// # Errors
/// A fence that is opened and never closed.
pub(crate) fn split(text: &str) -> Result<Option<Front<'_>>, Box<Finding>> {
    let lead = text.len() - text.trim_start_matches('\n').len();
    let first = text[lead..].lines().next().unwrap_or_default().trim_end();
    let (style, fence) = match first {
        "+++" => (Style::Toml, "+++"),
        "---" if looks_like_yaml(&text[lead + 3..]) => (Style::Yaml, "---"),
        _ => return Ok(bare(text, lead)),
    };
    let start = text[lead..]
        .find('\n')
        .map_or(text.len(), |at| lead + at + 1);
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        let bare = line.trim_end();
        if bare == fence || (style == Style::Yaml && bare == "...") {
            let body = &text[at + line.len()..];
            return Ok(Some(Front {
                style,
                inner: &text[start..at],
                line: lead + 2,
                body,
            }));
        }
        at += line.len();
    }
    Err(Box::new(
        Finding::new(
            Severity::Error,
            "front-matter-open",
            format!("the front matter that begins with {fence} is never closed"),
            format!("Add a line with {fence} after the last key."),
        )
        .at(lead + 1, Some(1)),
    ))
}

/// Whether what follows `---` is front matter: a key, a comment, or the closing fence. Otherwise the dashes
/// are a line across the page.
fn looks_like_yaml(rest: &str) -> bool {
    let Some(line) = rest.lines().nth(1).map(str::trim_end) else {
        return false;
    };
    line == "---" || line.starts_with('#') || key_line(line).is_some()
}

/// Splits `Key: value`. After the colon stands a space or nothing.
fn key_line(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let name = key.trim_matches(|c| c == '"' || c == '\'');
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' '))
        && (value.is_empty() || value.starts_with([' ', '\t']));
    good.then_some((key, value.trim()))
}

/// Bare lines count only as a whole block of keys of which one is known: an issue may well
/// begin with "Note: …".
fn bare(text: &str, lead: usize) -> Option<Front<'_>> {
    let rest = &text[lead..];
    let mut end = 0;
    let mut known = false;
    for line in rest.split_inclusive('\n') {
        let bare = line.trim_end();
        if bare.is_empty() {
            break;
        }
        let continued = end > 0 && line.starts_with([' ', '\t']);
        match key_line(bare) {
            _ if continued => {}
            Some((key, _)) => known |= KEYS.contains(&normal(key).as_str()),
            None => return None,
        }
        end += line.len();
    }
    known.then(|| Front {
        style: Style::Bare,
        inner: &rest[..end],
        line: lead + 1,
        body: &rest[end..],
    })
}

impl Front<'_> {
    /// Reads the keys, in the order of their lines.
    ///
    /// # Errors
    /// What TOML or YAML finds malformed, at the line of the file; or it is larger than any front matter.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, Vec<Finding>> {
        if self.inner.len() > MAX_BYTES {
            return Err(vec![self.too_large("is larger than 64 KB")]);
        }
        let mut entries = match self.style {
            Style::Toml => self.toml()?,
            Style::Yaml => self.yaml().map_err(|f| vec![*f])?,
            Style::Bare => self.bare(),
        };
        if entries.len() > KEYS_MAX {
            return Err(vec![self.too_many_keys()]);
        }
        entries.sort_by_key(|e| e.line);
        Ok(entries)
    }

    fn too_large(&self, what: &str) -> Finding {
        Finding::new(
            Severity::Error,
            "front-matter-too-large",
            format!("the front matter {what}"),
            "Keep the keys of this issue, and move everything else below the front matter.",
        )
        .at(self.line, None)
    }

    fn too_many_keys(&self) -> Finding {
        self.too_large("has more than 500 keys")
    }

    fn toml(&self) -> Result<Vec<Entry>, Vec<Finding>> {
        let (table, errors) = DeTable::parse_recoverable(self.inner);
        // The line of each key is counted from the first, so that very many keys would take long.
        if table.get_ref().len() > KEYS_MAX {
            return Err(vec![self.too_many_keys()]);
        }
        if errors.is_empty() {
            let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue>)| {
                let key: &toml::de::DeString = key.get_ref();
                (
                    key.to_string(),
                    toml_value(value.get_ref()),
                    value.span().start,
                )
            };
            let found = table.get_ref().iter().map(entry);
            return Ok(found
                .map(|(key, value, at)| Entry {
                    key,
                    value,
                    line: self.place(at).0,
                })
                .collect());
        }
        Err(errors
            .iter()
            .take(MISTAKES_MAX)
            .map(|error| {
                let (line, column) = self.place(error.span().map_or(0, |span| span.start));
                malformed("TOML", error.message().trim(), line, Some(column))
            })
            .collect())
    }

    /// The line and column in the file of a place in `inner`, in bytes.
    fn place(&self, at: usize) -> (usize, usize) {
        let mut at = at.min(self.inner.len());
        // What ends too early is noticed behind its line end: the line itself is to be named.
        if at > 0 && at == self.inner.len() && self.inner.ends_with('\n') {
            at -= 1;
        }
        while !self.inner.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.inner[..at];
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.chars().count());
        (self.line + before.matches('\n').count(), column + 1)
    }

    fn yaml(&self) -> Result<Vec<Entry>, Box<Finding>> {
        if self
            .inner
            .lines()
            .all(|l| l.trim().is_empty() || l.trim_start().starts_with('#'))
        {
            return Ok(Vec::new());
        }
        let options = serde_saphyr::options! {
            strict_booleans: true,
            leading_zero_numbers_as_strings: true,
            with_snippet: false,
            budget: serde_saphyr::budget! {
                max_depth: DEPTH_MAX,
                max_nodes: 20 * KEYS_MAX,
            },
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: 20 * KEYS_MAX,
            },
        };
        let read: Result<HashMap<String, Spanned<serde_json::Value>>, _> =
            serde_saphyr::from_str_with_options(self.inner, options);
        match read {
            Ok(map) => Ok(map
                .into_iter()
                .map(|(key, value)| {
                    let line = self.line + (value.referenced.line() as usize).saturating_sub(1);
                    Entry {
                        key,
                        value: yaml_value(value.value),
                        line,
                    }
                })
                .collect()),
            Err(error) => {
                let at = error.location();
                let line = at.map_or(1, |l| (l.line() as usize).max(1)) + self.line - 1;
                let message = error.without_snippet().to_string();
                let message = message.split(" at line ").next().unwrap_or(&message);
                Err(Box::new(malformed(
                    "YAML",
                    message,
                    line,
                    at.map(|l| l.column() as usize),
                )))
            }
        }
    }

    fn bare(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for (index, line) in self.inner.lines().enumerate() {
            match (key_line(line.trim_end()), entries.last_mut()) {
                (Some((key, value)), _) if !line.starts_with([' ', '\t']) => {
                    let value = Value::Text(value.to_owned());
                    entries.push(Entry {
                        key: key.to_owned(),
                        value,
                        line: self.line + index,
                    });
                }
                (
                    _,
                    Some(Entry {
                        value: Value::Text(before),
                        ..
                    }),
                ) => {
                    before.push(' ');
                    before.push_str(line.trim());
                }
                _ => {}
            }
        }
        entries
    }
}

fn malformed(language: &str, message: &str, line: usize, column: Option<usize>) -> Finding {
    let message = message
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect::<Vec<_>>()
        .join("; ");
    Finding::new(
        Severity::Error,
        "front-matter-malformed",
        format!("the front matter is not valid {language}: {message}"),
        "Fix this line. Write one key a line, with texts in quotation marks.",
    )
    .at(line, column)
}

fn toml_value(value: &DeValue) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Text(number.to_string()),
            Err(_) => Value::Other,
        },
        DeValue::Float(number) => Value::Text(number.as_str().to_owned()),
        DeValue::Datetime(date) => Value::Text(date.to_string()),
        DeValue::Table(table) => {
            let text = |value: &DeValue| match toml_value(value) {
                Value::Text(text) => Some(text),
                _ => None,
            };
            Value::Table(
                table
                    .iter()
                    .filter_map(|(k, v)| Some((k.get_ref().to_string(), text(v.get_ref())?)))
                    .collect(),
            )
        }
        DeValue::Array(_) => Value::Other,
    }
}

fn yaml_value(value: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => Value::Text(text),
        Json::Number(number) => Value::Text(number.to_string()),
        Json::Bool(flag) => Value::Flag(flag),
        Json::Null => Value::Text(String::new()),
        Json::Object(map) => Value::Table(
            map.into_iter()
                .filter_map(|(k, v)| match yaml_value(v) {
                    Value::Text(text) => Some((k, text)),
                    _ => None,
                })
                .collect(),
        ),
        Json::Array(_) => Value::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<(String, Value, usize)> {
        let front = split(text).unwrap().expect("front matter");
        front
            .entries()
            .unwrap()
            .into_iter()
            .map(|e| (e.key, e.value, e.line))
            .collect()
    }

    fn text(value: &str) -> Value {
        Value::Text(value.into())
    }

    #[test]
    fn the_three_styles_say_the_same() {
        let want = |a, b| {
            vec![
                ("title".into(), text("A: b"), a),
                ("number".into(), text("7"), b),
            ]
        };
        assert_eq!(
            keys("+++\ntitle = \"A: b\"\nnumber = 7\n+++\nx\n"),
            want(2, 3)
        );
        assert_eq!(
            keys("---\ntitle: 'A: b'\n# note\nnumber: 7\n---\nx\n"),
            want(2, 4)
        );
        assert_eq!(keys("title: A: b\nnumber: 7\n\nx\n"), want(1, 2));
        assert_eq!(keys("\n\ntitle: A:\n  b\nnumber: 7"), want(3, 5));
    }

    #[test]
    fn what_only_resembles_front_matter_is_text() {
        for text in [
            "---\n\nA line across.\n\n---\n",
            "---\nProse, and more.\n---\n",
            "Note: a thing\n\ntext",
            "",
            "https://a.example\n",
            "Title: x\nand prose\n\n",
            "Dear reader,\nTitle: x\n",
        ] {
            assert_eq!(split(text).unwrap(), None, "{text:?}");
        }
    }

    #[test]
    fn front_matter_is_bounded_in_bytes_keys_and_depth() {
        let code = |text: &str| {
            let found = split(text).unwrap().unwrap().entries().unwrap_err();
            found.iter().map(|f| f.code).collect::<Vec<_>>()
        };
        let many = |n: usize, line: &str| -> String {
            (0..n).map(|i| line.replace('#', &i.to_string())).collect()
        };
        for n in [501, 2000, 40_000] {
            for text in [
                format!("+++\n{}+++\n", many(n, "k# = 1\n")),
                format!("---\n{}---\n", many(n, "k#: 1\n")),
                format!("title: x\n{}\n", many(n, "key: #\n")),
            ] {
                assert_eq!(code(&text), ["front-matter-too-large"], "{n}");
            }
        }
        let most = format!("+++\n{}+++\n", many(KEYS_MAX, "k# = 1\n"));
        assert_eq!(keys(&most).len(), KEYS_MAX);
        let title = "x".repeat(MAX_BYTES);
        assert_eq!(
            code(&format!("title: {title}\n\n")),
            ["front-matter-too-large"]
        );
        let deep = "[".repeat(40) + &"]".repeat(40);
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for pair in ["ab", "bc", "cd", "de"] {
            let (of, name) = pair.split_at(1);
            let aliases = vec![format!("*{of}"); 9].join(",");
            bomb.push_str(&format!("{name}: &{name} [{aliases}]\n"));
        }
        for text in [
            format!("---\na: {deep}\n---\n"),
            format!("---\n{bomb}---\n"),
        ] {
            assert_eq!(code(&text), ["front-matter-malformed"], "{text}");
        }
        let mistakes = format!("+++\n{}+++\n", "=\n".repeat(1000));
        assert_eq!(code(&mistakes).len(), MISTAKES_MAX);
    }

    #[test]
    fn a_malformed_line_is_named() {
        let place = |text: &str| {
            let found = split(text).unwrap().unwrap().entries().unwrap_err();
            (found[0].line.unwrap(), found[0].column.is_some())
        };
        assert_eq!(place("+++\ntitle = \"unclosed\n+++\ntext\n"), (2, true));
        assert_eq!(place("+++\na = 1\nb = ,\nc = 2\n+++\n"), (3, true));
        assert_eq!(place("---\na: 1\nb: [1, 2\nc: 3\n---\n").0 / 3, 1);
        assert_eq!(place("---\ntitle: a: b\n---\n"), (2, true));
        let open = split("+++\ntitle = 1\n").unwrap_err();
        assert_eq!((open.code, open.line), ("front-matter-open", Some(1)));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\+\\+\\+|---|\\.\\.\\.|title|number|[:= \"'\\[\\]{},.#\n&*!|>-]|[a-z0-9é年]){0,40}") {
            if let Ok(Some(front)) = split(&text) {
                proptest::prop_assert!(text.ends_with(front.body));
                let _ = front.entries();
            }
        }
    }
}
