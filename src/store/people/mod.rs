//! People join and leave: every change of a subscription, each with its row of consent in one transaction.
//!
//! Rules that hold here: nobody becomes active but by their own confirmation or the author's word (`add`,
//! import); who left comes back only by signing up anew; what a stranger types changes nothing of a person
//! who is active. Whether a mail really goes out is decided again when it is claimed (`store::deliveries`).

use std::time::Duration;

use jiff::Timestamp;

use super::places::{
    ask, find, had_agreed, is_past, is_suppressed, leave_one, load, mail_waits, place, record,
    rename, set, subscriber_row, was_gone,
};
use super::{Result, Store, StoreError};
use crate::model::rendered::Rendered;
use crate::model::subscriber::{
    ConsentEvent, How, NAME_MAX_CHARS, Subscriber, SubscriptionState, tidy,
};
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
    /// The person left, or mail came back, and has been in that state since then: only they themselves can
    /// come back, by signing up and confirming.
    Gone(SubscriptionState, Timestamp),
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
        let (email, name) = (email.clone(), one_line(name));
        let mail = serde_json::to_string(&mail).map_err(|e| {
            StoreError::Refused(format!("the confirmation mail can't be stored: {e}"))
        })?;
        self.write("signing somebody up", move |connection| {
            Box::pin(async move {
                let c = connection;
                if is_suppressed(c, &email).await? {
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
                        if place
                            .asked_at
                            .is_some_and(|at| !is_past(at, within, consent.at)) =>
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
    pub async fn add(
        &self,
        list: ListId,
        email: &Address,
        name: &str,
        consent: Consent,
    ) -> Result<Added> {
        let (email, name) = (email.clone(), one_line(name));
        self.write("adding somebody", move |connection| {
            Box::pin(async move {
                let who = subscriber_row(connection, &email, "", consent.at).await?;
                if let Some(p) = place(connection, list, who).await? {
                    if p.state.is_gone() || was_gone(connection, list, who, &p).await? {
                        return Ok(Added::Gone(p.state, p.since));
                    }
                    rename(connection, who, &name).await?;
                    if p.state == SubscriptionState::Active {
                        return Ok(Added::Already);
                    }
                } else {
                    rename(connection, who, &name).await?;
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
                let Some(who) = find(connection, &email).await? else {
                    return Ok(None);
                };
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
        Ok(place(&mut reader, list, who)
            .await?
            .map(|p| (p.state, p.since)))
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

#[cfg(test)]
mod tests;
