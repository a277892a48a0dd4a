//! Queued issues: storing one with its pictures, finding it again, and reading what became of it so far.
//!
//! A queued issue is what was rendered at that moment: later edits of the author's file do not count. Its
//! identity is the list with the slug, and the list with the number; what was sent under one of them is never
//! sent again. How a send is steered stands in [`super::steering`], its ledger in [`super::deliveries`].

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::{Result, Store, StoreError, time_of};
use crate::model::delivery::Totals;
use crate::model::issue::Picture;
use crate::model::rendered::{self, Piece, Rendered, impersonal};
use crate::model::sending::{IssueState, Standing, standing};
use crate::model::waiting::Reason;
use crate::model::{IssueId, ListId};

/// Who queued an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueuedBy {
    /// By a command.
    Author,
    /// By the schedule of its list.
    Schedule,
}

impl QueuedBy {
    fn word(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Schedule => "schedule",
        }
    }
}

/// A time of a list's schedule that is acted upon by queueing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// What [`Store::last_fired`] gave when the decision was made; another value there means that somebody
    /// else has acted meanwhile.
    pub before: Option<Timestamp>,
    /// The time that is acted upon.
    pub at: Timestamp,
}

/// An issue that is ready to be queued, with everything that its mails need.
#[derive(Clone, Debug)]
pub struct NewIssue {
    /// The list whose readers get it.
    pub list: ListId,
    /// The file's name without its ending.
    pub slug: String,
    /// Its number; `None` where it has none.
    pub number: Option<u32>,
    /// The title that people read.
    pub title: String,
    /// The author's file, as an absolute path.
    pub file: PathBuf,
    /// Its content.
    pub rendered: Rendered,
    /// The pictures that its HTML names under `/media/`.
    pub pictures: Vec<Picture>,
    /// Who queues it.
    pub queued_by: QueuedBy,
    /// When it is queued.
    pub queued_at: Timestamp,
    /// When it is to go out.
    pub due_at: Timestamp,
    /// Why it must not go out by itself; it is then held.
    pub hold: Option<Reason>,
    /// Whether one that is still scheduled under the same identity may be replaced.
    pub replace: bool,
    /// The schedule's time, where the schedule queues it.
    pub firing: Option<Firing>,
}

impl NewIssue {
    /// An issue of nothing but this content, which its author queues at `now` to go out at once.
    pub fn new(list: ListId, slug: String, rendered: Rendered, now: Timestamp) -> NewIssue {
        NewIssue {
            list,
            title: slug.clone(),
            slug,
            number: None,
            file: PathBuf::new(),
            rendered,
            pictures: Vec::new(),
            queued_by: QueuedBy::Author,
            queued_at: now,
            due_at: now,
            hold: None,
            replace: false,
            firing: None,
        }
    }
}

/// What queueing led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queueing {
    /// It waits for its time, or is held.
    Queued(IssueId),
    /// Queued in place of one that had not begun.
    Replaced(IssueId),
    /// One that has not begun stands there, and replacing was not allowed. Nothing was changed.
    StillScheduled {
        /// When that one is due.
        due_at: Timestamp,
    },
    /// It was sent, or is being sent, since then. Nothing was changed.
    AlreadySent {
        /// Where that one stands.
        state: IssueState,
        /// When that one began to be sent.
        when: Timestamp,
    },
    /// Somebody else acted on this time of the schedule. Nothing was changed.
    AlreadyFired,
}

/// One queued issue without its content.
#[derive(Clone, Debug, PartialEq)]
pub struct IssueRow {
    /// Its row.
    pub id: IssueId,
    /// The list's row.
    pub list_id: ListId,
    /// The list's key.
    pub list: String,
    /// The file's name without its ending.
    pub slug: String,
    /// Its number; `None` where it has none.
    pub number: Option<u32>,
    /// The title that people read.
    pub title: String,
    /// The author's file, as an absolute path.
    pub file: PathBuf,
    /// Where its sending stands.
    pub state: IssueState,
    /// Why it is paused, held or waiting.
    pub reason: Option<Reason>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When it goes out, or went out.
    pub due_at: Timestamp,
    /// When its audience began to be fixed.
    pub started_at: Option<Timestamp>,
    /// When it was done or withdrawn.
    pub ended_at: Option<Timestamp>,
    /// The last person whose row was written while the audience is being fixed; `None` once it is whole.
    pub fanout_after: Option<i64>,
    /// All zero until the audience is whole.
    pub totals: Totals,
    /// The number of times that its queue was to be read again from the start: it grows with every resume and retry,
    /// since people may wait then where the queue was read before.
    pub rescans: i64,
    /// When the rows of its recipients were dropped; its totals stay.
    pub pruned_at: Option<Timestamp>,
}

impl IssueRow {
    /// Whether people still wait although the issue is cancelled: they are being taken out, or the command
    /// that did so was killed half-way and the daemon completes it.
    pub fn is_half_cancelled(&self) -> bool {
        self.state == IssueState::Cancelled
            && (self.totals.queued + self.totals.deferred > 0
                || self.fanout_after.is_some_and(|id| id > 0))
    }
}

/// Number, title, when it began, subject as JSON, date.
type PastRow = (Option<i64>, String, i64, Option<String>, Option<String>);

/// An issue whose sending began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastIssue {
    /// Its number; `None` where it has none.
    pub number: Option<u32>,
    /// The subject of its mails, without personal values.
    pub subject: String,
    /// The date that it carries; `None` where its author gave none.
    pub date: Option<Date>,
    /// When it began to go out.
    pub started_at: Timestamp,
}

pub(super) const COLUMNS: &str =
    "SELECT i.id, i.list_id, l.key, i.slug, i.number, i.title, i.file, i.state, i.reason,
    i.queued_at, i.due_at, i.started_at, i.ended_at, i.fanout_after,
    i.queued, i.sending, i.deferred, i.sent, i.failed, i.uncertain, i.cancelled, i.skipped, i.rescans, i.pruned_at
    FROM issue i JOIN list l ON l.id = i.list_id";

impl Store {
    /// Stores an issue with its pictures in one transaction, scheduled for its time (or held).
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn queue_issue(&self, issue: NewIssue) -> Result<Queueing> {
        let content = serde_json::to_string(&issue.rendered)
            .map_err(|e| StoreError::refused(format!("the issue can't be stored: {e}")))?;
        self.write("queueing an issue", move |c| {
            Box::pin(queue(c, issue, content))
        })
        .await
    }

    /// Every queued issue, newest last.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn issues(&self) -> Result<Vec<IssueRow>> {
        self.rows("ORDER BY i.id", |q| q).await
    }

    /// The issues with which something is still to be done by itself: being sent, paused before its
    /// audience was whole, or cancelled with people who wait.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn open_issues(&self) -> Result<Vec<IssueRow>> {
        self.rows(
            "WHERE i.state = 'sending'
                OR (i.state = 'paused' AND i.fanout_after IS NOT NULL AND i.started_at IS NOT NULL)
                OR (i.state = 'cancelled' AND (i.queued + i.deferred > 0 OR i.fanout_after > 0))
             ORDER BY i.id",
            |q| q,
        )
        .await
    }

    /// One issue by its row.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn issue(&self, id: IssueId) -> Result<Option<IssueRow>> {
        Ok(self.rows("WHERE i.id = ?", |q| q.bind(id.0)).await?.pop())
    }

    /// The issues that a person means by `text`: a number, a slug, or a file (`file`: the same, absolute).
    /// More than one where several lists have such an issue, or where one's number is another's slug.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn find_issues(
        &self,
        list: Option<ListId>,
        text: &str,
        file: &Path,
    ) -> Result<Vec<IssueRow>> {
        let of_list = list.map(|l| l.0);
        if text.contains('/') || text.ends_with(".md") {
            let by_file = self
                .rows(
                    "WHERE i.file = ?1 AND (?2 IS NULL OR i.list_id = ?2) ORDER BY i.id",
                    |q| q.bind(file.to_string_lossy().into_owned()).bind(of_list),
                )
                .await?;
            if !by_file.is_empty() {
                return Ok(by_file);
            }
        }
        let slug = if text.contains('/') || text.ends_with(".md") {
            Path::new(text)
                .file_stem()
                .and_then(|s| s.to_str())
                .unwrap_or(text)
        } else {
            text
        };
        self.rows(
            "WHERE (i.slug = ?1 OR i.number = ?2) AND (?3 IS NULL OR i.list_id = ?3) ORDER BY i.id",
            |q| {
                q.bind(slug.to_owned())
                    .bind(text.parse::<u32>().ok())
                    .bind(of_list)
            },
        )
        .await
    }

    /// Which issue was queued last on a list: its slug and number. What the schedule sends comes after it.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn last_queued(&self, list: ListId) -> Result<Option<(String, Option<u32>)>> {
        let row: Option<(String, Option<i64>)> = sqlx::query_as(
            "SELECT slug, number FROM issue WHERE list_id = ? AND state <> 'cancelled' ORDER BY id DESC LIMIT 1",
        )
        .bind(list.0)
        .fetch_optional(self.readers())
        .await
        .map_err(self.reading("reading the last issue"))?;
        Ok(row.map(|(slug, number)| (slug, number.and_then(|n| u32::try_from(n).ok()))))
    }

    /// The rendered content of an issue.
    ///
    /// # Errors
    /// [`StoreError`] where it is gone, or was stored in a format that this program does not know.
    pub async fn rendered(&self, id: IssueId) -> Result<Rendered> {
        let text: Option<String> =
            sqlx::query_scalar("SELECT rendered FROM issue_rendered WHERE issue_id = ?")
                .bind(id.0)
                .fetch_optional(self.readers())
                .await
                .map_err(self.reading("reading an issue"))?;
        let text =
            text.ok_or_else(|| StoreError::refused(format!("there is no issue in row {id}")))?;
        read_rendered(&text)
    }

    /// The last time of a list's schedule that was acted upon.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn last_fired(&self, list: ListId) -> Result<Option<Timestamp>> {
        let at: Option<Option<i64>> =
            sqlx::query_scalar("SELECT last_fired_at FROM list WHERE id = ?")
                .bind(list.0)
                .fetch_optional(self.readers())
                .await
                .map_err(self.reading("reading a schedule"))?;
        Ok(at.flatten().map(time_of))
    }

    /// Whether what a list's schedule queues is held, since the database was restored and nobody knows what went out.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn is_schedule_held(&self, list: ListId) -> Result<bool> {
        let held: Option<bool> = sqlx::query_scalar("SELECT hold_schedule FROM list WHERE id = ?")
            .bind(list.0)
            .fetch_optional(self.readers())
            .await
            .map_err(self.reading("reading a schedule"))?;
        Ok(held.unwrap_or_default())
    }

    /// Notes that a time of the schedule was acted upon without queueing anything; `false` where somebody else
    /// did so before. Queueing for the schedule does the same by [`NewIssue::firing`].
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn fire(&self, list: ListId, firing: Firing) -> Result<bool> {
        self.write("noting a time of the schedule", move |c| {
            Box::pin(fire(c, list, firing))
        })
        .await
    }

    /// The issues of a list that went out last, newest first.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn past_issues(&self, list: ListId, limit: u32) -> Result<Vec<PastIssue>> {
        let rows: Vec<PastRow> = sqlx::query_as(
            "SELECT i.number, i.title, i.started_at, json_extract(r.rendered, '$.subject'),
                    json_extract(r.rendered, '$.date')
             FROM issue AS i LEFT JOIN issue_rendered AS r ON r.issue_id = i.id AND json_valid(r.rendered)
             WHERE i.list_id = ? AND i.started_at IS NOT NULL AND i.sent > 0
             ORDER BY i.started_at DESC, i.id DESC LIMIT ?",
        )
        .bind(list.0)
        .bind(limit)
        .fetch_all(self.readers())
        .await
        .map_err(self.reading("reading the last issues"))?;
        Ok(rows
            .into_iter()
            .map(|(number, title, started_at, subject, date)| PastIssue {
                number: number.and_then(|n| u32::try_from(n).ok()),
                subject: subject
                    .and_then(|json| serde_json::from_str::<Vec<Piece>>(&json).ok())
                    .map(|pieces| impersonal(&pieces))
                    .filter(|subject| !subject.trim().is_empty())
                    .unwrap_or(title),
                date: date.and_then(|date| date.parse().ok()),
                started_at: time_of(started_at),
            })
            .collect())
    }
    async fn rows(
        &self,
        rest: &'static str,
        bind: impl for<'q> FnOnce(Query<'q>) -> Query<'q>,
    ) -> Result<Vec<IssueRow>> {
        let rows = bind(sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} {rest}"
        ))))
        .fetch_all(self.readers())
        .await
        .map_err(self.reading("reading the issues"))?;
        rows.iter()
            .map(issue_row)
            .collect::<sqlx::Result<_>>()
            .map_err(self.reading("reading the issues"))
    }
}

fn issue_row(row: &SqliteRow) -> sqlx::Result<IssueRow> {
    let word: String = row.try_get("state")?;
    let state = IssueState::from_word(&word)
        .ok_or_else(|| sqlx::Error::Decode(format!("“{word}” is no state of an issue").into()))?;
    let fanout_after: Option<i64> = row.try_get("fanout_after")?;
    let count = |name: &str| {
        row.try_get::<i64, _>(name)
            .map(|n| u64::try_from(n).unwrap_or_default())
    };
    let time = |name: &str| {
        row.try_get::<Option<i64>, _>(name)
            .map(|at| at.map(time_of))
    };
    Ok(IssueRow {
        id: IssueId(row.try_get("id")?),
        list_id: ListId(row.try_get("list_id")?),
        list: row.try_get("key")?,
        slug: row.try_get("slug")?,
        number: row
            .try_get::<Option<i64>, _>("number")?
            .and_then(|n| u32::try_from(n).ok()),
        title: row.try_get("title")?,
        file: PathBuf::from(row.try_get::<String, _>("file")?),
        state,
        reason: row
            .try_get::<Option<String>, _>("reason")?
            .map(|stored| Reason::from_stored(&stored)),
        queued_at: time_of(row.try_get("queued_at")?),
        due_at: time_of(row.try_get("due_at")?),
        started_at: time("started_at")?,
        ended_at: time("ended_at")?,
        fanout_after,
        totals: Totals {
            queued: count("queued")?,
            sending: count("sending")?,
            deferred: count("deferred")?,
            sent: count("sent")?,
            failed: count("failed")?,
            uncertain: count("uncertain")?,
            cancelled: count("cancelled")?,
            skipped: count("skipped")?,
        },
        rescans: row.try_get("rescans")?,
        pruned_at: time("pruned_at")?,
    })
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// Reads what [`Store::queue_issue`] wrote, or a system mail's content.
pub(super) fn read_rendered(text: &str) -> Result<Rendered> {
    let content: Rendered = serde_json::from_str(text)
        .map_err(|e| StoreError::refused(format!("a stored mail can't be read: {e}")))?;
    if content.is_readable() {
        Ok(content)
    } else {
        let what = format!(
            "a stored mail has format {}, and this program knows {}",
            content.format,
            rendered::FORMAT
        );
        Err(StoreError::refused(what).help("Cancel it and queue it again."))
    }
}

async fn queue(c: &mut SqliteConnection, issue: NewIssue, content: String) -> Result<Queueing> {
    let mut replaced = false;
    for twin in twins(c, &issue).await? {
        match standing_of(&twin) {
            Standing::Free => {}
            Standing::Replaceable if issue.replace => replaced = true,
            Standing::Replaceable => {
                return Ok(Queueing::StillScheduled {
                    due_at: twin.due_at,
                });
            }
            Standing::Blocks => {
                let when = twin.started_at.unwrap_or(twin.due_at);
                return Ok(Queueing::AlreadySent {
                    state: twin.state,
                    when,
                });
            }
        }
        remove(c, twin.id).await?;
    }
    if let Some(firing) = issue.firing
        && !fire(c, issue.list, firing).await?
    {
        return Ok(Queueing::AlreadyFired);
    }
    let id = insert(c, &issue, content).await?;
    for picture in &issue.pictures {
        super::media::insert_media(c, id, picture).await?;
    }
    Ok(if replaced {
        Queueing::Replaced(id)
    } else {
        Queueing::Queued(id)
    })
}

/// What an issue of the same identity means for a new one.
fn standing_of(row: &IssueRow) -> Standing {
    let reached = row.totals.sent + row.totals.uncertain + row.totals.sending;
    standing(
        row.state,
        row.reason.as_ref(),
        row.started_at.is_some(),
        reached,
    )
}

/// The issues that share the new one's slug or number on its list.
async fn twins(c: &mut SqliteConnection, issue: &NewIssue) -> Result<Vec<IssueRow>> {
    let sql = format!("{COLUMNS} WHERE i.list_id = ?1 AND (i.slug = ?2 OR i.number = ?3)");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(issue.list.0)
        .bind(&issue.slug)
        .bind(issue.number)
        .fetch_all(c)
        .await?;
    Ok(rows.iter().map(issue_row).collect::<sqlx::Result<_>>()?)
}

/// Takes away an issue that reached nobody, with its ledger; pictures stay, since mails of others may show them.
async fn remove(c: &mut SqliteConnection, id: IssueId) -> Result<()> {
    for sql in [
        // What was counted stays counted.
        "UPDATE origin SET generation = generation + (SELECT claims FROM issue WHERE id = ?)",
        "DELETE FROM delivery WHERE issue_id = ?",
        "DELETE FROM issue_media WHERE issue_id = ?",
        "DELETE FROM issue_rendered WHERE issue_id = ?",
        "DELETE FROM issue WHERE id = ?",
    ] {
        sqlx::query(sql).bind(id.0).execute(&mut *c).await?;
    }
    Ok(())
}

async fn fire(c: &mut SqliteConnection, list: ListId, firing: Firing) -> Result<bool> {
    let done =
        sqlx::query("UPDATE list SET last_fired_at = ?1 WHERE id = ?2 AND last_fired_at IS ?3")
            .bind(firing.at.as_millisecond())
            .bind(list.0)
            .bind(firing.before.map(Timestamp::as_millisecond))
            .execute(c)
            .await?;
    Ok(done.rows_affected() == 1)
}

async fn insert(c: &mut SqliteConnection, issue: &NewIssue, content: String) -> Result<IssueId> {
    let state = if issue.hold.is_some() {
        IssueState::Held
    } else {
        IssueState::Scheduled
    };
    let done = sqlx::query(
        "INSERT INTO issue (list_id, slug, number, title, file, state, reason, queued_by, queued_at, due_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(issue.list.0)
    .bind(&issue.slug)
    .bind(issue.number)
    .bind(&issue.title)
    .bind(issue.file.to_string_lossy().into_owned())
    .bind(state.word())
    .bind(issue.hold.as_ref().map(Reason::to_json))
    .bind(issue.queued_by.word())
    .bind(issue.queued_at.as_millisecond())
    .bind(issue.due_at.as_millisecond())
    .execute(&mut *c)
    .await?;
    let id = done.last_insert_rowid();
    sqlx::query("INSERT INTO issue_rendered (issue_id, rendered) VALUES (?, ?)")
        .bind(id)
        .bind(content)
        .execute(c)
        .await?;
    Ok(IssueId(id))
}
