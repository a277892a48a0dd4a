//! Queueing an issue: now, at a later time, or in place of one that is still scheduled.
//!
//! [`plan`] finds out what a send would mean, so that a person can be asked before [`Plan::queue`] stores it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::sending::IssueState;
use crate::model::{IssueId, List, ListId};
use crate::publish::{self, Order, Proof};
use crate::store::Store;
use crate::store::issues::{IssueRow, QueuedBy, Queueing};

use super::{IssueName, Refusal, Result};

/// When an issue is to go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// As soon as it is queued.
    Now,
    /// At this time.
    At(Timestamp),
}

impl When {
    /// A time that still lies ahead of `now`; `zone` is that of the list.
    ///
    /// # Errors
    /// [`Refusal::TimePassed`]
    pub(crate) fn later(at: Timestamp, zone: &TimeZone, now: Timestamp) -> Result<When, Refusal> {
        if at < now {
            Err(Refusal::TimePassed {
                at: at.to_zoned(zone.clone()),
            })
        } else {
            Ok(When::At(at))
        }
    }
}

/// What queueing an issue would mean. Nothing is stored yet but the list's row.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What the issue is known by.
    pub issue: IssueName,
    /// How many active subscribers the list has now.
    pub subscribers: u64,
    /// When it is to go out.
    pub when: When,
    /// When the same issue is due, if it is scheduled already and would be replaced.
    pub replaces: Option<Timestamp>,
    list_id: ListId,
    list: List,
    proof: Proof,
}

/// An issue that was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Queued {
    /// The issue's row.
    pub id: IssueId,
    /// Whether it took the place of one that was scheduled.
    pub replaced: bool,
}

/// Finds out what queueing `proof` for a list would mean.
///
/// # Errors
/// The database can't be read or written.
pub(crate) async fn plan(
    store: &Store,
    list: &List,
    proof: Proof,
    when: When,
    now: Timestamp,
) -> Result<Plan> {
    let ids = store
        .ensure_lists(std::slice::from_ref(&list.key), now)
        .await?;
    let id = ids[&list.key];
    Ok(Plan {
        issue: IssueName {
            number: proof.issue.meta.number,
            slug: proof.issue.slug.clone(),
        },
        subscribers: store.readers_of(id).await?,
        when,
        replaces: scheduled(store, id, &proof).await?,
        list_id: id,
        list: list.clone(),
        proof,
    })
}

impl Plan {
    /// Refuses an issue that would go out now and reach nobody: it would count as sent.
    ///
    /// # Errors
    /// [`Refusal::NobodyActive`]
    pub(crate) fn reaches_somebody(&self) -> Result<(), Refusal> {
        if self.subscribers > 0 || self.when != When::Now {
            return Ok(());
        }
        Err(Refusal::NobodyActive {
            issue: self.issue.clone(),
            list: self.list.key.clone(),
        })
    }

    /// Stores the issue with its pictures, in one transaction. One that is still scheduled gives way if `replace`.
    ///
    /// # Errors
    /// [`Refusal::AlreadySent`], [`Refusal::AlreadyScheduled`], [`Refusal::QueuedMeanwhile`], or the database can't
    /// be written; then nothing was stored.
    pub(crate) async fn queue(
        &self,
        store: &Store,
        replace: bool,
        now: Timestamp,
    ) -> Result<Queued> {
        let order = Order {
            list: self.list_id,
            queued_by: QueuedBy::Author,
            queued_at: now,
            // Never before it was queued, however long somebody was asked.
            due_at: match self.when {
                When::Now => now,
                When::At(at) => at,
            },
            hold: None,
            replace,
            firing: None,
        };
        let issue = self.issue.clone();
        let local = |at: Timestamp| at.to_zoned(self.list.zone.clone());
        match publish::queue(store, self.proof.clone(), order).await? {
            Queueing::Queued(id) => Ok(Queued {
                id,
                replaced: false,
            }),
            Queueing::Replaced(id) => Ok(Queued { id, replaced: true }),
            Queueing::StillScheduled { due_at } => {
                let due_at = local(due_at);
                Err(Refusal::AlreadyScheduled { issue, due_at }.into())
            }
            Queueing::AlreadySent { state, when } => Err(Refusal::AlreadySent {
                issue,
                state,
                at: local(when),
            }
            .into()),
            Queueing::AlreadyFired => Err(Refusal::QueuedMeanwhile { issue }.into()),
        }
    }
}

/// When the same issue is due, if it is scheduled: one of the same slug or file, or of the same number.
async fn scheduled(store: &Store, list: ListId, proof: &Proof) -> Result<Option<Timestamp>> {
    let mut found = store
        .find_issues(Some(list), &proof.issue.slug, &proof.file)
        .await?;
    if let Some(number) = proof.issue.meta.number {
        found.extend(
            store
                .find_issues(Some(list), &number.to_string(), &proof.file)
                .await?,
        );
    }
    let waits = |row: &&IssueRow| row.state == IssueState::Scheduled;
    Ok(found.iter().find(waits).map(|row| row.due_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_has_passed_is_refused() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-24T12:00:00Z");
        let when = |at| When::later(at, &TimeZone::UTC, now);
        assert_eq!(when(now), Ok(When::At(now)));
        let past = at("2026-11-24T11:59:59Z");
        let refused = Refusal::TimePassed {
            at: past.to_zoned(TimeZone::UTC),
        };
        assert_eq!(when(past), Err(refused));
    }
}
