//! Making the file, and bringing its schema up to date.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sqlx::SqliteConnection;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::{DaemonLock, Result, StoreError};

/// Every step, oldest first; a step that was released never changes.
const STEPS: &[(i64, &str, &str)] = &[(1, "first", include_str!("../../migrations/0001_first.sql"))];

/// Makes the file with mode 0600, so that nobody else can read the addresses, or says why it can't be opened.
pub(super) fn prepare_file(path: &Path) -> Result<()> {
    match OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(e) => Err(StoreError::Refused(format!(
            "{}: {}. {}",
            path.display(),
            crate::words::io(&e),
            match e.kind() {
                std::io::ErrorKind::NotFound => "The folder does not exist: make it, or change [store] path.",
                _ => "Check the file, its folder and their permissions.",
            }
        ))),
    }
}

/// Brings the schema up to date. Nothing is touched where it is so already.
pub(super) async fn run(connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    let say = |e| StoreError::from_sqlx(e, path, "reading its schema");
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *connection)
            .await
            .map_err(say)?;
    let known = STEPS.last().map_or(0, |(version, ..)| *version);
    let at: i64 = if tables == 0 {
        0
    } else {
        sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
            .fetch_one(&mut *connection)
            .await
            .map_err(say)?
    };
    if at > known {
        return Err(StoreError::Refused(format!(
            "{}: its schema is number {at}, made by a newer Letterpress; this one knows {known}. Use the newer program.",
            path.display()
        )));
    }
    if at == known {
        return Ok(());
    }
    if at > 0
        && let Some(holder) = DaemonLock::holder(path)
        && !holder.contains(&format!("pid {},", std::process::id()))
    {
        return Err(StoreError::Refused(format!(
            "{}: its schema must be brought up to date first, and a daemon ({holder}) holds it. Stop that daemon, then try again.",
            path.display()
        )));
    }
    let steps = STEPS.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlStr::from_static(sql), false)
    });
    Migrator::with_migrations(steps.collect()).run_direct(None, connection, false).await.map_err(
        |e| match e {
            sqlx::migrate::MigrateError::Execute(e) | sqlx::migrate::MigrateError::ExecuteMigration(e, _) => {
                say(e)
            }
            other => StoreError::Refused(format!(
                "{}: the schema could not be brought up to date: {other}",
                path.display()
            )),
        },
    )
}
