//! Putting a backup in the place of the database.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::config::Settings;
use crate::store::DaemonLock;
use crate::store::restore::{self, Examined, Restored};

use super::Result;

/// A backup that was examined, with the database kept from daemons until it has taken its place.
pub(crate) struct Restore {
    copy: PathBuf,
    database: PathBuf,
    /// What is known of the backup.
    pub examined: Examined,
    _lock: DaemonLock,
}

impl Restore {
    /// Examines a backup, and keeps daemons from starting.
    ///
    /// # Errors
    /// A daemon holds the database, or the backup can't take its place.
    pub(crate) async fn plan(settings: &Settings, copy: &Path) -> Result<Restore> {
        let who = format!("pid {}, letterpress restore", std::process::id());
        let lock = DaemonLock::take(&settings.database, &who)?;
        Ok(Restore {
            examined: restore::examine(copy, &settings.database).await?,
            copy: copy.to_owned(),
            database: settings.database.clone(),
            _lock: lock,
        })
    }

    /// Puts it in the database's place.
    ///
    /// # Errors
    /// The folder can't be written, or there is no room; then the database is as it was.
    pub(crate) async fn run(self, now: Timestamp) -> Result<Restored> {
        Ok(restore::restore(&self.copy, &self.database, now).await?)
    }
}
