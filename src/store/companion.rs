//! The small file beside a database, `letterpress.db-state`: which database belongs there, and how much that has done at
//! the least. By it a copy that was put back by hand, a deleted log or a database that is gone is noticed.
//!
//! Its count is written after the commit that it counts, and a commit is synced: so after a kill or a power cut the
//! database has done as much as its companion says, or more. It can be less only if somebody put an older file there, or
//! took a log away. That is why the count needs no sync of its own: an older count is as true as the newest. It is
//! written in place, with a size that never changes, so that a full disk takes it as well; the file itself is made whole
//! under another name, synced, and renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::lock::beside;

/// What the companion's name has more than the database's.
pub(super) const ENDING: &str = "-state";
/// Its size: the count on a line of its own, then JSON and spaces.
const SIZE_BYTES: usize = 1024;
/// The digits of the count.
const DIGITS: usize = 20;
/// The longest reason that it keeps.
const TROUBLE_MAX_CHARS: usize = 200;
/// A write by another process may be seen half-done: then it is read again.
const TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Which file of the disk it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileMark {
    /// Its number on its file system.
    inode: u64,
    /// When it was made, in milliseconds, where the file system keeps that.
    made_at: Option<u64>,
}

impl FileMark {
    /// That of a file, where it is there.
    pub(super) fn of(path: &Path) -> Option<FileMark> {
        let about = fs::metadata(path).ok()?;
        let made = about.created().ok();
        let since = made.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        Some(FileMark {
            inode: about.ino(),
            made_at: since.and_then(|since| u64::try_from(since.as_millis()).ok()),
        })
    }

    /// Whether it must be another file. Some file systems number files again when they are mounted, and keep no time;
    /// of those nothing is said.
    fn differs(self, other: FileMark) -> bool {
        let other_time = matches!((self.made_at, other.made_at), (Some(a), Some(b)) if a != b);
        self.inode != other.inode && other_time
    }
}

/// What stands in it beside the count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The identity of the database.
    pub(super) identity: String,
    /// Whether the database has that identity; otherwise it was about to be given it.
    pub(super) is_settled: bool,
    /// The database's file.
    pub(super) file: Option<FileMark>,
    /// The inode of its log while a daemon uses it.
    pub(super) log: Option<u64>,
    /// Why the daemon can't write the database.
    pub(super) trouble: Option<String>,
}

impl Record {
    /// Whether the database's file is another than it was.
    pub(super) fn is_of_another_file(&self, now: Option<FileMark>) -> bool {
        matches!((self.file, now), (Some(then), Some(now)) if then.differs(now))
    }
}

/// The companion's file name.
pub(super) fn path(database: &Path) -> PathBuf {
    beside(database, ENDING)
}

/// Reads the companion of a database; `None` where there is none, or none that can be understood.
pub(super) fn read(database: &Path) -> Option<(u64, Record)> {
    read_file(&path(database))
}

/// Reads a companion by its own name.
pub(super) fn read_file(path: &Path) -> Option<(u64, Record)> {
    for attempt in 1..=TRIES {
        let mut bytes = Vec::with_capacity(SIZE_BYTES);
        let limit = u64::try_from(SIZE_BYTES).unwrap_or(u64::MAX);
        File::open(path)
            .and_then(|file| file.take(limit).read_to_end(&mut bytes))
            .ok()?;
        if let Some(read) = parse(&bytes) {
            return Some(read);
        }
        if attempt < TRIES {
            std::thread::sleep(BETWEEN_TRIES);
        }
    }
    None
}

fn parse(bytes: &[u8]) -> Option<(u64, Record)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (count, record) = text.split_once('\n')?;
    Some((count.parse().ok()?, serde_json::from_str(record).ok()?))
}

fn bytes_of(count: u64, record: &Record) -> Vec<u8> {
    let json = |record: &Record| serde_json::to_string(record).unwrap_or_default();
    let room = SIZE_BYTES - DIGITS - 2;
    let mut text = json(record);
    if text.len() > room {
        text = json(&Record {
            trouble: None,
            ..record.clone()
        });
    }
    let mut bytes = format!("{count:0DIGITS$}\n{text}").into_bytes();
    bytes.resize(SIZE_BYTES - 1, b' ');
    bytes.push(b'\n');
    bytes
}

/// A companion that this process writes.
#[derive(Debug)]
pub(super) struct Companion {
    file: File,
}

impl Companion {
    /// Makes it, or replaces the one that is there, whole and synced. Only one process does so at a time.
    pub(super) fn create(database: &Path, count: u64, record: &Record) -> io::Result<Companion> {
        let to = path(database);
        let new = beside(&to, ".new");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&new)?;
        // As SQLite does with its log: what root makes belongs to the database's owner.
        if let Ok(about) = fs::metadata(database) {
            let _ = std::os::unix::fs::fchown(&file, Some(about.uid()), Some(about.gid()));
        }
        let made = file
            .write_all(&bytes_of(count, record))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&new, &to));
        if let Err(error) = made {
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        if let Some(folder) = to.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(Companion { file })
    }

    /// Opens the one that is there.
    pub(super) fn open(database: &Path) -> io::Result<Companion> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path(database))?;
        Ok(Companion { file })
    }

    /// Notes how much was done. Where that fails the older count stays, which is true as well.
    pub(super) fn set_count(&self, count: u64) {
        let digits = format!("{count:0DIGITS$}");
        let _ = self.file.write_all_at(digits.as_bytes(), 0);
    }

    /// Changes what stands beside the count.
    pub(super) fn change(&self, change: impl FnOnce(&mut Record)) {
        let mut bytes = vec![0; SIZE_BYTES];
        if self.file.read_exact_at(&mut bytes, 0).is_err() {
            return;
        }
        let Some((count, mut record)) = parse(&bytes) else {
            return;
        };
        change(&mut record);
        if let Some(trouble) = &mut record.trouble {
            *trouble = trouble.chars().take(TROUBLE_MAX_CHARS).collect();
        }
        let text = bytes_of(count, &record);
        let _ = self
            .file
            .write_all_at(&text[DIGITS..], u64::try_from(DIGITS).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            identity: "abc".into(),
            is_settled: true,
            file: Some(FileMark {
                inode: 7,
                made_at: Some(9),
            }),
            log: None,
            trouble: None,
        }
    }

    #[test]
    fn what_is_written_in_place_is_read_and_the_size_stays() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("letterpress.db");
        assert_eq!(read(&database), None);
        let companion = Companion::create(&database, 5, &record()).unwrap();
        assert_eq!(read(&database), Some((5, record())));
        companion.set_count(u64::MAX);
        companion.change(|record| record.trouble = Some("\"ü\"".repeat(1_000)));
        let (count, changed) = read(&database).unwrap();
        assert_eq!(count, u64::MAX);
        assert_eq!(changed.identity, "abc");
        let about = fs::metadata(path(&database)).unwrap();
        assert_eq!(about.len(), SIZE_BYTES as u64);
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
        Companion::open(&database).unwrap().set_count(6);
        assert_eq!(read(&database).unwrap().0, 6);
    }

    #[test]
    fn a_file_is_another_only_where_number_and_time_say_so() {
        let mark = |inode, made_at| FileMark { inode, made_at };
        assert!(mark(1, Some(1)).differs(mark(2, Some(2))));
        assert!(!mark(1, Some(1)).differs(mark(1, Some(2))));
        assert!(!mark(1, None).differs(mark(2, None)), "mounted again");
        assert!(!mark(1, Some(1)).differs(mark(2, Some(1))), "mounted again");
    }

    #[test]
    fn what_is_no_companion_is_not_taken_for_one() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("letterpress.db");
        for text in ["", "7", "x\n{}", "00000000000000000007\n{}"] {
            fs::write(path(&database), text).unwrap();
            assert_eq!(read(&database), None, "{text}");
        }
    }
}
