//! Confirmation mails and their like, read: who may be claimed next, and what became of them.
//!
//! What it leaves to others: `store::subscriptions` queues them in the transaction that wants them, and
//! `store::commit_batch` claims and answers them as it does the ledger's mails, by the same states.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::deliveries::{Candidate, delivery_state};
use super::issues::read_rendered;
use super::{Result, Store, time_of};
use crate::model::delivery::{MailKey, State};
use crate::model::{Address, ListId, Rendered, SubscriberId, SystemMailId};

/// What is being done where reading a system mail fails.
const READING: &str = "reading the confirmation mails";

/// A page of those of some lists, `?4`, that may be claimed, after number `?5`. `state IN (0, 3)` stands word for word as
/// in the partial index, or it would not be used.
const WAITING: &str =
    "SELECT m.id, m.list_id, m.subscriber_id, m.state, m.attempt, m.first_at, m.queued_at, m.rendered, p.email, p.name
     FROM system_mail m INDEXED BY system_mail_waiting JOIN subscriber p ON p.id = m.subscriber_id
     WHERE m.state IN (0, 3) AND (m.next_at IS NULL OR m.next_at <= ?1 OR m.next_at > ?2)
       AND m.list_id IN (SELECT value FROM json_each(?4) j) AND m.id > ?5
     ORDER BY m.id LIMIT ?3";
/// `queued` ones have no time.
const NEXT: &str = "SELECT next_at FROM system_mail INDEXED BY system_mail_live
     WHERE state = 3 AND state IN (0, 3) AND next_at > ? ORDER BY next_at LIMIT 1";
/// What runs while mails go out, for a look at how SQLite would do it.
#[cfg(test)]
pub(super) const HOT: [&str; 2] = [WAITING, NEXT];

/// A system mail that may be claimed, with its content.
#[derive(Clone, Debug)]
pub struct WaitingMail {
    /// What its claim needs.
    pub candidate: Candidate,
    /// Its content.
    pub rendered: Rendered,
    /// When it was asked for.
    pub queued_at: Timestamp,
}

/// The waiting mails that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableMails {
    /// Their number, at least one.
    pub count: usize,
    /// The oldest of them.
    pub first: SystemMailId,
    /// Why the oldest can't be read.
    pub why: String,
}

/// What became of a system mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemMailRow {
    /// Its kind; `confirm` is the only one so far.
    pub kind: String,
    /// The list's key.
    pub list: String,
    /// Where its sending stands.
    pub state: State,
    /// The number of tries.
    pub attempts: u32,
    /// When it was asked for.
    pub queued_at: Timestamp,
    /// The last change; `None` where it was never tried.
    pub at: Option<Timestamp>,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// The SMTP reply code of the last try; `None` where no server answered.
    pub code: Option<u16>,
    /// The server's answer, or our own reason.
    pub reply: Option<String>,
}

impl Store {
    /// The system mails of some lists that may be claimed now, oldest first, and those that can't be read, where there
    /// are any. These stay as they are and are passed over: they hide none behind them, and a program that knows their
    /// format may send them yet.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn waiting_system_mails(
        &self,
        now: Timestamp,
        horizon: Timestamp,
        lists: &[ListId],
        limit: usize,
    ) -> Result<(Vec<WaitingMail>, Option<UnreadableMails>)> {
        let mut waiting = Vec::new();
        let (mut unreadable, mut after) = (None, SystemMailId(0));
        loop {
            let rows = self
                .system_mails_after(after, now, horizon, lists, limit)
                .await?;
            for row in &rows {
                after = SystemMailId(row.try_get("id").map_err(self.reading(READING))?);
                match waiting_mail(row) {
                    Ok(mail) => waiting.push(mail),
                    Err(why) => note(&mut unreadable, after, why),
                }
            }
            if rows.len() < limit || waiting.len() >= limit {
                waiting.truncate(limit);
                return Ok((waiting, unreadable));
            }
        }
    }

    /// The rows of one page of [`Store::waiting_system_mails`].
    async fn system_mails_after(
        &self,
        after: SystemMailId,
        now: Timestamp,
        horizon: Timestamp,
        lists: &[ListId],
        limit: usize,
    ) -> Result<Vec<SqliteRow>> {
        let lists = serde_json::to_string(&lists.iter().map(|id| id.0).collect::<Vec<_>>());
        sqlx::query(WAITING)
            .bind(now.as_millisecond())
            .bind(horizon.as_millisecond())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(lists.unwrap_or_default())
            .bind(after.0)
            .fetch_all(self.readers())
            .await
            .map_err(self.reading(READING))
    }

    /// When a system mail next falls due that is not due yet; `None` where none is.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn next_system_mail(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let next = sqlx::query_scalar(NEXT)
            .bind(now.as_millisecond())
            .fetch_optional(self.readers());
        let at: Option<i64> = next.await.map_err(self.reading(READING))?;
        Ok(at.map(time_of))
    }

    /// The last ten system mails to somebody, oldest first.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn system_mails_to(&self, who: SubscriberId) -> Result<Vec<SystemMailRow>> {
        let mut mails = sqlx::query(
            "SELECT kind, list.key, state, attempt, queued_at, at, next_at, code, reply
             FROM system_mail JOIN list ON list.id = list_id
             WHERE subscriber_id = ? ORDER BY system_mail.id DESC LIMIT 10",
        )
        .bind(who.0)
        .try_map(|row| system_mail_row(&row))
        .fetch_all(self.readers())
        .await
        .map_err(self.reading("reading the mails to a subscriber"))?;
        mails.reverse();
        Ok(mails)
    }
}

/// Counts a mail that can't be read; the first one is named.
fn note(unreadable: &mut Option<UnreadableMails>, id: SystemMailId, why: String) {
    let first = UnreadableMails {
        count: 0,
        first: id,
        why,
    };
    unreadable.get_or_insert(first).count += 1;
}

/// A waiting mail, or why its row can't be read.
fn waiting_mail(row: &SqliteRow) -> std::result::Result<WaitingMail, String> {
    let why = |e: sqlx::Error| e.to_string();
    let text: String = row.try_get("rendered").map_err(why)?;
    Ok(WaitingMail {
        candidate: candidate(row).map_err(why)?,
        rendered: read_rendered(&text).map_err(|e| e.to_string())?,
        queued_at: time_of(row.try_get("queued_at").map_err(why)?),
    })
}

fn candidate(row: &SqliteRow) -> sqlx::Result<Candidate> {
    Ok(Candidate {
        key: MailKey::System(SystemMailId(row.try_get("id")?)),
        list: ListId(row.try_get("list_id")?),
        subscriber: SubscriberId(row.try_get("subscriber_id")?),
        email: Address::trusted(row.try_get("email")?),
        name: row.try_get("name")?,
        since: time_of(row.try_get("queued_at")?),
        from: delivery_state(row.try_get("state")?)?,
        attempt: row.try_get("attempt")?,
        first_at: row.try_get::<Option<i64>, _>("first_at")?.map(time_of),
    })
}

fn system_mail_row(row: &SqliteRow) -> sqlx::Result<SystemMailRow> {
    let time = |column: &str| {
        row.try_get::<Option<i64>, _>(column)
            .map(|at| at.map(time_of))
    };
    Ok(SystemMailRow {
        kind: row.try_get("kind")?,
        list: row.try_get("key")?,
        state: delivery_state(row.try_get("state")?)?,
        attempts: row.try_get("attempt")?,
        queued_at: time_of(row.try_get("queued_at")?),
        at: time("at")?,
        next_at: time("next_at")?,
        code: row.try_get("code")?,
        reply: row.try_get("reply")?,
    })
}
