//! How a command ends: its exit status, and the one paragraph on stderr where it could not do its work.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::config::{self, ConfigError};
use crate::model::Severity;
use crate::stdio;
use crate::store::StoreError;

use super::layout::wrap;
use super::terminal::Paint;

/// Where the text of a paragraph begins.
const INDENT: usize = 7;

/// How a command that ran has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Exit 0: done.
    Done,
    /// Exit 1: it ran and the answer is no; what is wrong already stands on stdout or stderr.
    No,
}

/// What every command gives back.
pub(super) type Outcome = Result<Answer, Failure>;

/// Why a command could not do what it was asked: a paragraph of up to four lines, and an exit status.
#[derive(Debug)]
pub(super) struct Failure {
    exit: u8,
    what: String,
    place: Option<String>,
    to_do: Option<String>,
}

impl Failure {
    /// It could not run at all (exit 2). `what` is a sentence without a final stop.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            exit: 2,
            what: what.into(),
            place: None,
            to_do: None,
        }
    }

    /// It could not run at all, as another room says it: what failed, a full stop, and what to do.
    pub(super) fn said(text: &str) -> Self {
        match text.split_once(". ") {
            Some((what, help)) => Self::new(what).help(help),
            None => Self::new(text),
        }
    }

    /// It ran and the answer is no (exit 1).
    pub(super) fn no(what: impl Into<String>) -> Self {
        Self {
            exit: 1,
            ..Self::new(what)
        }
    }

    /// It was interrupted by a signal, and ended in order: the status that shells give for that.
    pub(super) fn interrupted(what: impl Into<String>) -> Self {
        Self {
            exit: 130,
            ..Self::new(what)
        }
    }

    /// Where: `file:line`, a table, `host:port`.
    pub(super) fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// What to do now: whole sentences. A line of its own that begins with two spaces is a command to type.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.to_do = Some(help.into());
        self
    }

    /// Writing to stdout failed: exit 2. A reader that has left, such as `head`, is not a failure: exit 0 and no message.
    pub(super) fn output(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self {
                exit: 0,
                ..Self::new("")
            };
        }
        Self::new(format!(
            "the output could not be written to stdout: {}",
            crate::format::io(&error)
        ))
        .help("The output is incomplete. Write it to a place that has room; what the command changed stays changed.")
    }

    /// It on one line, for a log.
    pub(super) fn in_a_line(&self) -> String {
        let mut line = String::new();
        if let Some(place) = &self.place {
            line.push_str(&format!("{place}: "));
        }
        line.push_str(&self.what);
        if let Some(to_do) = &self.to_do {
            line.push_str(&format!(". {to_do}"));
        }
        stdio::one_line(&line).to_string()
    }

    /// Says it on stderr and gives the status to end with.
    pub(super) fn tell(&self, paint: Paint) -> ExitCode {
        if !self.what.is_empty() {
            stdio::eprint(self.paragraph(paint));
        }
        ExitCode::from(self.exit)
    }

    /// The paragraph as DESIGN's terminal shows it: a word, then its text, further lines set in.
    fn paragraph(&self, paint: Paint) -> String {
        let mut out = String::new();
        let place = self.place.as_deref().map(stdio::one_line);
        let lines = [
            ("error", Some(self.what.as_str())),
            ("where", place.as_deref()),
            ("to do", self.to_do.as_deref()),
        ];
        for (word, text) in lines {
            let Some(text) = text else { continue };
            let shown = if word == "error" {
                paint.error(word)
            } else {
                word.to_owned()
            };
            for (i, line) in text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .enumerate()
            {
                let head = if i == 0 { word } else { "     " };
                // A place and a command are copied, so they are not wrapped.
                let whole = matches!(word, "where") || line.starts_with("  ");
                let line = if whole {
                    format!("{head}  {line}")
                } else {
                    wrap(line, &format!("{head}  "), INDENT)
                };
                let painted = if i == 0 {
                    line.replacen(word, &shown, 1)
                } else {
                    line
                };
                let _ = writeln!(out, "{painted}");
            }
        }
        out
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let mut failure = Failure::new(error.what);
        if let Some(path) = &error.at {
            failure = match error.during {
                Some(during) => failure.at(format!("{}, while {during}", path.display())),
                None => failure.at(path.display().to_string()),
            };
        }
        match error.help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let findings = match error {
            ConfigError::NoneFound { folder } => {
                return Failure::new(format!(
                    "there is no {} in {} or above",
                    config::FILE,
                    folder.display()
                ))
                .help(
                    "Create a newsletter with `letterpress init`, or name its settings with --config.",
                );
            }
            ConfigError::NoSuchFile { file } => {
                return Failure::new(format!("there is no file {}", file.display())).help(
                    "Create a newsletter with `letterpress init`, or name its settings with --config.",
                );
            }
            ConfigError::CurrentFolder(error) => {
                return Failure::new(format!(
                    "the current folder can't be read: {}",
                    crate::format::io(&error)
                ))
                .help("Name the settings with --config.");
            }
            ConfigError::NotUtf8 { file } => {
                return Failure::new("the settings are not UTF-8, so they can't be read")
                    .at(file.display().to_string())
                    .help("Save the file as UTF-8, or name another with --config.");
            }
            ConfigError::Unreadable { file, error } => {
                return Failure::new(format!(
                    "the settings can't be read: {}",
                    crate::format::io(&error)
                ))
                .at(file.display().to_string())
                .help("Make the file readable for this user, or name another with --config.");
            }
            ConfigError::Wrong(findings) => findings,
        };
        let errors: Vec<_> = findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .collect();
        let Some(first) = errors.first() else {
            return Failure::new("the settings can't be used");
        };
        let mut help = first.help.clone();
        let more = match errors.len() - 1 {
            0 => None,
            1 => Some("is 1 more error".to_owned()),
            more => Some(format!(
                "are {} more errors",
                crate::format::count(more as u64)
            )),
        };
        if let Some(more) = more {
            help.push_str(&format!(
                " There {more}; `letterpress config check` shows all."
            ));
        }
        Failure::new(first.message.clone())
            .at(first.place())
            .help(help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_paragraph_with_its_lines_under_each_other() {
        let failure = Failure::new("the relay refused our login")
            .at("smtp.relay.example:587 as akira")
            .help("Put the right password into smtp-password, then\n\n  letterpress resume 22");
        assert_eq!(
            failure.paragraph(Paint::bare()),
            "error  the relay refused our login\n\
             where  smtp.relay.example:587 as akira\n\
             to do  Put the right password into smtp-password, then\n       \x20 letterpress resume 22\n"
        );
    }

    #[test]
    fn a_long_failure_is_wrapped_and_what_is_copied_is_not() {
        let long = "a sentence that goes on and on, ".repeat(4);
        let place = "/a/folder/of/letters".repeat(6);
        let text = Failure::said(&format!("{long}. {long}"))
            .at(place.clone())
            .paragraph(Paint::bare());
        assert!(
            text.lines()
                .all(|line| line.chars().count() <= 80 || line.ends_with(&place)),
            "{text}"
        );
        assert!(
            text.contains(&format!("where  {place}\nto do  a sentence")),
            "{text}"
        );
    }

    #[test]
    fn a_reader_that_went_away_is_no_mishap() {
        let gone = Failure::output(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!((gone.exit, gone.what.as_str()), (0, ""));
    }
}
