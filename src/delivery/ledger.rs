//! Group commit: outcomes and claims of all connections go into one transaction.
//!
//! How many entries a group waits for is [`Gathering`]'s matter; it is never longer than a moment. When
//! [`Ledger::exchange`] returns, what it brought is on the disk.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::breaker::Breaker;
use super::gathering::Gathering;
use super::toll::BY_ITSELF;
use crate::model::delivery::MailKey;
use crate::model::{IssueId, SharedClock};
use crate::store::Store;
use crate::store::commit_batch::{Batch, Claim, Grant, Outcome};

/// The most entries of one transaction.
const GROUP_MAX: usize = 256;
/// The longest that a group waits for others, tokio's own grain of time.
const MOMENT: Duration = Duration::from_millis(1);
/// Between tries while the database can't be written; grows up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What one connection has to say.
#[derive(Default)]
pub(super) struct Entry {
    pub outcome: Option<Outcome>,
    /// An issue that must pause, with the reason.
    pub pause: Option<(IssueId, String)>,
    pub claim: Option<Claim>,
}

struct Request {
    entry: Entry,
    answer: oneshot::Sender<Grant>,
}

/// A connection's way to the ledger.
#[derive(Clone)]
pub(super) struct Ledger {
    requests: mpsc::Sender<Request>,
}

impl Ledger {
    /// A ledger and the task that writes it, which ends when the last handle is dropped.
    pub(super) fn new(
        store: Store,
        clock: SharedClock,
    ) -> (Ledger, impl Future<Output = ()> + Send) {
        let (requests, inbox) = mpsc::channel(GROUP_MAX);
        (Ledger { requests }, write(store, clock, inbox))
    }

    /// Returns when the entry is on the disk, with what became of its claim ([`Grant::Refused`] without one).
    pub(super) async fn exchange(&self, entry: Entry) -> Grant {
        let (answer, granted) = oneshot::channel();
        if self.requests.send(Request { entry, answer }).await.is_err() {
            return Grant::Refused;
        }
        granted.await.unwrap_or(Grant::Refused)
    }
}

async fn write(store: Store, clock: SharedClock, mut inbox: mpsc::Receiver<Request>) {
    let mut breaker = Breaker::default();
    let mut in_flight = HashSet::new();
    let mut gathering = Gathering::default();
    let mut requests = Vec::new();
    while gather(&mut inbox, &mut requests, &mut gathering, in_flight.len()).await {
        let mut group = Batch::default();
        let mut waiting = Vec::new();
        for Request { entry, answer } in requests.drain(..) {
            if let Some(outcome) = entry.outcome {
                in_flight.remove(&outcome.key);
                breaker.record(outcome, &mut group, &in_flight);
            }
            group.pauses.extend(entry.pause);
            let claimed = entry.claim.map(|claim| {
                group.claims.push(claim);
                claim.key
            });
            waiting.push((answer, claimed));
        }
        let mut grants = commit(&store, &clock, group).await.into_iter();
        for (answer, claimed) in waiting {
            let grant = claimed.and_then(|key| settle(key, grants.next(), &mut in_flight));
            let _ = answer.send(grant.unwrap_or(Grant::Refused));
        }
    }
}

/// Takes what has come, and waits a moment for as many as are worth it; `false` when nobody is left.
async fn gather(
    inbox: &mut mpsc::Receiver<Request>,
    requests: &mut Vec<Request>,
    gathering: &mut Gathering,
    in_flight: usize,
) -> bool {
    if inbox.recv_many(requests, GROUP_MAX).await == 0 {
        return false;
    }
    let wanted = gathering.wanted(in_flight).min(GROUP_MAX);
    let moment = tokio::time::sleep(MOMENT);
    tokio::pin!(moment);
    while requests.len() < wanted {
        let room = GROUP_MAX - requests.len();
        tokio::select! {
            more = inbox.recv_many(requests, room) => if more == 0 { break },
            () = &mut moment => break,
        }
    }
    gathering.learn(wanted, requests.len());
    true
}

/// Notes what is in flight from now on.
fn settle(key: MailKey, grant: Option<Grant>, in_flight: &mut HashSet<MailKey>) -> Option<Grant> {
    if matches!(grant, Some(Grant::Granted { .. })) {
        in_flight.insert(key);
    }
    grant
}

/// Writes a group, however long that takes: an outcome must not be lost because a disk is full for a while.
async fn commit(store: &Store, clock: &SharedClock, group: Batch) -> Vec<Grant> {
    let mut wait = FIRST_WAIT;
    loop {
        match store.commit_batch(&group, clock.now()).await {
            Ok(done) => {
                for (issue, reason) in moved(&group.pauses, &done.paused) {
                    log_pause(store, issue, reason).await;
                }
                if wait > FIRST_WAIT {
                    tracing::info!("the ledger can be written again");
                }
                return done.grants;
            }
            Err(error) => {
                if wait == FIRST_WAIT {
                    tracing::error!("nothing is sent for now: {error}");
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

/// Each issue that stands still from now on, with the reason that is kept: the first of those that came together.
fn moved<'g>(pauses: &'g [(IssueId, String)], paused: &[IssueId]) -> Vec<(IssueId, &'g str)> {
    let first = |issue: &IssueId| pauses.iter().find(|(other, _)| other == issue);
    paused
        .iter()
        .filter_map(first)
        .map(|(issue, reason)| (*issue, reason.as_str()))
        .collect()
}

/// Logs a pause with the issue's name, or its number where it can't be read.
async fn log_pause(store: &Store, issue: IssueId, reason: &str) {
    let name = match store.issue(issue).await {
        Ok(Some(row)) => format!("{} of {}", row.slug, row.list),
        _ => issue.to_string(),
    };
    tracing::error!(
        "issue {name} pauses: {}",
        reason.strip_prefix(BY_ITSELF).unwrap_or(reason)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_that_several_connections_meet_is_told_once() {
        let pause = |issue: i64, why: &str| (IssueId(issue), why.to_owned());
        let met = [
            pause(1, "no login"),
            pause(2, "blocked"),
            pause(1, "no login at all"),
            pause(3, "late"),
        ];
        // The third stood still already.
        assert_eq!(
            moved(&met, &[IssueId(1), IssueId(2)]),
            [(IssueId(1), "no login"), (IssueId(2), "blocked")]
        );
    }
}
