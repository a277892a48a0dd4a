//! Whether the database's files are still where they were opened: a daemon whose database was moved away or replaced, or
//! whose log was deleted, must not go on as if people could see what it writes.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::lock::{beside, real};

/// The inode of a file; `None` where there is none.
pub(super) fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|about| about.ino())
}

/// Where a database was when it was opened.
#[derive(Debug)]
pub(super) struct Place {
    file: PathBuf,
    /// Its inode.
    database: Option<u64>,
    /// Its log, and the inode of that.
    log: (PathBuf, Option<u64>),
}

/// What is wrong with the place of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Displaced {
    /// There is no file any more.
    Gone,
    /// Another file is there.
    Replaced,
    /// Its log was deleted or replaced.
    WithoutLog,
}

impl Displaced {
    /// As a sentence, and what to do about it.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Gone => (
                "the database was moved away or deleted while it was in use",
                "Put it back where it was, with its -wal, or stop the daemon.",
            ),
            Self::Replaced => (
                "another file was put in the place of the database while it was in use",
                "Put the database back, or stop the daemon and start it again on the new one.",
            ),
            Self::WithoutLog => (
                "the log of the database (-wal) was deleted or replaced while it was in use",
                "Stop the daemon with SIGTERM: it writes everything into the database. Do not kill it.",
            ),
        }
    }
}

impl Place {
    /// That of a database which is open.
    pub(super) fn of(database: &Path) -> Place {
        let log = beside(database, "-wal");
        Place {
            file: real(database),
            database: inode(database),
            log: (log.clone(), inode(&log)),
        }
    }

    /// The inode of the log.
    pub(super) fn log(&self) -> Option<u64> {
        self.log.1
    }

    /// What is wrong now.
    pub(super) fn look(&self) -> Option<Displaced> {
        let now = inode(&self.file);
        if now.is_none() {
            Some(Displaced::Gone)
        } else if now != self.database {
            Some(Displaced::Replaced)
        } else if self.log.1.is_some() && inode(&self.log.0) != self.log.1 {
            Some(Displaced::WithoutLog)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::open;

    #[tokio::test]
    async fn what_is_moved_replaced_or_deleted_is_noticed_and_so_is_its_return() {
        let (dir, store) = open().await;
        let path = store.path().to_owned();
        let place = Place::of(&path);
        let away = dir.path().join("away.db");
        assert_eq!(place.look(), None);
        fs::rename(&path, &away).unwrap();
        assert_eq!(place.look(), Some(Displaced::Gone));
        fs::copy(&away, &path).unwrap();
        assert_eq!(place.look(), Some(Displaced::Replaced));
        fs::rename(&away, &path).unwrap();
        assert_eq!(place.look(), None);
        let log = beside(&path, "-wal");
        fs::rename(&log, &away).unwrap();
        assert_eq!(place.look(), Some(Displaced::WithoutLog));
        fs::rename(&away, &log).unwrap();
        assert_eq!(place.look(), None);
    }
}
