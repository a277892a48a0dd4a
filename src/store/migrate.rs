//! Making the file, and bringing its schema up to date, with nobody else doing so meanwhile.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::lock::{OpeningLock, beside, real};
use super::missing::{Missing, check_missing};
use super::origin::{self, Opened};
use super::{DaemonLock, Result, StoreError};
use crate::format;

/// Every step, oldest first; a step that was released never changes.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../../migrations/0001_first.sql")),
    (2, "speed", include_str!("../../migrations/0002_speed.sql")),
    (
        3,
        "schedule seen",
        include_str!("../../migrations/0003_schedule_seen.sql"),
    ),
    (
        4,
        "system mail",
        include_str!("../../migrations/0004_system_mail.sql"),
    ),
    (
        5,
        "begun anew",
        include_str!("../../migrations/0005_begun_anew.sql"),
    ),
    (
        6,
        "waiting",
        include_str!("../../migrations/0006_waiting.sql"),
    ),
    (7, "terms", include_str!("../../migrations/0007_terms.sql")),
    (8, "rates", include_str!("../../migrations/0008_rates.sql")),
    (
        10,
        "relay speed",
        include_str!("../../migrations/0010_relay_speed.sql"),
    ),
    (
        11,
        "origin",
        include_str!("../../migrations/0011_origin.sql"),
    ),
    (12, "ends", include_str!("../../migrations/0012_ends.sql")),
    (
        13,
        "visitors",
        include_str!("../../migrations/0013_visitors.sql"),
    ),
];

/// The number of the newest schema that this program knows.
const NEWEST: i64 = STEPS[STEPS.len() - 1].0;

/// Opens the writing connection to a database of the newest schema, making either where it is not so yet, and finds out
/// whether it is the one that was there last.
pub(super) async fn open(
    path: &Path,
    options: &SqliteConnectOptions,
    missing: &Missing,
) -> Result<(SqliteConnection, Opened)> {
    let say = |error: StoreError| error.during(path, "looking at which database it is");
    has_one_name(path)?;
    if is_made(path)? {
        // Before it is opened: SQLite would make another log.
        is_with_its_daemon(path)?;
        let mut connection = connect(path, options).await?;
        if version(&mut connection, path).await? == NEWEST
            && let Some(opened) = origin::agree(&mut connection, path).await.map_err(say)?
        {
            return Ok((connection, opened));
        }
        let _ = connection.close().await;
    }
    check_missing(path, missing)?;
    let _alone = alone(path).await?;
    make(path)?;
    let mut connection = connect(path, options).await?;
    match version(&mut connection, path).await? {
        NEWEST => {}
        at => migrate(&mut connection, path, at).await?,
    }
    let holder = || DaemonLock::other_holder_by_any_name(path);
    let opened = origin::settle(&mut connection, path, holder).await;
    let opened = opened.map_err(say)?;
    Ok((connection, opened))
}

/// Opens a copy that nobody else knows of: whatever it was copied from, it is worked on as it is.
pub(super) async fn open_scratch(
    path: &Path,
    options: &SqliteConnectOptions,
) -> Result<SqliteConnection> {
    let mut connection = connect(path, options).await?;
    match version(&mut connection, path).await? {
        NEWEST => {}
        at => migrate(&mut connection, path, at).await?,
    }
    Ok(connection)
}

/// Waits until nobody else makes, changes or replaces the database.
pub(super) async fn alone(path: &Path) -> Result<OpeningLock> {
    let database = path.to_owned();
    match tokio::task::spawn_blocking(move || OpeningLock::take(&database)).await {
        Ok(lock) => lock,
        Err(died) => Err(StoreError::internal(
            path,
            "waiting for its lock",
            died.to_string(),
        )),
    }
}

/// Refuses a file with several names (hard links), but under the name at which its companion stands: SQLite keeps a log
/// beside each name, and a database with two logs is damaged (sqlite.org/howtocorrupt.html, 2.5).
fn has_one_name(path: &Path) -> Result<()> {
    let about = fs::metadata(real(path)).ok();
    let names = about
        .filter(fs::Metadata::is_file)
        .map_or(1, |file| file.nlink());
    if names < 2 || super::companion::read(path).is_some() {
        return Ok(());
    }
    Err(StoreError::refused(format!(
        "this file has {names} names (hard links), and a database that is used under two of them is damaged"
    ))
    .at(path)
    .help("Use the name under which the daemon runs, or remove the others. A symbolic link is fine."))
}

/// Refuses a database whose log was deleted or replaced while another process's daemon writes it: what that has
/// committed is in a log without a name.
fn is_with_its_daemon(path: &Path) -> Result<()> {
    let Some(holder) = DaemonLock::other_holder(path) else {
        return Ok(());
    };
    let Some(log) = super::companion::read(path).and_then(|(_, record)| record.log) else {
        return Ok(());
    };
    if super::place::inode(&beside(path, "-wal")) == Some(log) {
        return Ok(());
    }
    Err(StoreError::refused(format!(
        "the log of the database (-wal) was deleted or replaced while its daemon ({holder}) runs"
    ))
    .at(path)
    .help("Stop the daemon with SIGTERM: it writes everything into the database. Do not kill it."))
}

/// Whether the file is there and nobody is just making it.
///
/// The order counts: the lock's file is older than the database's first byte, and is removed after its last.
fn is_made(path: &Path) -> Result<bool> {
    let size = match fs::metadata(real(path)) {
        Ok(about) if about.is_dir() => {
            return Err(refused(path, "this is a folder, not a database"));
        }
        Ok(about) => about.len(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
        Err(e) => return Err(refused(path, &format::io(&e))),
    };
    Ok(size > 0 && !OpeningLock::path(path).exists())
}

/// Makes an empty file with mode 0600, so that nobody else can read the addresses; SQLite gives the same mode
/// to the `-wal` and `-shm` beside it.
fn make(path: &Path) -> Result<()> {
    let log_bytes = fs::metadata(beside(path, "-wal")).map_or(0, |about| about.len());
    if log_bytes > 0 && fs::metadata(path).map_or(0, |about| about.len()) == 0 {
        let what = "the database is empty or missing, though its log (-wal) is not";
        return Err(StoreError::refused(what).at(path).help(
            "Put the database back, or restore the last backup with `letterpress restore FILE`.",
        ));
    }
    match OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(refused(path, &format::io(&e))),
    }
}

fn refused(path: &Path, why: &str) -> StoreError {
    StoreError::refused(why)
        .at(path)
        .help("Check the file and its folder, or change [store] path.")
}

/// Connects, and finds out at once whether the file can be written.
async fn connect(path: &Path, options: &SqliteConnectOptions) -> Result<SqliteConnection> {
    let say = |error| StoreError::from_sqlx(&error, path, "opening it");
    let mut connection = options.connect().await.map_err(say)?;
    // Whether another process writes at this moment does not matter: that it could be asked is enough.
    // (`BEGIN IMMEDIATE` alone begins a reading transaction where the file is read-only.)
    let probe = "PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK";
    if let Err(error) = sqlx::raw_sql(probe).execute(&mut connection).await {
        let error = say(error);
        if !error.is_locked() {
            return Err(error);
        }
    }
    let patience = format!("PRAGMA busy_timeout = {}", super::BUSY_TIMEOUT.as_millis());
    sqlx::raw_sql(sqlx::AssertSqlSafe(patience))
        .execute(&mut connection)
        .await
        .map_err(say)?;
    Ok(connection)
}

/// The number of the schema; 0 where there is none yet.
pub(super) async fn version(connection: &mut SqliteConnection, path: &Path) -> Result<i64> {
    let say = |error| StoreError::from_sqlx(&error, path, "reading its schema");
    let ours: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *connection)
            .await
            .map_err(say)?;
    if ours == 0 {
        let others: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master")
            .fetch_one(connection)
            .await
            .map_err(say)?;
        return if others == 0 {
            Ok(0)
        } else {
            Err(refused(path, "this is another program's database"))
        };
    }
    let at: i64 =
        sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success")
            .fetch_one(connection)
            .await
            .map_err(say)?;
    if at > NEWEST {
        let what = format!(
            "its schema is number {at}, made by a newer Letterpress; this one knows {NEWEST}"
        );
        return Err(StoreError::refused(what)
            .at(path)
            .help("Use the newer program."));
    }
    Ok(at)
}

/// Takes the steps that are missing, each in a transaction of its own.
async fn migrate(connection: &mut SqliteConnection, path: &Path, at: i64) -> Result<()> {
    if at > 0
        && let Some(holder) = DaemonLock::other_holder(path)
    {
        let what = format!(
            "its schema must be brought up to date first, and a daemon ({holder}) holds it"
        );
        return Err(StoreError::refused(what)
            .at(path)
            .help("Stop that daemon, then try again."));
    }
    let steps = STEPS.iter().map(|(version, name, sql)| {
        Migration::new(
            *version,
            (*name).into(),
            MigrationType::Simple,
            sqlx::SqlStr::from_static(sql),
            false,
        )
    });
    Migrator::with_migrations(steps.collect())
        .run_direct(None, connection, false)
        .await
        .map_err(|error| match error {
            MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => {
                StoreError::from_sqlx(&e, path, "bringing its schema up to date")
            }
            other => StoreError::refused(format!(
                "the schema could not be brought up to date: {other}"
            ))
            .at(path)
            .help("Use the program that made it."),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::open;

    #[tokio::test]
    async fn pictures_of_an_older_schema_are_cut_into_parts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("letterpress.db");
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true);
        let mut connection = connect(&path, &options).await.unwrap();
        for (version, _, sql) in STEPS.iter().filter(|(version, ..)| *version < 13) {
            sqlx::raw_sql(*sql).execute(&mut connection).await.unwrap();
            assert!(*version < 13);
        }
        let picture: Vec<u8> = (0..150_000_u32).map(|n| (n / 5) as u8).collect();
        for (hash, bytes) in [("a", &picture[..]), ("b", &picture[..65_536]), ("c", b"")] {
            sqlx::query("INSERT INTO media (hash, ext, bytes) VALUES (?, 'png', ?)")
                .bind(hash)
                .bind(bytes)
                .execute(&mut connection)
                .await
                .unwrap();
        }
        let (_, _, step) = STEPS.iter().find(|(version, ..)| *version == 13).unwrap();
        sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
        let parts: Vec<(String, i64, Vec<u8>)> =
            sqlx::query_as("SELECT hash, part, bytes FROM media_part ORDER BY hash, part")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let wanted = [
            ("a", 0, &picture[..65_536]),
            ("a", 1, &picture[65_536..131_072]),
            ("a", 2, &picture[131_072..]),
            ("b", 0, &picture[..65_536]),
        ];
        assert!(
            parts
                .iter()
                .map(|(h, p, b)| (h.as_str(), *p, &b[..]))
                .eq(wanted)
        );
        let sizes: Vec<i64> = sqlx::query_scalar("SELECT size_bytes FROM media ORDER BY hash")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert_eq!(sizes, [150_000, 65_536, 0]);
    }

    #[tokio::test]
    async fn an_older_schema_is_left_alone_while_another_process_sends() {
        let (_dir, store) = open().await;
        let path = store.path().to_owned();
        store.close().await;
        // A lock that this process took without `DaemonLock` looks like another process's.
        let theirs = fs::File::create(beside(&path, ".lock")).unwrap();
        theirs.lock().unwrap();
        fs::write(beside(&path, ".lock"), "pid 812, http://127.0.0.1:8080").unwrap();
        let mut connection = connect(&path, &SqliteConnectOptions::new().filename(&path))
            .await
            .unwrap();
        let said = migrate(&mut connection, &path, NEWEST)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("letterpress.db") && said.contains("pid 812, http"),
            "{said}"
        );
        drop(theirs);
        migrate(&mut connection, &path, NEWEST).await.unwrap();
    }
}
