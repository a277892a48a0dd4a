//! Dropping the rows of recipients of issues that ended long ago. The totals stay, since the issue's row has them.
//!
//! The issue is marked in the first transaction, so that nobody is queued again from a ledger that is half there; what a
//! kill leaves is dropped by the next prune.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::issues::IssueRow;
use super::{Result, Store};
use crate::model::IssueId;
use crate::model::sending::IssueState;

/// Rows a transaction: another writer waits no longer than a tenth of a second for it.
const CHUNK: i64 = 5_000;

impl Store {
    /// The issues that ended before a time and still have rows of recipients, oldest first.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn prunable(&self, ended_before: Timestamp) -> Result<Vec<IssueRow>> {
        let ended = |row: &IssueRow| {
            row.state.is_over()
                && row.fanout_after.is_none()
                && row.totals.open() == 0
                && row.ended_at.is_some_and(|at| at < ended_before)
        };
        let mut found = Vec::new();
        for row in self.issues().await?.into_iter().filter(ended) {
            let has_rows: bool =
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM delivery WHERE issue_id = ?)")
                    .bind(row.id.0)
                    .fetch_one(self.readers())
                    .await
                    .map_err(self.reading("looking for what can be pruned"))?;
            if has_rows {
                found.push(row);
            }
        }
        Ok(found)
    }

    /// Drops some rows of an issue that is over, and marks it as pruned; gives their number, 0 once there are none, or
    /// where the issue is not over any more.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing of this step was dropped.
    pub async fn prune_some(&self, id: IssueId, now: Timestamp) -> Result<u64> {
        self.write("pruning an issue", move |c| {
            Box::pin(drop_some(c, id, now.as_millisecond()))
        })
        .await
    }
}

async fn drop_some(c: &mut SqliteConnection, id: IssueId, now: i64) -> Result<u64> {
    let marked = sqlx::query(
        "UPDATE issue SET pruned_at = coalesce(pruned_at, ?1)
         WHERE id = ?2 AND state IN (?3, ?4) AND fanout_after IS NULL AND queued + sending + deferred = 0",
    )
    .bind(now)
    .bind(id.0)
    .bind(IssueState::Done.word())
    .bind(IssueState::Cancelled.word())
    .execute(&mut *c)
    .await?;
    if marked.rows_affected() == 0 {
        return Ok(0);
    }
    let dropped = sqlx::query(
        "DELETE FROM delivery WHERE issue_id = ?1 AND subscriber_id IN (
             SELECT subscriber_id FROM delivery WHERE issue_id = ?1 LIMIT ?2)",
    )
    .bind(id.0)
    .bind(CHUNK)
    .execute(c)
    .await?;
    Ok(dropped.rows_affected())
}
