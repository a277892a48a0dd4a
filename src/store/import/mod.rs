//! A batch of people from a file, in one transaction: who is new, who has a new name, who changes place.
//!
//! Rules: leaving wins, whether the file says it or the database; a name or tags that are given replace, none
//! given changes nothing; a second import of the same changes nothing. Each change of place leaves its row of
//! consent. Statements carry a hundred rows each, since each costs a hop to SQLite's thread.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::{Result, Store, state_of};
use crate::model::subscriber::{ConsentEvent, How, SubscriptionState};
use crate::model::{Address, ListId};

/// How many people should be handed over at once: many enough to be quick, few enough that another process
/// waits no more than about 0.1 s for its turn.
pub const BATCH_PEOPLE: usize = 5_000;

/// People a statement.
const CHUNK: usize = 100;

/// A person as a file has them, doubles joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    pub email: Address,
    /// Empty: the file tells none.
    pub name: String,
    /// Sorted, once each, separated by commas; empty: the file tells none.
    pub tags: String,
    /// When they joined; `None`: now.
    pub joined_at: Option<Timestamp>,
    /// At least one, each of another list.
    pub wishes: Vec<Wish>,
}

/// What a file says of a person's place on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    pub list: ListId,
    pub state: SubscriptionState,
}

/// What became of the wishes of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    pub added: u64,
    pub updated: u64,
    pub unchanged: u64,
}

impl Store {
    /// Takes a batch of people whose addresses differ from each other.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing of the batch was kept.
    pub async fn import(&self, people: Vec<Incoming>, now: Timestamp) -> Result<Imported> {
        self.write("importing people", move |connection| {
            Box::pin(async move {
                let last: i64 = sqlx::query_scalar(
                    "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'subscriber'",
                )
                .fetch_one(&mut *connection)
                .await?;
                let mut batch = Batch::new(connection, last + 1, now);
                for chunk in people.chunks(CHUNK) {
                    batch.take(chunk).await?;
                }
                batch.write_places().await?;
                Ok(batch.imported)
            })
        })
        .await
    }
}

/// What the database says about a wish that is not granted yet.
struct Found {
    /// Which person of the chunk.
    person: usize,
    wish: Wish,
    /// `None`: nobody has this address yet.
    id: Option<i64>,
    /// Whether name or tags are others than the file's.
    texts_differ: bool,
    /// `None`: not on this list yet.
    state: Option<SubscriptionState>,
}

/// The work on one batch.
struct Batch<'c> {
    connection: &'c mut SqliteConnection,
    now: Timestamp,
    /// The row of the next person who is new.
    next_id: i64,
    /// Whether most of the last chunk was there already: then looking first is quicker than trying to insert.
    mostly_known: bool,
    /// Who comes to a place, by list and state.
    places: BTreeMap<(i64, u8), Vec<i64>>,
    imported: Imported,
}

impl<'c> Batch<'c> {
    fn new(connection: &'c mut SqliteConnection, next_id: i64, now: Timestamp) -> Self {
        let (places, imported) = (BTreeMap::new(), Imported::default());
        Self {
            connection,
            now,
            next_id,
            mostly_known: false,
            places,
            imported,
        }
    }

    async fn take(&mut self, chunk: &[Incoming]) -> Result<()> {
        let all: Vec<&Incoming> = chunk.iter().collect();
        let first_id = self.next_id;
        let wishes: u64 = all.iter().map(|person| person.wishes.len() as u64).sum();
        if !self.mostly_known && self.insert(&all).await? == all.len() as u64 {
            for (id, person) in (first_id..).zip(chunk) {
                person.wishes.iter().for_each(|wish| self.put(id, *wish));
            }
            self.imported.added += wishes;
            return Ok(());
        }
        let mut found = self.look(chunk).await?;
        self.imported.unchanged += wishes - found.len() as u64;
        let of = |wanted: &dyn Fn(&Found) -> bool| -> BTreeSet<usize> {
            found
                .iter()
                .filter(|f| wanted(f))
                .map(|f| f.person)
                .collect()
        };
        let people = |which: &BTreeSet<usize>| which.iter().map(|i| &chunk[*i]).collect::<Vec<_>>();
        let new = of(&|f| f.id.is_none_or(|id| id >= first_id));
        let renamed = of(&|f| f.texts_differ);
        if self.mostly_known {
            let ids: BTreeMap<usize, i64> = new.iter().copied().zip(first_id..).collect();
            self.insert(&people(&new)).await?;
            found
                .iter_mut()
                .for_each(|f| f.id = f.id.or_else(|| ids.get(&f.person).copied()));
        }
        self.rename(&people(&renamed)).await?;
        self.mostly_known = new.len() * 2 < chunk.len();
        self.settle(found).await
    }

    /// Counts wishes, and notes who comes to a place.
    async fn settle(&mut self, found: Vec<Found>) -> Result<()> {
        let kept_away = self.kept_away(&found).await?;
        for f in found {
            let Some(id) = f.id else { continue };
            let moves = f.state.is_none_or(|state| f.wish.state.wins_over(state))
                && !kept_away.contains(&(f.wish.list.0, id));
            if moves {
                self.put(id, f.wish);
            }
            match f.state {
                None => self.imported.added += 1,
                Some(_) if moves || f.texts_differ => self.imported.updated += 1,
                Some(_) => self.imported.unchanged += 1,
            }
        }
        Ok(())
    }

    fn put(&mut self, id: i64, wish: Wish) {
        self.places
            .entry((wish.list.0, wish.state as u8))
            .or_default()
            .push(id);
    }

    /// Adds those who are new, in rows from `next_id` on, and gives their number; others are passed over.
    async fn insert(&mut self, people: &[&Incoming]) -> Result<u64> {
        let done = self
            .insert_or(people, Some(self.next_id), "ON CONFLICT (email) DO NOTHING")
            .await?;
        self.next_id += people.len() as i64;
        Ok(done)
    }

    /// Gives people who are there the names and tags of the file.
    async fn rename(&mut self, people: &[&Incoming]) -> Result<()> {
        let update = "ON CONFLICT (email) DO UPDATE SET
            name = iif(excluded.name = '', name, excluded.name),
            tags = iif(excluded.tags = '', tags, excluded.tags)";
        self.insert_or(people, None, update).await?;
        Ok(())
    }

    async fn insert_or(
        &mut self,
        people: &[&Incoming],
        first_id: Option<i64>,
        conflict: &'static str,
    ) -> Result<u64> {
        if people.is_empty() {
            return Ok(0);
        }
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO subscriber (id, email, name, tags, created_at) ",
        );
        query.push_values(people.iter().zip(0..), |mut row, (person, i)| {
            let joined_at = person.joined_at.map_or(self.now, |at| at.min(self.now));
            row.push_bind(first_id.map(|id| id + i));
            row.push_bind(person.email.as_str());
            row.push_bind(&person.name)
                .push_bind(&person.tags)
                .push_bind(joined_at.as_millisecond());
        });
        query.push(conflict);
        // Only the text for a full chunk comes again and is worth being kept prepared.
        let query = query.build().persistent(people.len() == CHUNK);
        Ok(query.execute(&mut *self.connection).await?.rows_affected())
    }

    /// The wishes that are not granted yet. SQLite compares, so that a second import brings back no rows.
    async fn look(&mut self, chunk: &[Incoming]) -> Result<Vec<Found>> {
        let wishes: Vec<(usize, Wish)> = (0..)
            .zip(chunk)
            .flat_map(|(i, person)| person.wishes.iter().map(move |wish| (i, *wish)))
            .collect();
        let mut query = look_up(chunk, &wishes);
        let query = query.build().persistent(wishes.len() == CHUNK);
        let rows = query.fetch_all(&mut *self.connection).await?;
        rows.iter()
            .map(|row| {
                let (person, wish) = wishes[row.try_get::<i64, _>(0)? as usize];
                let state: Option<i64> = row.try_get(3)?;
                Ok(Found {
                    person,
                    wish,
                    id: row.try_get(1)?,
                    texts_differ: row.try_get::<Option<bool>, _>(2)?.unwrap_or(false),
                    state: state.map(state_of).transpose()?,
                })
            })
            .collect()
    }

    /// Those of list and person who are pending and were gone before: the author's word brings nobody back.
    async fn kept_away(&mut self, found: &[Found]) -> Result<BTreeSet<(i64, i64)>> {
        let pending = found.iter().filter(|f| {
            f.state == Some(SubscriptionState::Pending) && f.wish.state == SubscriptionState::Active
        });
        let pairs: Vec<(i64, Option<i64>)> = pending.map(|f| (f.wish.list.0, f.id)).collect();
        if pairs.is_empty() {
            return Ok(BTreeSet::new());
        }
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT DISTINCT list_id, subscriber_id FROM consent WHERE event <> 'asked'
             AND subscriber_id IN (SELECT value ->> 1 FROM json_each(?))",
        )
        .bind(json(&pairs)?)
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(rows
            .into_iter()
            .filter(|(list, id)| pairs.contains(&(*list, Some(*id))))
            .collect())
    }

    /// Puts everybody in their places, list by list and state by state, and records why.
    async fn write_places(&mut self) -> Result<()> {
        for ((list, state), people) in &self.places {
            let state = state_of((*state).into())?;
            let (people, now) = (json(people)?, self.now.as_millisecond());
            sqlx::query(PUT_IN_PLACE)
                .bind(list)
                .bind(state as u8)
                .bind(now)
                .bind(&people)
                .execute(&mut *self.connection)
                .await?;
            sqlx::query(RECORD)
                .bind(list)
                .bind(now)
                .bind(event(state).word())
                .bind(How::Import.word())
                .bind(&people)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }
}

/// An open question (`asked_at`) ends where somebody becomes active, as with a confirmation.
const PUT_IN_PLACE: &str = "INSERT INTO subscription (list_id, subscriber_id, state, since)
    SELECT ?1, value, ?2, ?3 FROM json_each(?4) WHERE true
    ON CONFLICT DO UPDATE SET state = excluded.state, since = excluded.since,
        asked_at = iif(excluded.state = 1, NULL, asked_at)";

const RECORD: &str = "INSERT INTO consent (list_id, at, event, how, subscriber_id)
    SELECT ?1, ?2, ?3, ?4, value FROM json_each(?5)";

/// Asks for what is new or different. `min(…, 2)` is what
/// [`SubscriptionState::wins_over`] compares.
fn look_up(chunk: &[Incoming], wishes: &[(usize, Wish)]) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("WITH asked (n, email, name, tags, list_id, state) AS (");
    query.push_values(wishes.iter().zip(0i64..), |mut row, ((person, wish), n)| {
        let person = &chunk[*person];
        row.push_bind(n)
            .push_bind(person.email.as_str())
            .push_bind(&person.name)
            .push_bind(&person.tags);
        row.push_bind(wish.list.0).push_bind(wish.state as u8);
    });
    query.push(
        ") SELECT n, s.id, (asked.name <> '' AND asked.name <> s.name)
             OR (asked.tags <> '' AND asked.tags <> s.tags) AS texts_differ, p.state
         FROM asked
         LEFT JOIN subscriber AS s ON s.email = asked.email
         LEFT JOIN subscription AS p ON p.list_id = asked.list_id AND p.subscriber_id = s.id
         WHERE s.id IS NULL OR texts_differ OR p.state IS NULL OR min(asked.state, 2) > min(p.state, 2)",
    );
    query
}

/// What an import says about consent.
fn event(state: SubscriptionState) -> ConsentEvent {
    match state {
        SubscriptionState::Active => ConsentEvent::Imported,
        SubscriptionState::Pending => ConsentEvent::Asked,
        _ => ConsentEvent::Left,
    }
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| sqlx::Error::Encode(e.into()).into())
}

#[cfg(test)]
mod tests;
