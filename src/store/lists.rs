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
    pub async fn ensure_lists(&self, keys: &[String], now: Timestamp) -> Result<HashMap<String, ListId>> {
        let known = self.lists().await?;
        if keys.iter().all(|key| known.contains_key(key)) {
            return Ok(known.into_iter().filter(|(key, _)| keys.contains(key)).collect());
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
        Ok(rows.into_iter().map(|(id, key)| (key, ListId(id))).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{open, t};

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
}
