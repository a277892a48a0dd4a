//! What happened since a copy was made, taken over from the database that it replaces: who left, and who got what.
//!
//! Leaving wins: whoever unsubscribed, bounced or complained since then stays away, and a suppression stays one. Of every
//! issue that reached somebody since, the ledger of the present database counts, so that a `resume` mails nobody twice;
//! an issue that the copy does not know comes along with its content. Everything else is as it was in the copy.

use std::path::Path;

use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::super::{Result, StoreError};
use crate::model::sending::IssueState;
use crate::model::subscription::SubscriptionState;

/// The most addresses that are named.
const NAMED_MAX: i64 = 1_000;

/// What was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// How many subscriptions had ended since.
    pub left: u64,
    /// Whose they were: at most a thousand addresses.
    pub left_emails: Vec<String>,
    /// How many addresses had been suppressed since.
    pub suppressed: u64,
    /// The issues that reached somebody since.
    pub issues: Vec<CarriedIssue>,
}

/// An issue that reached somebody since the copy was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedIssue {
    /// Its slug.
    pub slug: String,
    /// How many people have it, or may have it.
    pub people: u64,
}

/// Takes over what can be read, each part in a transaction of its own: who left first, since a damaged ledger must not cost
/// that. Gives the first error beside what was taken over.
pub(super) async fn over(
    c: &mut SqliteConnection,
    present: &Path,
) -> Result<(Carried, Option<StoreError>)> {
    let name = present
        .to_str()
        .ok_or_else(|| StoreError::refused("SQLite takes only names in UTF-8").at(present))?;
    sqlx::query("ATTACH DATABASE ? AS present")
        .bind(name)
        .execute(&mut *c)
        .await?;
    let carried = parts(c).await;
    sqlx::query("DETACH DATABASE present").execute(c).await?;
    carried
}

async fn parts(c: &mut SqliteConnection) -> Result<(Carried, Option<StoreError>)> {
    begin(c).await?;
    let people = people(c).await;
    let mut carried = end(c, people).await?;
    let newest: i64 = sqlx::query_scalar(
        "SELECT coalesce(max(seq), 0) FROM main.sqlite_sequence WHERE name = 'subscriber'",
    )
    .fetch_one(&mut *c)
    .await?;
    let ids = match changed_issues(c).await {
        Ok(ids) => ids,
        Err(error) => return Ok((carried, Some(error))),
    };
    let mut first = None;
    for id in ids {
        begin(c).await?;
        let taken = issue(c, id, newest).await;
        match end(c, taken).await {
            Ok(issue) => carried.issues.push(issue),
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    Ok((carried, first))
}

async fn begin(c: &mut SqliteConnection) -> Result<()> {
    sqlx::query("BEGIN IMMEDIATE").execute(c).await?;
    Ok(())
}

/// Ends a transaction as its work has ended.
async fn end<T>(c: &mut SqliteConnection, done: Result<T>) -> Result<T> {
    let how = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = sqlx::query(how).execute(c).await;
    let done = done?;
    ended?;
    Ok(done)
}

async fn people(c: &mut SqliteConnection) -> Result<Carried> {
    run(c, "INSERT OR IGNORE INTO main.list (key, created_at) SELECT key, created_at FROM present.list").await?;
    // Links in mails that went out since then are signed by keys made since then.
    run(
        c,
        "INSERT INTO main.link_key (id, secret, created_at) SELECT id, secret, created_at FROM present.link_key
         WHERE id > (SELECT coalesce(max(id), 0) FROM main.link_key)",
    )
    .await?;
    let mut carried = Carried::default();
    who_left(c, &mut carried).await?;
    carried.suppressed = run(
        c,
        "INSERT OR IGNORE INTO main.suppression (email, reason, at) SELECT email, reason, at FROM present.suppression",
    )
    .await?;
    Ok(carried)
}

async fn run(c: &mut SqliteConnection, sql: &'static str) -> Result<u64> {
    Ok(sqlx::query(sql).execute(c).await?.rows_affected())
}

/// Ends the subscriptions that had ended since, each with the consent record that says how.
async fn who_left(c: &mut SqliteConnection, carried: &mut Carried) -> Result<()> {
    run(
        c,
        "CREATE TEMP TABLE gone AS
         SELECT ml.id AS list_id, mp.id AS who, mp.email, ms.state AS was, ns.state, ns.since,
             (SELECT max(id) FROM present.consent x
              WHERE x.subscriber_id = np.id AND x.list_id = nl.id AND x.event = 'left') AS consent
         FROM present.subscription ns
         JOIN present.list nl ON nl.id = ns.list_id
         JOIN main.list ml ON ml.key = nl.key
         JOIN present.subscriber np ON np.id = ns.subscriber_id
         JOIN main.subscriber mp ON mp.email = np.email
         JOIN main.subscription ms ON ms.list_id = ml.id AND ms.subscriber_id = mp.id
         WHERE ns.state <> ms.state",
    )
    .await?;
    // Which state wins is decided by the table of subscriptions.
    for was in SubscriptionState::ALL {
        for now in SubscriptionState::ALL {
            if !now.is_gone() || !now.wins_over(was) {
                sqlx::query("DELETE FROM temp.gone WHERE was = ? AND state = ?")
                    .bind(was as i64)
                    .bind(now as i64)
                    .execute(&mut *c)
                    .await?;
            }
        }
    }
    carried.left = run(
        c,
        "UPDATE main.subscription AS s SET state = g.state, since = g.since FROM temp.gone g
         WHERE s.list_id = g.list_id AND s.subscriber_id = g.who",
    )
    .await?;
    run(
        c,
        "INSERT INTO main.consent (subscriber_id, list_id, at, event, how, network)
         SELECT g.who, g.list_id, coalesce(x.at, g.since), 'left', coalesce(x.how, 'import'), x.network
         FROM temp.gone g LEFT JOIN present.consent x ON x.id = g.consent",
    )
    .await?;
    carried.left_emails =
        sqlx::query_scalar("SELECT DISTINCT email FROM temp.gone ORDER BY email LIMIT ?")
            .bind(NAMED_MAX)
            .fetch_all(&mut *c)
            .await?;
    run(c, "DROP TABLE temp.gone").await?;
    Ok(())
}

/// The issues of the present database that reached somebody and stand otherwise in the copy, or not at all.
async fn changed_issues(c: &mut SqliteConnection) -> Result<Vec<i64>> {
    let sql = "SELECT n.id FROM present.issue n JOIN present.list nl ON nl.id = n.list_id
         WHERE n.fanout_after IS NULL AND (n.claims > 0 OR n.sent + n.sending + n.uncertain > 0)
           AND NOT EXISTS (
             SELECT 1 FROM main.issue m JOIN main.list ml ON ml.id = m.list_id
             WHERE ml.key = nl.key AND m.slug = n.slug AND m.queued_at = n.queued_at AND m.claims = n.claims
               AND (m.state, m.queued, m.sending, m.deferred, m.sent, m.failed, m.uncertain, m.cancelled, m.skipped)
                 = (n.state, n.queued, n.sending, n.deferred, n.sent, n.failed, n.uncertain, n.cancelled, n.skipped))
         ORDER BY n.id";
    Ok(sqlx::query_scalar(sql).fetch_all(c).await?)
}

/// Takes over one issue with its ledger, in place of those of the same identity in the copy. `newest`: the highest number
/// that the copy gave to a person.
async fn issue(c: &mut SqliteConnection, id: i64, newest: i64) -> Result<CarriedIssue> {
    let row = sqlx::query(
        "SELECT n.slug, n.number, n.state, n.sent + n.sending + n.uncertain AS people, ml.id AS list
         FROM present.issue n JOIN present.list nl ON nl.id = n.list_id JOIN main.list ml ON ml.key = nl.key
         WHERE n.id = ?",
    )
    .bind(id)
    .fetch_one(&mut *c)
    .await?;
    let slug: String = row.try_get("slug")?;
    let list: i64 = row.try_get("list")?;
    let number: Option<i64> = row.try_get("number")?;
    let twins: Vec<(i64, String)> = sqlx::query_as(
        "SELECT id, state FROM main.issue WHERE list_id = ?1 AND (slug = ?2 OR number = ?3)",
    )
    .bind(list)
    .bind(&slug)
    .bind(number)
    .fetch_all(&mut *c)
    .await?;
    let is_over = |word: &str| IssueState::from_word(word).is_some_and(IssueState::is_over);
    let waits = !is_over(&row.try_get::<String, _>("state")?)
        || twins.iter().any(|(_, state)| !is_over(state));
    for (twin, _) in &twins {
        for sql in [
            "DELETE FROM main.delivery WHERE issue_id = ?",
            "DELETE FROM main.issue_media WHERE issue_id = ?",
            "DELETE FROM main.issue_rendered WHERE issue_id = ?",
            "DELETE FROM main.issue WHERE id = ?",
        ] {
            sqlx::query(sql).bind(twin).execute(&mut *c).await?;
        }
    }
    let new = copy_issue(c, id, list).await?;
    copy_content(c, id, new).await?;
    copy_ledger(c, id, new, newest).await?;
    if waits {
        // It is held in a moment, as everything that is not over.
        sqlx::query("UPDATE main.issue SET state = ?, ended_at = NULL WHERE id = ?")
            .bind(IssueState::Sending.word())
            .bind(new)
            .execute(c)
            .await?;
    }
    Ok(CarriedIssue {
        slug,
        people: u64::try_from(row.try_get::<i64, _>("people")?).unwrap_or_default(),
    })
}

/// Copies an issue's row, under its number where that is free, since links in mails name it; gives the number.
async fn copy_issue(c: &mut SqliteConnection, id: i64, list: i64) -> Result<i64> {
    let is_taken: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM main.issue WHERE id = ?)")
            .bind(id)
            .fetch_one(&mut *c)
            .await?;
    let rest = columns(c, "issue", &["id", "list_id"]).await?;
    let sql = format!(
        "INSERT INTO main.issue (id, list_id, {rest})
         SELECT iif(?2, NULL, id), ?3, {rest} FROM present.issue WHERE id = ?1"
    );
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(id)
        .bind(is_taken)
        .bind(list)
        .execute(c)
        .await?;
    Ok(done.last_insert_rowid())
}

/// Copies what an issue's mails are made of.
async fn copy_content(c: &mut SqliteConnection, from: i64, to: i64) -> Result<()> {
    for sql in [
        "INSERT INTO main.issue_rendered (issue_id, rendered)
         SELECT ?2, rendered FROM present.issue_rendered WHERE issue_id = ?1",
        "INSERT OR IGNORE INTO main.media SELECT * FROM present.media
         WHERE hash IN (SELECT hash FROM present.issue_media WHERE issue_id = ?1) AND ?2",
        "INSERT INTO main.issue_media (issue_id, hash)
         SELECT ?2, hash FROM present.issue_media WHERE issue_id = ?1",
    ] {
        sqlx::query(sql)
            .bind(from)
            .bind(to)
            .execute(&mut *c)
            .await?;
    }
    Ok(())
}

/// Copies an issue's ledger. People whom the copy does not know get a row, and no subscription, so that the totals stay
/// right and links in their mails keep naming them.
async fn copy_ledger(c: &mut SqliteConnection, from: i64, to: i64, newest: i64) -> Result<()> {
    let rest = columns(c, "subscriber", &["id"]).await?;
    let sql = format!(
        "INSERT INTO main.subscriber (id, {rest})
         SELECT iif(id > ?2 AND NOT EXISTS (SELECT 1 FROM main.subscriber m WHERE m.id = p.id), id, NULL), {rest}
         FROM present.subscriber p
         WHERE id IN (SELECT subscriber_id FROM present.delivery WHERE issue_id = ?1)
           AND NOT EXISTS (SELECT 1 FROM main.subscriber m WHERE m.email = p.email) ORDER BY id DESC"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(from)
        .bind(newest)
        .execute(&mut *c)
        .await?;
    let rest = columns(c, "delivery", &["issue_id", "subscriber_id"]).await?;
    let given: Vec<String> = rest.split(", ").map(|name| format!("d.{name}")).collect();
    let sql = format!(
        "INSERT INTO main.delivery (issue_id, subscriber_id, {rest})
         SELECT ?2, m.id, {} FROM present.delivery d
         JOIN present.subscriber p ON p.id = d.subscriber_id JOIN main.subscriber m ON m.email = p.email
         WHERE d.issue_id = ?1 ORDER BY m.id",
        given.join(", ")
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(from)
        .bind(to)
        .execute(c)
        .await?;
    Ok(())
}

/// The columns of a table but for some, as SQL lists them. Both databases have the newest schema, so that they are the
/// same in both.
async fn columns(c: &mut SqliteConnection, table: &str, but: &[&str]) -> Result<String> {
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?, 'main')")
        .bind(table)
        .fetch_all(c)
        .await?;
    let kept: Vec<String> = names
        .into_iter()
        .filter(|name| !but.contains(&name.as_str()))
        .collect();
    Ok(kept.join(", "))
}
