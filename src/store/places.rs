//! The rows behind joining and leaving: a person, a person's place on a list, and the history of consent.
//! Each function is a step within a transaction of `store::people`, where the rules stand.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::people::{Consent, Left};
use super::{Result, split_tags, state_of, time_of};
use crate::model::subscriber::{ConsentEvent, Subscriber, Subscription, SubscriptionState};
use crate::model::{Address, ListId, SubscriberId};

const IS_SUPPRESSED: &str = "SELECT 1 FROM suppression WHERE email = ?";
const FIND: &str = "SELECT id FROM subscriber WHERE email = ?";
const PLACE: &str =
    "SELECT state, since, asked_at FROM subscription WHERE list_id = ? AND subscriber_id = ?";
const MAIL_WAITS: &str =
    "SELECT 1 FROM system_mail WHERE subscriber_id = ? AND list_id = ? AND kind = 'confirm'
    AND state IN (0, 1, 3) LIMIT 1";
const HAD_AGREED: &str = "SELECT 1 FROM consent WHERE subscriber_id = ? AND list_id = ?
    AND event IN ('confirmed', 'imported', 'added', 'undone') LIMIT 1";
const WAS_GONE: &str =
    "SELECT 1 FROM consent WHERE subscriber_id = ? AND list_id = ? AND event <> 'asked' LIMIT 1";
const PLACES_OF: &str = "SELECT list.key, state FROM subscription JOIN list ON list.id = list_id
    WHERE subscriber_id = ? ORDER BY list.key";

/// A subscription's row, as the moves look at it.
pub(super) struct Place {
    pub state: SubscriptionState,
    pub since: Timestamp,
    pub asked_at: Option<Timestamp>,
}

impl Place {
    /// Whether a sign-up at `now` must stay without a mail.
    pub(super) fn is_quiet(&self, now: Timestamp, quiet_for: Duration) -> bool {
        // Either way from now: a clock that was set back must not let a second mail out.
        let recent = |at: Timestamp| now.duration_since(at).unsigned_abs() < quiet_for;
        self.state == SubscriptionState::Active || self.asked_at.is_some_and(recent)
    }
}

/// Whether `now` lies more than `within` after `since`.
pub(super) fn is_past(since: Timestamp, within: Duration, now: Timestamp) -> bool {
    let passed = now.duration_since(since);
    passed.is_positive() && passed.unsigned_abs() > within
}

pub(super) async fn is_suppressed(c: &mut SqliteConnection, email: &Address) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(IS_SUPPRESSED)
        .bind(email.as_str())
        .fetch_optional(c)
        .await?;
    Ok(found.is_some())
}

pub(super) async fn find(
    c: &mut SqliteConnection,
    email: &Address,
) -> sqlx::Result<Option<SubscriberId>> {
    let id = sqlx::query_scalar(FIND)
        .bind(email.as_str())
        .fetch_optional(c)
        .await?;
    Ok(id.map(SubscriberId))
}

/// The row of an address, made where missing. A name that is given is taken while the person is active nowhere.
pub(super) async fn subscriber_row(
    c: &mut SqliteConnection,
    email: &Address,
    name: &str,
    now: Timestamp,
) -> Result<SubscriberId> {
    let id = sqlx::query_scalar(
        "INSERT INTO subscriber (email, name, created_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (email) DO UPDATE SET name = CASE
             WHEN excluded.name = '' OR EXISTS (
                 SELECT 1 FROM subscription WHERE subscriber_id = subscriber.id AND state = ?4)
             THEN name ELSE excluded.name END
         RETURNING id",
    )
    .bind(email.as_str())
    .bind(name)
    .bind(now.as_millisecond())
    .bind(SubscriptionState::Active as u8)
    .fetch_one(c)
    .await?;
    Ok(SubscriberId(id))
}

pub(super) async fn place(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
) -> Result<Option<Place>> {
    let row: Option<(i64, i64, Option<i64>)> = sqlx::query_as(PLACE)
        .bind(list.0)
        .bind(who.0)
        .fetch_optional(c)
        .await?;
    row.map(|(state, since, asked_at)| {
        Ok(Place {
            state: state_of(state)?,
            since: time_of(since),
            asked_at: asked_at.map(time_of),
        })
    })
    .transpose()
}

/// Notes that the person was asked now; who is pending already stays so since then.
pub(super) async fn ask(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
    place: Option<&Place>,
    now: Timestamp,
) -> Result<()> {
    if place.is_none_or(|p| p.state != SubscriptionState::Pending) {
        set(c, list, who, SubscriptionState::Pending, now).await?;
    }
    sqlx::query("UPDATE subscription SET asked_at = ? WHERE list_id = ? AND subscriber_id = ?")
        .bind(now.as_millisecond())
        .bind(list.0)
        .bind(who.0)
        .execute(c)
        .await?;
    Ok(())
}

/// Puts a person's place on a list, made where missing, into a state. A question that was open is answered by
/// becoming active, and stays on record otherwise, so that leaving does not let a second mail out.
pub(super) async fn set(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
    state: SubscriptionState,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO subscription (list_id, subscriber_id, state, since) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET state = ?3, since = ?4, asked_at = iif(?3 = ?5, NULL, asked_at)",
    )
    .bind(list.0)
    .bind(who.0)
    .bind(state as u8)
    .bind(now.as_millisecond())
    .bind(SubscriptionState::Active as u8)
    .execute(c)
    .await?;
    Ok(())
}

pub(super) async fn leave_one(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
    consent: &Consent,
) -> Result<Left> {
    match place(c, list, who).await? {
        None => Ok(Left::Unknown),
        Some(p)
            if matches!(
                p.state,
                SubscriptionState::Unsubscribed | SubscriptionState::Complained
            ) =>
        {
            Ok(Left::Already)
        }
        Some(_) => {
            set(c, list, who, SubscriptionState::Unsubscribed, consent.at).await?;
            record(c, list, who, ConsentEvent::Left, consent).await?;
            Ok(Left::Now)
        }
    }
}

/// Adds a row to the history of consent.
pub(super) async fn record(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
    event: ConsentEvent,
    consent: &Consent,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO consent (subscriber_id, list_id, at, event, how, network) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(who.0)
    .bind(list.0)
    .bind(consent.at.as_millisecond())
    .bind(event.word())
    .bind(consent.how.word())
    .bind(&consent.network)
    .execute(c)
    .await?;
    Ok(())
}

/// Whether a confirmation mail to this person still waits or is on its way.
pub(super) async fn mail_waits(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(MAIL_WAITS)
        .bind(who.0)
        .bind(list.0)
        .fetch_optional(c)
        .await?;
    Ok(found.is_some())
}

/// Whether the person was ever active on the list.
pub(super) async fn had_agreed(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(HAD_AGREED)
        .bind(who.0)
        .bind(list.0)
        .fetch_optional(c)
        .await?;
    Ok(found.is_some())
}

/// Whether somebody who is pending now was gone before: anybody could have signed them up again, and that
/// must not let the author's word bring them back.
pub(super) async fn was_gone(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
    now: &Place,
) -> Result<bool> {
    if now.state != SubscriptionState::Pending {
        return Ok(false);
    }
    let more: Option<i64> = sqlx::query_scalar(WAS_GONE)
        .bind(who.0)
        .bind(list.0)
        .fetch_optional(c)
        .await?;
    Ok(more.is_some())
}

/// Gives a person another name; an empty one changes nothing.
pub(super) async fn rename(c: &mut SqliteConnection, who: SubscriberId, name: &str) -> Result<()> {
    sqlx::query("UPDATE subscriber SET name = ?2 WHERE id = ?1 AND ?2 <> ''")
        .bind(who.0)
        .bind(name)
        .execute(c)
        .await?;
    Ok(())
}

/// A person with all their places, in the order of the lists' keys.
pub(super) async fn load(
    c: &mut SqliteConnection,
    who: SubscriberId,
) -> sqlx::Result<Option<Subscriber>> {
    let row: Option<(String, String, String, i64)> =
        sqlx::query_as("SELECT email, name, tags, created_at FROM subscriber WHERE id = ?")
            .bind(who.0)
            .fetch_optional(&mut *c)
            .await?;
    let Some((email, name, tags, joined_at)) = row else {
        return Ok(None);
    };
    let places: Vec<(String, i64)> = sqlx::query_as(PLACES_OF).bind(who.0).fetch_all(c).await?;
    let subscriptions = places
        .into_iter()
        .map(|(list, state)| {
            Ok(Subscription {
                list,
                state: state_of(state)?,
            })
        })
        .collect::<sqlx::Result<_>>()?;
    Ok(Some(Subscriber {
        id: who,
        email: Address::trusted(email),
        name,
        tags: split_tags(&tags),
        subscriptions,
        joined_at: time_of(joined_at),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{open, plan};

    #[tokio::test]
    async fn whatever_a_visitor_can_ask_for_is_found_by_an_index() {
        let (_dir, store) = open().await;
        for sql in [
            IS_SUPPRESSED,
            FIND,
            PLACE,
            MAIL_WAITS,
            HAD_AGREED,
            WAS_GONE,
            PLACES_OF,
        ] {
            let plan = plan(&store, sql).await;
            assert!(
                plan.contains("SEARCH") && !plan.contains("SCAN"),
                "{sql}: {plan}"
            );
        }
    }
}
