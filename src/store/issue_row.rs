//! An issue as the database has it, with what became of its audience so far.

use std::path::PathBuf;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::time_of;
use crate::model::delivery::Totals;
use crate::model::sending::IssueState;
use crate::model::{IssueId, ListId};

/// One queued issue without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueRow {
    pub id: IssueId,
    pub list_id: ListId,
    /// The list's key.
    pub list: String,
    pub slug: String,
    pub number: Option<u32>,
    pub title: String,
    pub file: PathBuf,
    pub state: IssueState,
    /// Why it is paused, held or waiting.
    pub reason: Option<String>,
    pub queued_at: Timestamp,
    pub due_at: Timestamp,
    /// When its audience began to be fixed.
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// The last person whose row was written while the audience is being fixed; `None` once it is whole.
    pub fanout_after: Option<i64>,
    /// All zero until the audience is whole.
    pub totals: Totals,
    /// Grows with every resume and retry: people may wait then where the queue was read before.
    pub begun_anew: i64,
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

pub(super) const COLUMNS: &str =
    "SELECT i.id, i.list_id, l.key, i.slug, i.number, i.title, i.file, i.state, i.reason,
    i.queued_at, i.due_at, i.started_at, i.ended_at, i.fanout_after,
    i.queued, i.sending, i.deferred, i.sent, i.failed, i.uncertain, i.cancelled, i.skipped, i.begun_anew
    FROM issue i JOIN list l ON l.id = i.list_id";

pub(super) fn issue_row(row: &SqliteRow) -> sqlx::Result<IssueRow> {
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
        reason: row.try_get("reason")?,
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
        begun_anew: row.try_get("begun_anew")?,
    })
}
