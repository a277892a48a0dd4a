//! Issues that went out, as the sign-up page names them.

use jiff::Timestamp;

use super::{Result, Store, time_of};
use crate::model::ListId;

/// An issue whose sending began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastIssue {
    pub number: Option<u32>,
    pub title: String,
    pub started_at: Timestamp,
}

impl Store {
    /// The issues of a list that went out last, newest first.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn past_issues(&self, list: ListId, limit: u32) -> Result<Vec<PastIssue>> {
        let rows: Vec<(Option<i64>, String, i64)> = sqlx::query_as(
            "SELECT number, title, started_at FROM issue
             WHERE list_id = ? AND started_at IS NOT NULL AND sent > 0 ORDER BY started_at DESC, id DESC LIMIT ?",
        )
        .bind(list.0)
        .bind(limit)
        .fetch_all(self.readers())
        .await
        .map_err(self.reading("reading the last issues"))?;
        Ok(rows
            .into_iter()
            .map(|(number, title, started_at)| PastIssue {
                number: number.and_then(|n| u32::try_from(n).ok()),
                title,
                started_at: time_of(started_at),
            })
            .collect())
    }
}
