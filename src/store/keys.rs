//! Keys: the secrets that sign links, and which pair of DKIM keys a domain signs with.
//!
//! The newest secret signs links; every one verifies, since links live in mails for years. DKIM keys are files; only
//! the choice among them stands in the database, so that a running daemon follows it.

use std::path::Path;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

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

    /// The selector's stem (`lp1` for `lp1r` and `lp1e`) that is in use for each domain.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn dkim_selectors(&self) -> Result<Vec<(String, String)>> {
        sqlx::query_as("SELECT domain, selector FROM dkim_selector ORDER BY domain")
            .fetch_all(self.readers())
            .await
            .map_err(self.reading("reading which DKIM keys are in use"))
    }

    /// Signs with no pair of a domain any more; gives whether one was in use.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn forget_dkim_selector(&self, domain: &str) -> Result<bool> {
        let domain = domain.to_owned();
        self.write("forgetting DKIM keys", move |c| {
            Box::pin(async move {
                let done = sqlx::query("DELETE FROM dkim_selector WHERE domain = ?")
                    .bind(domain)
                    .execute(c)
                    .await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// As [`Store::dkim_selectors`], of a database that is not opened otherwise: it is only read. None where it is not there
    /// or can't be read.
    pub async fn peek_at_dkim_selectors(database: &Path) -> Option<Vec<(String, String)>> {
        if !database.exists() {
            return None;
        }
        let options = SqliteConnectOptions::new()
            .filename(database)
            .read_only(true)
            .disable_statement_logging();
        let mut connection = options.connect().await.ok()?;
        let found = sqlx::query_as("SELECT domain, selector FROM dkim_selector ORDER BY domain")
            .fetch_all(&mut connection)
            .await;
        let _ = connection.close().await;
        found.ok()
    }

    /// Signs with another pair from now on.
    ///
    /// # Errors
    /// [`super::StoreError`]; then nothing was changed.
    pub async fn use_dkim_selector(
        &self,
        domain: &str,
        selector: &str,
        now: Timestamp,
    ) -> Result<()> {
        let (domain, selector) = (domain.to_owned(), selector.to_owned());
        self.write("choosing DKIM keys", move |c| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO dkim_selector (domain, selector, since) VALUES (?1, ?2, ?3)
                     ON CONFLICT (domain) DO UPDATE SET selector = ?2, since = ?3",
                )
                .bind(domain)
                .bind(selector)
                .bind(now.as_millisecond())
                .execute(c)
                .await?;
                Ok(())
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
