//! The lock that only one daemon a database can hold.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Result, StoreError};

/// Held by the daemon for as long as it lives; the system frees it even after a kill.
#[derive(Debug)]
pub struct DaemonLock {
    _file: File,
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

impl DaemonLock {
    /// Takes the lock beside a database and writes who holds it, such as `pid 812, http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] names the holder where there is one.
    pub fn take(database: &Path, who: &str) -> Result<DaemonLock> {
        let path = beside(database);
        let failed = |e: std::io::Error| {
            StoreError::Refused(format!(
                "{}: {e}. The daemon keeps its lock there: make the folder writable for this user.",
                path.display()
            ))
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(failed)?;
                file.rewind().map_err(failed)?;
                file.write_all(who.as_bytes()).map_err(failed)?;
                Ok(DaemonLock { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::Refused(format!(
                "{} is held by another daemon ({}). Stop that one first; two would send the same mail.",
                database.display(),
                holder_in(&mut file)
            ))),
            Err(TryLockError::Error(e)) => Err(failed(e)),
        }
    }

    /// Who holds the lock beside a database now; `None` where nobody does.
    pub fn holder(database: &Path) -> Option<String> {
        let mut file = OpenOptions::new().read(true).write(true).open(beside(database)).ok()?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Some(holder_in(&mut file)),
            _ => None,
        }
    }
}

fn holder_in(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.read_to_string(&mut text);
    if text.is_empty() { "it has just started".into() } else { text }
}
