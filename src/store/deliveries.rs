//! The ledger: a row for each person and issue, written before anything is sent. It is the queue as well.
//!
//! This file reads it: who may be claimed next, and what became of everybody. What it leaves to others: writing the
//! rows (`store::fanout`), claims and outcomes (`store::commit_batch`), withdrawing and retrying (`store::steering`).

use jiff::Timestamp;
use sqlx::Row as _;

use super::{Result, Store, time_of};
use crate::model::delivery::{MailKey, State, Totals};
use crate::model::{Address, IssueId, ListId, SubscriberId};

/// A page of people as one row of JSON, in the form of [`CandidateRow`]: each row by itself would wake the sender, which cost
/// more than reading it.
macro_rules! in_one_row {
    ($($query:tt)*) => {
        concat!(
            "SELECT json_group_array(json_array(q.subscriber_id, q.state, q.attempt, q.first_at, q.next_at,
                 q.email, q.name, q.list_id, q.since)) FROM (",
            $($query)*,
            ") q"
        )
    };
}

/// Who may be claimed of issue `?1`, by an index alone. `state IN (0, 3)` stands word for word as in the partial
/// index, or it would not be used, and after the one state, or everybody who waits would be sorted.
macro_rules! candidates {
    ($state:literal, $which:literal) => {
        in_one_row!(concat!(
            "SELECT d.subscriber_id, d.state, d.attempt, d.first_at, d.next_at, p.email, p.name, i.list_id,
                 coalesce(s.since, i.queued_at) AS since
             FROM delivery d INDEXED BY delivery_live
             JOIN subscriber p ON p.id = d.subscriber_id JOIN issue i ON i.id = d.issue_id
             LEFT JOIN subscription s ON s.list_id = i.list_id AND s.subscriber_id = d.subscriber_id
             WHERE d.issue_id = ?1 AND d.state = ",
            $state,
            " AND d.state IN (0, 3) AND ",
            $which
        ))
    };
}

/// Those deferred to a time up to `?2`, after the person `?5` of the time `?4`.
const DUE: &str = candidates!(
    3,
    "d.next_at >= ?4 AND d.next_at <= ?2 AND (d.next_at > ?4 OR d.subscriber_id > ?5)
     ORDER BY d.next_at, d.subscriber_id LIMIT ?3"
);
/// Those queued after person `?2`.
const QUEUED: &str = candidates!(
    0,
    "d.next_at IS NULL AND d.subscriber_id > ?2 ORDER BY d.subscriber_id LIMIT ?3"
);
/// Those among the people `?2` who wait, and are deferred to no time between now, `?3`, and `?4`.
const AMONG: &str = in_one_row!(
    "SELECT d.subscriber_id, d.state, d.attempt, d.first_at, d.next_at, p.email, p.name, i.list_id,
            coalesce(s.since, i.queued_at) AS since
     FROM json_each(?2) j
     CROSS JOIN delivery d ON d.issue_id = ?1 AND d.subscriber_id = j.value
     CROSS JOIN subscriber p ON p.id = d.subscriber_id CROSS JOIN issue i ON i.id = d.issue_id
     LEFT JOIN subscription s ON s.list_id = i.list_id AND s.subscriber_id = d.subscriber_id
     WHERE d.state = 0 OR (d.state = 3 AND (d.next_at <= ?3 OR d.next_at > ?4))"
);
const NEXT_DEFERRED: &str = "SELECT next_at FROM delivery INDEXED BY delivery_live
     WHERE issue_id = ? AND state = 3 AND state IN (0, 3) ORDER BY next_at LIMIT 1";
const NEXT_DEFERRED_AFTER: &str = "SELECT next_at FROM delivery INDEXED BY delivery_live
     WHERE issue_id = ? AND state = 3 AND state IN (0, 3) AND next_at > ? ORDER BY next_at LIMIT 1";
const PAGE: &str =
    "SELECT d.subscriber_id, p.email, d.state, d.attempt, d.code, d.reply, d.relay, d.at, d.next_at
     FROM delivery d JOIN subscriber p ON p.id = d.subscriber_id
     WHERE d.issue_id = ?1 AND d.subscriber_id > ?2 AND (?3 IS NULL OR d.state = ?3)
       AND EXISTS (SELECT 1 FROM issue i WHERE i.id = ?1 AND i.fanout_after IS NULL)
     ORDER BY d.subscriber_id LIMIT ?4";

/// What runs while mails go out, for a look at how SQLite would do it.
#[cfg(test)]
pub(super) const HOT: [&str; 6] = [DUE, QUEUED, NEXT_DEFERRED, NEXT_DEFERRED_AFTER, PAGE, AMONG];

/// Somebody whose mail may be claimed: what was read ahead, and stays as it is until [`Store::commit_batch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which mail it is.
    pub key: MailKey,
    /// The list that the mail is of.
    pub list: ListId,
    /// The person.
    pub subscriber: SubscriberId,
    /// Their address.
    pub email: Address,
    /// Their name; empty where it is not known.
    pub name: String,
    /// Since when they are subscribed; of a system mail, when it was queued.
    pub since: Timestamp,
    /// `queued` or `deferred`, when it was read.
    pub from: State,
    /// The claims made so far. The next claim has the number after it.
    pub attempt: u32,
    /// When it was first tried.
    pub first_at: Option<Timestamp>,
}

/// A query that gives one row of JSON.
type Scalar =
    sqlx::query::QueryScalar<'static, sqlx::Sqlite, String, sqlx::sqlite::SqliteArguments>;

/// A candidate as the statements give it: person, state, attempt, first_at, next_at, email, name, list, since.
type CandidateRow = (
    i64,
    i64,
    u32,
    Option<i64>,
    Option<i64>,
    String,
    String,
    i64,
    i64,
);

/// How far an issue's queue was read; by default nothing of it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuePosition {
    /// Time and person of the last deferred one.
    due: (i64, i64),
    /// The last person whose first try waits.
    queued: i64,
    /// As `due`, of those whose time is not believed.
    far: (i64, i64),
}

impl Default for QueuePosition {
    fn default() -> QueuePosition {
        QueuePosition {
            due: (i64::MIN, 0),
            queued: 0,
            far: (i64::MIN, 0),
        }
    }
}

impl QueuePosition {
    /// The position from which those who are deferred are read from the start, and the others from here.
    pub fn without_deferred(self) -> QueuePosition {
        QueuePosition {
            queued: self.queued,
            ..QueuePosition::default()
        }
    }
}

/// What was read ahead.
#[derive(Clone, Debug)]
pub struct ReadAhead {
    /// Those who may be claimed, in the order in which they were found.
    pub people: Vec<Candidate>,
    /// From where to read on.
    pub next: QueuePosition,
    /// Nobody follows for now.
    pub is_last: bool,
}

/// One line of `deliveries ISSUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The person.
    pub subscriber: SubscriberId,
    /// Their address as it is now.
    pub email: String,
    /// Where their mail stands.
    pub state: State,
    /// The number of claims.
    pub attempts: u32,
    /// The SMTP reply code of the last try; `None` where no server answered.
    pub code: Option<u16>,
    /// The server's answer, or our own reason.
    pub reply: Option<String>,
    /// The relay of the last try, as the settings name it.
    pub relay: Option<String>,
    /// The last change; `None` where the mail was never claimed.
    pub at: Option<Timestamp>,
    /// When a deferred mail is due again.
    pub next_at: Option<Timestamp>,
}

impl Store {
    /// Reads ahead, in this order: those deferred who are due, those queued, and those deferred to a time beyond
    /// `horizon`, who are due as well, since the clock was set back meanwhile; each after where `from` stands.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn read_ahead(
        &self,
        issue: IssueId,
        from: QueuePosition,
        now: Timestamp,
        horizon: Timestamp,
        limit: usize,
    ) -> Result<ReadAhead> {
        let say = self.reading("reading who is to be mailed");
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let left = |rows: &Vec<_>| most - i64::try_from(rows.len()).unwrap_or(most);
        let due = |until: i64, most: i64, after: (i64, i64)| {
            sqlx::query_scalar(DUE)
                .bind(issue.0)
                .bind(until)
                .bind(most)
                .bind(after.0)
                .bind(after.1)
        };
        let mut rows = self
            .candidate_rows(due(now.as_millisecond(), most, from.due))
            .await
            .map_err(&say)?;
        let mut next = from;
        next.due = rows.last().map_or(from.due, time_and_person);
        if left(&rows) > 0 {
            let queued = sqlx::query_scalar(QUEUED)
                .bind(issue.0)
                .bind(from.queued)
                .bind(left(&rows));
            let queued = self.candidate_rows(queued).await.map_err(&say)?;
            next.queued = queued.last().map_or(next.queued, |(who, ..)| *who);
            rows.extend(queued);
        }
        if left(&rows) > 0 {
            let after = from.far.max((horizon.as_millisecond(), i64::MAX));
            let far = self
                .candidate_rows(due(i64::MAX, left(&rows), after))
                .await
                .map_err(&say)?;
            next.far = far.last().map_or(from.far, time_and_person);
            rows.extend(far);
        }
        let is_last = rows.len() < limit;
        Ok(ReadAhead {
            is_last,
            people: candidates(rows, issue).map_err(say)?,
            next,
        })
    }

    async fn candidate_rows(&self, query: Scalar) -> sqlx::Result<Vec<CandidateRow>> {
        let json: String = query.fetch_one(self.readers()).await?;
        serde_json::from_str(&json).map_err(|e| sqlx::Error::Decode(e.into()))
    }

    /// Those of some people who may be mailed now, be it their first try or a later one that is due. `horizon` is that
    /// of [`Store::read_ahead`].
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn waiting_among(
        &self,
        issue: IssueId,
        who: &[SubscriberId],
        now: Timestamp,
        horizon: Timestamp,
    ) -> Result<Vec<Candidate>> {
        let say = self.reading("reading who is to be mailed");
        let ids = serde_json::to_string(&who.iter().map(|id| id.0).collect::<Vec<_>>())
            .unwrap_or_default();
        let among = sqlx::query_scalar(AMONG)
            .bind(issue.0)
            .bind(ids)
            .bind(now.as_millisecond());
        let rows = self
            .candidate_rows(among.bind(horizon.as_millisecond()))
            .await
            .map_err(&say)?;
        candidates(rows, issue).map_err(say)
    }

    /// When the next deferred one of an issue is due; `None` where nobody is deferred.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn next_deferred(&self, issue: IssueId) -> Result<Option<Timestamp>> {
        let at: Option<i64> = sqlx::query_scalar(NEXT_DEFERRED)
            .bind(issue.0)
            .fetch_optional(self.readers())
            .await
            .map_err(self.reading("reading who is deferred"))?;
        Ok(at.map(time_of))
    }

    /// When the next deferred one of an issue is due that is not due yet; `None` where there is none.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn next_deferred_after(
        &self,
        issue: IssueId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let at: Option<i64> = sqlx::query_scalar(NEXT_DEFERRED_AFTER)
            .bind(issue.0)
            .bind(now.as_millisecond())
            .fetch_optional(self.readers())
            .await
            .map_err(self.reading("reading who is deferred"))?;
        Ok(at.map(time_of))
    }

    /// A page of an issue's ledger in the order of its people, those after `after` only; a short page is the
    /// last. Until the audience is whole there are none.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn deliveries(
        &self,
        issue: IssueId,
        state: Option<State>,
        after: SubscriberId,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>> {
        let say = self.reading("reading the deliveries");
        let rows = sqlx::query(PAGE)
            .bind(issue.0)
            .bind(after.0)
            .bind(state.map(|s| s as i64))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.readers())
            .await
            .map_err(&say)?;
        rows.iter()
            .map(delivery_row)
            .collect::<sqlx::Result<_>>()
            .map_err(say)
    }

    /// Counts the rows of an issue one by one: what its totals must be at every instant.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn audit(&self, issue: IssueId) -> Result<Totals> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT state, count(*) FROM delivery WHERE issue_id = ? GROUP BY state",
        )
        .bind(issue.0)
        .fetch_all(self.readers())
        .await
        .map_err(self.reading("counting the deliveries"))?;
        let mut totals = Totals::default();
        for (number, n) in rows {
            if let Some(state) = State::from_number(number) {
                *totals.of_mut(state) = u64::try_from(n).unwrap_or_default();
            }
        }
        Ok(totals)
    }
}

/// A stored state of a delivery.
pub(super) fn delivery_state(number: i64) -> sqlx::Result<State> {
    State::from_number(number)
        .ok_or_else(|| sqlx::Error::Decode(format!("{number} is no state of a delivery").into()))
}

fn time_and_person((who, _, _, _, next_at, ..): &CandidateRow) -> (i64, i64) {
    (next_at.unwrap_or(i64::MIN), *who)
}

fn candidates(rows: Vec<CandidateRow>, issue: IssueId) -> sqlx::Result<Vec<Candidate>> {
    let candidate = |(who, state, attempt, first_at, _, email, name, list, since): CandidateRow| {
        Ok(Candidate {
            key: MailKey::Issue(issue, SubscriberId(who)),
            list: ListId(list),
            subscriber: SubscriberId(who),
            email: Address::trusted(email),
            name,
            since: time_of(since),
            from: delivery_state(state)?,
            attempt,
            first_at: first_at.map(time_of),
        })
    };
    rows.into_iter().map(candidate).collect()
}

fn delivery_row(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<DeliveryRow> {
    Ok(DeliveryRow {
        subscriber: SubscriberId(row.try_get("subscriber_id")?),
        email: row.try_get("email")?,
        state: delivery_state(row.try_get("state")?)?,
        attempts: row.try_get("attempt")?,
        code: row.try_get("code")?,
        reply: row.try_get("reply")?,
        relay: row.try_get("relay")?,
        at: row.try_get::<Option<i64>, _>("at")?.map(time_of),
        next_at: row.try_get::<Option<i64>, _>("next_at")?.map(time_of),
    })
}
