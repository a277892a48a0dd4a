//! Fixing an issue's audience: a row for everybody who is active on its list when it is due.
//!
//! Rows are written in the order of people, by short transactions under a cursor, so that a kill in between
//! costs nothing. Until the last one has committed the totals stay zero and nothing can be claimed; then they
//! appear at once, with that transaction.

use sqlx::{Row as _, SqliteConnection};

use super::{Result, Store};
use crate::model::IssueId;
use crate::model::sending::IssueState;

/// Rows a transaction. At some 1.5 million rows a second, another writer waits a few dozen milliseconds.
const CHUNK: i64 = 20_000;

/// People of list `?2` after `?3`, into the ledger of issue `?1`. Where nobody is suppressed, nobody is looked up.
pub(super) const PART: &str = "INSERT INTO delivery (issue_id, subscriber_id, state)
     SELECT ?1, s.subscriber_id, 0 FROM subscription s
     WHERE s.list_id = ?2 AND s.subscriber_id > ?3 AND s.state = 1
       AND (NOT EXISTS (SELECT 1 FROM suppression)
            OR NOT EXISTS (SELECT 1 FROM subscriber p CROSS JOIN suppression x ON x.email = p.email
                           WHERE p.id = s.subscriber_id))
     ORDER BY s.subscriber_id LIMIT ?4";

/// How far the audience is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FanOut {
    /// More people follow.
    Partial,
    /// It is whole; the number of people it is planned for.
    Whole(u64),
    /// There is nothing to fix: it is whole already, or the issue was cancelled or does not exist.
    Nothing,
}

impl Store {
    /// Writes the next part of an issue's audience.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing of this part was kept.
    pub async fn fan_out(&self, id: IssueId) -> Result<FanOut> {
        self.write("fixing the audience", move |c| Box::pin(part(c, id)))
            .await
    }
}

async fn part(c: &mut SqliteConnection, id: IssueId) -> Result<FanOut> {
    let row =
        sqlx::query("SELECT list_id, state, fanout_after, started_at FROM issue WHERE id = ?")
            .bind(id.0)
            .fetch_optional(&mut *c)
            .await?;
    let Some(row) = row else {
        return Ok(FanOut::Nothing);
    };
    let Some(after) = row.try_get::<Option<i64>, _>("fanout_after")? else {
        return Ok(FanOut::Nothing);
    };
    let state: String = row.try_get("state")?;
    let begun = row.try_get::<Option<i64>, _>("started_at")?.is_some();
    // A pause stops the sending, not the fixing: the audience is that of the time when it was due.
    if !begun || ![IssueState::Sending.word(), IssueState::Paused.word()].contains(&&*state) {
        return Ok(FanOut::Nothing);
    }
    let done = sqlx::query(PART)
        .bind(id.0)
        .bind(row.try_get::<i64, _>("list_id")?)
        .bind(after)
        .bind(CHUNK)
        .execute(&mut *c)
        .await?;
    if i64::try_from(done.rows_affected()).unwrap_or(CHUNK) == CHUNK {
        sqlx::query(
            "UPDATE issue SET fanout_after = (SELECT max(subscriber_id) FROM delivery WHERE issue_id = ?1)
             WHERE id = ?1",
        )
        .bind(id.0)
        .execute(c)
        .await?;
        return Ok(FanOut::Partial);
    }
    let planned: i64 = sqlx::query_scalar("SELECT count(*) FROM delivery WHERE issue_id = ?")
        .bind(id.0)
        .fetch_one(&mut *c)
        .await?;
    sqlx::query("UPDATE issue SET fanout_after = NULL, queued = ? WHERE id = ?")
        .bind(planned)
        .bind(id.0)
        .execute(c)
        .await?;
    Ok(FanOut::Whole(u64::try_from(planned).unwrap_or_default()))
}
