//! What can go wrong with the database, in words that say what to do.

use std::path::Path;

/// An error of the database: one paragraph, naming the file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A sentence for people; `what` was being done to `path`.
    #[error("{path}: {message} (while {what}). {help}")]
    Sqlite { path: String, what: String, message: String, help: String, code: Option<String> },
    /// Raised inside a job, before it is known which file and errand it was.
    #[error("the database refused a statement: {0}")]
    Raw(#[from] sqlx::Error),
    /// The database is as it should be; the request is not.
    #[error("{0}")]
    Refused(String),
}

impl StoreError {
    /// Explains an error of SQLite by its result code.
    pub fn from_sqlx(error: sqlx::Error, path: &Path, what: &str) -> Self {
        let code = error.as_database_error().and_then(|e| e.code()).map(|c| c.into_owned());
        let (message, help) = explain(code.as_deref(), &error);
        Self::Sqlite { path: path.display().to_string(), what: what.to_owned(), message, help, code }
    }

    /// A bug: a job that panicked or was torn down.
    pub(super) fn internal(path: &Path, what: &str, message: String) -> Self {
        Self::Sqlite {
            path: path.display().to_string(),
            what: what.to_owned(),
            message,
            help: "This is a defect of Letterpress; please report it.".into(),
            code: None,
        }
    }

    pub(super) fn during(self, path: &Path, what: &str) -> Self {
        match self {
            Self::Raw(error) => Self::from_sqlx(error, path, what),
            other => other,
        }
    }

    /// Whether it may pass by itself: another process held the lock, or the disk was full.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Sqlite { code: Some(code), .. } if matches!(code.as_str(), "5" | "6" | "13" | "261" | "517" | "262"))
    }
}

/// A sentence and a remedy for an SQLite result code (sqlite.org/rescode.html).
fn explain(code: Option<&str>, error: &sqlx::Error) -> (String, String) {
    let (message, help) = match code {
        Some("5" | "6" | "261" | "262" | "517") => (
            "the database is locked by another process",
            "Let the other command end, or stop what holds the file, and try again.",
        ),
        Some("8" | "264" | "520" | "776" | "1032") => {
            ("the database can't be written", "Make the file writable for this user.")
        }
        Some("1544") => (
            "the folder of the database can't be written",
            "SQLite keeps its journal beside the file: make the folder writable for this user.",
        ),
        Some("13") => {
            ("the disk is full", "Free some space; nothing was lost, and what was begun goes on by itself.")
        }
        Some("14" | "526" | "1038") => {
            ("the database can't be opened", "Check the folder and its permissions.")
        }
        Some("26") => (
            "this file is no SQLite database",
            "Point [store] path at another file, or put a backup in its place.",
        ),
        Some("11" | "267" | "523" | "779") => (
            "the database is damaged",
            "Stop the daemon, keep a copy of the file, and put the last backup in its place.",
        ),
        Some(code) => {
            return (
                format!("SQLite says: {} (code {code})", plain(error)),
                "Nothing of this step was kept.".into(),
            );
        }
        None => return (plain(error), "Nothing of this step was kept.".into()),
    };
    (message.into(), help.into())
}

fn plain(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(e) => e.message().to_owned(),
        None => error.to_string(),
    }
}
