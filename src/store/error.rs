//! What can go wrong with the database: what, where, during what, and what to do about it, each as a field. The faces
//! make a paragraph of them.

use std::fmt;
use std::path::{Path, PathBuf};

/// An error of the database.
#[derive(Debug)]
pub struct StoreError {
    /// What failed: a sentence without a final stop.
    pub what: String,
    /// The file that it is about, as a rule the database; `None` where it is about no file.
    pub at: Option<PathBuf>,
    /// What was being done; it completes the sentence "… failed while", such as "queueing an issue".
    pub during: Option<&'static str>,
    /// What to do about it: whole sentences.
    pub help: Option<String>,
    cause: Cause,
}

/// Where an error comes from.
#[derive(Debug)]
enum Cause {
    /// SQLite, with its extended result code where it gave one.
    Sqlite(Option<u32>),
    /// Raised inside a job, before it is known which file and errand it was.
    Unexplained(Box<sqlx::Error>),
    /// The database is as it should be; the request is not.
    Refused,
    /// There is no database, and none is made.
    Missing,
    /// The database is not in its place any more.
    Displaced,
}

impl StoreError {
    /// A request that is not granted, though the database is as it should be: a sentence without a final stop.
    pub fn refused(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            at: None,
            during: None,
            help: None,
            cause: Cause::Refused,
        }
    }

    /// A database that is not there and is not made.
    pub(super) fn missing(what: impl Into<String>) -> Self {
        Self {
            cause: Cause::Missing,
            ..Self::refused(what)
        }
    }

    /// Whether there is no database, and none is made.
    pub fn is_missing(&self) -> bool {
        matches!(self.cause, Cause::Missing)
    }

    /// A write to a database that was moved away or replaced.
    pub(super) fn displaced(path: &Path, what: &str, help: &str) -> Self {
        Self {
            cause: Cause::Displaced,
            ..Self::refused(what).at(path).help(help)
        }
    }

    /// Names the file that it is about.
    #[must_use]
    pub fn at(mut self, path: &Path) -> Self {
        self.at = Some(path.to_owned());
        self
    }

    /// Says what to do about it, in whole sentences.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Explains an error of SQLite by its result code.
    pub(super) fn from_sqlx(error: &sqlx::Error, path: &Path, during: &'static str) -> Self {
        let code = match error {
            // All who read wait for a disk that stalls.
            sqlx::Error::PoolTimedOut => Some(code::BUSY),
            _ => error
                .as_database_error()
                .and_then(|e| e.code())
                .and_then(|code| code.parse().ok()),
        };
        let (what, help) = explain(code, error);
        Self {
            what,
            at: Some(path.to_owned()),
            during: Some(during),
            help: Some(help),
            cause: Cause::Sqlite(code),
        }
    }

    /// A bug: a job that panicked or was torn down.
    pub(super) fn internal(path: &Path, during: &'static str, what: String) -> Self {
        Self {
            what,
            at: Some(path.to_owned()),
            during: Some(during),
            help: Some("This is a defect of Letterpress; please report it.".into()),
            cause: Cause::Sqlite(None),
        }
    }

    /// Explains what a job raised, now that file and errand are known.
    pub(super) fn during(self, path: &Path, during: &'static str) -> Self {
        match self.cause {
            Cause::Unexplained(error) => Self::from_sqlx(&error, path, during),
            _ => self,
        }
    }

    /// Whether the database is as it should be and the request is not.
    pub fn is_refused(&self) -> bool {
        matches!(self.cause, Cause::Refused | Cause::Missing)
    }

    /// Whether it may pass by itself: another process held the lock, the disk was full, or the database is not in its
    /// place.
    pub fn is_passing(&self) -> bool {
        self.is_locked() || self.is_full() || matches!(self.cause, Cause::Displaced)
    }

    /// Whether another process held the lock for too long.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self.primary_code(), Some(code::BUSY | code::LOCKED))
    }

    /// Whether a disk had no more room, be it for the `-shm`.
    pub(super) fn is_full(&self) -> bool {
        let for_shm = matches!(self.cause, Cause::Sqlite(Some(code::IOERR_SHMSIZE)));
        for_shm || self.primary_code() == Some(code::FULL)
    }

    /// The result code of SQLite without what an extended code adds.
    fn primary_code(&self) -> Option<u32> {
        match self.cause {
            Cause::Sqlite(code) => code.map(|code| code & 0xff),
            _ => None,
        }
    }
}

/// One paragraph, for the log and for faces that have no form of their own.
impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{}: ", at.display())?;
        }
        f.write_str(&self.what)?;
        if let Some(during) = self.during {
            write!(f, " (while {during})")?;
        }
        match &self.help {
            Some(help) => write!(f, ". {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self {
            what: plain(&error),
            at: None,
            during: None,
            help: None,
            cause: Cause::Unexplained(Box::new(error)),
        }
    }
}

/// Result codes of SQLite that mean something to people (sqlite.org/rescode.html).
mod code {
    pub(super) const PERM: u32 = 3;
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const READONLY: u32 = 8;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const NOTADB: u32 = 26;
    /// READONLY: the journal can't be made, since the folder is read-only.
    pub(super) const READONLY_DIRECTORY: u32 = 1544;
    /// READONLY: the `-shm` of a database in WAL mode can't be made.
    pub(super) const READONLY_CANTINIT: u32 = 1288;
    /// IOERR: no room for the `-shm`.
    pub(super) const IOERR_SHMSIZE: u32 = 4874;
}

/// A sentence and a remedy for a result code.
fn explain(code: Option<u32>, error: &sqlx::Error) -> (String, String) {
    let full = (
        "the disk is full",
        "Free some space; nothing was lost, and what was begun goes on by itself.",
    );
    let folder = (
        "the folder of the database can't be written",
        "SQLite keeps its log (-wal, -shm) beside the file: make the folder writable for this user.",
    );
    let (message, help) = match (code, code.map(|code| code & 0xff)) {
        (Some(code::IOERR_SHMSIZE), _) | (_, Some(code::FULL)) => full,
        (Some(code::READONLY_DIRECTORY | code::READONLY_CANTINIT), _) => folder,
        (_, Some(code::BUSY | code::LOCKED)) => (
            "the database is locked by another process",
            "Let the other command end, or stop what holds the file, and try again.",
        ),
        (_, Some(code::READONLY | code::PERM)) => (
            "the database can't be written",
            "Make the file and its folder writable for this user.",
        ),
        (_, Some(code::CANTOPEN)) => (
            "the database can't be opened",
            "Make the file and its folder, where SQLite keeps its log (-wal, -shm), readable and writable for \
             this user.",
        ),
        (_, Some(code::NOTADB)) => (
            "this file is no SQLite database",
            "Point [store] path at another file, or restore a backup with `letterpress restore FILE`.",
        ),
        (_, Some(code::CORRUPT)) => (
            "the database is damaged",
            "Stop the daemon, and restore the last backup with `letterpress restore FILE`: it keeps the damaged one.",
        ),
        (Some(code), Some(code::IOERR)) => {
            return (
                format!("the disk answers with an error (SQLite's code {code})"),
                "Look at the system's log and at the disk; nothing of this step was kept.".into(),
            );
        }
        (Some(code), _) => {
            return (
                format!("SQLite says: {} (code {code})", plain(error)),
                "Nothing of this step was kept.".into(),
            );
        }
        (None, _) => return (plain(error), "Nothing of this step was kept.".into()),
    };
    (message.into(), help.into())
}

fn plain(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(e) => e.message().to_owned(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_called_a_full_disk_passes() {
        let of = |code| StoreError {
            cause: Cause::Sqlite(Some(code)),
            ..StoreError::refused("")
        };
        assert!(of(code::FULL).is_passing() && of(code::IOERR_SHMSIZE).is_passing());
        assert!(!of(code::IOERR).is_passing());
    }

    #[test]
    fn a_disk_that_stalls_until_no_reader_is_free_passes() {
        let error = StoreError::from_sqlx(&sqlx::Error::PoolTimedOut, Path::new("x.db"), "reading");
        assert!(error.is_passing(), "{error}");
    }
}
