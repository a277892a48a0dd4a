//! What was set, where: the file and the environment, read into one map of values with their origin.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::format::nearest;
use crate::model::{Finding, Severity};

use super::keys::{self, Kind};

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// As it was written, so that it can be compared.
    Decimal(String),
    /// Several texts.
    Texts(Vec<String>),
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nowhere: the default holds.
    Default,
    /// Line and column, from 1.
    File(usize, usize),
    /// The name of the variable.
    Environment(String),
}

/// All that was set, by path.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// The file as findings name it.
    pub file: String,
    /// Each value by its path, such as `relay`, `main`, `host`.
    pub set: BTreeMap<Vec<String>, (Value, Origin)>,
    /// Where each `[relay.NAME]`, `[domain.NAME]` and `[list.NAME]` begins.
    pub sections: BTreeMap<Vec<String>, Origin>,
}

impl Values {
    /// The names under `relay`, `domain` or `list`.
    pub(super) fn names(&self, section: &str) -> Vec<String> {
        self.sections
            .keys()
            .filter(|path| path[0] == section)
            .map(|path| path[1].clone())
            .collect()
    }

    /// The paths of the headers that a list adds to its issues.
    pub(super) fn further_headers<'v>(
        &'v self,
        list: &'v str,
    ) -> impl Iterator<Item = &'v Vec<String>> {
        self.set.keys().filter(move |path| {
            matches!(&path[..], [section, key, headers, _] if section == "list" && key == list && headers == "headers")
        })
    }

    /// A finding at the place that a value came from.
    pub(super) fn finding(
        &self,
        severity: Severity,
        code: &'static str,
        origin: &Origin,
        message: String,
        help: String,
    ) -> Finding {
        let mut finding = Finding::new(severity, code, message, help);
        finding.file = self.file.clone();
        match origin {
            Origin::Default => finding,
            Origin::File(line, column) => finding.at(*line, Some(*column)),
            Origin::Environment(name) => {
                finding.file.clone_from(name);
                finding
            }
        }
    }
}

/// A text as the file takes it, between quotation marks.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Line and column (in characters, from 1) of a byte of the text.
pub(super) fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(byte.min(text.len()))];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        1 + before.matches('\n').count(),
        1 + before[line_start..].chars().count(),
    )
}

/// Reads the text of a settings file; every unknown key and wrong type becomes a finding.
pub(super) fn read(text: &str, file: &str) -> (Values, Vec<Finding>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        text,
        values: Values {
            file: file.to_owned(),
            ..Values::default()
        },
        findings: Vec::new(),
    };
    if let Some(error) = errors.first() {
        // What follows a broken line is often only its consequence.
        let at = error.span().map_or(0, |span| span.start);
        let message = format!(
            "this is not TOML: {}",
            error.message().lines().next().unwrap_or("unreadable")
        );
        reader.complain(
            "toml",
            at,
            message,
            "Fix this line; the rest is checked afterwards.".into(),
        );
    } else {
        reader.table(&mut Vec::new(), table.get_ref());
    }
    (reader.values, reader.findings)
}

struct Reader<'t> {
    text: &'t str,
    values: Values,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn complain(&mut self, code: &'static str, byte: usize, message: String, help: String) {
        let (line, column) = place(self.text, byte);
        let origin = Origin::File(line, column);
        self.findings.push(
            self.values
                .finding(Severity::Error, code, &origin, message, help),
        );
    }

    fn table(&mut self, path: &mut Vec<String>, table: &DeTable<'_>) {
        for (name, value) in table {
            path.push(name.get_ref().to_string());
            let at = name.span().start;
            if keys::find(path).is_some() {
                self.leaf(path, at, value.get_ref());
            } else if keys::children(path).is_empty() {
                self.unknown(path, at);
            } else if let DeValue::Table(inner) = value.get_ref() {
                if path.len() == 2 {
                    let (line, column) = place(self.text, at);
                    self.values
                        .sections
                        .insert(path.clone(), Origin::File(line, column));
                }
                self.table(path, inner);
            } else {
                let dotted = path.join(".");
                self.complain(
                    "type",
                    at,
                    format!("{dotted} is a section"),
                    format!("Write [{dotted}]."),
                );
            }
            path.pop();
        }
    }

    fn leaf(&mut self, path: &[String], at: usize, value: &DeValue<'_>) {
        let Some(key) = keys::find(path) else { return };
        match plain(key.kind, value) {
            Some(value) => {
                let (line, column) = place(self.text, at);
                self.values
                    .set
                    .insert(path.to_vec(), (value, Origin::File(line, column)));
            }
            None => {
                let help = match key.kind {
                    Kind::Text | Kind::Secret => "Write a text between quotation marks.",
                    Kind::Number => "Write a whole number, without quotation marks.",
                    Kind::Decimal => "Write a number such as 1.5, without quotation marks.",
                    Kind::Texts => "Write texts between square brackets: [\"…\", \"…\"].",
                };
                let message = format!("{} can't be {}", path.join("."), kind_of(value));
                self.complain("type", at, message, help.into());
            }
        }
    }

    fn unknown(&mut self, path: &[String], at: usize) {
        let (name, prefix) = path
            .split_last()
            .map_or(("", &[][..]), |(name, rest)| (name.as_str(), rest));
        let candidates = keys::children(prefix);
        let help = match (
            nearest(name, candidates.iter().copied()),
            keys::sections_with(name),
        ) {
            (Some(near), _) => format!("Did you mean {near}?"),
            (None, Some(sections)) => format!("It belongs in {sections}."),
            (None, None) => format!("Known here: {}.", candidates.join(", ")),
        };
        let place = if prefix.is_empty() {
            String::new()
        } else {
            format!(" in [{}]", prefix.join("."))
        };
        self.complain(
            "unknown-key",
            at,
            format!("there is no setting {name}{place}"),
            help,
        );
    }
}

/// What a value is, in people's words.
fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with decimals",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list of values",
        DeValue::Table(_) => "a section",
    }
}

fn plain(kind: Kind, value: &DeValue<'_>) -> Option<Value> {
    Some(match kind {
        Kind::Text | Kind::Secret => Value::Text(value.as_str()?.to_owned()),
        Kind::Number => {
            let number = value.as_integer()?;
            Value::Number(
                i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()?,
            )
        }
        Kind::Decimal => Value::Decimal(match value {
            DeValue::Float(number) => number.as_str().replace('_', ""),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', ""),
            _ => return None,
        }),
        Kind::Texts => Value::Texts(
            value
                .as_array()?
                .iter()
                .map(|v| v.get_ref().as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        read(text, "l.toml")
            .1
            .iter()
            .map(|f| format!("{} {} {}", f.place(), f.message, f.help))
            .collect()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest() {
        assert_eq!(
            complaints("[sending]\nfirst_retry = \"1s\"\n batch_sise = 5\n[webb]\n"),
            [
                "l.toml:3:2 there is no setting batch_sise in [sending] Did you mean batch_size?",
                "l.toml:4:2 there is no setting webb Did you mean web?",
            ]
        );
        assert_eq!(
            complaints("[web]\nbatch_size = 5\nconnections = 2\n"),
            [
                "l.toml:2:1 there is no setting batch_size in [web] It belongs in [sending].",
                "l.toml:3:1 there is no setting connections in [web] It belongs in [relay.NAME] or [domain.NAME].",
            ]
        );
    }

    #[test]
    fn a_wrong_type_and_a_broken_line_are_named() {
        assert_eq!(
            complaints("[relay.main]\nport = \"25\"\n"),
            [
                "l.toml:2:1 relay.main.port can't be a text Write a whole number, without quotation marks."
            ]
        );
        assert!(complaints("web = 1\n")[0].contains("Write [web]."));
        let broken = complaints("[store]\npath = \"x\n");
        assert!(
            broken.len() == 1 && broken[0].starts_with("l.toml:2:"),
            "{broken:?}"
        );
    }

    #[test]
    fn values_keep_their_place() {
        let (values, findings) = read(
            "[list.a]\nname = \"ä\"\n[list.a.utm]\nonly_domains = [\"x.org\"]\n",
            "l.toml",
        );
        assert!(findings.is_empty());
        let path: Vec<String> = ["list", "a", "utm", "only_domains"]
            .map(String::from)
            .into();
        assert_eq!(
            values.set[&path],
            (Value::Texts(vec!["x.org".into()]), Origin::File(4, 1))
        );
        assert_eq!(values.names("list"), ["a"]);
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(text in "[a-z\\[\\]=\".\n #ä0-9]{0,200}") {
            let _ = read(&text, "l.toml");
        }
    }
}
