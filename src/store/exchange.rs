//! The one transaction that the sender makes while it sends: outcomes of mails that were answered, and claims
//! of mails that are about to go out, together.
//!
//! One statement carries all outcomes of a group and one all claims, whatever their number, since a statement
//! costs a hop to SQLite's thread. `INSERT … SELECT … FROM json_each ON CONFLICT DO UPDATE` makes SQLite look
//! each row up by its key (an `UPDATE … FROM json_each` walks the whole issue); the `CROSS JOIN` keeps the
//! order of the loops and takes care that no row is ever made.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::deliveries::{Candidate, delivery_state};
use super::steering::{Steered, apply};
use super::{Result, Store};
use crate::model::delivery::{Event, MailKey, Reply, State, step};
use crate::model::sending::Steer;
use crate::model::{IssueId, SubscriberId, SystemMailId};

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub key: MailKey,
    /// The state that it must be in: `sending`, but where an earlier outcome is taken back.
    pub from: State,
    /// The attempt that owns it, as [`Grant::Granted`] gave it.
    pub attempt: u32,
    pub event: Event,
    /// When a deferred one is due again.
    pub next_at: Option<Timestamp>,
    pub reply: Reply,
    /// The relay's name in the settings.
    pub relay: String,
}

/// What is written in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Group {
    pub outcomes: Vec<Outcome>,
    /// Issues that pause, with the reason; before any claim of this group is looked at.
    pub pauses: Vec<(IssueId, String)>,
    pub claims: Vec<Candidate>,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// It is ours, under this number: the intent is committed and its content may go out.
    Granted { attempt: u32 },
    /// The person left or was suppressed: it is `skipped` now.
    Gone,
    /// Somebody else has it, or its issue does not go on: nothing was changed.
    Refused,
}

/// What a group led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchanged {
    /// In the order of the claims.
    pub grants: Vec<Grant>,
    /// The issues that this group paused; those that stood still already are left out.
    pub paused: Vec<IssueId>,
}

impl Store {
    /// Commits outcomes and claims together.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing of the group was kept, and it may be tried again.
    pub async fn exchange(&self, group: Group, now: Timestamp) -> Result<Exchanged> {
        self.write("writing the ledger", move |c| Box::pin(exchange(c, group, now.as_millisecond()))).await
    }
}

async fn exchange(c: &mut SqliteConnection, group: Group, now: i64) -> Result<Exchanged> {
    let mut moves = Moves::default();
    record(c, &group.outcomes, now, &mut moves).await?;
    let mut paused = Vec::new();
    for (issue, reason) in &group.pauses {
        if let Steered::Now(_) = apply(c, *issue, Steer::Pause, Some(reason)).await? {
            paused.push(*issue);
        }
    }
    let grants = claim(c, &group.claims, now, &mut moves).await?;
    moves.write(c).await?;
    Ok(Exchanged { grants, paused })
}

/// How the totals of each issue change.
#[derive(Default)]
struct Moves(HashMap<IssueId, [i64; State::ALL.len()]>);

impl Moves {
    fn add(&mut self, issue: IssueId, from: State, to: State) {
        let deltas = self.0.entry(issue).or_default();
        deltas[from as usize] -= 1;
        deltas[to as usize] += 1;
    }

    async fn write(self, c: &mut SqliteConnection) -> Result<()> {
        for (issue, deltas) in self.0 {
            let mut query = sqlx::query(
                "UPDATE issue SET queued = queued + ?2, sending = sending + ?3, sent = sent + ?4,
                     deferred = deferred + ?5, failed = failed + ?6, uncertain = uncertain + ?7,
                     cancelled = cancelled + ?8, skipped = skipped + ?9
                 WHERE id = ?1",
            )
            .bind(issue.0);
            for delta in deltas {
                query = query.bind(delta);
            }
            query.execute(&mut *c).await?;
        }
        Ok(())
    }
}

/// An outcome as the statement reads it: issue, person, from, attempt, to, next_at, code, reply, relay.
type Line<'o> = (i64, i64, i64, u32, i64, Option<i64>, Option<u16>, &'o str, &'o str);

/// Writes the outcomes that are still owned by the attempt they tell of; others change nothing.
async fn record(c: &mut SqliteConnection, outcomes: &[Outcome], now: i64, moves: &mut Moves) -> Result<()> {
    let (mut issues, mut systems): (Vec<Line>, Vec<Line>) = (Vec::new(), Vec::new());
    let mut from_of = HashMap::new();
    for o in outcomes {
        let Some(to) = step(o.from, o.event) else { continue };
        let next_at = o.next_at.map(Timestamp::as_millisecond);
        let line = |a, b| {
            (a, b, o.from as i64, o.attempt, to as i64, next_at, o.reply.code, &*o.reply.text, &*o.relay)
        };
        match o.key {
            MailKey::Issue(issue, person) => {
                from_of.insert((issue.0, person.0), o.from);
                issues.push(line(issue.0, person.0));
            }
            MailKey::System(id) => systems.push(line(0, id.0)),
        }
    }
    if !issues.is_empty() {
        let done: Vec<(i64, i64, i64)> = sqlx::query_as(
            "INSERT INTO delivery (issue_id, subscriber_id, state, attempt, next_at, at, code, reply, relay)
             SELECT d.issue_id, d.subscriber_id, j.value ->> 4, d.attempt, j.value ->> 5, ?2,
                    j.value ->> 6, j.value ->> 7, j.value ->> 8
             FROM json_each(?1) j
             CROSS JOIN delivery d ON d.issue_id = j.value ->> 0 AND d.subscriber_id = j.value ->> 1
             WHERE d.state = j.value ->> 2 AND d.attempt = j.value ->> 3
             ON CONFLICT (issue_id, subscriber_id) DO UPDATE SET state = excluded.state, next_at = excluded.next_at,
                 at = excluded.at, code = excluded.code, reply = excluded.reply, relay = excluded.relay
             RETURNING issue_id, subscriber_id, state",
        )
        .bind(json(&issues))
        .bind(now)
        .fetch_all(&mut *c)
        .await?;
        for (issue, person, state) in done {
            let from = from_of.get(&(issue, person)).copied().unwrap_or(State::Sending);
            moves.add(IssueId(issue), from, delivery_state(state)?);
        }
    }
    if !systems.is_empty() {
        sqlx::query(
            "UPDATE system_mail AS m SET state = j.value ->> 4, next_at = j.value ->> 5, at = ?2,
                 code = j.value ->> 6, reply = j.value ->> 7, relay = j.value ->> 8
             FROM json_each(?1) j
             WHERE m.id = j.value ->> 1 AND m.state = j.value ->> 2 AND m.attempt = j.value ->> 3",
        )
        .bind(json(&systems))
        .bind(now)
        .execute(c)
        .await?;
    }
    Ok(())
}

/// Claims those that are still there, in the state and under the number that were read ahead. Subscription and
/// suppression are looked at here, in the claim's own statement: who is gone becomes `skipped`.
async fn claim(
    c: &mut SqliteConnection,
    claims: &[Candidate],
    now: i64,
    moves: &mut Moves,
) -> Result<Vec<Grant>> {
    let (mut issues, mut systems) = (Vec::new(), Vec::new());
    for candidate in claims {
        match candidate.key {
            MailKey::Issue(issue, person) => {
                issues.push((issue.0, person.0, candidate.from as i64, candidate.attempt));
            }
            MailKey::System(id) => systems.push((0, id.0, candidate.from as i64, candidate.attempt)),
        }
    }
    let mut fates = HashMap::new();
    if !issues.is_empty() {
        for (issue, person, state, attempt) in claim_deliveries(c, &issues, now).await? {
            let key = MailKey::Issue(IssueId(issue), SubscriberId(person));
            fates.insert(key, (delivery_state(state)?, attempt));
        }
    }
    if !systems.is_empty() {
        for (id, state, attempt) in claim_systems(c, &systems, now).await? {
            fates.insert(MailKey::System(SystemMailId(id)), (delivery_state(state)?, attempt));
        }
    }
    let mut grants = Vec::with_capacity(claims.len());
    for candidate in claims {
        // Taken out, so that one who was read ahead twice is granted once.
        let Some((to, attempt)) = fates.remove(&candidate.key) else {
            grants.push(Grant::Refused);
            continue;
        };
        if let MailKey::Issue(issue, _) = candidate.key {
            moves.add(issue, candidate.from, to);
        }
        grants.push(if to == State::Sending { Grant::Granted { attempt } } else { Grant::Gone });
    }
    Ok(grants)
}

/// Who a skipped mail was for is told so in its row.
const GONE: &str = "not on the list any more";

async fn claim_deliveries(
    c: &mut SqliteConnection,
    lines: &[(i64, i64, i64, u32)],
    now: i64,
) -> Result<Vec<(i64, i64, i64, u32)>> {
    let rows = sqlx::query_as(
        "WITH wanted AS MATERIALIZED (
             SELECT d.issue_id, d.subscriber_id, d.attempt, d.first_at, d.code, d.reply,
                 EXISTS (SELECT 1 FROM subscription s
                         WHERE s.list_id = i.list_id AND s.subscriber_id = d.subscriber_id AND s.state = 1)
                 AND NOT EXISTS (SELECT 1 FROM subscriber p CROSS JOIN suppression x ON x.email = p.email
                                 WHERE p.id = d.subscriber_id) AS here
             FROM json_each(?1) j
             CROSS JOIN delivery d ON d.issue_id = j.value ->> 0 AND d.subscriber_id = j.value ->> 1
             CROSS JOIN issue i ON i.id = d.issue_id
             WHERE d.state = j.value ->> 2 AND d.attempt = j.value ->> 3
               AND i.state = 'sending' AND i.fanout_after IS NULL)
         INSERT INTO delivery (issue_id, subscriber_id, state, attempt, first_at, at, code, reply)
         SELECT issue_id, subscriber_id, iif(here, ?3, ?4), attempt + here,
                iif(here, coalesce(first_at, ?2), first_at), ?2, iif(here, code, NULL), iif(here, reply, ?5)
         FROM wanted WHERE true
         ON CONFLICT (issue_id, subscriber_id) DO UPDATE SET state = excluded.state, attempt = excluded.attempt,
             next_at = NULL, first_at = excluded.first_at, at = excluded.at, code = excluded.code,
             reply = excluded.reply
         RETURNING issue_id, subscriber_id, state, attempt",
    )
    .bind(json(lines))
    .bind(now)
    .bind(State::Sending as i64)
    .bind(State::Skipped as i64)
    .bind(GONE)
    .fetch_all(c)
    .await?;
    Ok(rows)
}

async fn claim_systems(
    c: &mut SqliteConnection,
    lines: &[(i64, i64, i64, u32)],
    now: i64,
) -> Result<Vec<(i64, i64, u32)>> {
    // A confirmation is for somebody who has asked and has not answered yet.
    let rows = sqlx::query_as(
        "WITH wanted AS MATERIALIZED (
             SELECT m.id,
                 EXISTS (SELECT 1 FROM subscription s
                         WHERE s.list_id = m.list_id AND s.subscriber_id = m.subscriber_id AND s.state = 0)
                 AND NOT EXISTS (SELECT 1 FROM subscriber p CROSS JOIN suppression x ON x.email = p.email
                                 WHERE p.id = m.subscriber_id) AS here
             FROM json_each(?1) j CROSS JOIN system_mail m ON m.id = j.value ->> 1
             WHERE m.state = j.value ->> 2 AND m.attempt = j.value ->> 3)
         UPDATE system_mail SET state = iif(here, ?3, ?4), attempt = attempt + here, next_at = NULL,
             first_at = iif(here, coalesce(first_at, ?2), first_at), at = ?2,
             code = iif(here, code, NULL), reply = iif(here, reply, ?5)
         FROM wanted WHERE system_mail.id = wanted.id
         RETURNING id, state, attempt",
    )
    .bind(json(lines))
    .bind(now)
    .bind(State::Sending as i64)
    .bind(State::Skipped as i64)
    .bind(GONE)
    .fetch_all(c)
    .await?;
    Ok(rows)
}

/// Tuples as a JSON array of arrays; numbers and texts can always be written so.
fn json<T: serde::Serialize>(lines: &[T]) -> String {
    serde_json::to_string(lines).unwrap_or_else(|_| "[]".into())
}
