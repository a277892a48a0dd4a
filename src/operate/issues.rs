//! Queued issues: finding the one that is meant, and reading where it stands.

use std::path::Path;

use crate::model::delivery::State;
use crate::model::{IssueId, ListId, SubscriberId};
use crate::store::deliveries::DeliveryRow;
use crate::store::issues::IssueRow;
use crate::store::{DaemonLock, Store};

use super::{Refusal, Result};

/// How many issues a refusal names as those that were queued last.
const NAMED: usize = 5;

/// The one queued issue that `text` means: a number, a slug, or the path of a file; in the list of key `list`, or in
/// all.
///
/// # Errors
/// There is no such issue or list, or there are several.
pub(crate) async fn find(store: &Store, text: &str, list: Option<&str>) -> Result<IssueRow> {
    let list = match list {
        Some(key) => Some(list_id(store, key).await?),
        None => None,
    };
    let absolute = std::path::absolute(text).unwrap_or_else(|_| Path::new(text).to_owned());
    let mut found = store.find_issues(list, text, &absolute).await?;
    let text = text.to_owned();
    match (found.pop(), found.pop()) {
        (Some(row), None) => Ok(row),
        (Some(row), Some(other)) if row.list != other.list => Err(Refusal::InSeveralLists {
            text,
            lists: [row.list, other.list],
        }
        .into()),
        (Some(row), Some(other)) => Err(Refusal::NumberAndSlug {
            text,
            slugs: [row.slug, other.slug],
        }
        .into()),
        (None, _) => Err(no_such_issue(store, text).await?.into()),
    }
}

async fn list_id(store: &Store, key: &str) -> Result<ListId> {
    let lists = store.lists().await?;
    match lists.get(key) {
        Some(id) => Ok(*id),
        None => {
            let mut known: Vec<String> = lists.into_keys().collect();
            known.sort_unstable();
            let key = key.to_owned();
            Err(Refusal::NoSuchList { key, known }.into())
        }
    }
}

async fn no_such_issue(store: &Store, text: String) -> Result<Refusal> {
    let rows = store.issues().await?;
    Ok(Refusal::NoSuchIssue {
        text,
        last: rows
            .into_iter()
            .rev()
            .take(NAMED)
            .map(|row| row.slug)
            .collect(),
        database: store.path().to_owned(),
    })
}

/// Every queued issue with its totals, oldest first; of the list of key `list`, or of all.
///
/// # Errors
/// The database can't be read.
pub(crate) async fn all(store: &Store, list: Option<&str>) -> Result<Vec<IssueRow>> {
    let mut rows = store.issues().await?;
    if let Some(list) = list {
        rows.retain(|row| row.list == list);
    }
    Ok(rows)
}

/// One issue as it stands now; `None` if it was replaced or deleted.
///
/// # Errors
/// The database can't be read.
pub(crate) async fn get(store: &Store, id: IssueId) -> Result<Option<IssueRow>> {
    Ok(store.issue(id).await?)
}

/// Up to `limit` mails of an issue, in the order of their subscribers and beginning after `after`; those in one state,
/// or all.
///
/// # Errors
/// The database can't be read.
pub(crate) async fn deliveries(
    store: &Store,
    issue: IssueId,
    state: Option<State>,
    after: SubscriberId,
    limit: usize,
) -> Result<Vec<DeliveryRow>> {
    Ok(store.deliveries(issue, state, after, limit).await?)
}

/// Whether a daemon runs on this database, in this process or another.
pub(crate) fn is_daemon_running(database: &Path) -> bool {
    DaemonLock::holder(database).is_some()
}
