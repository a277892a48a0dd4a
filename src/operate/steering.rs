//! Pausing, resuming, cancelling and retrying an issue, whether a daemon runs or not.
//!
//! An operation only writes rows; a daemon notices within a second.

use jiff::Timestamp;

use crate::model::delivery::{State, Totals};
use crate::model::sending::IssueState;
use crate::model::waiting::Reason;
use crate::store::Store;
use crate::store::issues::IssueRow;
use crate::store::steering::Steered;

use super::{Action, Error, Refusal, Result};

/// Which mails are queued again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that were refused for good, or for too long.
    Failed,
    /// Those of which nobody knows whether they arrived; their recipients may get them twice.
    Uncertain,
    /// Those that a cancel kept back; their recipients have certainly not got them.
    Cancelled,
}

impl Which {
    /// The state that such mails are in.
    pub(crate) fn state(self) -> State {
        match self {
            Self::Failed => State::Failed,
            Self::Uncertain => State::Uncertain,
            Self::Cancelled => State::Cancelled,
        }
    }

    /// How many of them an issue has.
    pub(crate) fn count(self, totals: &Totals) -> u64 {
        match self {
            Self::Failed => totals.failed,
            Self::Uncertain => totals.uncertain,
            Self::Cancelled => totals.cancelled,
        }
    }
}

/// Stops sending an issue until it is resumed; mails in flight end as they end. `by` is who asked for it, as people
/// know them.
///
/// # Errors
/// [`Refusal::NotPossible`], [`Refusal::Gone`], or the database can't be written.
pub(crate) async fn pause(
    store: &Store,
    issue: &IssueRow,
    by: &str,
    now: Timestamp,
) -> Result<IssueRow> {
    let reason = Reason::PausedByUser {
        by: by.to_owned(),
        at: now,
    };
    let steered = store.pause(issue.id, &reason).await?;
    moved(store, issue, steered, Action::Pause).await
}

/// Lets a paused or held issue go on, at its own time if that lies ahead; one that is being sent and waits tries at once.
///
/// # Errors
/// [`Refusal::NeverRendered`], [`Refusal::NotPossible`], [`Refusal::Gone`], or the database can't be written.
pub(crate) async fn resume(store: &Store, issue: &IssueRow, now: Timestamp) -> Result<IssueRow> {
    if issue.state == IssueState::Held && store.rendered(issue.id).await.is_err() {
        return Err(Refusal::NeverRendered {
            issue: issue.into(),
            file: issue.file.clone(),
        }
        .into());
    }
    let steered = store.resume(issue.id, now).await?;
    moved(store, issue, steered, Action::Resume).await
}

/// Whether an issue has ended, so that cancelling it needs no question: it is refused, or completes a cancel that was
/// interrupted.
pub(crate) fn has_ended(issue: &IssueRow) -> bool {
    matches!(issue.state, IssueState::Done | IssueState::Cancelled)
}

/// Withdraws every mail of an issue that has not gone out; mails in flight end as they end.
///
/// # Errors
/// [`Refusal::NotPossible`], [`Refusal::Gone`], or the database can't be written; what was withdrawn until then
/// stays so, and the daemon or another cancel completes it.
pub(crate) async fn cancel(store: &Store, issue: &IssueRow, now: Timestamp) -> Result<IssueRow> {
    let steered = store.cancel(issue.id, now).await?;
    moved(store, issue, steered, Action::Cancel).await
}

/// Queues mails of an issue again; gives the issue afterwards, and the number of mails.
///
/// # Errors
/// [`Refusal::Pruned`], [`Refusal::NotPossible`], [`Refusal::Interrupted`], [`Refusal::Gone`], or the database can't be written; what was
/// queued until then stays so.
pub(crate) async fn retry(
    store: &Store,
    issue: &IssueRow,
    which: Which,
    now: Timestamp,
) -> Result<(IssueRow, u64)> {
    if let Some(at) = issue.pruned_at {
        let issue = issue.into();
        return Err(Refusal::Pruned { issue, at }.into());
    }
    let (steered, queued) = store.retry(issue.id, which.state(), now).await?;
    if let (Steered::Not(state), 1..) = (steered, queued) {
        return Err(Refusal::Interrupted {
            issue: issue.into(),
            state,
            queued,
        }
        .into());
    }
    let row = moved(store, issue, steered, Action::Retry).await?;
    Ok((row, queued))
}

/// The issue after it has moved, or why it has not.
async fn moved(
    store: &Store,
    before: &IssueRow,
    steered: Steered,
    action: Action,
) -> Result<IssueRow> {
    let gone = || {
        Error::from(Refusal::Gone {
            issue: before.into(),
        })
    };
    match steered {
        Steered::Now(_) => store.issue(before.id).await?.ok_or_else(gone),
        Steered::Not(state) => Err(Refusal::NotPossible {
            issue: before.into(),
            state,
            action,
        }
        .into()),
        Steered::Unknown => Err(gone()),
    }
}
