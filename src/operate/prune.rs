//! Dropping the rows of recipients of issues that ended long ago.

use jiff::{SignedDuration, Timestamp};

use crate::store::Store;
use crate::store::issues::IssueRow;

use super::Result;

/// What a prune would drop.
#[derive(Clone, Debug)]
pub(crate) struct Prunable {
    /// The issues, oldest first.
    pub issues: Vec<IssueRow>,
    /// How many recipients they have together.
    pub people: u64,
}

/// Finds the issues that ended longer ago than `age`; of the list of key `list`, or of all.
///
/// # Errors
/// The database can't be read.
pub(crate) async fn find(
    store: &Store,
    list: Option<&str>,
    age: SignedDuration,
    now: Timestamp,
) -> Result<Prunable> {
    let before = now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let mut issues = store.prunable(before).await?;
    issues.retain(|row| list.is_none_or(|list| row.list == list));
    let people = issues.iter().map(|row| row.totals.planned()).sum();
    Ok(Prunable { issues, people })
}

/// Drops what was found; gives the number of rows. `tell` is told after each step how many there were.
///
/// # Errors
/// The database can't be written; what was dropped until then is gone, and doing it again completes it.
pub(crate) async fn prune(
    store: &Store,
    found: &Prunable,
    now: Timestamp,
    mut tell: impl FnMut(u64),
) -> Result<u64> {
    let mut dropped = 0;
    for row in &found.issues {
        loop {
            match store.prune_some(row.id, now).await? {
                0 => break,
                some => dropped += some,
            }
            tell(dropped);
        }
    }
    Ok(dropped)
}
