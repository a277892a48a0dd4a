//! Pictures of issues, named by their content, so that a mail's pictures outlive the author's folder.

use sqlx::SqliteConnection;

use super::{Result, Store};
use crate::model::IssueId;
use crate::model::issue::Picture;

impl Store {
    /// A picture's ending (`png`) and bytes, by the hash that names it; `None` where no issue has it.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn media(&self, hash: &str) -> Result<Option<(String, Vec<u8>)>> {
        sqlx::query_as("SELECT ext, bytes FROM media WHERE hash = ?")
            .bind(hash)
            .fetch_optional(self.readers())
            .await
            .map_err(self.reading("reading a picture"))
    }

    /// Keeps pictures that no queued issue has: a test copy shows them, too.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be written; then none of them was kept.
    pub async fn keep_media(&self, pictures: Vec<Picture>) -> Result<()> {
        self.write("keeping pictures", move |connection| {
            Box::pin(async move {
                for picture in &pictures {
                    keep(connection, picture).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

async fn keep(connection: &mut SqliteConnection, picture: &Picture) -> Result<()> {
    sqlx::query("INSERT INTO media (hash, ext, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(&picture.hash)
        .bind(picture.ext)
        .bind(&picture.bytes)
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps a picture for an issue, within the transaction that queues the issue. One that is there already,
/// for this issue or another, is kept as it is: its name says its content.
pub(super) async fn insert_media(
    connection: &mut SqliteConnection,
    issue: IssueId,
    picture: &Picture,
) -> Result<()> {
    keep(connection, picture).await?;
    sqlx::query("INSERT INTO issue_media (issue_id, hash) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(issue.0)
        .bind(&picture.hash)
        .execute(connection)
        .await?;
    Ok(())
}
