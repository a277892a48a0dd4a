//! The secrets that sign links. The newest signs; every one verifies, since links live in mails for years.

use jiff::Timestamp;

use super::{Result, Store};

impl Store {
    /// Every key with its id, oldest first.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn link_keys(&self) -> Result<Vec<(i64, Vec<u8>)>> {
        sqlx::query_as("SELECT id, secret FROM link_key ORDER BY id")
            .fetch_all(self.readers())
            .await
            .map_err(self.reading("reading the keys of links"))
    }

    /// Adds the key that signs from now on, and gives its id. The secret must come from the clock's randomness.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be written.
    pub async fn add_link_key(&self, secret: [u8; 32], now: Timestamp) -> Result<i64> {
        self.write("adding a key of links", move |connection| {
            Box::pin(async move {
                Ok(
                    sqlx::query("INSERT INTO link_key (secret, created_at) VALUES (?, ?)")
                        .bind(&secret[..])
                        .bind(now.as_millisecond())
                        .execute(connection)
                        .await?
                        .last_insert_rowid(),
                )
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{open, t};

    #[tokio::test]
    async fn keys_come_back_oldest_first() {
        let (_dir, store) = open().await;
        assert!(store.link_keys().await.unwrap().is_empty());
        let first = store.add_link_key([1; 32], t(9)).await.unwrap();
        let second = store.add_link_key([2; 32], t(1)).await.unwrap();
        assert_eq!(
            store.link_keys().await.unwrap(),
            [(first, vec![1; 32]), (second, vec![2; 32])]
        );
    }
}
