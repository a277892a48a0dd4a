//! Steering a send: start, hold, pause, resume, cancel, retry, finish.
//!
//! Every move is looked up in `model::sending` within the transaction that reads the state, so that two
//! processes can't make moves that exclude each other. The daemon notices within a second. Withdrawing and
//! retrying touch many rows: they go by [`CHUNK`]s, each a short transaction; a daemon completes what a killed
//! command left undone.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::{Result, Store};
use crate::model::delivery::{Event, State, step};
use crate::model::sending::{IssueState, Steer, steer};
use crate::model::waiting::Reason;
use crate::model::{IssueId, SubscriberId};

/// Rows a transaction: another writer waits no longer than a tenth of a second for it.
const CHUNK: i64 = 5_000;

/// The predicate of the partial index stands word for word, as it must.
const CANCEL: &str = "UPDATE delivery SET state = ?1, at = ?2, next_at = NULL
     WHERE issue_id = ?3 AND state = ?4 AND state IN (0, 3) AND subscriber_id IN (
         SELECT subscriber_id FROM delivery INDEXED BY delivery_live
         WHERE issue_id = ?3 AND state = ?4 AND state IN (0, 3) LIMIT ?5)";
/// Who was uncertain (5) may have the mail, whatever becomes of it: a cancel that is taken back leaves them out.
const RETRY: &str = "UPDATE delivery SET state = ?1, next_at = NULL, first_at = NULL, at = ?2,
         may_have_it = max(may_have_it, state = 5)
     WHERE issue_id = ?3 AND subscriber_id > ?4 AND subscriber_id <= ?5 AND state = ?6
       AND (state <> 6 OR may_have_it = 0)";

const NOTE: &str =
    "UPDATE delivery SET reply = ?1 WHERE issue_id = ?2 AND state = 0 AND reply IS NULL
     AND subscriber_id IN (SELECT j.value FROM json_each(?3) j)";

/// What touches many rows, for a look at how SQLite would do it.
#[cfg(test)]
pub(super) const HOT: [&str; 3] = [CANCEL, RETRY, NOTE];

/// What steering led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steered {
    /// It moved to this state.
    Now(IssueState),
    /// It is in a state from which that can't be done. Nothing was changed.
    Not(IssueState),
    /// There is no such issue.
    Unknown,
}

/// What became of the issues whose time had come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// Their audience is fixed from now on.
    pub started: Vec<IssueId>,
    /// They wait for their author.
    pub held: Vec<IssueId>,
}

impl Store {
    /// Stops an issue, with the reason that people read beside it.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn pause(&self, id: IssueId, reason: &Reason) -> Result<Steered> {
        let reason = reason.clone();
        self.write("pausing an issue", move |c| {
            Box::pin(async move { apply(c, id, Steer::Pause, Some(&reason)).await })
        })
        .await
    }

    /// Lets a paused or held issue go on: at its own time where that is still to come, else now. One that is being sent
    /// and waits for something tries it at once.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn resume(&self, id: IssueId, now: Timestamp) -> Result<Steered> {
        self.write("resuming an issue", move |c| {
            Box::pin(async move {
                if waits(c, id).await? {
                    request_rescan(c, id).await?;
                    return apply(c, id, Steer::TryNow, None).await;
                }
                // One that has begun goes on: a clock that was set back must not make it one that may be replaced.
                let due = "SELECT due_at FROM issue WHERE id = ? AND started_at IS NULL";
                let due: Option<i64> = sqlx::query_scalar(due)
                    .bind(id.0)
                    .fetch_optional(&mut *c)
                    .await?;
                let early = due.is_some_and(|due| due > now.as_millisecond());
                release_schedule(c, id).await?;
                let steered = apply(c, id, Steer::Resume { early }, None).await?;
                if steered == Steered::Now(IssueState::Sending) {
                    mark_started(c, id, now).await?;
                    request_rescan(c, id).await?;
                }
                Ok(steered)
            })
        })
        .await
    }

    /// Holds an issue for its author, with the reason.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn hold(&self, id: IssueId, reason: &Reason) -> Result<Steered> {
        let reason = reason.clone();
        self.write("holding an issue", move |c| {
            Box::pin(async move { apply(c, id, Steer::Hold, Some(&reason)).await })
        })
        .await
    }

    /// Withdraws an issue: from this commit on nothing of it is claimed; then everybody who waits becomes
    /// `cancelled`. What is in flight ends as it ends.
    ///
    /// # Errors
    /// [`super::StoreError`]; what was withdrawn until then stays so, and the daemon completes it.
    pub async fn cancel(&self, id: IssueId, now: Timestamp) -> Result<Steered> {
        let steered = self
            .write("cancelling an issue", move |c| {
                Box::pin(async move {
                    release_schedule(c, id).await?;
                    let steered = apply(c, id, Steer::Cancel, None).await?;
                    if matches!(steered, Steered::Now(_)) {
                        mark_ended(c, id, now).await?;
                    }
                    Ok(steered)
                })
            })
            .await?;
        if matches!(steered, Steered::Now(_)) {
            self.complete_cancel(id, now).await?;
        }
        Ok(steered)
    }

    /// Takes everybody who still waits out of a cancelled issue. Does nothing where nobody does.
    ///
    /// # Errors
    /// [`super::StoreError`]; what was withdrawn until then stays so.
    pub async fn complete_cancel(&self, id: IssueId, now: Timestamp) -> Result<()> {
        while self.cancel_more(id, now).await? {}
        Ok(())
    }

    /// One short step of [`Store::complete_cancel`]; `false` once nobody waits any more.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nobody of this step was withdrawn.
    pub async fn cancel_more(&self, id: IssueId, now: Timestamp) -> Result<bool> {
        self.write("cancelling an issue", move |c| {
            Box::pin(cancel_some(c, id, now.as_millisecond()))
        })
        .await
    }

    /// Queues the `failed`, the `uncertain` or the `cancelled` of an issue once more, and says how many there were. Each
    /// chunk looks at the issue again: one that was cancelled meanwhile is [`Steered::Not`], with those who were queued
    /// until then. Of the cancelled, those who may have the mail, since they were uncertain before, stay as they are.
    ///
    /// # Errors
    /// [`super::StoreError`]; those that were queued until then stay so.
    pub async fn retry(&self, id: IssueId, which: State, now: Timestamp) -> Result<(Steered, u64)> {
        let (mut count, mut after) = (0, SubscriberId(0));
        loop {
            let (steered, moved, next) = self
                .write("retrying", move |c| {
                    Box::pin(retry_some(c, id, which, after, now.as_millisecond()))
                })
                .await?;
            count += moved;
            match next {
                Some(next) => after = next,
                None => return Ok((steered, count)),
            }
        }
    }

    /// Starts every scheduled issue whose time has come; one whose time passed longer than `late` ago is held.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn start_due(&self, now: Timestamp, late: Duration) -> Result<Started> {
        let due = self.due(now).await?;
        if due.is_empty() {
            return Ok(Started::default());
        }
        self.write("starting what is due", move |c| {
            Box::pin(async move {
                let mut all = Started::default();
                for (id, due_at) in due {
                    let waited = now.duration_since(due_at);
                    if Duration::try_from(waited).is_ok_and(|waited| waited > late) {
                        let reason = Reason::Late { due_at };
                        if let Steered::Now(_) = apply(c, id, Steer::Hold, Some(&reason)).await? {
                            all.held.push(id);
                        }
                    } else if let Steered::Now(_) = apply(c, id, Steer::Start, None).await? {
                        mark_started(c, id, now).await?;
                        all.started.push(id);
                    }
                }
                Ok(all)
            })
        })
        .await
    }

    /// When the next scheduled issue is due; `None` where none is scheduled.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn next_due(&self) -> Result<Option<Timestamp>> {
        let at: Option<i64> =
            sqlx::query_scalar("SELECT min(due_at) FROM issue WHERE state = 'scheduled'")
                .fetch_one(self.readers())
                .await
                .map_err(self.reading("reading what is scheduled"))?;
        Ok(at.map(super::time_of))
    }

    /// Ends a send of which nothing is open any more; `false` where something is, or it does not go on.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn finish(&self, id: IssueId, now: Timestamp) -> Result<bool> {
        self.write("ending an issue", move |c| {
            Box::pin(async move {
                let open: Option<i64> = sqlx::query_scalar(
                    "SELECT queued + sending + deferred FROM issue WHERE id = ? AND fanout_after IS NULL",
                )
                .bind(id.0)
                .fetch_optional(&mut *c)
                .await?;
                if open != Some(0) {
                    return Ok(false);
                }
                let ended = matches!(apply(c, id, Steer::Finish, None).await?, Steered::Now(_));
                if ended {
                    mark_ended(c, id, now).await?;
                }
                Ok(ended)
            })
        })
        .await
    }

    /// Writes why an issue that goes on waits at the moment; `None` takes it away. One that is paused or held
    /// keeps its own reason.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn explain(&self, id: IssueId, reason: Option<Reason>) -> Result<()> {
        self.write("noting why an issue waits", move |c| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE issue SET reason = ?1 WHERE id = ?2 AND state = 'sending' AND reason IS NOT ?1",
                )
                .bind(reason.map(|reason| reason.to_json()))
                .bind(id.0)
                .execute(c)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Writes beside people who were not tried yet why they wait; what a server said of somebody stays. The caller gives
    /// no more than some thousand at once.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn note_waiting(
        &self,
        id: IssueId,
        who: &[SubscriberId],
        reason: String,
    ) -> Result<()> {
        let who: Vec<i64> = who.iter().map(|who| who.0).collect();
        let who = serde_json::to_string(&who).unwrap_or_default();
        self.write("noting why people wait", move |c| {
            Box::pin(async move {
                sqlx::query(NOTE)
                    .bind(reason)
                    .bind(id.0)
                    .bind(who)
                    .execute(c)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<(IssueId, Timestamp)>> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT id, due_at FROM issue WHERE state = 'scheduled' AND due_at <= ? ORDER BY due_at, id",
        )
        .bind(now.as_millisecond())
        .fetch_all(self.readers())
        .await
        .map_err(self.reading("reading what is due"))?;
        Ok(rows
            .into_iter()
            .map(|(id, at)| (IssueId(id), super::time_of(at)))
            .collect())
    }
}

/// Makes one move of `model::sending`, with the reason that stands beside the new state.
pub(super) async fn apply(
    c: &mut SqliteConnection,
    id: IssueId,
    event: Steer,
    reason: Option<&Reason>,
) -> Result<Steered> {
    let Some(from) = state_of(c, id).await? else {
        return Ok(Steered::Unknown);
    };
    let Some(to) = steer(from, event) else {
        return Ok(Steered::Not(from));
    };
    if to == from {
        return Ok(Steered::Now(to));
    }
    sqlx::query("UPDATE issue SET state = ?, reason = ? WHERE id = ?")
        .bind(to.word())
        .bind(reason.map(Reason::to_json))
        .bind(id.0)
        .execute(c)
        .await?;
    Ok(Steered::Now(to))
}

async fn state_of(c: &mut SqliteConnection, id: IssueId) -> Result<Option<IssueState>> {
    let word: Option<String> = sqlx::query_scalar("SELECT state FROM issue WHERE id = ?")
        .bind(id.0)
        .fetch_optional(c)
        .await?;
    Ok(word.as_deref().and_then(IssueState::from_word))
}

/// Where the issue is one that a schedule queued after a restore, the author has spoken: later times go out by themselves.
async fn release_schedule(c: &mut SqliteConnection, id: IssueId) -> Result<()> {
    let stored: Option<Option<String>> =
        sqlx::query_scalar("SELECT reason FROM issue WHERE id = ? AND state = 'held'")
            .bind(id.0)
            .fetch_optional(&mut *c)
            .await?;
    let reason = stored.flatten().map(|stored| Reason::from_stored(&stored));
    if matches!(reason, Some(Reason::RestoredSchedule { .. })) {
        sqlx::query(
            "UPDATE list SET hold_schedule = 0 WHERE id = (SELECT list_id FROM issue WHERE id = ?)",
        )
        .bind(id.0)
        .execute(c)
        .await?;
    }
    Ok(())
}

async fn mark_started(c: &mut SqliteConnection, id: IssueId, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE issue SET started_at = coalesce(started_at, ?) WHERE id = ?")
        .bind(now.as_millisecond())
        .bind(id.0)
        .execute(c)
        .await?;
    Ok(())
}

/// Whether an issue is being sent and waits for something.
async fn waits(c: &mut SqliteConnection, id: IssueId) -> Result<bool> {
    let waits = "SELECT 1 FROM issue WHERE id = ? AND state = 'sending' AND reason IS NOT NULL";
    let found: Option<i64> = sqlx::query_scalar(waits)
        .bind(id.0)
        .fetch_optional(c)
        .await?;
    Ok(found.is_some())
}

/// Tells the scheduler that people may wait where the issue's queue was read before.
async fn request_rescan(c: &mut SqliteConnection, id: IssueId) -> Result<()> {
    sqlx::query("UPDATE issue SET rescans = rescans + 1 WHERE id = ?")
        .bind(id.0)
        .execute(c)
        .await?;
    Ok(())
}

async fn mark_ended(c: &mut SqliteConnection, id: IssueId, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE issue SET ended_at = ? WHERE id = ?")
        .bind(now.as_millisecond())
        .bind(id.0)
        .execute(c)
        .await?;
    Ok(())
}

/// Withdraws up to [`CHUNK`] people who wait; whether there may be more.
async fn cancel_some(c: &mut SqliteConnection, id: IssueId, now: i64) -> Result<bool> {
    let row = sqlx::query("SELECT state, fanout_after FROM issue WHERE id = ?")
        .bind(id.0)
        .fetch_optional(&mut *c)
        .await?;
    let Some(row) = row else { return Ok(false) };
    if row.try_get::<String, _>("state")? != IssueState::Cancelled.word() {
        return Ok(false);
    }
    if row.try_get::<Option<i64>, _>("fanout_after")?.is_some() {
        return forget_some(c, id).await;
    }
    let mut moved = 0;
    for from in [State::Queued, State::Deferred] {
        let Some(to) = step(from, Event::Cancel) else {
            continue;
        };
        let done = sqlx::query(CANCEL)
            .bind(to as i64)
            .bind(now)
            .bind(id.0)
            .bind(from as i64)
            .bind(CHUNK)
            .execute(&mut *c)
            .await?;
        moved += done.rows_affected();
    }
    Ok(moved > 0)
}

/// Takes back up to [`CHUNK`] rows of an audience that was never whole: nobody was planned yet.
async fn forget_some(c: &mut SqliteConnection, id: IssueId) -> Result<bool> {
    let done = sqlx::query(
        "DELETE FROM delivery WHERE issue_id = ?1 AND subscriber_id IN (
             SELECT subscriber_id FROM delivery WHERE issue_id = ?1 LIMIT ?2)",
    )
    .bind(id.0)
    .bind(CHUNK)
    .execute(&mut *c)
    .await?;
    if done.rows_affected() > 0 {
        return Ok(true);
    }
    sqlx::query("UPDATE issue SET fanout_after = NULL WHERE id = ?")
        .bind(id.0)
        .execute(c)
        .await?;
    Ok(false)
}

/// Queues those of one chunk that are in a state, where the issue may be retried; gives whether it may, their number,
/// and where the next chunk begins.
pub(super) async fn retry_some(
    c: &mut SqliteConnection,
    id: IssueId,
    which: State,
    after: SubscriberId,
    now: i64,
) -> Result<(Steered, u64, Option<SubscriberId>)> {
    let Some(state) = state_of(c, id).await? else {
        return Ok((Steered::Unknown, 0, None));
    };
    let is_pruned = "SELECT pruned_at IS NOT NULL FROM issue WHERE id = ?";
    let is_pruned: bool = sqlx::query_scalar(is_pruned)
        .bind(id.0)
        .fetch_one(&mut *c)
        .await?;
    if is_pruned {
        return Ok((Steered::Not(state), 0, None));
    }
    let event = match which {
        State::Cancelled => Steer::TakeBackCancel,
        _ => Steer::Retry,
    };
    let Some(then) = steer(state, event) else {
        return Ok((Steered::Not(state), 0, None));
    };
    let steered = Steered::Now(then);
    let Some(to) = step(which, Event::Retry) else {
        return Ok((steered, 0, None));
    };
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT max(subscriber_id) FROM (SELECT subscriber_id FROM delivery
             WHERE issue_id = ? AND subscriber_id > ? ORDER BY subscriber_id LIMIT ?)",
    )
    .bind(id.0)
    .bind(after.0)
    .bind(CHUNK)
    .fetch_one(&mut *c)
    .await?;
    let Some(last) = last else {
        return Ok((steered, 0, None));
    };
    let done = sqlx::query(RETRY)
        .bind(to as i64)
        .bind(now)
        .bind(id.0)
        .bind(after.0)
        .bind(last)
        .bind(which as i64)
        .execute(&mut *c)
        .await?;
    if done.rows_affected() > 0 {
        // In the same transaction, so that no issue that is done holds anybody who waits.
        if let Steered::Now(IssueState::Sending) = apply(c, id, event, None).await? {
            sqlx::query("UPDATE issue SET ended_at = NULL WHERE id = ?")
                .bind(id.0)
                .execute(&mut *c)
                .await?;
        }
        request_rescan(c, id).await?;
    }
    Ok((steered, done.rows_affected(), Some(SubscriberId(last))))
}
