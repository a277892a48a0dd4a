//! A whole copy of the database while it is in use.

use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::{Result, Store, StoreError};
use crate::format;

/// What a copy is called until it is whole, in the folder of the copy.
const UNFINISHED: &str = ".letterpress-backup-";

impl Store {
    /// Copies the database to a file that must not exist yet: written under another name beside it with mode
    /// 0600, marked as a copy of the time `now`, checked, flushed to the disk, and only then given its name. The daemon
    /// goes on meanwhile. What a killed backup left in that folder is taken away.
    ///
    /// # Errors
    /// [`StoreError`] where the file exists or its folder can't be written; otherwise what SQLite says.
    /// Then nothing is left behind.
    pub async fn backup(&self, to: &Path, now: Timestamp) -> Result<()> {
        self.copy_as(to, Some(now)).await
    }

    /// As [`Store::backup`], without the mark: for a copy that is deleted afterwards.
    pub(super) async fn copy(&self, to: &Path) -> Result<()> {
        self.copy_as(to, None).await
    }

    async fn copy_as(&self, to: &Path, marked: Option<Timestamp>) -> Result<()> {
        let refused = |why: &str, help: &str| StoreError::refused(why).at(to).help(help);
        if to.symlink_metadata().is_ok() {
            let why = "the file exists, and a backup never writes over one";
            return Err(refused(why, "Name another."));
        }
        let folder = match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        sweep(folder, UNFINISHED);
        let copy = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(folder)
            .map_err(|e| {
                let why = format!("nothing can be written in its folder ({})", format::io(&e));
                refused(&why, "Choose a folder that exists and is writable.")
            })?;
        // Locked while it is written: another backup takes away only what nobody works on.
        let _ = copy.as_file().try_lock();
        self.copy_into(copy.path()).await?;
        if let Some(now) = marked {
            mark(copy.path(), now).await?;
        }
        check(copy.path()).await?;
        let kept = copy.as_file().sync_all().and_then(|()| {
            copy.persist_noclobber(to).map_err(|e| e.error)?;
            File::open(folder)?.sync_all()
        });
        kept.map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => refused(
                "the file appeared meanwhile, and a backup never writes over one",
                "Name another.",
            ),
            _ => refused(
                &format!("the copy can't be kept there: {}", format::io(&e)),
                "Look at the disk, or name a file on another one.",
            ),
        })
    }

    async fn copy_into(&self, empty: &Path) -> Result<()> {
        // A connection of its own: this may take long, and readers of pages shall not wait for it.
        let say = |error| StoreError::from_sqlx(&error, self.path(), "copying it");
        let mut connection = self.reader_options().connect().await.map_err(say)?;
        let done = vacuum(&mut connection, self.path(), empty).await;
        let _ = connection.close().await;
        done
    }
}

/// Copies a database into an empty file: `VACUUM INTO` sees one instant of it, and lets others write to it meanwhile.
pub(super) async fn vacuum(c: &mut SqliteConnection, from: &Path, empty: &Path) -> Result<()> {
    let name = empty.to_str().ok_or_else(|| {
        StoreError::refused("SQLite takes only names in UTF-8")
            .at(empty)
            .help("Name a file in another folder.")
    })?;
    let done = sqlx::query("VACUUM INTO ?").bind(name).execute(c).await;
    match done.map_err(|e| StoreError::from_sqlx(&e, from, "copying it")) {
        Ok(_) => Ok(()),
        Err(error) if error.is_full() => Err(StoreError::refused("the disk is full")
            .at(empty.parent().unwrap_or(empty))
            .help("Free some space, or name a file on another disk.")),
        Err(error) => Err(error),
    }
}

/// Takes away the files of a folder whose names begin so, which a kill left. One that is worked on is locked.
pub(super) fn sweep(folder: &Path, prefix: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_unfinished = name.to_str().is_some_and(|name| name.starts_with(prefix));
        if is_unfinished && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let is_free = File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
            if is_free {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// Marks a copy, so that it is known for one when it is opened.
async fn mark(path: &Path, now: Timestamp) -> Result<()> {
    let say = |error| StoreError::from_sqlx(&error, path, "marking the copy");
    // Without a journal beside it, which a kill would leave: the copy has no name yet.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Memory)
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(say)?;
    let marked = sqlx::query("UPDATE origin SET copied_at = ?")
        .bind(now.as_millisecond())
        .execute(&mut connection)
        .await;
    let _ = connection.close().await;
    marked.map(drop).map_err(say)
}

/// Reads a database from end to end and looks whether its pages are sound.
async fn check(path: &Path) -> Result<()> {
    let what = "checking the copy";
    let say = |error| StoreError::from_sqlx(&error, path, what);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(say)?;
    let found: Result<String, _> = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut connection)
        .await;
    let _ = connection.close().await;
    match found.map_err(say)?.as_str() {
        "ok" => Ok(()),
        fault => {
            let what = format!("the copy is damaged, and so, it seems, is the database ({fault})");
            Err(StoreError::refused(what).help("Keep the last good backup."))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use crate::store::Store;
    use crate::store::testing::{open_with_list, t};

    #[tokio::test]
    async fn a_backup_is_whole_private_and_writes_over_nothing() {
        let (dir, store, list) = open_with_list().await;
        let copy = dir.path().join("copy.db");
        store.backup(&copy, t(9)).await.unwrap();
        assert_eq!(
            fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let bytes = fs::read(&copy).unwrap();

        store.ensure_lists(&["later".into()], t(1)).await.unwrap();
        let said = store.backup(&copy, t(9)).await.unwrap_err().to_string();
        assert!(
            said.starts_with(&copy.display().to_string()) && said.contains("the file exists"),
            "{said}"
        );
        assert_eq!(
            fs::read(&copy).unwrap(),
            bytes,
            "the first copy was touched"
        );

        let nowhere = dir.path().join("none/copy.db");
        let said = store.backup(&nowhere, t(9)).await.unwrap_err().to_string();
        assert!(
            said.starts_with(&nowhere.display().to_string()) && said.contains("folder"),
            "{said}"
        );
        assert!(store.backup(dir.path(), t(9)).await.is_err());

        let kept = Store::open(&copy).await.unwrap();
        assert_eq!(
            kept.lists().await.unwrap().into_iter().collect::<Vec<_>>(),
            [("weekly".to_owned(), list)]
        );
        kept.close().await;
        let left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|f| f.unwrap().file_name())
            .collect();
        assert!(
            left.iter()
                .all(|name| !name.to_string_lossy().contains("backup")),
            "{left:?}"
        );
    }

    #[tokio::test]
    async fn people_may_come_while_it_is_copied() {
        let (dir, store, _) = open_with_list().await;
        let writing = async {
            for n in 0..50 {
                store
                    .ensure_lists(&[format!("list-{n}")], t(n))
                    .await
                    .unwrap();
            }
        };
        let copy = dir.path().join("copy.db");
        let (copied, ()) = tokio::join!(store.backup(&copy, t(9)), writing);
        copied.unwrap();
        assert_eq!(store.lists().await.unwrap().len(), 51);
    }
}
