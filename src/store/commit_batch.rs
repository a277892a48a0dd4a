//! What the sender writes while it sends: outcomes of mails that were answered, and claims of mails that are about to
//! go out, in one transaction.
//!
//! The promise that the rest of the sender stands on: a mail's content goes out only after [`Store::commit_batch`] has
//! committed its claim, and every outcome is conditional on the attempt that owns the row. So after a kill at any
//! instant a row in `sending` was claimed by the dead process and by nobody else ([`Store::recover`] takes it up),
//! everything that was merely read ahead is still `queued`, and the totals, which change in the same transactions, add
//! up to what was planned. Which moves there are is decided by `model::delivery`; of issues, by `model::sending`.
//!
//! A trip to SQLite's thread and each answer on the way back cost more than the work done there, so the whole
//! transaction is one statement, which SQLite applies whole or not at all. `INSERT … SELECT … FROM json_each
//! ON CONFLICT DO UPDATE` makes SQLite look each row up by its key (an `UPDATE … FROM json_each` walks the whole issue);
//! the `CROSS JOIN` keeps the order of the loops and takes care that no row is ever made. The totals follow by
//! a trigger.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::deliveries::{Candidate, delivery_state};
use super::health::Write;
use super::steering::{Steered, apply};
use super::{Query, Result, Store};
use crate::model::delivery::{Event, MailKey, State, step};
use crate::model::reply::Diagnostic;
use crate::model::sending::Steer;
use crate::model::waiting::Reason;
use crate::model::{IssueId, SubscriberId, SystemMailId};

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which mail it is about.
    pub key: MailKey,
    /// The state that it must be in: `sending`, but where an earlier outcome is taken back.
    pub from: State,
    /// The attempt that owns it, as [`Grant::Granted`] gave it.
    pub attempt: u32,
    /// What happened to it.
    pub event: Event,
    /// When a deferred one is due again.
    pub next_at: Option<Timestamp>,
    /// The server's answer, or our own reason.
    pub reply: Diagnostic,
    /// The relay's name in the settings.
    pub relay: String,
}

/// A mail that is to be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which mail is to be claimed.
    pub key: MailKey,
    /// `queued` or `deferred`, as it was read ahead.
    pub from: State,
    /// The claims made until then.
    pub attempt: u32,
}

impl From<&Candidate> for Claim {
    fn from(candidate: &Candidate) -> Claim {
        Claim {
            key: candidate.key,
            from: candidate.from,
            attempt: candidate.attempt,
        }
    }
}

/// What is written in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// What became of mails that were claimed before.
    pub outcomes: Vec<Outcome>,
    /// Issues that pause, with the reason; before any claim of this batch is looked at.
    pub pauses: Vec<(IssueId, Reason)>,
    /// The mails that are about to go out.
    pub claims: Vec<Claim>,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// It is ours, under this number: the intent is committed and its content may go out.
    Granted {
        /// The number of the attempt that owns the row now, from 1.
        attempt: u32,
    },
    /// The person left or was suppressed: it is `skipped` now.
    Gone,
    /// Somebody else has it, or its issue does not go on: nothing was changed.
    Refused,
}

/// What a batch led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// In the order of the claims.
    pub grants: Vec<Grant>,
    /// The issues that this batch paused; those that stood still already are left out.
    pub paused: Vec<IssueId>,
}

/// `?1` the outcomes, `?2` the time, `?3` the claims, `?4` the reply recorded for who is gone. An outcome that another
/// attempt owns changes nothing; who is queued again (0) has not been tried yet, so that what was nobody's fault makes
/// nobody too old. Subscription and suppression of whom is claimed are looked at here, in the
/// claim's own statement.
macro_rules! commit_batch {
    ($which:literal, $answer:literal) => {
        concat!(
            "WITH told AS MATERIALIZED (
                 SELECT d.issue_id, d.subscriber_id, j.value ->> 4 AS state, d.attempt, j.value ->> 5 AS next_at,
                     iif(j.value ->> 4 = 0, NULL, d.first_at) AS first_at, j.value ->> 6 AS code, j.value ->> 7 AS reply, j.value ->> 8 AS relay
                 FROM json_each(?1) j
                 CROSS JOIN delivery d ON d.issue_id = j.value ->> 0 AND d.subscriber_id = j.value ->> 1
                 WHERE d.state = j.value ->> 2 AND d.attempt = j.value ->> 3),
             wanted AS MATERIALIZED (
                 SELECT d.issue_id, d.subscriber_id, d.attempt, d.first_at, d.code, d.reply, d.relay,
                     EXISTS (SELECT 1 FROM subscription s
                             WHERE s.list_id = i.list_id AND s.subscriber_id = d.subscriber_id AND s.state = 1)
                     AND NOT EXISTS (SELECT 1 FROM subscriber p CROSS JOIN suppression x ON x.email = p.email
                                     WHERE p.id = d.subscriber_id) AS here
                 FROM json_each(?3) j
                 CROSS JOIN delivery d ON d.issue_id = j.value ->> 0 AND d.subscriber_id = j.value ->> 1
                 CROSS JOIN issue i ON i.id = d.issue_id
                 WHERE d.state = j.value ->> 2 AND d.attempt = j.value ->> 3
                   AND i.state = 'sending' AND i.fanout_after IS NULL)
             INSERT INTO delivery (issue_id, subscriber_id, state, attempt, next_at, first_at, at, code, reply, relay)
             SELECT issue_id, subscriber_id, state, attempt, next_at, first_at, ?2, code, reply, relay
             FROM told WHERE ", $which, "
             UNION ALL
             SELECT issue_id, subscriber_id, iif(here, 1, 7), attempt + here, NULL,
                 iif(here, coalesce(first_at, ?2), first_at), ?2, iif(here, code, NULL), iif(here, reply, ?4), relay
             FROM wanted WHERE ", $which, "
             ON CONFLICT (issue_id, subscriber_id) DO UPDATE SET state = excluded.state,
                 attempt = excluded.attempt, next_at = excluded.next_at, first_at = excluded.first_at,
                 at = excluded.at, code = excluded.code, reply = excluded.reply, relay = excluded.relay ",
            $answer
        )
    };
}

/// All of a batch or nothing of it; the number of rows says which. As a rule everything still is as it was read, and
/// then nothing else need be told.
const ALL: &str = commit_batch!(
    "(SELECT count(*) FROM told) = json_array_length(?1)
     AND (SELECT count(*) FROM wanted WHERE here) = json_array_length(?3)",
    ""
);
/// What of a batch can be done; the rows say what was.
const EACH: &str = commit_batch!("true", "RETURNING issue_id, subscriber_id, state, attempt");

/// Once, when the daemon starts: it looks at the whole of an issue that it died in.
const RECOVER_DELIVERIES: &str = "UPDATE delivery SET state = ?1, at = ?2, code = NULL, reply = ?3
     WHERE issue_id IN (SELECT id FROM issue WHERE sending > 0) AND state = ?4";
const RECOVER_SYSTEM_MAILS: &str = "UPDATE system_mail INDEXED BY system_mail_in_flight
     SET state = ?1, at = ?2, code = NULL, reply = ?3 WHERE state = 1";

/// What runs with each mail, for a look at how SQLite would do it.
#[cfg(test)]
pub(super) const PER_MAIL: [&str; 2] = [ALL, EACH];
/// What a start waits for.
#[cfg(test)]
pub(super) const AT_START: [&str; 2] = [RECOVER_DELIVERIES, RECOVER_SYSTEM_MAILS];

/// Recorded for those whom a claim skips.
const GONE: &str = "not on the list any more";

impl Store {
    /// Commits outcomes and claims together.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing of the batch was kept, and it may be tried again.
    pub async fn commit_batch(&self, batch: &Batch, now: Timestamp) -> Result<Committed> {
        if let Some(error) = self.shared.displaced()
            && !batch.claims.is_empty()
        {
            // What became of mails is written wherever the file is; written once more, it changes nothing.
            let told = Batch {
                claims: Vec::new(),
                ..batch.clone()
            };
            self.commit(&told, now).await?;
            return Err(error);
        }
        let done = self.commit(batch, now).await;
        self.shared.note(Write::Ledger, &done);
        done
    }

    async fn commit(&self, batch: &Batch, now: Timestamp) -> Result<Committed> {
        let now = now.as_millisecond();
        let is_system = |key: MailKey| matches!(key, MailKey::System(_));
        let rare = !batch.pauses.is_empty()
            || batch.outcomes.iter().any(|outcome| is_system(outcome.key))
            || batch.claims.iter().any(|claim| is_system(claim.key));
        if rare {
            let batch = batch.clone();
            return self
                .write_wherever("writing the ledger", move |c| {
                    Box::pin(step_by_step(c, batch, now))
                })
                .await;
        }
        let (outcomes, claims) = (
            outcome_rows(&batch.outcomes, false),
            claim_rows(&batch.claims, false),
        );
        if claims.count == batch.claims.len() && are_distinct(batch) {
            let all = statement(ALL, outcomes.clone(), claims.clone(), now);
            let moved = self.write_at_once("writing the ledger", all).await?;
            if moved == (outcomes.count + claims.count) as u64 {
                self.shared.did(claims.count as u64);
                let granted = batch.claims.iter().map(|c| Grant::Granted {
                    attempt: c.attempt + 1,
                });
                return Ok(Committed {
                    grants: granted.collect(),
                    paused: Vec::new(),
                });
            }
        }
        let each = statement(EACH, outcomes, claims, now);
        let rows = self.read_at_once("writing the ledger", each).await?;
        let grants = grants(&batch.claims, &rows)?;
        let is_granted = |grant: &&Grant| matches!(grant, Grant::Granted { .. });
        self.shared
            .did(grants.iter().filter(is_granted).count() as u64);
        Ok(Committed {
            grants,
            paused: Vec::new(),
        })
    }

    /// Marks as `uncertain` every mail that a dead daemon had claimed; says how many. Called once, under the
    /// daemon's lock, before anything is claimed.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn recover(&self, now: Timestamp, reply: &str) -> Result<u64> {
        let Some(to) = step(State::Sending, Event::Unconfirmed) else {
            return Ok(0);
        };
        let reply = reply.to_owned();
        self.write("looking at what was in flight", move |c| {
            Box::pin(async move {
                let ledger = sqlx::query(RECOVER_DELIVERIES)
                    .bind(to as i64)
                    .bind(now.as_millisecond())
                    .bind(&reply)
                    .bind(State::Sending as i64)
                    .execute(&mut *c)
                    .await?;
                let system = sqlx::query(RECOVER_SYSTEM_MAILS)
                    .bind(to as i64)
                    .bind(now.as_millisecond())
                    .bind(&reply)
                    .execute(c)
                    .await?;
                Ok(ledger.rows_affected() + system.rows_affected())
            })
        })
        .await
    }
}

/// Whether a batch names nobody twice, as it should: then the number of moved rows is the number of its entries.
fn are_distinct(batch: &Batch) -> bool {
    let mut keys = HashSet::with_capacity(batch.outcomes.len() + batch.claims.len());
    let outcomes = batch.outcomes.iter().map(|outcome| outcome.key);
    outcomes
        .chain(batch.claims.iter().map(|claim| claim.key))
        .all(|key| keys.insert(key))
}

fn statement(sql: &'static str, outcomes: JsonRows, claims: JsonRows, now: i64) -> Query {
    sqlx::query(sql)
        .bind(outcomes.json)
        .bind(now)
        .bind(claims.json)
        .bind(GONE)
}

/// Writes a batch that holds what is rare: pauses, which come before the claims, and system mails.
async fn step_by_step(c: &mut SqliteConnection, batch: Batch, now: i64) -> Result<Committed> {
    statement(
        EACH,
        outcome_rows(&batch.outcomes, false),
        JsonRows::of::<()>(&[]),
        now,
    )
    .execute(&mut *c)
    .await?;
    sqlx::query(
        "UPDATE system_mail AS m SET state = j.value ->> 4, next_at = j.value ->> 5, at = ?2,
             code = j.value ->> 6, reply = j.value ->> 7, relay = j.value ->> 8,
             first_at = iif(j.value ->> 4 = 0, NULL, first_at)
         FROM json_each(?1) j
         WHERE m.id = j.value ->> 1 AND m.state = j.value ->> 2 AND m.attempt = j.value ->> 3",
    )
    .bind(outcome_rows(&batch.outcomes, true).json)
    .bind(now)
    .execute(&mut *c)
    .await?;
    let mut paused = Vec::new();
    for (issue, reason) in &batch.pauses {
        if let Steered::Now(_) = apply(c, *issue, Steer::Pause, Some(reason)).await? {
            paused.push(*issue);
        }
    }
    let claims = claim_rows(&batch.claims, false);
    let mut rows = statement(EACH, JsonRows::of::<()>(&[]), claims, now)
        .fetch_all(&mut *c)
        .await?;
    rows.extend(claim_systems(c, claim_rows(&batch.claims, true), now).await?);
    Ok(Committed {
        grants: grants(&batch.claims, &rows)?,
        paused,
    })
}

/// Claims system mails. A confirmation is for somebody who has asked and has not answered yet.
async fn claim_systems(
    c: &mut SqliteConnection,
    claims: JsonRows,
    now: i64,
) -> Result<Vec<SqliteRow>> {
    let rows = sqlx::query(
        "WITH wanted AS MATERIALIZED (
             SELECT m.id,
                 EXISTS (SELECT 1 FROM subscription s
                         WHERE s.list_id = m.list_id AND s.subscriber_id = m.subscriber_id AND s.state = 0)
                 AND NOT EXISTS (SELECT 1 FROM subscriber p CROSS JOIN suppression x ON x.email = p.email
                                 WHERE p.id = m.subscriber_id) AS here
             FROM json_each(?1) j CROSS JOIN system_mail m ON m.id = j.value ->> 1
             WHERE m.state = j.value ->> 2 AND m.attempt = j.value ->> 3)
         UPDATE system_mail SET state = iif(here, 1, 7), attempt = attempt + here, next_at = NULL,
             first_at = iif(here, coalesce(first_at, ?2), first_at), at = ?2,
             code = iif(here, code, NULL), reply = iif(here, reply, ?3)
         FROM wanted WHERE system_mail.id = wanted.id
         RETURNING 0 AS issue_id, id AS subscriber_id, state, attempt",
    )
    .bind(claims.json)
    .bind(now)
    .bind(GONE)
    .fetch_all(c)
    .await?;
    Ok(rows)
}

/// What became of each claim, by the rows that the statements gave back.
fn grants(claims: &[Claim], rows: &[SqliteRow]) -> sqlx::Result<Vec<Grant>> {
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let key = match (row.try_get("issue_id")?, row.try_get("subscriber_id")?) {
            (0, id) => MailKey::System(SystemMailId(id)),
            (issue, person) => MailKey::Issue(IssueId(issue), SubscriberId(person)),
        };
        found.insert(
            key,
            (
                delivery_state(row.try_get("state")?)?,
                row.try_get("attempt")?,
            ),
        );
    }
    // Taken out, so that one who was read ahead twice is granted once.
    let grant = |claim: &Claim| match found.remove(&claim.key) {
        Some((State::Sending, attempt)) => Grant::Granted { attempt },
        Some(_) => Grant::Gone,
        None => Grant::Refused,
    };
    Ok(claims.iter().map(grant).collect())
}

/// Outcomes as the statement reads them: issue (0: a system mail), person, from, attempt, to, next_at, code,
/// reply, relay. A move that `model::delivery` does not know is left out.
fn outcome_rows(outcomes: &[Outcome], systems: bool) -> JsonRows {
    let rows = outcomes.iter().filter_map(|o| {
        let to = step(o.from, o.event)?;
        let (issue, id) = pair(o.key, systems)?;
        let next_at = o.next_at.map(Timestamp::as_millisecond);
        let (from, to) = (o.from as i64, to as i64);
        Some((
            issue,
            id,
            from,
            o.attempt,
            to,
            next_at,
            o.reply.code,
            &o.reply.text,
            &o.relay,
        ))
    });
    JsonRows::of(&rows.collect::<Vec<_>>())
}

/// Claims as the statement reads them: issue (0: a system mail), person, state and attempt as read ahead.
fn claim_rows(claims: &[Claim], systems: bool) -> JsonRows {
    let rows = claims.iter().filter_map(|claim| {
        // The statements name the states to which a claim leads; the table must know them as well.
        step(claim.from, Event::Claim)?;
        let (issue, id) = pair(claim.key, systems)?;
        Some((issue, id, claim.from as i64, claim.attempt))
    });
    JsonRows::of(&rows.collect::<Vec<_>>())
}

/// A key as numbers, where it is of the kind that is asked for.
fn pair(key: MailKey, systems: bool) -> Option<(i64, i64)> {
    match key {
        MailKey::Issue(issue, person) if !systems => Some((issue.0, person.0)),
        MailKey::System(id) if systems => Some((0, id.0)),
        _ => None,
    }
}

/// Tuples as a JSON array of arrays.
#[derive(Clone, Debug)]
struct JsonRows {
    json: String,
    count: usize,
}

impl JsonRows {
    /// Numbers and texts can always be written so.
    fn of<T: serde::Serialize>(rows: &[T]) -> JsonRows {
        JsonRows {
            json: serde_json::to_string(rows).unwrap_or_else(|_| "[]".into()),
            count: rows.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statements_name_the_states_that_the_table_gives() {
        assert_eq!(step(State::Queued, Event::Claim).map(|s| s as i64), Some(1));
        assert_eq!(
            step(State::Deferred, Event::Claim).map(|s| s as i64),
            Some(1)
        );
        assert_eq!(step(State::Queued, Event::Skip).map(|s| s as i64), Some(7));
        assert_eq!(
            step(State::Deferred, Event::Skip).map(|s| s as i64),
            Some(7)
        );
    }
}
