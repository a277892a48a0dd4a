//! A whole copy of the database while it is in use.

use std::fs::File;
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::{Result, Store, StoreError};
use crate::words;

impl Store {
    /// Copies the database to a file that must not exist yet: written under another name beside it with mode
    /// 0600, checked, flushed to the disk, and only then given its name. The daemon goes on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the file exists or its folder can't be written; otherwise what SQLite says.
    /// Then nothing is left behind.
    pub async fn backup(&self, to: &Path) -> Result<()> {
        let refused = |why: String| StoreError::Refused(format!("{}: {why}", to.display()));
        if to.symlink_metadata().is_ok() {
            return Err(refused("the file exists, and a backup never writes over one. Name another.".into()));
        }
        let folder = match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let copy =
            tempfile::Builder::new().prefix(".letterpress-backup-").tempfile_in(folder).map_err(|e| {
                refused(format!(
                    "nothing can be written in its folder ({}). Choose a folder that exists and is writable.",
                    words::io(&e)
                ))
            })?;
        self.copy_into(copy.path()).await?;
        check(copy.path()).await?;
        let kept = copy.as_file().sync_all().and_then(|()| {
            copy.persist_noclobber(to).map_err(|e| e.error)?;
            File::open(folder)?.sync_all()
        });
        kept.map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => refused(
                "the file appeared meanwhile, and a backup never writes over one. Name another.".into(),
            ),
            _ => refused(format!("the copy can't be kept there: {}.", words::io(&e))),
        })
    }

    /// `VACUUM INTO` sees one instant of the database, and lets others write to it meanwhile.
    async fn copy_into(&self, empty: &Path) -> Result<()> {
        let what = "copying it";
        let say = |error| StoreError::from_sqlx(error, self.path(), what);
        let name = empty.to_str().ok_or_else(|| {
            StoreError::Refused(format!("{}: SQLite takes only names in UTF-8", empty.display()))
        })?;
        // A connection of its own: this may take long, and readers of pages shall not wait for it.
        let mut connection = self.reader_options().connect().await.map_err(say)?;
        let done = sqlx::query("VACUUM INTO ?").bind(name).execute(&mut connection).await;
        let _ = connection.close().await;
        done.map(|_| ()).map_err(say)
    }
}

/// Reads a database from end to end and looks whether its pages are sound.
async fn check(path: &Path) -> Result<()> {
    let what = "checking the copy";
    let say = |error| StoreError::from_sqlx(error, path, what);
    let options = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
    let mut connection = options.connect().await.map_err(say)?;
    let found: Result<String, _> =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await;
    let _ = connection.close().await;
    match found.map_err(say)?.as_str() {
        "ok" => Ok(()),
        fault => Err(StoreError::Refused(format!(
            "the copy is damaged, and so, it seems, is the database ({fault}). Keep the last good backup."
        ))),
    }
}
