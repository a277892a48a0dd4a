//! Front matter: what an author says about an issue before it begins.
//!
//! TOML between `+++`, YAML between `---`, a JSON object (Hugo), or bare `Key: value` lines up to the first empty one
//! (Pelican, MultiMarkdown), indented or not. Here it is found, and its keys and values are read with their lines;
//! `meta` says what the keys mean.

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
    /// A JSON object, braces and all.
    Json,
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
    /// A list, of which whatever is text is kept.
    List(Vec<String>),
    /// A date without a day, or whatever else no key takes.
    Other,
}

impl Value {
    /// The value as text within a table or a list; `None` where it is none.
    fn into_text(self) -> Option<String> {
        match self {
            Value::Text(text) => Some(text),
            Value::Flag(flag) => Some(flag.to_string()),
            Value::Table(_) | Value::List(_) | Value::Other => None,
        }
    }
}

/// What front matter says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Entries {
    /// The keys, in the order of their lines.
    pub list: Vec<Entry>,
    /// What was read though it is not quite right.
    pub findings: Vec<Finding>,
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
        _ if first.starts_with('{') => return json(text, lead),
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
/// are a line across the page. A known key may also stand below empty lines or be indented.
fn looks_like_yaml(rest: &str) -> bool {
    let mut lines = rest.lines().skip(1).map(str::trim_end);
    let Some(line) = lines.next() else {
        return false;
    };
    let is_known = |line: &str| {
        key_line(line.trim_start()).is_some_and(|(key, _)| KEYS.contains(&normal(key).as_str()))
    };
    line == "---"
        || line.starts_with('#')
        || key_line(line).is_some()
        || std::iter::once(line)
            .chain(lines)
            .find(|line| !line.is_empty())
            .is_some_and(is_known)
}

/// Splits `Key: value`. After the colon stands a space or nothing.
fn key_line(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let name = key.trim_matches(|c| c == '"' || c == '\'');
    let good = name.starts_with(char::is_alphabetic)
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '))
        && (value.is_empty() || value.starts_with([' ', '\t']));
    good.then_some((key, value.trim()))
}

/// The white space that a line begins with.
fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Bare lines count only as a whole block of keys of which one is known: an issue may well
/// begin with "Note: …". All of them may be indented alike.
fn bare(text: &str, lead: usize) -> Option<Front<'_>> {
    let rest = &text[lead..];
    let indent = indentation(rest);
    let mut end = 0;
    let mut known = false;
    for line in rest.split_inclusive('\n') {
        let bare = line.trim_end();
        if bare.is_empty() {
            break;
        }
        let bare = bare.strip_prefix(indent)?;
        let continued = end > 0 && bare.starts_with([' ', '\t']);
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

/// A JSON object that begins a text and has lines of its own. What begins like one and is none stays text, unless its
/// second line is plainly a key.
fn json(text: &str, lead: usize) -> Result<Option<Front<'_>>, Box<Finding>> {
    let rest = &text[lead..];
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
    let read = values.next();
    let end = values.byte_offset();
    match read {
        Some(Ok(serde_json::Value::Object(map))) if !map.is_empty() => {
            let body = &rest[end..];
            let Some(body) = body
                .trim_start_matches([' ', '\t'])
                .strip_prefix('\n')
                .or(body.is_empty().then_some(""))
            else {
                return Ok(None);
            };
            Ok(Some(Front {
                style: Style::Json,
                inner: &rest[..end],
                line: lead + 1,
                body,
            }))
        }
        Some(Err(error)) => {
            let second = rest.lines().nth(1).unwrap_or_default().trim_start();
            let is_key = rest.lines().next().is_some_and(|l| l.trim() == "{")
                && second.starts_with('"')
                && second[1..]
                    .split_once('"')
                    .is_some_and(|(_, r)| r.trim_start().starts_with(':'));
            if !is_key {
                return Ok(None);
            }
            let why = "a comma, a quotation mark or a bracket is missing or misplaced";
            let place = Some(error.column()).filter(|column| *column > 0);
            Err(Box::new(malformed(
                "JSON",
                Some(why),
                lead + error.line(),
                place,
            )))
        }
        _ => Ok(None),
    }
}

impl Front<'_> {
    /// Reads the keys, in the order of their lines.
    ///
    /// # Errors
    /// What TOML or YAML finds malformed, at the line of the file; or it is larger than any front matter.
    pub(crate) fn entries(&self) -> Result<Entries, Vec<Finding>> {
        if self.inner.len() > MAX_BYTES {
            return Err(vec![self.too_large("is larger than 64 KB")]);
        }
        let mut entries = match self.style {
            Style::Toml => self.toml()?,
            Style::Yaml => self.yaml().map_err(|f| vec![*f])?,
            Style::Bare => self.bare(),
            Style::Json => self.json(),
        };
        if entries.list.len() > KEYS_MAX {
            return Err(vec![self.too_many_keys()]);
        }
        entries.list.sort_by_key(|e| e.line);
        entries.findings.extend(self.doubled_keys());
        Ok(entries)
    }

    /// Keys that stand more than once. TOML refuses them; elsewhere the last one counts.
    fn doubled_keys(&self) -> Vec<Finding> {
        if self.style == Style::Toml {
            return Vec::new();
        }
        let mut seen = HashMap::new();
        let mut out = Vec::new();
        for (key, line) in self.key_lines() {
            if let Some(first) = seen.insert(normal(key), line) {
                let message =
                    format!("the key “{key}” also stands on line {first}; this one counts");
                let help = "Keep the one that is right, and remove the other.";
                out.push(
                    Finding::new(Severity::Warning, "front-matter-double", message, help)
                        .at(line, None),
                );
            }
        }
        out
    }

    /// The keys of the outermost level as they are written, with their lines.
    fn key_lines(&self) -> Vec<(&str, usize)> {
        let lines = self.inner.lines().enumerate();
        match self.style {
            Style::Json => {
                let mut out = Vec::new();
                let mut depth = 0usize;
                for (index, line) in lines {
                    let line = line.trim_start();
                    if depth <= 1
                        && let Some(rest) = line.trim_start_matches(['{', ' ']).strip_prefix('"')
                        && let Some((key, after)) = rest.split_once('"')
                        && after.trim_start().starts_with(':')
                    {
                        out.push((key, self.line + index));
                    }
                    depth += line.matches(['{', '[']).count();
                    depth = depth.saturating_sub(line.matches(['}', ']']).count());
                }
                out
            }
            Style::Toml | Style::Yaml | Style::Bare => {
                let first = self
                    .inner
                    .lines()
                    .find(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#'));
                let indent = indentation(first.unwrap_or_default());
                lines
                    .filter_map(|(index, line)| {
                        let (key, _) = key_line(line.strip_prefix(indent)?.trim_end())?;
                        Some((key.trim_matches(['"', '\'']), self.line + index))
                    })
                    .collect()
            }
        }
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

    fn toml(&self) -> Result<Entries, Vec<Finding>> {
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
            let list = found
                .map(|(key, value, at)| Entry {
                    key,
                    value,
                    line: self.place(at).0,
                })
                .collect();
            return Ok(Entries {
                list,
                findings: Vec::new(),
            });
        }
        Err(errors
            .iter()
            .take(MISTAKES_MAX)
            .map(|error| {
                let (line, column) = self.place(error.span().map_or(0, |span| span.start));
                malformed("TOML", Some(error.message().trim()), line, Some(column))
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

    /// Reads YAML; where it can't be read as a whole, key by key, since most mistakes are a value without its
    /// quotation marks: `title: Issue 12: trees`.
    fn yaml(&self) -> Result<Entries, Box<Finding>> {
        match read_yaml(self.inner, self.line) {
            Ok(list) => Ok(Entries {
                list,
                findings: Vec::new(),
            }),
            Err(error) => self.yaml_by_key().ok_or(error),
        }
    }

    /// Each key on its own; a value of one line that YAML can't read is text. `None` where more is wrong than that.
    fn yaml_by_key(&self) -> Option<Entries> {
        let mut out = Entries::default();
        let starts: Vec<usize> = self
            .key_lines()
            .into_iter()
            .map(|(_, l)| l - self.line)
            .collect();
        let lines: Vec<&str> = self.inner.lines().collect();
        let before = &lines[..*starts.first()?];
        if starts.len() > KEYS_MAX || !before.iter().all(|l| is_blank_yaml(l)) {
            return None;
        }
        for (at, start) in starts.iter().enumerate() {
            let end = starts.get(at + 1).copied().unwrap_or(lines.len());
            let chunk = &lines[*start..end];
            let line = self.line + start;
            if let Ok(mut read) = read_yaml(&chunk.join("\n"), line) {
                out.list.append(&mut read);
                continue;
            }
            let (key, value) = key_line(chunk.first()?.trim())?;
            let is_open = value.starts_with(['"', '\'', '[', '&', '|', '>', '!'])
                || (value.starts_with('{') && !value.starts_with("{{") && !value.starts_with("{%"))
                || (value.starts_with('*') && !value.starts_with("*|"));
            if is_open || !chunk[1..].iter().all(|l| is_blank_yaml(l)) {
                return None;
            }
            let key = key.trim_matches(['"', '\'']);
            let message =
                format!("the value of “{key}” needs quotation marks in YAML; it is read as text");
            let help = format!("Write {key}: \"…\"");
            out.findings.push(
                Finding::new(Severity::Note, "front-matter-unquoted", message, help).at(line, None),
            );
            out.list.push(Entry {
                key: key.to_owned(),
                value: Value::Text(value.to_owned()),
                line,
            });
        }
        Some(out)
    }

    fn json(&self) -> Entries {
        let Ok(serde_json::Value::Object(map)) = serde_json::from_str(self.inner) else {
            return Entries::default();
        };
        let lines: HashMap<&str, usize> = self.key_lines().into_iter().collect();
        let list = map
            .into_iter()
            .map(|(key, value)| Entry {
                line: lines.get(key.as_str()).copied().unwrap_or(self.line),
                value: yaml_value(value),
                key,
            })
            .collect();
        Entries {
            list,
            findings: Vec::new(),
        }
    }

    fn bare(&self) -> Entries {
        let mut entries: Vec<Entry> = Vec::new();
        let indent = indentation(self.inner);
        for (index, line) in self.inner.lines().enumerate() {
            let line = line.strip_prefix(indent).unwrap_or(line);
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
        Entries {
            list: entries,
            findings: Vec::new(),
        }
    }
}

fn is_blank_yaml(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// Reads the keys of some YAML whose first line is `line` of the file.
fn read_yaml(text: &str, line: usize) -> Result<Vec<Entry>, Box<Finding>> {
    if text.lines().all(is_blank_yaml) {
        return Ok(Vec::new());
    }
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: 20 * KEYS_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20 * KEYS_MAX,
        },
    };
    let read: Result<HashMap<String, Spanned<serde_json::Value>>, _> =
        serde_saphyr::from_str_with_options(text, options);
    match read {
        Ok(map) => Ok(map
            .into_iter()
            .map(|(key, value)| Entry {
                key,
                line: line + (value.referenced.line() as usize).saturating_sub(1),
                value: yaml_value(value.value),
            })
            .collect()),
        Err(error) => {
            let at = error.location();
            let line = at.map_or(1, |l| (l.line() as usize).max(1)) + line - 1;
            let message = error.without_snippet().to_string();
            let message = message.split(" at line ").next().unwrap_or(&message);
            let column = at.map(|l| l.column() as usize);
            Err(Box::new(malformed(
                "YAML",
                in_plain_words(message),
                line,
                column,
            )))
        }
    }
}

/// What a parser says, unless it speaks to programmers.
fn in_plain_words(message: &str) -> Option<&str> {
    let speaks_code = message.contains("::")
        || message.contains('`')
        || message
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| {
                word.contains('_')
                    || word
                        .char_indices()
                        .skip(1)
                        .any(|(at, c)| c.is_uppercase() && word[..at].ends_with(char::is_lowercase))
            });
    if message.starts_with("invalid type") {
        return Some("keys with their values were expected");
    }
    (!speaks_code).then_some(message)
}

fn malformed(language: &str, message: Option<&str>, line: usize, column: Option<usize>) -> Finding {
    let said: Vec<&str> = message
        .unwrap_or_default()
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    let colon = if said.is_empty() { "" } else { ": " };
    let said = said.join("; ");
    Finding::new(
        Severity::Error,
        "front-matter-malformed",
        format!("the front matter is not valid {language}{colon}{said}"),
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
            let text = |value: &DeValue| toml_value(value).into_text();
            Value::Table(
                table
                    .iter()
                    .filter_map(|(k, v)| Some((k.get_ref().to_string(), text(v.get_ref())?)))
                    .collect(),
            )
        }
        DeValue::Array(list) => Value::List(
            list.iter()
                .filter_map(|v| toml_value(v.get_ref()).into_text())
                .collect(),
        ),
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
                .filter_map(|(k, v)| Some((k, yaml_value(v).into_text()?)))
                .collect(),
        ),
        Json::Array(list) => Value::List(
            list.into_iter()
                .filter_map(|v| yaml_value(v).into_text())
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests;
