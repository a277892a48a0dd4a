//! Putting a copy in the place of the database.
//!
//! The copy is examined and copied into a file beside the database; there it is brought up to date, gets what happened
//! since it was made (`carry`), and everything that may have gone out is held (`super::origin`). Only then it takes the
//! database's place, by a rename: killed at any moment, one of the two is there, and running it again completes it. The
//! database that was there is kept under another name.

mod carry;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::companion::{self, Companion, FileMark, Record};
use super::lock::{beside, real};
use super::{Result, StoreError, backup, migrate, missing, origin};
use crate::format;
use crate::model::restored::{Origin, Restoration};

pub use carry::{Carried, CarriedIssue};

/// What a copy is called until it takes the database's place, in the folder of that.
const UNFINISHED: &str = ".letterpress-restore-";

/// A copy that could take the database's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// When it was made, or the last time that it knows of; `None` where it knows of none.
    pub as_of: Option<Timestamp>,
}

/// What a restore did.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Where the database is kept that was there before; `None` where there was none.
    pub kept: Option<PathBuf>,
    /// What is held now.
    pub restoration: Restoration,
    /// What happened since the copy was made; `None` where there was no database, or nothing of it could be read.
    pub carried: Option<Carried>,
    /// Why the database that was there could not be read in full.
    pub unreadable: Option<String>,
}

/// Reads a copy from end to end and looks whether it could take the database's place. It is not changed.
///
/// # Errors
/// [`StoreError`]: it is not there, damaged, no database of Letterpress, or of a newer one; or it is the database itself.
pub async fn examine(copy: &Path, database: &Path) -> Result<Examined> {
    let mut connection = open_copy(copy, database).await?;
    let found = look_through(&mut connection, copy).await;
    let _ = connection.close().await;
    found
}

async fn look_through(c: &mut SqliteConnection, copy: &Path) -> Result<Examined> {
    let what = "checking the backup";
    let say = |error| StoreError::from_sqlx(&error, copy, what);
    if migrate::version(c, copy).await? == 0 {
        return Err(StoreError::refused("this database is empty")
            .at(copy)
            .help("Name a file that `letterpress backup` made."));
    }
    let fault: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut *c)
        .await
        .map_err(say)?;
    if fault != "ok" {
        return Err(
            StoreError::refused(format!("the backup is damaged ({fault})"))
                .at(copy)
                .help("Name another one. The database was not touched."),
        );
    }
    // An older schema has no time of its own yet: it gets one below, in the copy of the copy.
    let is_marked = "SELECT count(*) FROM sqlite_master WHERE name = 'origin'";
    let is_marked: i64 = sqlx::query_scalar(is_marked)
        .fetch_one(&mut *c)
        .await
        .map_err(say)?;
    let as_of = match is_marked {
        0 => None,
        _ => origin::moment(c).await.map_err(|e| e.during(copy, what))?,
    };
    Ok(Examined { as_of })
}

/// Opens a copy for reading. Nothing is made beside one that has no log: it may lie on a disk that can't be written.
async fn open_copy(copy: &Path, database: &Path) -> Result<SqliteConnection> {
    let refused = |what: &str, help: &str| StoreError::refused(what).at(copy).help(help);
    let about = fs::metadata(copy).map_err(|e| {
        refused(
            &format!("the backup can't be read: {}", format::io(&e)),
            "Name a file that `letterpress backup` made.",
        )
    })?;
    if !about.is_file() {
        return Err(refused(
            "this is no file",
            "Name a file that `letterpress backup` made.",
        ));
    }
    if real(copy) == real(database) {
        return Err(refused(
            "this is the database itself",
            "Name a file that `letterpress backup` made.",
        ));
    }
    let has_log = fs::metadata(beside(copy, "-wal")).is_ok_and(|log| log.len() > 0);
    let options = SqliteConnectOptions::new()
        .filename(copy)
        .read_only(true)
        .immutable(!has_log)
        .disable_statement_logging();
    let connection = options.connect().await;
    connection.map_err(|e| StoreError::from_sqlx(&e, copy, "opening the backup"))
}

/// Puts a copy in the place of the database, at the time `now`. The caller holds the daemon's lock.
///
/// # Errors
/// [`StoreError`], as [`examine`], or the folder can't be written; then the database is as it was, or the copy is in its
/// place already, and doing it again completes it.
pub async fn restore(copy: &Path, database: &Path, now: Timestamp) -> Result<Restored> {
    let place = real(database);
    let folder = match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    examine(copy, database).await?;
    let _alone = migrate::alone(database).await?;
    backup::sweep(&folder, UNFINISHED);
    let unwritable = |e: io::Error| {
        StoreError::refused(format!(
            "the backup can't be put in place: {}",
            format::io(&e)
        ))
        .at(database)
        .help("Make its folder exist and writable, with room for another database. Then try again.")
    };
    let work = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(&folder)
        .map_err(unwritable)?;
    let _ = work.as_file().try_lock();
    let mut source = open_copy(copy, database).await?;
    let copied = backup::vacuum(&mut source, copy, work.path()).await;
    let _ = source.close().await;
    copied?;

    let known = companion::read(database);
    let (present, mut unreadable) = match make_readable(database).await {
        Ok(is_there) => (is_there, None),
        Err(error) if missing::is_foreign(database) => return Err(error),
        Err(error) => (false, Some(error.what)),
    };
    let mut done = prepare(
        work.path(),
        present.then_some(database),
        known.map_or(0, |(count, _)| count),
    )
    .await?;
    if done.unreadable.is_some() {
        unreadable = done.unreadable.take();
    }
    let kept = swap(work, &place, now).map_err(unwritable)?;
    let record = Record {
        identity: done.identity,
        is_settled: true,
        file: FileMark::of(database),
        log: None,
        trouble: None,
    };
    Companion::create(database, done.count, &record).map_err(unwritable)?;
    Ok(Restored {
        kept,
        restoration: done.restoration,
        carried: done.carried,
        unreadable,
    })
}

/// Opens the present database, brings its schema up to date and folds its log in; `false` where there is none.
async fn make_readable(database: &Path) -> Result<bool> {
    if !fs::metadata(database).is_ok_and(|about| about.len() > 0) {
        return Ok(false);
    }
    if missing::is_foreign(database) {
        return Err(StoreError::refused("this is another program's database")
            .at(database)
            .help("Correct [store] path. Nothing was changed."));
    }
    let options = super::writing(database);
    let mut connection = migrate::open_scratch(database, &options).await?;
    let say = |error| StoreError::from_sqlx(&error, database, "reading the present database");
    let folded = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut connection)
        .await
        .map_err(say);
    let _ = connection.close().await;
    folded.map(|_| true)
}

/// A copy that is ready to take the database's place.
struct Prepared {
    identity: String,
    count: u64,
    restoration: Restoration,
    carried: Option<Carried>,
    unreadable: Option<String>,
}

/// Brings a copy up to date, carries into it what happened since, and holds what may have gone out.
async fn prepare(work: &Path, present: Option<&Path>, at_least: u64) -> Result<Prepared> {
    let options = SqliteConnectOptions::new()
        .filename(work)
        // It is thrown away where this ends before its end.
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off)
        .foreign_keys(false)
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging();
    let mut connection = migrate::open_scratch(work, &options).await?;
    let prepared = change(&mut connection, present, at_least).await;
    let _ = connection.close().await;
    prepared.map_err(|e| e.during(work, "preparing the backup"))
}

async fn change(
    c: &mut SqliteConnection,
    present: Option<&Path>,
    at_least: u64,
) -> Result<Prepared> {
    let as_of = origin::moment(c).await?;
    let (mut carried, mut unreadable) = (None, None);
    if let Some(present) = present {
        let what = |error: StoreError| error.during(present, "reading the present database").what;
        match carry::over(c, present).await {
            Ok((done, failed)) => (carried, unreadable) = (Some(done), failed.map(what)),
            Err(error) => unreadable = Some(what(error)),
        }
    }
    let (identity, restoration) = origin::treat(c, Origin::Backup, as_of, at_least).await?;
    Ok(Prepared {
        identity,
        count: origin::count(c).await?,
        restoration,
        carried,
        unreadable,
    })
}

/// Puts a copy in the place of the database, and keeps that under another name; gives the name.
fn swap(
    work: tempfile::NamedTempFile,
    place: &Path,
    now: Timestamp,
) -> io::Result<Option<PathBuf>> {
    let before = fs::metadata(place).ok();
    if let Some(before) = &before {
        let _ = std::os::unix::fs::fchown(work.as_file(), Some(before.uid()), Some(before.gid()));
    }
    work.as_file().sync_all()?;
    let kept = match before {
        Some(_) => Some(keep(place, now)?),
        None => None,
    };
    // A log that stays would be taken for the copy's. What could not be folded in is kept with its database.
    let log = beside(place, "-wal");
    if log.exists() {
        match &kept {
            Some(kept) => fs::rename(&log, beside(kept, "-wal"))?,
            None => fs::rename(&log, beside(place, ".left-wal"))?,
        }
    }
    let _ = fs::remove_file(beside(place, "-shm"));
    work.persist(place).map_err(|e| e.error)?;
    if let Some(folder) = place.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(kept)
}

/// Gives the database another name beside its own, which says since when it is out of use.
fn keep(place: &Path, now: Timestamp) -> io::Result<PathBuf> {
    for at in format::unused_times(now) {
        let mut name = place.as_os_str().to_owned();
        name.push(format!(".before-restore-{at}"));
        let kept = PathBuf::from(name);
        let linked = match fs::hard_link(place, &kept) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(_) if !kept.exists() => copy_whole(place, &kept),
            linked => linked,
        };
        return linked.map(|()| kept);
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Where a file system knows no second names.
fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

#[cfg(test)]
mod tests;
