//! What the tests of this room share: a database in a folder of its own, and times that are easy to read.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use tempfile::TempDir;

use super::Store;
use super::issues::NewIssue;
use crate::model::subscription::{Consent, ConsentMethod};
use crate::model::waiting::Reason;
use crate::model::{Address, ListId, Rendered};

/// A fresh database; it is gone when the folder is dropped.
pub(crate) async fn open() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("letterpress.db"))
        .await
        .unwrap();
    (dir, store)
}

/// A fresh database with one list, `weekly`.
pub(crate) async fn open_with_list() -> (TempDir, Store, ListId) {
    let (dir, store) = open().await;
    let list = store
        .ensure_lists(&["weekly".to_owned()], t(0))
        .await
        .unwrap()["weekly"];
    (dir, store, list)
}

/// A time this number of seconds after the tests' first day began.
pub(crate) fn t(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// A number of hours, as a duration.
pub(crate) fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// Consent by the author's command.
pub(crate) fn consent() -> Consent {
    Consent {
        at: t(0),
        how: ConsentMethod::Command,
        network: None,
    }
}

/// An issue without words that is due from the first second on.
pub(crate) fn new_issue(list: ListId, slug: &str, number: u32) -> NewIssue {
    NewIssue {
        number: Some(number),
        title: format!("Issue {number}"),
        file: PathBuf::from(format!("/letter/issues/{slug}.md")),
        ..NewIssue::new(list, slug.into(), Rendered::empty(), t(0))
    }
}

impl Store {
    /// How and from where the newest consent of a kind came; empty where it is not known.
    pub async fn last_consent(&self, event: &str) -> (String, String) {
        sqlx::query_as(
            "SELECT how, coalesce(network, '') FROM consent WHERE event = ? ORDER BY id DESC LIMIT 1",
        )
        .bind(event)
        .fetch_one(self.readers())
        .await
        .unwrap()
    }

    /// Marks every system mail as sent, when it was queued.
    pub async fn send_all_system_mails(&self) {
        meddle(self, "UPDATE system_mail SET state = 2, at = queued_at").await;
    }

    /// Keeps a picture that belongs to no issue.
    pub async fn put_media(&self, hash: &'static str, ext: &'static str, bytes: Vec<u8>) {
        self.write("keeping a picture", move |c| {
            Box::pin(async move { super::media::keep(c, hash, ext, &bytes).await })
        })
        .await
        .unwrap();
    }
}

impl Store {
    /// An issue that went out at such a second, as far as its row tells.
    pub async fn put_past_issue(
        &self,
        list: ListId,
        number: Option<u32>,
        title: &'static str,
        at: Timestamp,
    ) {
        self.write("noting a past issue", move |c| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO issue (list_id, slug, number, title, file, state, queued_by, queued_at, due_at,
                     started_at, sent) VALUES (?1, ?2, ?3, ?2, '', 'done', 'author', ?4, ?4, ?4, 1)",
                )
                .bind(list.0)
                .bind(title)
                .bind(number)
                .bind(at.as_millisecond())
                .execute(c)
                .await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    }
}

impl Store {
    /// Gives the issue of a slug its content.
    pub async fn put_content(&self, slug: &'static str, content: &Rendered) {
        let content = serde_json::to_string(content).unwrap();
        self.write("noting an issue's content", move |c| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO issue_rendered (issue_id, rendered) SELECT id, ?2 FROM issue WHERE slug = ?1",
                )
                .bind(slug)
                .bind(content)
                .execute(c)
                .await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    }
}

/// Changes a pragma of the writing connection.
pub(crate) async fn set_pragma(store: &Store, pragma: &'static str) {
    let set = store.write("setting a pragma", move |connection| {
        Box::pin(async move {
            sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA {pragma}")))
                .execute(connection)
                .await?;
            Ok(())
        })
    });
    set.await.unwrap();
}

/// The rows of one column of a query, as another program sees them.
pub(crate) async fn column(store: &Store, sql: &str) -> Vec<String> {
    let mut other = SqliteConnectOptions::new()
        .filename(store.path())
        .connect()
        .await
        .unwrap();
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_all(&mut other)
        .await
        .unwrap()
}

/// Runs SQL behind the store's back, as another program would.
pub(crate) async fn meddle(store: &Store, sql: &'static str) {
    let mut other = SqliteConnectOptions::new()
        .filename(store.path())
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(sql).execute(&mut other).await.unwrap();
}

/// How SQLite would run a query, a line a step.
pub(crate) async fn plan(store: &Store, sql: &str) -> String {
    let mut other = SqliteConnectOptions::new()
        .filename(store.path())
        .connect()
        .await
        .unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(&mut other).await.unwrap();
    rows.iter()
        .map(|row| row.get::<String, _>("detail"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A pause that somebody asked for.
pub(crate) fn by_author() -> Reason {
    Reason::PausedByUser {
        by: "anna".into(),
        at: t(0),
    }
}
