//! People join and leave: every change of a subscription, each with its row of consent in one transaction.
//!
//! Rules that hold here: nobody becomes active but by their own confirmation or the author's word (`add`,
//! import); who left comes back only by signing up anew; what a stranger types changes nothing of a person
//! who is active. Whether a mail really goes out is decided again when it is claimed (`store::deliveries`).

use std::time::Duration;

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Result, Store, StoreError, split_tags, state_of, time_of};
use crate::model::rendered::Rendered;
use crate::model::subscriber::{ConsentEvent, How, Subscriber, Subscription, SubscriptionState};
use crate::model::{Address, ListId, SubscriberId};

/// When, how and from where a person, or the author for them, said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub at: Timestamp,
    pub how: How,
    /// The network it came from, no finer than /24 or /48: the caller has cut it already.
    pub network: Option<String>,
}

/// What a sign-up led to. The visitor is told neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// A confirmation mail is queued.
    Asked,
    /// None is: already active, asked a short while ago, or suppressed.
    Quiet,
}

/// What pressing "confirm" led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The person is active from now on.
    Now,
    /// The person was active before.
    Already,
    /// The question is too old, or the person left since: they may sign up again.
    Expired,
    /// No such person on this list.
    Unknown,
}

/// What leaving led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    Now,
    Already,
    Unknown,
}

/// What taking the leaving back led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    Now,
    Already,
    /// The person left too long ago.
    TooLate,
    /// Nothing there to undo.
    Unknown,
}

/// What adding by the author led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    Now,
    /// Active before; the name may be new.
    Already,
    /// The person left (or mail came back) at that time: only they can come back, by signing up.
    Gone(SubscriptionState, Timestamp),
}

/// A subscription's row, as the moves look at it.
struct Place {
    state: SubscriptionState,
    since: Timestamp,
    asked_at: Option<Timestamp>,
}

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
        let (email, name) = (email.clone(), name.to_owned());
        let mail = serde_json::to_string(&mail)
            .map_err(|e| StoreError::Refused(format!("the confirmation mail can't be stored: {e}")))?;
        self.write("signing somebody up", move |connection| {
            Box::pin(async move {
                let c = connection;
                if suppressed(c, &email).await? {
                    return Ok(SignUp::Quiet);
                }
                let who = subscriber_row(c, &email, &name, consent.at).await?;
                let place = place(c, list, who).await?;
                if place.as_ref().is_some_and(|p| p.is_quiet(consent.at, quiet_for)) {
                    return Ok(SignUp::Quiet);
                }
                ask(c, list, who, place.as_ref(), consent.at).await?;
                record(c, list, who, ConsentEvent::Asked, &consent).await?;
                if mail_waits(c, list, who).await? {
                    return Ok(SignUp::Quiet);
                }
                sqlx::query(
                    "INSERT INTO system_mail (kind, list_id, subscriber_id, rendered, state, queued_at)
                     VALUES ('confirm', ?, ?, ?, 0, ?)",
                )
                .bind(list.0)
                .bind(who.0)
                .bind(mail)
                .bind(consent.at.as_millisecond())
                .execute(c)
                .await?;
                Ok(SignUp::Asked)
            })
        })
        .await
    }

    /// Makes a pending person active, if they were asked no longer than `within` ago.
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
        self.write("confirming a subscription", move |connection| {
            Box::pin(async move {
                let Some(place) = place(connection, list, who).await? else {
                    return Ok(Confirmed::Unknown);
                };
                match place.state {
                    SubscriptionState::Active => Ok(Confirmed::Already),
                    SubscriptionState::Pending
                        if place.asked_at.is_some_and(|at| !is_past(at, within, consent.at)) =>
                    {
                        set(connection, list, who, SubscriptionState::Active, consent.at).await?;
                        record(connection, list, who, ConsentEvent::Confirmed, &consent).await?;
                        Ok(Confirmed::Now)
                    }
                    _ => Ok(Confirmed::Expired),
                }
            })
        })
        .await
    }

    /// Takes a person off a list. Issues that are queued for them are skipped when they are claimed.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn leave(&self, list: ListId, who: SubscriberId, consent: Consent) -> Result<Left> {
        self.write("taking somebody off a list", move |connection| {
            Box::pin(async move { leave_one(connection, list, who, &consent).await })
        })
        .await
    }

    /// Takes a leaving back, if it happened no longer than `within` ago and the person had agreed before.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn undo_leave(
        &self,
        list: ListId,
        who: SubscriberId,
        consent: Consent,
        within: Duration,
    ) -> Result<Undone> {
        self.write("taking a leaving back", move |connection| {
            Box::pin(async move {
                match place(connection, list, who).await? {
                    Some(p) if p.state == SubscriptionState::Active => Ok(Undone::Already),
                    Some(p) if p.state == SubscriptionState::Unsubscribed => {
                        if !had_agreed(connection, list, who).await? {
                            return Ok(Undone::Unknown);
                        }
                        if is_past(p.since, within, consent.at) {
                            return Ok(Undone::TooLate);
                        }
                        set(connection, list, who, SubscriptionState::Active, consent.at).await?;
                        record(connection, list, who, ConsentEvent::Undone, &consent).await?;
                        Ok(Undone::Now)
                    }
                    _ => Ok(Undone::Unknown),
                }
            })
        })
        .await
    }

    /// Makes a person active by the author's word. Who left is not brought back.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was kept.
    pub async fn add(&self, list: ListId, email: &Address, name: &str, consent: Consent) -> Result<Added> {
        let (email, name) = (email.clone(), name.to_owned());
        self.write("adding somebody", move |connection| {
            Box::pin(async move {
                let found = find(connection, &email).await?;
                let place = match found {
                    Some(who) => place(connection, list, who).await?,
                    None => None,
                };
                if let Some(p) = place.as_ref().filter(|p| p.state.is_gone()) {
                    return Ok(Added::Gone(p.state, p.since));
                }
                let who = subscriber_row(connection, &email, &name, consent.at).await?;
                if !name.is_empty() {
                    sqlx::query("UPDATE subscriber SET name = ? WHERE id = ?")
                        .bind(&name)
                        .bind(who.0)
                        .execute(&mut *connection)
                        .await?;
                }
                if place.is_some_and(|p| p.state == SubscriptionState::Active) {
                    return Ok(Added::Already);
                }
                set(connection, list, who, SubscriptionState::Active, consent.at).await?;
                record(connection, list, who, ConsentEvent::Added, &consent).await?;
                Ok(Added::Now)
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
        self.write("removing somebody", move |connection| {
            Box::pin(async move {
                let Some(who) = find(connection, &email).await? else { return Ok(None) };
                let lists: Vec<(i64, String)> = sqlx::query_as(
                    "SELECT list.id, list.key FROM subscription JOIN list ON list.id = list_id
                     WHERE subscriber_id = ? AND (?2 IS NULL OR list_id = ?2) ORDER BY list.key",
                )
                .bind(who.0)
                .bind(list.map(|l| l.0))
                .fetch_all(&mut *connection)
                .await?;
                if lists.is_empty() {
                    return Ok(None);
                }
                let mut left = Vec::new();
                for (id, key) in lists {
                    if leave_one(connection, ListId(id), who, &consent).await? == Left::Now {
                        left.push(key);
                    }
                }
                Ok(Some(left))
            })
        })
        .await
    }

    /// A person's state on a list and since when; `None` where the person never was on it.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn standing(
        &self,
        list: ListId,
        who: SubscriberId,
    ) -> Result<Option<(SubscriptionState, Timestamp)>> {
        let say = self.reading("reading a subscription");
        let mut reader = self.readers().acquire().await.map_err(say)?;
        Ok(place(&mut reader, list, who).await?.map(|p| (p.state, p.since)))
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

impl Place {
    /// Whether a sign-up at `now` must stay without a mail.
    fn is_quiet(&self, now: Timestamp, quiet_for: Duration) -> bool {
        // Either way from now: a clock that was set back must not let a second mail out.
        let recent = |at: Timestamp| now.duration_since(at).unsigned_abs() < quiet_for;
        self.state == SubscriptionState::Active || self.asked_at.is_some_and(recent)
    }
}

/// Whether `now` lies more than `within` after `since`.
fn is_past(since: Timestamp, within: Duration, now: Timestamp) -> bool {
    let passed = now.duration_since(since);
    passed.is_positive() && passed.unsigned_abs() > within
}

async fn suppressed(c: &mut SqliteConnection, email: &Address) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM suppression WHERE email = ?")
        .bind(email.as_str())
        .fetch_optional(c)
        .await?;
    Ok(found.is_some())
}

async fn find(c: &mut SqliteConnection, email: &Address) -> sqlx::Result<Option<SubscriberId>> {
    let id = sqlx::query_scalar("SELECT id FROM subscriber WHERE email = ?")
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

async fn place(c: &mut SqliteConnection, list: ListId, who: SubscriberId) -> Result<Option<Place>> {
    let row: Option<(i64, i64, Option<i64>)> = sqlx::query_as(
        "SELECT state, since, asked_at FROM subscription WHERE list_id = ? AND subscriber_id = ?",
    )
    .bind(list.0)
    .bind(who.0)
    .fetch_optional(c)
    .await?;
    row.map(|(state, since, asked_at)| {
        Ok(Place { state: state_of(state)?, since: time_of(since), asked_at: asked_at.map(time_of) })
    })
    .transpose()
}

/// Notes that the person was asked now; who is pending already stays so since then.
async fn ask(
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
async fn set(
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

async fn leave_one(
    c: &mut SqliteConnection,
    list: ListId,
    who: SubscriberId,
    consent: &Consent,
) -> Result<Left> {
    match place(c, list, who).await? {
        None => Ok(Left::Unknown),
        Some(p) if matches!(p.state, SubscriptionState::Unsubscribed | SubscriptionState::Complained) => {
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
async fn mail_waits(c: &mut SqliteConnection, list: ListId, who: SubscriberId) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM system_mail WHERE subscriber_id = ? AND list_id = ? AND kind = 'confirm'
         AND state IN (0, 1, 3) LIMIT 1",
    )
    .bind(who.0)
    .bind(list.0)
    .fetch_optional(c)
    .await?;
    Ok(found.is_some())
}

/// Whether the person was ever active on the list.
async fn had_agreed(c: &mut SqliteConnection, list: ListId, who: SubscriberId) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM consent WHERE subscriber_id = ? AND list_id = ?
         AND event IN ('confirmed', 'imported', 'added', 'undone') LIMIT 1",
    )
    .bind(who.0)
    .bind(list.0)
    .fetch_optional(c)
    .await?;
    Ok(found.is_some())
}

async fn load(c: &mut SqliteConnection, who: SubscriberId) -> sqlx::Result<Option<Subscriber>> {
    let row: Option<(String, String, String, i64)> =
        sqlx::query_as("SELECT email, name, tags, created_at FROM subscriber WHERE id = ?")
            .bind(who.0)
            .fetch_optional(&mut *c)
            .await?;
    let Some((email, name, tags, joined_at)) = row else { return Ok(None) };
    let places: Vec<(String, i64)> = sqlx::query_as(
        "SELECT list.key, state FROM subscription JOIN list ON list.id = list_id
         WHERE subscriber_id = ? ORDER BY list.key",
    )
    .bind(who.0)
    .fetch_all(c)
    .await?;
    let subscriptions = places
        .into_iter()
        .map(|(list, state)| Ok(Subscription { list, state: state_of(state)? }))
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
