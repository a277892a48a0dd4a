//! Subscribers by hand: adding, removing, and reading one or all. Importing and exporting files is left to `people`.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::subscriber::Subscriber;
use crate::model::subscription::{Added, Consent, SubscriptionState};
use crate::model::{Address, List, ListId, SubscriberId};
use crate::store::Store;
use crate::store::subscribers::ConsentRow;
use crate::store::system_mails::SystemMailRow;

use super::{Refusal, Result};

/// The rows of some lists by their keys; a list that has none gets one.
///
/// # Errors
/// The database can't be read or written.
pub(crate) async fn lists(
    store: &Store,
    lists: &[List],
    now: Timestamp,
) -> Result<HashMap<String, ListId>> {
    let keys: Vec<String> = lists.iter().map(|list| list.key.clone()).collect();
    Ok(store.ensure_lists(&keys, now).await?)
}

async fn row(store: &Store, list: &List, now: Timestamp) -> Result<ListId> {
    Ok(lists(store, std::slice::from_ref(list), now).await?[&list.key])
}

/// Makes a person active on a list without asking them; gives whether that is new. A name that is not empty replaces
/// the one that is stored.
///
/// # Errors
/// [`Refusal::HasLeft`] for a person who unsubscribed or whose address failed, or the database can't be written; then
/// nothing was changed.
pub(crate) async fn add(
    store: &Store,
    list: &List,
    email: &Address,
    name: &str,
    consent: Consent,
) -> Result<bool> {
    let id = row(store, list, consent.at).await?;
    match store.add(id, email, name, consent).await? {
        Added::Now => Ok(true),
        Added::Already => Ok(false),
        Added::Gone(state, since) => Err(Refusal::HasLeft {
            email: email.clone(),
            list: list.key.clone(),
            state,
            since: since.to_zoned(list.zone.clone()),
        }
        .into()),
    }
}

/// Takes a person off one list, or off all; gives the keys of the lists that they were on until now.
///
/// # Errors
/// [`Refusal::NoSuchSubscriber`], or the database can't be written; then nothing was changed.
pub(crate) async fn remove(
    store: &Store,
    list: Option<&List>,
    email: &Address,
    consent: Consent,
) -> Result<Vec<String>> {
    let id = match list {
        Some(list) => Some(row(store, list, consent.at).await?),
        None => None,
    };
    let left = store.remove(id, email, consent).await?;
    left.ok_or_else(|| {
        Refusal::NoSuchSubscriber {
            email: email.clone(),
            list: list.map(|list| list.key.clone()),
        }
        .into()
    })
}

/// A person with everything that is stored about them.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// Address, name, tags and subscriptions.
    pub person: Subscriber,
    /// What they, or the author for them, agreed to and when, oldest first.
    pub history: Vec<ConsentRow>,
    /// Confirmation and other mails of the system to them, oldest first.
    pub mails: Vec<SystemMailRow>,
    /// Why and since when nothing is mailed to the address; `None`: it may be mailed.
    pub suppressed: Option<(String, Timestamp)>,
}

/// Reads one person, found by the address without regard to case.
///
/// # Errors
/// [`Refusal::NoSuchSubscriber`], or the database can't be read.
pub(crate) async fn profile(store: &Store, email: &Address) -> Result<Profile> {
    let Some(person) = store.find_subscriber(email).await? else {
        return Err(Refusal::NoSuchSubscriber {
            email: email.clone(),
            list: None,
        }
        .into());
    };
    Ok(Profile {
        history: store.consent_history(person.id).await?,
        mails: store.system_mails_to(person.id).await?,
        suppressed: store.suppression(&person.email).await?,
        person,
    })
}

/// Some people with the state that each is in, and where the next page begins.
pub(crate) struct Page {
    /// The people, each with their state on the list; or, if no list was named, the best of all their states.
    pub people: Vec<(Subscriber, SubscriptionState)>,
    /// After whom the next page begins; `None`: this was the last one.
    pub next: Option<SubscriberId>,
}

/// Reads up to `limit` people of one list, given as key and row, or of all, beginning after `after`.
///
/// # Errors
/// The database can't be read.
pub(crate) async fn page(
    store: &Store,
    list: Option<(&str, ListId)>,
    after: SubscriberId,
    limit: u32,
) -> Result<Page> {
    let rows = store
        .subscribers(list.map(|(_, id)| id), after, limit)
        .await?;
    let next = rows
        .last()
        .filter(|_| rows.len() == limit as usize)
        .map(|last| last.id);
    let people = rows.into_iter().filter_map(|person| {
        let state = person.state(list.map(|(key, _)| key))?;
        Some((person, state))
    });
    Ok(Page {
        people: people.collect(),
        next,
    })
}

/// How many people there are, on one list or at all, whatever their state.
///
/// # Errors
/// The database can't be read.
pub(crate) async fn count(store: &Store, list: Option<ListId>) -> Result<u64> {
    Ok(store.how_many(list).await?)
}
