//! People join and leave: every change of a subscription, with its row of consent in one transaction.
//!
//! What may happen to whom is decided by `model::subscription`; this file reads a person's membership, asks it, and
//! writes what it says. Two matters are settled here, since they are about rows of other tables: an address that is
//! suppressed gets no mail, and none goes out while another waits. What it leaves to others: a batch of people from a
//! file (`store::import`), and whether a mail really goes out, which its claim looks at again
//! (`store::commit_batch`).

use std::time::Duration;

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Result, Store, StoreError, split_tags, state_of, time_of};
use crate::model::rendered::Rendered;
use crate::model::subscriber::{NAME_MAX_CHARS, Subscriber, Subscription, tidy};
use crate::model::subscription::{
    Added, Confirmed, Consent, ConsentEvent, History, Membership, SignUp, SubscriptionEvent,
    SubscriptionState, Undone, Unsubscribed, step,
};
use crate::model::{Address, ListId, SubscriberId};

const IS_SUPPRESSED: &str = "SELECT 1 FROM suppression WHERE email = ?";
const FIND: &str = "SELECT id FROM subscriber WHERE email = ?";
const MEMBERSHIP: &str = "SELECT p.state, p.since, p.asked_at,
        (SELECT group_concat(DISTINCT event) FROM consent AS c
         WHERE c.subscriber_id = p.subscriber_id AND c.list_id = p.list_id)
    FROM subscription AS p WHERE p.list_id = ? AND p.subscriber_id = ?";
const MAIL_WAITS: &str =
    "SELECT 1 FROM system_mail WHERE subscriber_id = ? AND list_id = ? AND kind = 'confirm'
    AND state IN (0, 1, 3) LIMIT 1";
const SUBSCRIPTIONS_OF: &str =
    "SELECT list.key, state FROM subscription JOIN list ON list.id = list_id
    WHERE subscriber_id = ? ORDER BY list.key";
/// A time of asking that is given replaces the one that is there; becoming active answers the question. It stays on
/// record otherwise, so that leaving does not let a second mail out.
const MOVE: &str = "INSERT INTO subscription (list_id, subscriber_id, state, since, asked_at)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO UPDATE SET state = excluded.state,
        since = iif(state = excluded.state, since, excluded.since),
        asked_at = coalesce(excluded.asked_at, iif(excluded.state = 1, NULL, asked_at))";

impl Store {
    /// Takes a wish to join and queues the confirmation mail in the same transaction, or stays quiet.
    ///
    /// A new name is taken only while the person is active nowhere: until they confirm it stands in no mail.
    /// No second mail is queued within `quiet_for` of the first, nor while one still waits for the relay.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn sign_up(
        &self,
        list: ListId,
        email: &Address,
        name: &str,
        consent: Consent,
        mail: Rendered,
        quiet_for: Duration,
    ) -> Result<SignUp> {
        let (email, name) = (email.clone(), one_line(name));
        let mail = serde_json::to_string(&mail).map_err(|e| {
            StoreError::refused(format!("the confirmation mail can't be stored: {e}"))
        })?;
        self.write("signing somebody up", move |c| {
            Box::pin(async move {
                if is_suppressed(c, &email).await? {
                    return Ok(SignUp::Quiet);
                }
                let who = subscriber_row(c, &email, &name, consent.at).await?;
                let member = membership(c, list, who).await?;
                if member.is_some_and(|m| !m.may_be_asked(consent.at, quiet_for)) {
                    return Ok(SignUp::Quiet);
                }
                apply(c, list, who, member, SubscriptionEvent::SignUp, &consent).await?;
                if mail_waits(c, list, who).await? {
                    return Ok(SignUp::Quiet);
                }
                queue_confirmation(c, list, who, mail, consent.at).await?;
                Ok(SignUp::Asked)
            })
        })
        .await
    }

    /// Makes a pending person active, where the confirmation mail was queued no longer than `within` ago.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn confirm(
        &self,
        list: ListId,
        who: SubscriberId,
        consent: Consent,
        within: Duration,
    ) -> Result<Confirmed> {
        self.write("confirming a subscription", move |c| {
            Box::pin(async move {
                let member = membership(c, list, who).await?;
                let outcome = Confirmed::of(member.as_ref(), consent.at, within);
                if outcome == Confirmed::Now {
                    apply(c, list, who, member, SubscriptionEvent::Confirm, &consent).await?;
                }
                Ok(outcome)
            })
        })
        .await
    }

    /// Takes a person off a list. Issues that are queued for them are skipped when they are claimed.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn unsubscribe(
        &self,
        list: ListId,
        who: SubscriberId,
        consent: Consent,
    ) -> Result<Unsubscribed> {
        self.write("taking somebody off a list", move |c| {
            Box::pin(async move { unsubscribe(c, list, who, &consent).await })
        })
        .await
    }

    /// Takes an unsubscription back, where it happened no longer than `within` ago and the person was active before.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn undo_unsubscribe(
        &self,
        list: ListId,
        who: SubscriberId,
        consent: Consent,
        within: Duration,
    ) -> Result<Undone> {
        self.write("undoing an unsubscription", move |c| {
            Box::pin(async move {
                let member = membership(c, list, who).await?;
                let outcome = Undone::of(member.as_ref(), consent.at, within);
                if outcome == Undone::Now {
                    apply(c, list, who, member, SubscriptionEvent::Undo, &consent).await?;
                }
                Ok(outcome)
            })
        })
        .await
    }

    /// Makes a person active because the author says so. Who left is not brought back.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn add(
        &self,
        list: ListId,
        email: &Address,
        name: &str,
        consent: Consent,
    ) -> Result<Added> {
        let (email, name) = (email.clone(), one_line(name));
        self.write("adding somebody", move |c| {
            Box::pin(async move {
                let who = subscriber_row(c, &email, "", consent.at).await?;
                let member = membership(c, list, who).await?;
                let outcome = Added::of(member.as_ref());
                if !matches!(outcome, Added::Gone(..)) {
                    rename(c, who, &name).await?;
                }
                if outcome == Added::Now {
                    apply(c, list, who, member, SubscriptionEvent::Add, &consent).await?;
                }
                Ok(outcome)
            })
        })
        .await
    }

    /// Takes a person off one list, or off all where `list` is `None`; gives the keys of the lists left now.
    /// `None`: nobody of that address is known (on that list).
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn remove(
        &self,
        list: Option<ListId>,
        email: &Address,
        consent: Consent,
    ) -> Result<Option<Vec<String>>> {
        let email = email.clone();
        self.write("removing somebody", move |c| {
            Box::pin(async move {
                let Some(who) = find(c, &email).await? else {
                    return Ok(None);
                };
                let lists: Vec<(i64, String)> = sqlx::query_as(
                    "SELECT list.id, list.key FROM subscription JOIN list ON list.id = list_id
                     WHERE subscriber_id = ? AND (?2 IS NULL OR list_id = ?2) ORDER BY list.key",
                )
                .bind(who.0)
                .bind(list.map(|l| l.0))
                .fetch_all(&mut *c)
                .await?;
                if lists.is_empty() {
                    return Ok(None);
                }
                let mut left = Vec::new();
                for (id, key) in lists {
                    if unsubscribe(c, ListId(id), who, &consent).await? == Unsubscribed::Now {
                        left.push(key);
                    }
                }
                Ok(Some(left))
            })
        })
        .await
    }

    /// A person's membership of a list; `None` where the person never was on it.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn membership(&self, list: ListId, who: SubscriberId) -> Result<Option<Membership>> {
        let say = self.reading("reading a subscription");
        let mut reader = self.readers().acquire().await.map_err(&say)?;
        membership(&mut reader, list, who).await.map_err(say)
    }

    /// A person with all their subscriptions; `None` where the row is not there.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn subscriber(&self, who: SubscriberId) -> Result<Option<Subscriber>> {
        let say = self.reading("reading a subscriber");
        let mut reader = self.readers().acquire().await.map_err(&say)?;
        load(&mut reader, who).await.map_err(say)
    }

    /// The person of an address, without regard to case; `None` where nobody has it.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn find_subscriber(&self, email: &Address) -> Result<Option<Subscriber>> {
        let say = self.reading("looking for a subscriber");
        let mut reader = self.readers().acquire().await.map_err(&say)?;
        match find(&mut reader, email).await.map_err(&say)? {
            Some(who) => load(&mut reader, who).await.map_err(say),
            None => Ok(None),
        }
    }
}

/// A name as it is kept; what no name needs is cut off.
fn one_line(name: &str) -> String {
    tidy(name).chars().take(NAME_MAX_CHARS).collect()
}

async fn is_suppressed(c: &mut SqliteConnection, email: &Address) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(IS_SUPPRESSED)
        .bind(email.as_str())
        .fetch_optional(c)
        .await?;
    Ok(found.is_some())
}

async fn find(c: &mut SqliteConnection, email: &Address) -> sqlx::Result<Option<SubscriberId>> {
    let id = sqlx::query_scalar(FIND)
        .bind(email.as_str())
        .fetch_optional(c)
        .await?;
    Ok(id.map(SubscriberId))
}

/// The row of an address, made where missing. A name that is given is taken while the person is active nowhere.
async fn subscriber_row(
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

async fn membership(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
) -> sqlx::Result<Option<Membership>> {
    let row: Option<(i64, i64, Option<i64>, Option<String>)> = sqlx::query_as(MEMBERSHIP)
        .bind(list.0)
        .bind(who.0)
        .fetch_optional(c)
        .await?;
    row.map(|(state, since, asked_at, events)| {
        Ok(Membership {
            state: state_of(state)?,
            since: time_of(since),
            asked_at: asked_at.map(time_of),
            history: history_of(&events.unwrap_or_default()),
        })
    })
    .transpose()
}

/// What the words of the events in somebody's history amount to. A word that is not known is taken for one that keeps
/// the author from bringing somebody back.
fn history_of(words: &str) -> History {
    words
        .split(',')
        .filter(|word| !word.is_empty())
        .map(|word| ConsentEvent::from_word(word).map_or(History::Left, History::of))
        .max()
        .unwrap_or_default()
}

/// Applies an event to somebody's membership, with its row of consent. Where the table of moves does not allow it,
/// nothing is written.
async fn apply(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
    member: Option<Membership>,
    event: SubscriptionEvent,
    consent: &Consent,
) -> Result<()> {
    let (from, history) = member.map_or((None, History::OnlyAsked), |m| (Some(m.state), m.history));
    let Some(to) = step(from, history, event) else {
        return Ok(());
    };
    let at = consent.at.as_millisecond();
    sqlx::query(MOVE)
        .bind(list.0)
        .bind(who.0)
        .bind(to as u8)
        .bind(at)
        .bind((event == SubscriptionEvent::SignUp).then_some(at))
        .execute(&mut *c)
        .await?;
    sqlx::query(
        "INSERT INTO consent (subscriber_id, list_id, at, event, how, network) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(who.0)
    .bind(list.0)
    .bind(at)
    .bind(event.consent().word())
    .bind(consent.how.word())
    .bind(&consent.network)
    .execute(c)
    .await?;
    Ok(())
}

async fn unsubscribe(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
    consent: &Consent,
) -> Result<Unsubscribed> {
    let member = membership(c, list, who).await?;
    let outcome = Unsubscribed::of(member.as_ref());
    apply(
        c,
        list,
        who,
        member,
        SubscriptionEvent::Unsubscribe,
        consent,
    )
    .await?;
    Ok(outcome)
}

/// Whether a confirmation mail to this person still waits or is on its way.
async fn mail_waits(c: &mut SqliteConnection, list: ListId, who: SubscriberId) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(MAIL_WAITS)
        .bind(who.0)
        .bind(list.0)
        .fetch_optional(c)
        .await?;
    Ok(found.is_some())
}

async fn queue_confirmation(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
    mail: String,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO system_mail (kind, list_id, subscriber_id, rendered, state, queued_at)
         VALUES ('confirm', ?, ?, ?, 0, ?)",
    )
    .bind(list.0)
    .bind(who.0)
    .bind(mail)
    .bind(now.as_millisecond())
    .execute(c)
    .await?;
    Ok(())
}

/// Gives a person another name; an empty one changes nothing.
async fn rename(c: &mut SqliteConnection, who: SubscriberId, name: &str) -> Result<()> {
    sqlx::query("UPDATE subscriber SET name = ?2 WHERE id = ?1 AND ?2 <> ''")
        .bind(who.0)
        .bind(name)
        .execute(c)
        .await?;
    Ok(())
}

/// A person with all their subscriptions, in the order of the lists' keys.
async fn load(c: &mut SqliteConnection, who: SubscriberId) -> sqlx::Result<Option<Subscriber>> {
    let row: Option<(String, String, String, i64)> =
        sqlx::query_as("SELECT email, name, tags, created_at FROM subscriber WHERE id = ?")
            .bind(who.0)
            .fetch_optional(&mut *c)
            .await?;
    let Some((email, name, tags, joined_at)) = row else {
        return Ok(None);
    };
    let rows: Vec<(String, i64)> = sqlx::query_as(SUBSCRIPTIONS_OF)
        .bind(who.0)
        .fetch_all(c)
        .await?;
    let subscriptions = rows
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
mod tests;
