//! Whether a database that is not there may be made: never where something speaks for one that was there.
//!
//! An empty one in the place of a lost one would have new keys, so that links in old mails die, and nobody on its lists.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::lock::{beside, real};
use super::{Result, StoreError, companion};

/// What a SQLite file begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// What stands on the first page of a database of ours.
const OURS: &[u8] = b"_sqlx_migrations";
/// How much of a file is looked at.
const LOOK_BYTES: u64 = 4096;
/// How many files of a folder are looked at.
const FILES_MAX: usize = 10_000;

/// What becomes of a database that is not there.
#[derive(Clone, Debug)]
pub enum Missing {
    /// It is made.
    Make,
    /// It is made, unless something speaks for one that was there: the companion of a database, or a database of ours,
    /// beside it or in one of these folders, or anything in the last one, which is for DKIM keys.
    MakeIfNew {
        /// The folder of the settings.
        settings: PathBuf,
        /// The folder of the DKIM keys.
        dkim: PathBuf,
    },
    /// It is not made.
    Refuse,
}

/// Refuses a database that is not there and may not be made. Costs a look at its file where it is there.
///
/// # Errors
/// [`StoreError`] says why it is not made, and what to do.
pub fn check_missing(path: &Path, missing: &Missing) -> Result<()> {
    // An empty file asks for one: somebody made it for that, or was killed while making it.
    if real(path).symlink_metadata().is_ok() {
        return if is_empty(path) {
            check_empty(path)
        } else {
            Ok(())
        };
    }
    check_empty(path)?;
    match missing {
        Missing::Make => Ok(()),
        Missing::Refuse => Err(StoreError::missing("there is no database")
            .at(path)
            .help("`letterpress init` makes one for a new newsletter. If there was one, put it or a backup back, or correct [store] path.")),
        Missing::MakeIfNew { settings, dkim } => match sign(path, settings, dkim) {
            None => Ok(()),
            Some(sign) => Err(StoreError::missing(format!(
                "there is no database, but {sign}: an empty one in its place would lose subscribers and the keys of links"
            ))
            .at(path)
            .help(format!(
                "Correct [store] path, put the database back, or restore a backup with `letterpress restore FILE`. To begin with an empty one, create an empty file: touch {}",
                path.display()
            ))),
        },
    }
}

fn is_empty(path: &Path) -> bool {
    fs::metadata(real(path)).is_ok_and(|about| about.is_file() && about.len() == 0)
}

/// What speaks against making a database, however it is wanted.
fn check_empty(path: &Path) -> Result<()> {
    let is_gone = companion::read(path).is_some_and(|(_, record)| record.is_settled);
    if is_gone {
        return Err(StoreError::missing("the database is gone, or empty")
            .at(path)
            .help(format!(
                "Put it back, or restore a backup with `letterpress restore FILE`. To begin with an empty one, delete {} first.",
                companion::path(path).display()
            )));
    }
    Ok(())
}

/// What speaks for a database that was there, as the end of a sentence.
fn sign(path: &Path, settings: &Path, dkim: &Path) -> Option<String> {
    for ending in ["-wal", "-shm"] {
        let left = beside(path, ending);
        if left.exists() {
            return Some(format!("{} is left of one", left.display()));
        }
    }
    let place = real(path);
    let own = place.parent().filter(|own| !own.as_os_str().is_empty());
    let mut folders = vec![
        own.unwrap_or(Path::new(".")).to_owned(),
        settings.to_owned(),
    ];
    folders.extend(folders_in(settings));
    for folder in folders {
        if let Some(other) = database_in(&folder, &place) {
            return Some(format!("{} is one", other.display()));
        }
    }
    let has_keys = fs::read_dir(dkim).is_ok_and(|mut entries| entries.next().is_some());
    has_keys.then(|| format!("{} holds keys", dkim.display()))
}

/// The folders of a newsletter, into which its database may have been moved; not those of another one, such as a demo.
fn folders_in(settings: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(settings) else {
        return Vec::new();
    };
    let is_own = |path: &PathBuf| {
        path.is_dir() && !is_hidden(path) && !path.join("letterpress.toml").exists()
    };
    let paths = entries.flatten().take(FILES_MAX).map(|entry| entry.path());
    paths.filter(is_own).collect()
}

/// Another database of ours in a folder, by its companion or its first page.
fn database_in(folder: &Path, but: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    let files = entries.flatten().take(FILES_MAX).map(|entry| entry.path());
    files
        .filter(|file| file != but && !is_hidden(file) && file.is_file())
        .find_map(|file| {
            let name = file.to_str()?;
            match name.strip_suffix(companion::ENDING) {
                Some(database) => {
                    let is_ours = companion::read_file(&file).is_some();
                    (is_ours && Path::new(database) != but).then(|| PathBuf::from(database))
                }
                None => is_ours(&file).then_some(file),
            }
        })
}

/// Copies of rehearsals and backups under way are hidden.
fn is_hidden(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with('.'))
}

fn is_ours(file: &Path) -> bool {
    is_database(file) == Some(true)
}

/// Whether a file is a database of another program.
pub(super) fn is_foreign(file: &Path) -> bool {
    is_database(file) == Some(false)
}

/// Whether a database is ours; `None` of what is no database, or can't be read.
fn is_database(file: &Path) -> Option<bool> {
    let mut page = Vec::new();
    let file = fs::File::open(file).ok()?;
    file.take(LOOK_BYTES).read_to_end(&mut page).ok()?;
    page.starts_with(MAGIC)
        .then(|| page.windows(OURS.len()).any(|window| window == OURS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn if_new(folder: &Path) -> Missing {
        Missing::MakeIfNew {
            settings: folder.to_owned(),
            dkim: folder.join("dkim"),
        }
    }

    #[tokio::test]
    async fn a_lost_database_is_not_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("letterpress.db");
        let other = dir.path().join("other.db");
        check_missing(&path, &if_new(dir.path())).unwrap();
        assert!(check_missing(&path, &Missing::Refuse).is_err());
        Store::open(&path).await.unwrap().close().await;
        check_missing(&path, &Missing::Refuse).unwrap();

        // Another path in the settings.
        let said = check_missing(&other, &if_new(dir.path())).unwrap_err();
        assert!(said.to_string().contains("letterpress.db"), "{said}");
        // The database alone moved away, and its companion alone, which says that there was one.
        let away = dir.path().join("away");
        fs::create_dir(&away).unwrap();
        fs::rename(&path, away.join("letterpress.db")).unwrap();
        for missing in [Missing::Make, if_new(dir.path()), Missing::Refuse] {
            assert!(check_missing(&path, &missing).is_err(), "{missing:?}");
        }
        fs::write(&path, "").unwrap();
        assert!(
            check_missing(&path, &Missing::Make).is_err(),
            "an empty file"
        );
        fs::remove_file(&path).unwrap();
        fs::remove_file(companion::path(&path)).unwrap();
        let said = check_missing(&path, &if_new(dir.path())).unwrap_err();
        assert!(said.to_string().contains("away"), "{said}");
        // A newsletter of its own below, such as a demo, says nothing.
        fs::write(away.join("letterpress.toml"), "").unwrap();
        check_missing(&path, &if_new(dir.path())).unwrap();

        // What else is left of one.
        fs::write(beside(&path, "-wal"), "").unwrap();
        assert!(check_missing(&path, &if_new(dir.path())).is_err());
        fs::remove_file(beside(&path, "-wal")).unwrap();
        fs::create_dir_all(dir.path().join("dkim/example.org")).unwrap();
        assert!(check_missing(&path, &if_new(dir.path())).is_err());
        fs::write(&path, "").unwrap();
        check_missing(&path, &if_new(dir.path())).unwrap();
    }

    #[tokio::test]
    async fn a_copy_beside_the_settings_speaks_for_a_lost_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/letterpress.db");
        fs::create_dir(dir.path().join("data")).unwrap();
        Store::open(&path).await.unwrap().close().await;
        fs::rename(&path, dir.path().join("copy.db")).unwrap();
        fs::remove_dir_all(dir.path().join("data")).unwrap();
        fs::create_dir(dir.path().join("data")).unwrap();
        let said = check_missing(&path, &if_new(dir.path())).unwrap_err();
        assert!(said.to_string().contains("copy.db"), "{said}");
    }
}
