//! Which pair of DKIM keys a domain signs with. The keys themselves are files; only the choice stands here, so
//! that a running daemon follows it.

use jiff::Timestamp;

use super::{Result, Store};

impl Store {
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
