//! Two locks beside a database: one that only one daemon can hold, and one for the moment in which the file is
//! made or its schema changed.
//!
//! Both are `flock`s, which the system frees even after a kill. They lie on files of their own, never on the
//! database: closing any descriptor of that would drop SQLite's locks of this whole process
//! (sqlite.org/howtocorrupt.html, 2.2).

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Result, StoreError};
use crate::format;

/// The locks that this process holds: `flock` can't tell its own from those of others.
static OURS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A process that asks which daemon runs holds the lock for an instant; a daemon that starts just then tries again.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);
/// How many symbolic links that lead to each other are followed.
const LINKS_MAX: u32 = 16;

/// Held by the daemon for as long as it lives.
#[derive(Debug)]
pub struct DaemonLock {
    path: PathBuf,
    _file: File,
    /// The database's own file, locked as well: it may have another name, by a hard link or a mount.
    database: Option<&'static File>,
}

/// The file beside a database whose name has this ending more. What it is beside is the file itself, by whatever
/// symbolic links it was named, as with SQLite.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = real(database).into_os_string();
    name.push(ending);
    PathBuf::from(name)
}

/// The file that a path means, without symbolic links; it need not exist.
pub(super) fn real(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        if let Ok(real) = path.canonicalize() {
            return real;
        }
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => break,
        }
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
}

fn cannot_lock(database: &Path, error: &io::Error) -> StoreError {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "Make the folder, or change [store] path.",
        _ => "Make the folder writable for this user.",
    };
    let what = match error.kind() {
        io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
        _ => format!("the lock beside it can't be written: {}", format::io(error)),
    };
    StoreError::refused(what).at(database).help(remedy)
}

impl DaemonLock {
    /// Takes the lock beside a database and writes who holds it, such as `pid 812, http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`StoreError`] names the holder where there is one.
    pub fn take(database: &Path, who: &str) -> Result<DaemonLock> {
        let path = beside(database, ".lock");
        let failed = |error: io::Error| cannot_lock(database, &error);
        let mut file = open(&path).map_err(failed)?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < TRIES => {
                    std::thread::sleep(BETWEEN_TRIES)
                }
                Err(TryLockError::WouldBlock) => {
                    let what = format!("another daemon ({}) holds it", holder_in(&mut file));
                    return Err(StoreError::refused(what)
                        .at(database)
                        .help("Stop that one first; two would send the same mail."));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .map_err(failed)?;
        file.write_all(who.as_bytes()).map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        let mut lock = DaemonLock {
            path: path.clone(),
            _file: file,
            database: None,
        };
        lock.hold_file(database)?;
        OURS.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path);
        Ok(lock)
    }

    /// Locks the database's own file as well, where it is there and was not when the lock was taken.
    ///
    /// # Errors
    /// [`StoreError`] where a daemon holds it under another name.
    pub fn hold_file(&mut self, database: &Path) -> Result<()> {
        if self.database.is_some() {
            return Ok(());
        }
        match by_inode::take(database) {
            by_inode::Taken::Held(file) => {
                self.database = Some(file);
                Ok(())
            }
            by_inode::Taken::Unknown => Ok(()),
            by_inode::Taken::BySomebodyElse => Err(under_another_name(database)),
        }
    }

    /// Who holds the lock beside a database now, this process included; `None` where nobody does.
    pub fn holder(database: &Path) -> Option<String> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(beside(database, ".lock"))
            .ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(holder_in(&mut file)),
            _ => None,
        }
    }

    /// What the holder of a daemon's lock wrote into it, where that is another process.
    pub(super) fn other_holder(database: &Path) -> Option<String> {
        if is_ours(database) {
            None
        } else {
            Self::holder(database)
        }
    }

    /// As [`DaemonLock::other_holder`], also where that process knows the file by another name.
    pub(super) fn other_holder_by_any_name(database: &Path) -> Option<String> {
        if is_ours(database) {
            return None;
        }
        Self::holder(database).or_else(|| match by_inode::take(database) {
            by_inode::Taken::BySomebodyElse => Some("which knows it by another name".to_owned()),
            by_inode::Taken::Held(file) => {
                let _ = file.unlock();
                None
            }
            by_inode::Taken::Unknown => None,
        })
    }
}

/// Whether this process holds the lock of a database.
fn is_ours(database: &Path) -> bool {
    beside(database, ".lock").canonicalize().is_ok_and(|path| {
        OURS.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&path)
    })
}

fn under_another_name(database: &Path) -> StoreError {
    StoreError::refused("another daemon holds this file under another name")
        .at(database)
        .help("Stop that one first, and use one name: a database with two names is damaged when both are used.")
}

/// The lock on the database's own file. Its descriptor is never closed, since that would drop SQLite's locks of this whole
/// process; `flock` and the locks of SQLite do not see each other on the file systems of Linux that keep both.
mod by_inode {
    use std::fs::File;
    use std::path::Path;

    /// What became of the lock.
    pub(super) enum Taken {
        Held(&'static File),
        BySomebodyElse,
        /// There is no file yet, or its file system can't tell.
        Unknown,
    }

    #[cfg(target_os = "linux")]
    pub(super) fn take(database: &Path) -> Taken {
        use std::collections::BTreeMap;
        use std::fs::TryLockError;
        use std::os::unix::fs::MetadataExt as _;
        use std::sync::{Mutex, PoisonError};

        /// Those that were ever opened, by device and inode.
        static OPENED: Mutex<BTreeMap<(u64, u64), &'static File>> = Mutex::new(BTreeMap::new());

        let Ok(about) = database.metadata() else {
            return Taken::Unknown;
        };
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match opened.get(&(about.dev(), about.ino())) {
            Some(file) => *file,
            None => {
                let Ok(file) = File::open(database) else {
                    return Taken::Unknown;
                };
                let file: &'static File = Box::leak(Box::new(file));
                opened.insert((about.dev(), about.ino()), file);
                file
            }
        };
        if is_remote(file) {
            return Taken::Unknown;
        }
        match file.try_lock() {
            Ok(()) => Taken::Held(file),
            Err(TryLockError::WouldBlock) => Taken::BySomebodyElse,
            Err(TryLockError::Error(_)) => Taken::Unknown,
        }
    }

    /// Where `flock` is made of the very locks that SQLite uses: NFS, SMB and 9P.
    #[cfg(target_os = "linux")]
    fn is_remote(file: &File) -> bool {
        const REMOTE: [u64; 5] = [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x517b, 0x0102_1997];
        let Ok(about) = rustix::fs::fstatfs(file) else {
            return true;
        };
        REMOTE.contains(&(about.f_type as u64 & 0xffff_ffff))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn take(_: &Path) -> Taken {
        Taken::Unknown
    }
}

impl Drop for DaemonLock {
    fn drop(&mut self) {
        if let Some(file) = self.database {
            let _ = file.unlock();
        }
        OURS.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.path);
    }
}

fn holder_in(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.read_to_string(&mut text);
    if text.is_empty() {
        "it has just started".into()
    } else {
        text
    }
}

/// Held while a database is made or its schema changed. Its file is there only meanwhile (or after a kill,
/// until somebody opens the database again).
#[derive(Debug)]
pub(super) struct OpeningLock {
    path: PathBuf,
    _file: File,
}

impl OpeningLock {
    /// Waits while another process creates the database. Blocks the thread.
    pub(super) fn take(database: &Path) -> Result<OpeningLock> {
        let path = Self::path(database);
        let failed = |error: io::Error| cannot_lock(database, &error);
        loop {
            let file = open(&path).map_err(failed)?;
            file.lock().map_err(failed)?;
            // The one before removed the file when it was done: a lock on that guards nothing.
            let there = fs::metadata(&path).map(|m| (m.dev(), m.ino())).ok();
            let mine = file
                .metadata()
                .map(|m| (m.dev(), m.ino()))
                .map_err(failed)?;
            if there == Some(mine) {
                return Ok(OpeningLock { path, _file: file });
            }
        }
    }

    pub(super) fn path(database: &Path) -> PathBuf {
        beside(database, ".opening")
    }
}

impl Drop for OpeningLock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_told_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("letterpress.db");
        assert_eq!(DaemonLock::holder(&database), None);
        let first = DaemonLock::take(&database, "pid 812, http://127.0.0.1:8080").unwrap();
        assert_eq!(
            DaemonLock::holder(&database).as_deref(),
            Some("pid 812, http://127.0.0.1:8080")
        );
        assert_eq!(
            DaemonLock::other_holder(&database),
            None,
            "the lock is this process's own"
        );
        let said = DaemonLock::take(&database, "pid 813")
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("letterpress.db") && said.contains("pid 812, http://127.0.0.1:8080"),
            "{said}"
        );
        drop(first);
        assert_eq!(DaemonLock::holder(&database), None);
        let _again = DaemonLock::take(&database, "pid 9").unwrap();
        assert_eq!(
            DaemonLock::holder(&database).as_deref(),
            Some("pid 9"),
            "nothing of the last text is left"
        );
    }

    #[test]
    fn looking_never_keeps_a_daemon_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("letterpress.db");
        drop(DaemonLock::take(&database, "pid 1").unwrap());
        let curious = open(&beside(&database, ".lock")).unwrap();
        curious.lock_shared().unwrap();
        let looked = std::thread::spawn(move || {
            std::thread::sleep(BETWEEN_TRIES);
            drop(curious);
        });
        DaemonLock::take(&database, "pid 2").unwrap();
        looked.join().unwrap();
    }

    #[test]
    fn a_missing_folder_is_named() {
        let said = DaemonLock::take(Path::new("/nowhere/letterpress.db"), "pid 1")
            .unwrap_err()
            .to_string();
        assert!(
            said.starts_with("/nowhere/letterpress.db: its folder does not exist"),
            "{said}"
        );
    }

    #[test]
    fn only_one_makes_the_database_and_no_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("letterpress.db");
        let inside = Mutex::new(());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _opening = OpeningLock::take(&database).unwrap();
                        let _alone = inside.try_lock().expect("two held the lock at once");
                    }
                });
            }
        });
        assert!(!OpeningLock::path(&database).exists());
    }
}
