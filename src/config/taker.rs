//! Takes values out of what was set, one by one, and notes what is wrong with each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::{Finding, Severity};

use super::keys::{Fallback, find};
use super::parse::BadValue;
use super::values::{Origin, Value, Values};
use super::{environment, parse};

/// The most mails a minute that can be set.
pub(super) const PER_MINUTE_MAX: i64 = 10_000_000;

/// Takes values out one by one and notes what is wrong with them.
pub(super) struct Taker<'v> {
    /// What was set.
    pub(super) values: &'v Values,
    /// The folder that paths are relative to.
    pub(super) folder: &'v Path,
    /// What is wrong so far.
    pub(super) findings: &'v mut Vec<Finding>,
}

impl Taker<'_> {
    /// The value of a path, or its default. A required one that is missing becomes a finding.
    pub(super) fn value(&mut self, path: &[&str]) -> Option<Value> {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        if let Some((value, _)) = self.values.set.get(&path) {
            return Some(value.clone());
        }
        let key = find(&path)?;
        match key.fallback {
            Fallback::Is(text) => environment::read(key.kind, text),
            Fallback::Unset(_) | Fallback::Always(_) => None,
            Fallback::Required => {
                let origin = path
                    .get(..2)
                    .and_then(|section| self.values.sections.get(section));
                let message = format!("{} is not set", path.join("."));
                let help = format!("It is required: {}.", key.about);
                let origin = origin.unwrap_or(&Origin::Default);
                self.findings.push(self.values.finding(
                    Severity::Error,
                    "required",
                    origin,
                    message,
                    help,
                ));
                None
            }
        }
    }

    /// Where the value of a path came from.
    pub(super) fn origin(&self, path: &[&str]) -> &Origin {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        self.values
            .set
            .get(&path)
            .map_or(&Origin::Default, |(_, origin)| origin)
    }

    /// Notes a finding at the place where the value of a path came from.
    pub(super) fn note(
        &mut self,
        severity: Severity,
        code: &'static str,
        path: &[&str],
        message: String,
        help: &str,
    ) {
        let finding =
            self.values
                .finding(severity, code, self.origin(path), message, help.to_owned());
        self.findings.push(finding);
    }

    /// Notes that the value of a path is wrong.
    pub(super) fn wrong(&mut self, path: &[&str], message: String, help: &str) {
        self.note(Severity::Error, "value", path, message, help);
    }

    /// The text of a path; `None`: it is not set.
    pub(super) fn text(&mut self, path: &[&str]) -> Option<String> {
        match self.value(path)? {
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::Decimal(_) | Value::Texts(_) => None,
        }
    }

    /// What `read` makes of the text of a path; `None`: it is not set, or is wrong, which is noted.
    pub(super) fn parsed<T, E: Into<BadValue>>(
        &mut self,
        path: &[&str],
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(path)?;
        read(&text)
            .map_err(|bad| self.wrong_text(path, &bad.into()))
            .ok()
    }

    /// Notes that a text is wrong. Without a help of its own it is said what the setting is for.
    pub(super) fn wrong_text(&mut self, path: &[&str], bad: &BadValue) {
        let message = format!("{}: {}", path.join("."), bad.what);
        if let Some(help) = &bad.help {
            return self.wrong(path, message, help);
        }
        let owned: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        let help = find(&owned).map_or_else(String::new, |key| {
            let otherwise = match key.fallback {
                Fallback::Required | Fallback::Is("") => String::new(),
                Fallback::Is(text) => format!("; the default is {text}"),
                Fallback::Unset(words) | Fallback::Always(words) => format!("; not set: {words}"),
            };
            sentence(&format!("{}{otherwise}.", key.about))
        });
        self.wrong(path, message, &help);
    }

    /// What `read` makes of each text of a path; those that are wrong are noted and left out.
    pub(super) fn each<T, E: Into<BadValue>>(
        &mut self,
        path: &[&str],
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let Some(Value::Texts(texts)) = self.value(path) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for text in texts {
            match read(&text) {
                Ok(value) => out.push(value),
                Err(bad) => self.wrong_text(path, &bad.into()),
            }
        }
        out
    }

    /// The number of a path; one that is out of bounds is noted.
    pub(super) fn number(&mut self, path: &[&str], least: i64, most: i64) -> i64 {
        let Some(Value::Number(number)) = self.value(path) else {
            return least;
        };
        if (least..=most).contains(&number) {
            return number;
        }
        let message = format!("{} can't be {number}", path.join("."));
        self.wrong(
            path,
            message,
            &format!("Write a number from {least} to {most}."),
        );
        least
    }

    /// The number, perhaps with decimals, of a path; one that is out of bounds is noted.
    pub(super) fn decimal(&mut self, path: &[&str], least: f64, most: f64) -> f64 {
        let Some(Value::Decimal(text)) = self.value(path) else {
            return least;
        };
        match text.parse::<f64>() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                let message = format!("{} can't be {text}", path.join("."));
                self.wrong(
                    path,
                    message,
                    &format!("Write a number from {least} to {most}."),
                );
                least
            }
        }
    }

    /// The duration of a path; one that is shorter than `least` is noted.
    pub(super) fn duration(&mut self, path: &[&str], least: Duration) -> Duration {
        let Some(duration) = self.parsed(path, parse::duration) else {
            return least;
        };
        if duration < least {
            self.wrong(
                path,
                format!("{} is too short", path.join(".")),
                "Write at least 1s.",
            );
        }
        duration
    }

    /// A path, relative to the settings' folder.
    pub(super) fn path(&mut self, path: &[&str]) -> Option<PathBuf> {
        let text = self.text(path)?;
        if text.is_empty() {
            self.wrong(
                path,
                format!("{} is empty", path.join(".")),
                "Write a path.",
            );
        }
        Some(self.folder.join(text))
    }
}

/// The words with a capital at their beginning.
fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
