//! Whether the database that is opened is the one that was in its place last, and what follows where it is not.
//!
//! The database holds its identity and counts what it does; its companion (`super::companion`) holds the same. A backup
//! that was put back, an older copy, a deleted log, or a file that was moved alone does not agree with it. Then nobody
//! knows what was sent since, so in one transaction every issue that was not over is held, schedules are held, mails in
//! flight are uncertain, and confirmations that wait are dropped: who still wants to join asks again. The database gets
//! a new identity, since it goes on otherwise than the one it was copied from.

use std::path::Path;

use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::companion::{Companion, FileMark, Record};
use super::{Result, StoreError, companion, time_of};
use crate::model::delivery::{Event, State, step};
use crate::model::restored::{Origin, Restoration};
use crate::model::sending::{IssueState, Steer, steer};
use crate::model::waiting::Reason;

/// Numbers that may have been given to people and issues since the copy was made are not given to others: links in mails
/// name them.
const PEOPLE_SKIPPED: i64 = 1_000_000;
const ISSUES_SKIPPED: i64 = 1_000;
/// Recorded for confirmation mails that are dropped.
const DROPPED: &str = "not sent: the database was restored from a copy";
/// Recorded for mails that were in flight when the copy was made.
const IN_FLIGHT: &str = "in flight when the copy of the database was made";

const COUNT: &str = "SELECT generation + (SELECT coalesce(sum(claims), 0) FROM issue) FROM origin";
/// The last time that the database knows of.
const LAST_MOMENT: &str = "SELECT max(at) FROM (
         SELECT max(max(queued_at, coalesce(started_at, 0), coalesce(ended_at, 0))) AS at FROM issue
         UNION ALL SELECT at FROM (SELECT at FROM consent ORDER BY id DESC LIMIT 1)
         UNION ALL SELECT queued_at FROM (SELECT queued_at FROM system_mail ORDER BY id DESC LIMIT 1)
         UNION ALL SELECT max(last_fired_at) FROM list)";

/// What a database and its companion say together.
enum Standing {
    /// They agree.
    Agree,
    /// It has no identity yet: it is new, or an earlier version made it. `Some`: it was about to get this one.
    Nameless(Option<String>),
    /// They agree but for the companion, which is to be written again.
    Unsettled(String),
    /// It is a copy.
    Copy(Origin),
}

/// What opening led to.
pub(super) struct Opened {
    pub(super) companion: Companion,
    /// How much it has done.
    pub(super) count: u64,
    /// Set where it turned out to be a copy.
    pub(super) restored: Option<Restoration>,
}

/// Gives the companion of a database that is as it was left; `None` where something is to be done first, by
/// [`settle`].
pub(super) async fn agree(c: &mut SqliteConnection, path: &Path) -> Result<Option<Opened>> {
    // The companion first: the database may do more meanwhile, and never less.
    let known = companion::read(path);
    match standing(c, path, known.as_ref()).await? {
        Standing::Agree => {
            let opened = Companion::open(path).map_err(|e| unwritable(path, &e))?;
            Ok(Some(Opened {
                companion: opened,
                count: count(c).await?,
                restored: None,
            }))
        }
        _ => Ok(None),
    }
}

/// Brings database and companion into agreement, with nobody else opening it meanwhile.
///
/// `holder`: the daemon that holds it, where that is another process; then a copy is refused.
pub(super) async fn settle(
    c: &mut SqliteConnection,
    path: &Path,
    holder: impl FnOnce() -> Option<String>,
) -> Result<Opened> {
    let known = companion::read(path);
    let mut restored = None;
    match standing(c, path, known.as_ref()).await? {
        Standing::Agree => {}
        Standing::Unsettled(identity) => {
            write(c, path, &identity, true).await?;
        }
        Standing::Nameless(given) => {
            let identity = match given {
                Some(identity) => identity,
                None => new_identity(c).await?,
            };
            // Announced before it is given, so that a kill in between does not make it look like a copy.
            write(c, path, &identity, false).await?;
            sqlx::query("INSERT INTO origin (id, identity) VALUES (1, ?)")
                .bind(&identity)
                .execute(&mut *c)
                .await?;
            write(c, path, &identity, true).await?;
        }
        Standing::Copy(origin) => {
            if let Some(holder) = holder() {
                return Err(StoreError::refused(format!(
                    "this is not the database that its daemon ({holder}) works with"
                ))
                .at(path)
                .help("Stop that daemon first. Then any command holds what may have been sent already."));
            }
            let at_least = known.map_or(0, |(count, _)| count);
            let as_of = moment(c).await?;
            let (identity, restoration) = treat(c, origin, as_of, at_least).await?;
            write(c, path, &identity, true).await?;
            restored = Some(restoration);
        }
    }
    Ok(Opened {
        companion: Companion::open(path).map_err(|e| unwritable(path, &e))?,
        count: count(c).await?,
        restored,
    })
}

async fn standing(
    c: &mut SqliteConnection,
    path: &Path,
    known: Option<&(u64, Record)>,
) -> Result<Standing> {
    let row = sqlx::query("SELECT identity, copied_at FROM origin")
        .fetch_optional(&mut *c)
        .await?;
    let Some(row) = row else {
        return Ok(match known {
            None => Standing::Nameless(None),
            Some((_, record)) if !record.is_settled => {
                Standing::Nameless(Some(record.identity.clone()))
            }
            Some(_) => Standing::Copy(Origin::Older),
        });
    };
    let identity: String = row.try_get("identity")?;
    if row.try_get::<Option<i64>, _>("copied_at")?.is_some() {
        return Ok(Standing::Copy(Origin::Backup));
    }
    let Some((at_least, record)) = known else {
        return Ok(if has_history(c).await? {
            Standing::Copy(Origin::Alone)
        } else {
            Standing::Unsettled(identity)
        });
    };
    Ok(if record.identity != identity {
        Standing::Copy(Origin::Another)
    } else if count(c).await? < *at_least {
        Standing::Copy(Origin::Older)
    } else if record.is_of_another_file(FileMark::of(path)) {
        Standing::Copy(Origin::Copied)
    } else if record.is_settled {
        Standing::Agree
    } else {
        Standing::Unsettled(identity)
    })
}

/// Whether anything was ever queued, or a schedule counts: without that nothing could be sent twice.
async fn has_history(c: &mut SqliteConnection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM issue)
        OR EXISTS (SELECT 1 FROM list WHERE last_fired_at IS NOT NULL)";
    Ok(sqlx::query_scalar(sql).fetch_one(c).await?)
}

/// How much the database has done.
pub(super) async fn count(c: &mut SqliteConnection) -> Result<u64> {
    let count: i64 = sqlx::query_scalar(COUNT).fetch_one(c).await?;
    Ok(u64::try_from(count).unwrap_or_default())
}

async fn new_identity(c: &mut SqliteConnection) -> Result<String> {
    Ok(sqlx::query_scalar("SELECT lower(hex(randomblob(16)))")
        .fetch_one(c)
        .await?)
}

async fn write(
    c: &mut SqliteConnection,
    path: &Path,
    identity: &str,
    is_settled: bool,
) -> Result<()> {
    let done = if is_settled { count(c).await? } else { 0 };
    let record = Record {
        identity: identity.to_owned(),
        is_settled,
        file: FileMark::of(path),
        log: None,
        trouble: None,
    };
    Companion::create(path, done, &record).map_err(|e| unwritable(path, &e))?;
    Ok(())
}

fn unwritable(database: &Path, error: &std::io::Error) -> StoreError {
    let what = format!(
        "the file that stands beside the database can't be written: {}",
        crate::format::io(error)
    );
    StoreError::refused(what)
        .at(&companion::path(database))
        .help("Make it and its folder writable for this user.")
}

/// Holds everything that may have gone out since the copy was made, `as_of`, in one transaction; gives the new identity.
pub(super) async fn treat(
    c: &mut SqliteConnection,
    origin: Origin,
    as_of: Option<Timestamp>,
    at_least: u64,
) -> Result<(String, Restoration)> {
    let identity = new_identity(c).await?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *c).await?;
    let done = match hold_everything(c, as_of, at_least, &identity).await {
        Ok((held, schedules)) => sqlx::query("COMMIT")
            .execute(&mut *c)
            .await
            .map(|_| Restoration {
                origin,
                as_of,
                held,
                schedules,
            })
            .map_err(StoreError::from),
        Err(error) => Err(error),
    };
    if done.is_err() {
        let _ = sqlx::query("ROLLBACK").execute(c).await;
    }
    done.map(|restoration| (identity, restoration))
}

/// What [`treat`] does in its transaction; gives the issues that are held, and the lists with a schedule.
async fn hold_everything(
    c: &mut SqliteConnection,
    as_of: Option<Timestamp>,
    at_least: u64,
    identity: &str,
) -> Result<(Vec<String>, Vec<String>)> {
    let held = hold_issues(c, as_of).await?;
    if let Some(to) = step(State::Sending, Event::Unconfirmed) {
        for sql in [
            "UPDATE delivery SET state = ?1, code = NULL, reply = ?2
             WHERE issue_id IN (SELECT id FROM issue WHERE sending > 0) AND state = 1",
            "UPDATE system_mail SET state = ?1, code = NULL, reply = ?2 WHERE state = 1",
        ] {
            sqlx::query(sql)
                .bind(to as i64)
                .bind(IN_FLIGHT)
                .execute(&mut *c)
                .await?;
        }
    }
    for from in [State::Queued, State::Deferred] {
        if let Some(to) = step(from, Event::Cancel) {
            sqlx::query(
                "UPDATE system_mail SET state = ?1, next_at = NULL, reply = ?2 WHERE state = ?3",
            )
            .bind(to as i64)
            .bind(DROPPED)
            .bind(from as i64)
            .execute(&mut *c)
            .await?;
        }
    }
    // Those without a schedule as well: they may have had one since.
    sqlx::query("UPDATE list SET hold_schedule = 1")
        .execute(&mut *c)
        .await?;
    let schedules =
        sqlx::query_scalar("SELECT key FROM list WHERE last_fired_at IS NOT NULL ORDER BY key")
            .fetch_all(&mut *c)
            .await?;
    for (table, skipped) in [("subscriber", PEOPLE_SKIPPED), ("issue", ISSUES_SKIPPED)] {
        sqlx::query("UPDATE sqlite_sequence SET seq = seq + ?1 WHERE name = ?2")
            .bind(skipped)
            .bind(table)
            .execute(&mut *c)
            .await?;
    }
    sqlx::query(
        "UPDATE origin SET identity = ?1, copied_at = NULL, generation = max(generation, ?2) + 1",
    )
    .bind(identity)
    .bind(i64::try_from(at_least).unwrap_or(i64::MAX - 1))
    .execute(&mut *c)
    .await?;
    // A copy of before there were identities.
    sqlx::query("INSERT OR IGNORE INTO origin (id, identity, generation) VALUES (1, ?, 1)")
        .bind(identity)
        .execute(c)
        .await?;
    Ok((held, schedules))
}

/// When the copy was made, or the last time that it knows of.
pub(super) async fn moment(c: &mut SqliteConnection) -> Result<Option<Timestamp>> {
    let copied: Option<Option<i64>> = sqlx::query_scalar("SELECT copied_at FROM origin")
        .fetch_optional(&mut *c)
        .await?;
    if let Some(at) = copied.flatten() {
        return Ok(Some(time_of(at)));
    }
    let last: Option<i64> = sqlx::query_scalar(LAST_MOMENT).fetch_one(c).await?;
    Ok(last.filter(|at| *at > 0).map(time_of))
}

async fn hold_issues(c: &mut SqliteConnection, as_of: Option<Timestamp>) -> Result<Vec<String>> {
    let reason = Reason::Restored { as_of }.to_json();
    let mut held = Vec::new();
    for from in IssueState::ALL {
        let Some(to) = steer(from, Steer::Restore) else {
            continue;
        };
        let slugs: Vec<(i64, String)> = sqlx::query_as(
            "UPDATE issue SET state = ?1, reason = ?2 WHERE state = ?3
               AND (reason IS NOT ?2 OR state <> ?1) RETURNING id, slug",
        )
        .bind(to.word())
        .bind(&reason)
        .bind(from.word())
        .fetch_all(&mut *c)
        .await?;
        held.extend(slugs);
    }
    held.sort_unstable();
    held.dedup();
    Ok(held.into_iter().map(|(_, slug)| slug).collect())
}
