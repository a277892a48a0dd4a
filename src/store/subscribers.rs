//! People, read: page by page, since there is no way to load all of them; counts; and what is known of one of them.
//!
//! What it leaves to others: changing anything (`store::subscriptions`, `store::import`).

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::{Result, Store, split_tags, state_of, time_of};
use crate::model::subscriber::{Subscriber, Subscription};
use crate::model::subscription::SubscriptionState;
use crate::model::{Address, ListId, SubscriberId};

/// A page of everybody.
const PAGE: &str = "SELECT id, email, name, tags, created_at FROM subscriber
    WHERE id > ? ORDER BY id LIMIT ?";

/// A page of one list, whatever state they are in.
const PAGE_OF_LIST: &str = "SELECT s.id, email, name, tags, created_at
    FROM subscription AS p JOIN subscriber AS s ON s.id = p.subscriber_id
    WHERE p.list_id = ? AND p.subscriber_id > ? ORDER BY p.subscriber_id LIMIT ?";

/// The subscriptions of the people of a page.
const SUBSCRIPTIONS: &str = "SELECT p.subscriber_id, list.key, p.state
    FROM json_each(?) AS wanted
    CROSS JOIN subscription AS p ON p.subscriber_id = wanted.value
    CROSS JOIN list ON list.id = p.list_id
    ORDER BY p.subscriber_id, list.key";

const COUNTS: &str =
    "SELECT state, count(*) FROM subscription WHERE list_id = ? GROUP BY state ORDER BY state";

/// One event of somebody's history of consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentRow {
    /// The list's key.
    pub list: String,
    /// When it happened.
    pub at: Timestamp,
    /// A word of [`crate::model::subscription::ConsentEvent`].
    pub event: String,
    /// A word of [`crate::model::subscription::ConsentMethod`].
    pub how: String,
    /// The network it came from, no finer than /24 or /48.
    pub network: Option<String>,
}

impl Store {
    /// The next people of a list, or of all lists, in the order of their rows: at most `limit` after `after`.
    /// Each comes with all their subscriptions. Fewer than `limit`: these were the last.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn subscribers(
        &self,
        list: Option<ListId>,
        after: SubscriberId,
        limit: u32,
    ) -> Result<Vec<Subscriber>> {
        let say = self.reading("reading the subscribers");
        let mut reader = self.readers().acquire().await.map_err(&say)?;
        page(&mut reader, list, after, limit).await.map_err(say)
    }

    /// How many people there are, on a list or at all.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn how_many(&self, list: Option<ListId>) -> Result<u64> {
        let count = match list {
            Some(list) => sqlx::query_scalar("SELECT count(*) FROM subscription WHERE list_id = ?")
                .bind(list.0),
            None => sqlx::query_scalar("SELECT count(*) FROM subscriber"),
        };
        let n: i64 = count
            .fetch_one(self.readers())
            .await
            .map_err(self.reading("counting the subscribers"))?;
        Ok(n.unsigned_abs())
    }

    /// How many people get a list's issues now.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn readers_of(&self, list: ListId) -> Result<u64> {
        let counts = self.counts(list).await?;
        Ok(counts
            .iter()
            .find(|(state, _)| *state == SubscriptionState::Active)
            .map_or(0, |(_, n)| *n))
    }

    /// How many people of a list are in each state; states without anybody are left out.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn counts(&self, list: ListId) -> Result<Vec<(SubscriptionState, u64)>> {
        let say = self.reading("counting the subscribers");
        let rows: Vec<(i64, i64)> = sqlx::query_as(COUNTS)
            .bind(list.0)
            .fetch_all(self.readers())
            .await
            .map_err(&say)?;
        let counted = |(state, n): (i64, i64)| Ok((state_of(state)?, n.unsigned_abs()));
        rows.into_iter()
            .map(counted)
            .collect::<sqlx::Result<_>>()
            .map_err(say)
    }

    /// Everything that somebody agreed to and took back, oldest first.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn consent_history(&self, who: SubscriberId) -> Result<Vec<ConsentRow>> {
        let read = |row: SqliteRow| {
            Ok(ConsentRow {
                list: row.try_get(0)?,
                at: time_of(row.try_get(1)?),
                event: row.try_get(2)?,
                how: row.try_get(3)?,
                network: row.try_get(4)?,
            })
        };
        sqlx::query(
            "SELECT list.key, at, event, how, network FROM consent JOIN list ON list.id = list_id
             WHERE subscriber_id = ? ORDER BY consent.id",
        )
        .bind(who.0)
        .try_map(read)
        .fetch_all(self.readers())
        .await
        .map_err(self.reading("reading a history of consent"))
    }

    /// Why and since when an address is never mailed; `None` where it may be.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn suppression(&self, email: &Address) -> Result<Option<(String, Timestamp)>> {
        let row: Option<(String, i64)> =
            sqlx::query_as("SELECT reason, at FROM suppression WHERE email = ?")
                .bind(email.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(self.reading("looking whether an address is suppressed"))?;
        Ok(row.map(|(reason, at)| (reason, time_of(at))))
    }
}

async fn page(
    c: &mut SqliteConnection,
    list: Option<ListId>,
    after: SubscriberId,
    limit: u32,
) -> sqlx::Result<Vec<Subscriber>> {
    let query = match list {
        None => sqlx::query(PAGE).bind(after.0).bind(limit),
        Some(list) => sqlx::query(PAGE_OF_LIST)
            .bind(list.0)
            .bind(after.0)
            .bind(limit),
    };
    let mut people = query.try_map(person).fetch_all(&mut *c).await?;
    let ids: Vec<i64> = people.iter().map(|person| person.id.0).collect();
    let ids = serde_json::to_string(&ids).map_err(|e| sqlx::Error::Encode(e.into()))?;
    let subscriptions: Vec<(i64, String, i64)> =
        sqlx::query_as(SUBSCRIPTIONS).bind(ids).fetch_all(c).await?;
    let mut rest = people.iter_mut().peekable();
    for (who, list, state) in subscriptions {
        // Both are in the order of rows.
        while rest.next_if(|person| person.id.0 < who).is_some() {}
        if let Some(person) = rest.peek_mut().filter(|person| person.id.0 == who) {
            person.subscriptions.push(Subscription {
                list,
                state: state_of(state)?,
            });
        }
    }
    Ok(people)
}

/// Without subscriptions.
fn person(row: SqliteRow) -> sqlx::Result<Subscriber> {
    Ok(Subscriber {
        id: SubscriberId(row.try_get(0)?),
        email: Address::trusted(row.try_get(1)?),
        name: row.try_get(2)?,
        tags: split_tags(row.try_get(3)?),
        subscriptions: Vec::new(),
        joined_at: time_of(row.try_get(4)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::subscription::{Consent, ConsentMethod};
    use crate::store::Store;
    use crate::store::testing::{address, open_with_list, plan, t};

    async fn add(store: &Store, list: ListId, email: &str) {
        let consent = Consent {
            at: t(0),
            how: ConsentMethod::Command,
            network: None,
        };
        store.add(list, &address(email), "", consent).await.unwrap();
    }

    #[tokio::test]
    async fn pages_follow_each_other_and_end() {
        let (_dir, store, weekly) = open_with_list().await;
        let daily = store
            .ensure_lists(&["daily".to_owned()], t(0))
            .await
            .unwrap()["daily"];
        for n in 0..7 {
            add(&store, weekly, &format!("reader{n}@readers.example")).await;
        }
        for n in [6, 2] {
            add(&store, daily, &format!("reader{n}@readers.example")).await;
        }
        for (list, people) in [
            (None, 7),
            (Some(weekly), 7),
            (Some(daily), 2),
            (Some(ListId(99)), 0),
        ] {
            let (mut after, mut seen) = (SubscriberId(0), Vec::new());
            loop {
                let page = store.subscribers(list, after, 3).await.unwrap();
                after = page.last().map_or(after, |last| last.id);
                let was_last = page.len() < 3;
                seen.extend(page);
                if was_last {
                    break;
                }
            }
            assert_eq!(seen.len(), people);
            assert!(seen.is_sorted_by_key(|person| person.id));
            for person in seen {
                let keys: Vec<&str> = person
                    .subscriptions
                    .iter()
                    .map(|s| s.list.as_str())
                    .collect();
                let in_both = matches!(person.email.local(), "reader2" | "reader6");
                assert_eq!(
                    keys,
                    if in_both {
                        vec!["daily", "weekly"]
                    } else {
                        vec!["weekly"]
                    }
                );
            }
        }
        assert_eq!(
            store.counts(daily).await.unwrap(),
            [(SubscriptionState::Active, 2)]
        );
    }

    #[tokio::test]
    async fn a_page_costs_the_same_wherever_it_stands() {
        let (_dir, store, _) = open_with_list().await;
        for sql in [PAGE, PAGE_OF_LIST, SUBSCRIPTIONS] {
            let plan = plan(&store, sql).await;
            let scans = plan.lines().filter(|step| step.starts_with("SCAN"));
            assert!(
                scans.eq(plan.lines().filter(|step| step.contains("SCAN wanted"))),
                "{plan}"
            );
            assert!(!plan.contains("B-TREE") || sql == SUBSCRIPTIONS, "{plan}");
        }
    }
}
