//! Pictures of issues, named by their content, so that a mail's pictures outlive the author's folder.
//!
//! They are kept in parts, so that one can be sent to a visitor without being in memory as a whole.

use sqlx::SqliteConnection;

use super::{Result, Store};
use crate::model::IssueId;
use crate::model::issue::Picture;

/// The bytes of a part; the last part of a picture has the rest.
pub const PART_BYTES: u64 = 64 * 1024;

/// What is known of a stored picture before its bytes are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPicture {
    /// The ending of its name, such as `png`.
    pub ext: String,
    /// The bytes of all its parts.
    pub size_bytes: u64,
}

impl Store {
    /// A picture by the hash that names it; `None` where no issue has it.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn picture(&self, hash: &str) -> Result<Option<StoredPicture>> {
        let found: Option<(String, i64)> =
            sqlx::query_as("SELECT ext, size_bytes FROM media WHERE hash = ?")
                .bind(hash)
                .fetch_optional(self.readers())
                .await
                .map_err(self.reading("reading a picture"))?;
        Ok(found.map(|(ext, size)| StoredPicture {
            ext,
            size_bytes: size.unsigned_abs(),
        }))
    }

    /// One part of a picture, counted from 0; `None` where the picture ends before it.
    ///
    /// # Errors
    /// [`super::StoreError`] where the database can't be read.
    pub async fn picture_part(&self, hash: &str, part: u64) -> Result<Option<Vec<u8>>> {
        sqlx::query_scalar("SELECT bytes FROM media_part WHERE hash = ? AND part = ?")
            .bind(hash)
            .bind(i64::try_from(part).unwrap_or(i64::MAX))
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
                    keep(connection, &picture.hash, picture.ext, &picture.bytes).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

/// Writes a picture with its parts, unless it is there already: its name says its content.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    hash: &str,
    ext: &str,
    bytes: &[u8],
) -> Result<()> {
    let done = sqlx::query(
        "INSERT INTO media (hash, ext, size_bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(hash)
    .bind(ext)
    .bind(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    for (part, bytes) in (0_i64..).zip(bytes.chunks(PART_BYTES as usize)) {
        sqlx::query("INSERT INTO media_part (hash, part, bytes) VALUES (?, ?, ?)")
            .bind(hash)
            .bind(part)
            .bind(bytes)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Keeps a picture for an issue, within the transaction that queues the issue. One that is there already,
/// for this issue or another, is kept as it is.
pub(super) async fn insert_media(
    connection: &mut SqliteConnection,
    issue: IssueId,
    picture: &Picture,
) -> Result<()> {
    keep(connection, &picture.hash, picture.ext, &picture.bytes).await?;
    sqlx::query("INSERT INTO issue_media (issue_id, hash) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(issue.0)
        .bind(&picture.hash)
        .execute(connection)
        .await?;
    Ok(())
}

#[cfg(test)]
impl Store {
    /// A picture's ending and all its bytes.
    pub(crate) async fn media(&self, hash: &str) -> Result<Option<(String, Vec<u8>)>> {
        let Some(picture) = self.picture(hash).await? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        for part in 0.. {
            match self.picture_part(hash, part).await? {
                Some(more) => bytes.extend(more),
                None => break,
            }
        }
        assert_eq!(bytes.len() as u64, picture.size_bytes);
        Ok(Some((picture.ext, bytes)))
    }
}
