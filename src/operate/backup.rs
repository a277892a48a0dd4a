//! A copy of the database, and what else belongs into a backup.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::config::Settings;
use crate::store::Store;

use super::Result;

/// A copy of the database that was made and checked.
#[derive(Clone, Debug)]
pub(crate) struct Backup {
    /// The size of the copy.
    pub bytes: u64,
    /// Files and folders that the database does not hold, to be kept as well.
    pub keep_too: Vec<PathBuf>,
}

/// Copies the whole database to `file`, which must not exist yet, and checks the copy. A daemon may run meanwhile.
///
/// # Errors
/// The database can't be read, or the copy can't be written; then none is left.
pub(crate) async fn back_up(
    store: &Store,
    settings: &Settings,
    file: &Path,
    now: Timestamp,
) -> Result<Backup> {
    store.backup(file, now).await?;
    let mut keep_too = vec![settings.sending.dkim.clone()];
    keep_too.extend(settings.lists.iter().map(|list| list.issues.clone()));
    keep_too.extend(settings.file.clone());
    keep_too.dedup();
    Ok(Backup {
        bytes: std::fs::metadata(file).map_or(0, |about| about.len()),
        keep_too,
    })
}
