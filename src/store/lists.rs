//! The rows of lists: each list of the settings has one, made when it is first needed.
//!
//! What a list is called and how it looks stands in the settings; the database knows its key alone.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Result, Store};
use crate::model::ListId;

impl Store {
    /// The row of each key, made where missing.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read or written.
    pub async fn ensure_lists(
        &self,
        keys: &[String],
        now: Timestamp,
    ) -> Result<HashMap<String, ListId>> {
        let known = self.lists().await?;
        if keys.iter().all(|key| known.contains_key(key)) {
            return Ok(known
                .into_iter()
                .filter(|(key, _)| keys.contains(key))
                .collect());
        }
        let wanted = keys.to_vec();
        self.write("adding the lists of the settings", move |connection| {
            Box::pin(async move {
                let mut ids = HashMap::new();
                for key in wanted {
                    // An update that changes nothing, so that the row is returned either way.
                    let id = sqlx::query_scalar(
                        "INSERT INTO list (key, created_at) VALUES (?, ?)
                         ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id",
                    )
                    .bind(&key)
                    .bind(now.as_millisecond())
                    .fetch_one(&mut *connection)
                    .await?;
                    ids.insert(key, ListId(id));
                }
                Ok(ids)
            })
        })
        .await
    }

    /// Every list that the database knows, also those that the settings no longer name.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn lists(&self) -> Result<HashMap<String, ListId>> {
        let rows: Vec<(i64, String)> = sqlx::query_as("SELECT id, key FROM list")
            .fetch_all(self.readers())
            .await
            .map_err(self.reading("reading the lists"))?;
        Ok(rows
            .into_iter()
            .map(|(id, key)| (key, ListId(id)))
            .collect())
    }

    /// Notes by which pattern each list's schedule goes now; `patterns` names every list that has one. Where it is
    /// another than before, its times count from `now`: what passed under no pattern, or another, was never promised.
    /// Costs a reading where nothing has changed.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read or written.
    pub async fn see_schedules(
        &self,
        patterns: HashMap<ListId, String>,
        now: Timestamp,
    ) -> Result<()> {
        // A database of before patterns were kept has times without one: they are taken for the present one's.
        let rows: Vec<(i64, Option<String>, Option<i64>)> =
            sqlx::query_as("SELECT id, schedule, last_fired_at FROM list")
                .fetch_all(self.readers())
                .await
                .map_err(self.reading("reading the schedules"))?;
        let differs = |(id, seen, fired): &(i64, Option<String>, Option<i64>)| {
            let pattern = patterns.get(&ListId(*id)).cloned();
            if *seen == pattern && fired.is_some() == pattern.is_some() {
                return None;
            }
            let known = fired.filter(|_| seen.is_none());
            let from = pattern
                .is_some()
                .then(|| known.unwrap_or(now.as_millisecond()));
            Some((*id, pattern, from))
        };
        let changed: Vec<_> = rows.iter().filter_map(differs).collect();
        if changed.is_empty() {
            return Ok(());
        }
        self.write("noting a schedule", move |c| {
            Box::pin(async move {
                for (id, pattern, from) in changed {
                    sqlx::query("UPDATE list SET schedule = ?2, last_fired_at = ?3 WHERE id = ?1")
                        .bind(id)
                        .bind(pattern)
                        .bind(from)
                        .execute(&mut *c)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use crate::store::issues::Firing;
    use crate::store::testing::{open, open_with_list, t};

    #[tokio::test]
    async fn a_list_keeps_its_row() {
        let (_dir, store) = open().await;
        let keys = ["weekly".to_owned(), "daily".to_owned()];
        let first = store.ensure_lists(&keys, t(1)).await.unwrap();
        assert_eq!(first.len(), 2);
        assert_ne!(first["weekly"], first["daily"]);
        let more = ["weekly".to_owned(), "monthly".to_owned()];
        let second = store.ensure_lists(&more, t(2)).await.unwrap();
        assert_eq!(second["weekly"], first["weekly"]);
        assert_eq!(second.len(), 2);
        assert_eq!(store.ensure_lists(&keys, t(3)).await.unwrap(), first);
        assert_eq!(store.lists().await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_schedule_counts_from_when_it_is_first_seen() {
        let (_dir, store, list) = open_with_list().await;
        let see = async |pattern: Option<&str>, now: i64| {
            let patterns = pattern.map(|p| (list, p.to_owned())).into_iter().collect();
            store.see_schedules(patterns, t(now)).await.unwrap();
            store.last_fired(list).await.unwrap()
        };
        assert_eq!(see(Some("a"), 10).await, Some(t(10)));
        assert_eq!(see(Some("a"), 20).await, Some(t(10)), "the same goes on");
        assert_eq!(see(Some("b"), 30).await, Some(t(30)));
        assert_eq!(see(None, 40).await, None);
        assert_eq!(
            see(Some("b"), 50).await,
            Some(t(50)),
            "while there was none, nothing was promised"
        );
    }

    #[tokio::test]
    async fn a_time_that_was_kept_without_its_pattern_goes_on_counting() {
        let (_dir, store, list) = open_with_list().await;
        store
            .fire(
                list,
                Firing {
                    before: None,
                    at: t(10),
                },
            )
            .await
            .unwrap();
        store
            .see_schedules([(list, "a".to_owned())].into(), t(20))
            .await
            .unwrap();
        assert_eq!(store.last_fired(list).await.unwrap(), Some(t(10)));
    }
}
