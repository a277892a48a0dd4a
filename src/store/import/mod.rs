//! A batch of people from a file, in one transaction: who is new, who has a new name, whose subscription changes.
//!
//! What an import may change is decided by `model::subscription`; the statement that looks people up passes over those
//! for whom the table of moves allows nothing, and a test holds it to the table. A name or tags that are given replace,
//! none given changes nothing; a second import of the same changes nothing. Each change of a subscription leaves its
//! row of consent. Statements carry a hundred rows each, since each costs a hop to SQLite's thread.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::{Result, Store, state_of};
use crate::model::subscription::{
    ConsentMethod, History, SubscriptionEvent, SubscriptionState, step,
};
use crate::model::{Address, ListId};

/// How many people should be handed over at once: many enough to be quick, few enough that another process
/// waits no more than about 0.1 s for its turn.
pub const BATCH_PEOPLE: usize = 5_000;

/// People a statement.
const CHUNK: usize = 100;

/// A person as a file has them, with all rows of the same address joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Differs from all others of the batch, without regard to case.
    pub email: Address,
    /// Empty: the file tells none.
    pub name: String,
    /// Sorted, once each, separated by commas; empty: the file tells none.
    pub tags: String,
    /// When they joined; `None`: now.
    pub joined_at: Option<Timestamp>,
    /// At least one, each of another list.
    pub subscriptions: Vec<ImportedSubscription>,
}

/// What a file says of a person on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportedSubscription {
    /// The list.
    pub list: ListId,
    /// The state that the file names.
    pub state: SubscriptionState,
    /// How many further rows of the file changed what an earlier row of the same person and list says. They count as
    /// rows that updated somebody, unless the database has all of it already.
    pub further: u64,
}

/// What became of the rows that made up the subscriptions of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows of people who were not on the list before.
    pub added: u64,
    /// Rows that changed a state, a name or tags.
    pub updated: u64,
    /// Rows that changed nothing.
    pub unchanged: u64,
}

impl Store {
    /// Takes a batch of people whose addresses differ from each other.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing of the batch was kept.
    pub async fn import(&self, people: Vec<ImportRow>, now: Timestamp) -> Result<Imported> {
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
                batch.write_moves().await?;
                Ok(batch.imported)
            })
        })
        .await
    }
}

/// What the database has where the file says something else.
struct Existing {
    /// Which person of the chunk.
    person: usize,
    imported: ImportedSubscription,
    /// `None`: nobody has this address yet.
    id: Option<i64>,
    /// Whether name or tags are others than the file's.
    texts_differ: bool,
    /// `None`: not on this list yet.
    state: Option<SubscriptionState>,
}

impl Existing {
    /// Whether the import moves the person, given their history.
    fn moves(&self, history: History) -> bool {
        let import = SubscriptionEvent::Import(self.imported.state);
        step(self.state, history, import).is_some()
    }

    /// Whether it depends on their history: it is looked up for these alone.
    fn depends_on_history(&self) -> bool {
        self.moves(History::OnlyAsked) != self.moves(History::Agreed)
    }
}

/// The work on one batch.
struct Batch<'c> {
    connection: &'c mut SqliteConnection,
    now: Timestamp,
    /// The row of the next person who is new.
    next_id: i64,
    /// Whether most of the last chunk was there already: then looking first is quicker than trying to insert.
    mostly_known: bool,
    /// The people who move, by list and new state.
    moves: BTreeMap<(i64, u8), Vec<i64>>,
    imported: Imported,
}

impl<'c> Batch<'c> {
    fn new(connection: &'c mut SqliteConnection, next_id: i64, now: Timestamp) -> Self {
        let (moves, imported) = (BTreeMap::new(), Imported::default());
        Self {
            connection,
            now,
            next_id,
            mostly_known: false,
            moves,
            imported,
        }
    }

    async fn take(&mut self, chunk: &[ImportRow]) -> Result<()> {
        let all: Vec<&ImportRow> = chunk.iter().collect();
        let first_id = self.next_id;
        let subscriptions = || chunk.iter().flat_map(|person| &person.subscriptions);
        let first_rows = subscriptions().count() as u64;
        let further_rows: u64 = subscriptions().map(|s| s.further).sum();
        if !self.mostly_known && self.insert(&all).await? == all.len() as u64 {
            for (id, person) in (first_id..).zip(chunk) {
                let imported = person.subscriptions.iter();
                imported.for_each(|imported| self.note_move(id, *imported));
            }
            self.imported.added += first_rows;
            self.imported.updated += further_rows;
            return Ok(());
        }
        let mut existing = self.look_up(chunk).await?;
        let rows_of_existing: u64 = existing.iter().map(|e| 1 + e.imported.further).sum();
        self.imported.unchanged += first_rows + further_rows - rows_of_existing;
        let of = |wanted: &dyn Fn(&Existing) -> bool| -> BTreeSet<usize> {
            existing
                .iter()
                .filter(|e| wanted(e))
                .map(|e| e.person)
                .collect()
        };
        let people = |which: &BTreeSet<usize>| which.iter().map(|i| &chunk[*i]).collect::<Vec<_>>();
        let new = of(&|e| e.id.is_none_or(|id| id >= first_id));
        let renamed = of(&|e| e.texts_differ);
        if self.mostly_known {
            let ids: BTreeMap<usize, i64> = new.iter().copied().zip(first_id..).collect();
            self.insert(&people(&new)).await?;
            existing
                .iter_mut()
                .for_each(|e| e.id = e.id.or_else(|| ids.get(&e.person).copied()));
        }
        self.rename(&people(&renamed)).await?;
        self.mostly_known = new.len() * 2 < chunk.len();
        self.settle(existing).await
    }

    /// Counts subscriptions, and notes who moves.
    async fn settle(&mut self, existing: Vec<Existing>) -> Result<()> {
        let returning = self.returning(&existing).await?;
        for e in existing {
            let Some(id) = e.id else { continue };
            // Left or active once: an import treats both alike.
            let history = if returning.contains(&(e.imported.list.0, id)) {
                History::Agreed
            } else {
                History::OnlyAsked
            };
            let moves = e.moves(history);
            if moves {
                self.note_move(id, e.imported);
            }
            match e.state {
                None => {
                    self.imported.added += 1;
                    self.imported.updated += e.imported.further;
                }
                Some(_) if moves || e.texts_differ => {
                    self.imported.updated += 1 + e.imported.further;
                }
                Some(_) => self.imported.unchanged += 1 + e.imported.further,
            }
        }
        Ok(())
    }

    fn note_move(&mut self, id: i64, imported: ImportedSubscription) {
        self.moves
            .entry((imported.list.0, imported.state as u8))
            .or_default()
            .push(id);
    }

    /// Adds those who are new, in rows from `next_id` on, and gives their number; others are passed over.
    async fn insert(&mut self, people: &[&ImportRow]) -> Result<u64> {
        let done = self
            .insert_or(people, Some(self.next_id), "ON CONFLICT (email) DO NOTHING")
            .await?;
        self.next_id += people.len() as i64;
        Ok(done)
    }

    /// Gives people who are there the names and tags of the file.
    async fn rename(&mut self, people: &[&ImportRow]) -> Result<()> {
        let update = "ON CONFLICT (email) DO UPDATE SET
            name = iif(excluded.name = '', name, excluded.name),
            tags = iif(excluded.tags = '', tags, excluded.tags)";
        self.insert_or(people, None, update).await?;
        Ok(())
    }

    async fn insert_or(
        &mut self,
        people: &[&ImportRow],
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

    /// What differs from the file. SQLite compares, so that a second import brings back no rows.
    async fn look_up(&mut self, chunk: &[ImportRow]) -> Result<Vec<Existing>> {
        let imported: Vec<(usize, ImportedSubscription)> = (0..)
            .zip(chunk)
            .flat_map(|(i, person)| person.subscriptions.iter().map(move |s| (i, *s)))
            .collect();
        let mut query = look_up(chunk, &imported);
        let query = query.build().persistent(imported.len() == CHUNK);
        let rows = query.fetch_all(&mut *self.connection).await?;
        rows.iter()
            .map(|row| {
                let (person, imported) = imported[row.try_get::<i64, _>(0)? as usize];
                let state: Option<i64> = row.try_get(3)?;
                Ok(Existing {
                    person,
                    imported,
                    id: row.try_get(1)?,
                    texts_differ: row.try_get::<Option<bool>, _>(2)?.unwrap_or(false),
                    state: state.map(state_of).transpose()?,
                })
            })
            .collect()
    }

    /// Those whose history holds more than sign-ups, by list and person, where it makes a difference.
    async fn returning(&mut self, existing: &[Existing]) -> Result<BTreeSet<(i64, i64)>> {
        let unsure = existing.iter().filter(|e| e.depends_on_history());
        let pairs: Vec<(i64, Option<i64>)> = unsure.map(|e| (e.imported.list.0, e.id)).collect();
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

    /// Moves people, list by list and state by state, and records why.
    async fn write_moves(&mut self) -> Result<()> {
        for ((list, state), people) in &self.moves {
            let state = state_of((*state).into())?;
            let (people, now) = (json(people)?, self.now.as_millisecond());
            sqlx::query(MOVE)
                .bind(list)
                .bind(state as u8)
                .bind(now)
                .bind(&people)
                .execute(&mut *self.connection)
                .await?;
            sqlx::query(RECORD)
                .bind(list)
                .bind(now)
                .bind(SubscriptionEvent::Import(state).consent().word())
                .bind(ConsentMethod::Import.word())
                .bind(&people)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }
}

/// An open question (`asked_at`) ends where somebody becomes active, as with a confirmation.
const MOVE: &str = "INSERT INTO subscription (list_id, subscriber_id, state, since)
    SELECT ?1, value, ?2, ?3 FROM json_each(?4) WHERE true
    ON CONFLICT DO UPDATE SET state = excluded.state, since = excluded.since,
        asked_at = iif(excluded.state = 1, NULL, asked_at)";

const RECORD: &str = "INSERT INTO consent (list_id, at, event, how, subscriber_id)
    SELECT ?1, ?2, ?3, ?4, value FROM json_each(?5)";

/// Asks for what is new or different. `min(…, 2)` makes all states of being gone one, so that the comparison allows
/// what the table of moves allows to people without a history.
fn look_up(
    chunk: &[ImportRow],
    imported: &[(usize, ImportedSubscription)],
) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("WITH asked (n, email, name, tags, list_id, state) AS (");
    query.push_values(
        imported.iter().zip(0i64..),
        |mut row, ((person, imported), n)| {
            let person = &chunk[*person];
            row.push_bind(n)
                .push_bind(person.email.as_str())
                .push_bind(&person.name)
                .push_bind(&person.tags);
            row.push_bind(imported.list.0)
                .push_bind(imported.state as u8);
        },
    );
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

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| sqlx::Error::Encode(e.into()).into())
}

#[cfg(test)]
mod tests;
