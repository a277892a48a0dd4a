//! Confirmation mails and their like: queued by `store::subscriptions` in the transaction that wants them, claimed and
//! answered by [`Store::exchange`](super::Store::exchange) as the ledger's mails are, by the same states.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::deliveries::{Candidate, delivery_state};
use super::issues::read_rendered;
use super::{Result, Store, time_of};
use crate::model::delivery::MailKey;
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
/// See [`Store::recover`](super::Store::recover).
pub(super) const RECOVER: &str = "UPDATE system_mail INDEXED BY system_mail_in_flight
     SET state = ?1, at = ?2, code = NULL, reply = ?3 WHERE state = 1";

/// What runs while mails go out, and what a start waits for.
#[cfg(test)]
pub(super) const HOT: [&str; 3] = [WAITING, NEXT, RECOVER];

/// A system mail that may be claimed, with its content.
#[derive(Clone, Debug)]
pub struct WaitingMail {
    pub candidate: Candidate,
    pub rendered: Rendered,
    pub queued_at: Timestamp,
}

impl Store {
    /// The system mails of some lists that may be claimed now, oldest first; and what is to be told of those that can't
    /// be read. They stay as they are and are passed over: they hide none behind them, and a program that knows their
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
    ) -> Result<(Vec<WaitingMail>, Option<String>)> {
        let mut waiting = Vec::new();
        let (mut unreadable, mut after) = (Unreadable::default(), SystemMailId(0));
        loop {
            let rows = self
                .system_mails_after(after, now, horizon, lists, limit)
                .await?;
            for row in &rows {
                after = SystemMailId(row.try_get("id").map_err(self.reading(READING))?);
                match waiting_mail(row) {
                    Ok(mail) => waiting.push(mail),
                    Err(why) => unreadable.note(after, why),
                }
            }
            if rows.len() < limit || waiting.len() >= limit {
                waiting.truncate(limit);
                return Ok((waiting, unreadable.told()));
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
}

/// The mails that one reading passed over.
#[derive(Default)]
struct Unreadable {
    count: usize,
    /// The oldest of them, and why it can't be read.
    first: Option<(SystemMailId, String)>,
}

impl Unreadable {
    fn note(&mut self, id: SystemMailId, why: String) {
        self.count += 1;
        self.first.get_or_insert((id, why));
    }

    /// One sentence for all of them; `None` where there are none.
    fn told(&self) -> Option<String> {
        let (id, why) = self.first.as_ref()?;
        Some(format!(
            "{} of the confirmation mails can't be read and are not sent, the first of them number {}: {why}; \
             one that a newer Letterpress wrote waits for that program",
            self.count, id.0
        ))
    }
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
