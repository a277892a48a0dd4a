//! Batch commit: the outcomes and claims of all connections go into one transaction.
//!
//! Each connection has a [`CommitHandle`]. What it hands over travels through one queue to one task, which writes it in
//! batches. When [`CommitHandle::claim`] or [`CommitHandle::flush`] returns, it is on the disk. How many entries a batch
//! waits for is left to [`BatchSize`]; it is never longer than a moment.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::batch_size::BatchSize;
use super::ready_queue::ReadyQueue;
use super::refusal_streak::{Action, Answer, RefusalStreakBreaker, Return, Surroundings};
use super::relays::Relays;
use crate::model::delivery::{Event, MailKey};
use crate::model::waiting::Reason;
use crate::model::{IssueId, SharedClock};
use crate::store::Store;
use crate::store::commit_batch::{Batch, Claim, Grant, Outcome};

/// The most entries of one transaction.
const BATCH_MAX: usize = 256;
/// The longest that a batch waits for more entries. This is tokio's own resolution.
const MOMENT: Duration = Duration::from_millis(1);
/// The first wait between two tries while the database can't be written. Each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest such wait.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What one connection has to write.
#[derive(Default)]
struct Entry {
    outcome: Option<Outcome>,
    /// Where the outcome came from; `None` for a system mail.
    answer: Option<Answer>,
    /// An issue that must pause, with the reason.
    pause: Option<(IssueId, Reason)>,
    claim: Option<Claim>,
}

struct Request {
    entry: Entry,
    answer: oneshot::Sender<Grant>,
}

/// What an outcome may have to change beside the database.
#[derive(Clone)]
pub(super) struct Affected {
    pub queue: Arc<ReadyQueue>,
    pub relays: Arc<Relays>,
    pub refusals: Arc<RefusalStreakBreaker>,
}

impl Affected {
    /// Adds an outcome to a batch, and does at once what it calls for. Those who are queued again come back later, once
    /// that is on the disk.
    fn record(&self, outcome: Outcome, answer: Option<Answer>, batch: &mut Batch) -> Vec<Return> {
        let around = answer
            .as_ref()
            .map_or_else(Surroundings::default, |answer| {
                let relay = self.relays.get(answer.place);
                Surroundings {
                    has_another_up: self.relays.has_another_up(answer.place),
                    has_accepted: relay.has_accepted(),
                }
            });
        let then = self.refusals.record(outcome, answer, batch, &around);
        for action in then.actions {
            match action {
                Action::Close {
                    place,
                    provider,
                    fault,
                } => {
                    let relay = &self.relays.get(place).relay.name;
                    tracing::warn!(%relay, "{provider} refuses us: {fault}");
                    self.queue.close_provider(&provider, place, fault);
                }
                Action::BackOff { place, fault } => {
                    self.relays.get(place).back_off(&fault);
                    // It is the relay's word and not its providers'.
                    self.queue.reopen_providers(Some(place));
                }
            }
        }
        then.returns
    }
}

/// The way to the task that writes; each connection gets a handle of its own.
#[derive(Clone)]
pub(super) struct CommitQueue {
    requests: mpsc::Sender<Request>,
}

impl CommitQueue {
    /// A queue and the task that writes what comes through it. The task ends when the queue and all handles are dropped.
    /// From `shutdown` on it waits for a database that can't be written only to write outcomes, and claims nothing.
    pub(super) fn new(
        store: Store,
        clock: SharedClock,
        affected: Affected,
        shutdown: CancellationToken,
    ) -> (CommitQueue, impl Future<Output = ()> + Send) {
        let (requests, inbox) = mpsc::channel(BATCH_MAX);
        (
            CommitQueue { requests },
            write(store, clock, affected, shutdown, inbox),
        )
    }

    /// A connection's handle.
    pub(super) fn handle(&self) -> CommitHandle {
        CommitHandle {
            requests: self.requests.clone(),
            pending: Entry::default(),
        }
    }
}

/// A connection's way to the database, with the outcome of its last mail until that is written.
///
/// The outcome is written together with the next claim or by a flush; a handle that is dropped before, since its task
/// panics or is cancelled, still sends it off.
pub(super) struct CommitHandle {
    requests: mpsc::Sender<Request>,
    pending: Entry,
}

impl CommitHandle {
    /// Keeps the outcome of a mail until the next claim or flush, with the reason why its issue must pause.
    pub(super) fn set_pending(
        &mut self,
        outcome: Outcome,
        answer: Option<Answer>,
        pause: Option<(IssueId, Reason)>,
    ) {
        self.pending = Entry {
            outcome: Some(outcome),
            answer,
            pause,
            claim: None,
        };
    }

    /// Whether an outcome is not written yet.
    pub(super) fn has_pending_outcome(&self) -> bool {
        self.pending.outcome.is_some()
    }

    /// Whether the pending outcome is a refusal that is about us: until it is written, the next mail may meet the same.
    pub(super) fn has_pending_refusal(&self) -> bool {
        let refusal = |answer: &Answer| answer.refusal.is_some();
        let requeued = |outcome: &Outcome| outcome.event == Event::Requeued;
        self.pending.answer.as_ref().is_some_and(refusal)
            && self.pending.outcome.as_ref().is_some_and(requeued)
    }

    /// The issue that pauses with the pending outcome.
    pub(super) fn pending_pause(&self) -> Option<IssueId> {
        self.pending.pause.as_ref().map(|(issue, _)| *issue)
    }

    /// Claims a mail, and writes the pending outcome with it. Returns when that is on the disk.
    pub(super) async fn claim(&mut self, claim: Claim) -> Grant {
        self.pending.claim = Some(claim);
        self.commit().await
    }

    /// Writes the pending outcome, where there is one. Returns when it is on the disk.
    pub(super) async fn flush(&mut self) {
        if self.has_pending_outcome() {
            self.commit().await;
        }
    }

    /// Pauses an issue for a reason that no mail's outcome gives. Returns when that is on the disk.
    pub(super) async fn pause(&mut self, issue: IssueId, reason: Reason) {
        self.flush().await;
        self.pending.pause = Some((issue, reason));
        self.commit().await;
    }

    /// Writes what is pending; [`Grant::Refused`] where that holds no claim, or nobody writes any more.
    async fn commit(&mut self) -> Grant {
        // What is pending is taken only once there is room for it, so that it is not lost where this is cancelled.
        let Ok(slot) = self.requests.reserve().await else {
            return Grant::Refused;
        };
        let (answer, granted) = oneshot::channel();
        let entry = std::mem::take(&mut self.pending);
        slot.send(Request { entry, answer });
        granted.await.unwrap_or(Grant::Refused)
    }
}

impl Drop for CommitHandle {
    fn drop(&mut self) {
        if self.has_pending_outcome() {
            let (answer, _) = oneshot::channel();
            let entry = Entry {
                claim: None,
                ..std::mem::take(&mut self.pending)
            };
            let _ = self.requests.try_send(Request { entry, answer });
        }
    }
}

async fn write(
    store: Store,
    clock: SharedClock,
    affected: Affected,
    shutdown: CancellationToken,
    mut inbox: mpsc::Receiver<Request>,
) {
    let mut in_flight = HashSet::new();
    let mut size = BatchSize::default();
    let mut requests = Vec::new();
    while gather(&mut inbox, &mut requests, &mut size, in_flight.len()).await {
        let mut batch = Batch::default();
        let mut waiting = Vec::new();
        let mut returns = Vec::new();
        for Request { entry, answer } in requests.drain(..) {
            if let Some(outcome) = entry.outcome {
                in_flight.remove(&outcome.key);
                returns.extend(affected.record(outcome, entry.answer, &mut batch));
            }
            batch.pauses.extend(entry.pause);
            let claimed = entry.claim.map(|claim| {
                batch.claims.push(claim);
                claim.key
            });
            waiting.push((answer, claimed));
        }
        let paused: Vec<IssueId> = batch.pauses.iter().map(|(issue, _)| *issue).collect();
        let mut grants = commit_batch(&store, &clock, &shutdown, batch)
            .await
            .into_iter();
        affected.queue.give_back(returns);
        if !paused.is_empty() {
            affected.queue.retain(|issue| !paused.contains(&issue));
        }
        for (answer, claimed) in waiting {
            let grant = claimed.and_then(|key| settle(key, grants.next(), &mut in_flight));
            let _ = answer.send(grant.unwrap_or(Grant::Refused));
        }
    }
}

/// Takes what has come, and waits a moment for as many entries as are worth it; `false` when all handles are dropped.
async fn gather(
    inbox: &mut mpsc::Receiver<Request>,
    requests: &mut Vec<Request>,
    size: &mut BatchSize,
    in_flight: usize,
) -> bool {
    if inbox.recv_many(requests, BATCH_MAX).await == 0 {
        return false;
    }
    let wanted = size.wanted(in_flight).min(BATCH_MAX);
    let moment = tokio::time::sleep(MOMENT);
    tokio::pin!(moment);
    while requests.len() < wanted {
        let room = BATCH_MAX - requests.len();
        tokio::select! {
            more = inbox.recv_many(requests, room) => if more == 0 { break },
            () = &mut moment => break,
        }
    }
    size.learn(wanted, requests.len());
    true
}

/// Notes what is in flight from now on.
fn settle(key: MailKey, grant: Option<Grant>, in_flight: &mut HashSet<MailKey>) -> Option<Grant> {
    if matches!(grant, Some(Grant::Granted { .. })) {
        in_flight.insert(key);
    }
    grant
}

/// Writes a batch, however long that takes: an outcome must not be lost because a disk is full for a while.
async fn commit_batch(
    store: &Store,
    clock: &SharedClock,
    shutdown: &CancellationToken,
    mut batch: Batch,
) -> Vec<Grant> {
    let claims = batch.claims.len();
    let mut wait = FIRST_WAIT;
    loop {
        match store.commit_batch(&batch, clock.now()).await {
            Ok(done) => {
                for (issue, reason) in moved(&batch.pauses, &done.paused) {
                    log_pause(store, issue, reason).await;
                }
                if wait > FIRST_WAIT && !shutdown.is_cancelled() {
                    tracing::info!("the ledger can be written again");
                }
                let mut grants = done.grants;
                grants.resize(claims, Grant::Refused);
                return grants;
            }
            Err(error) => {
                if wait == FIRST_WAIT {
                    tracing::error!("nothing is sent for now: {error}");
                }
                let slept = shutdown.run_until_cancelled(tokio::time::sleep(wait)).await;
                if slept.is_none() {
                    if batch.claims.is_empty() {
                        tokio::time::sleep(wait).await;
                    }
                    // Who is not claimed stays queued, and the stop need not wait for them.
                    batch.claims.clear();
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

/// Each issue that stands still from now on, with the reason that is kept: the first of those that came together.
fn moved<'g>(pauses: &'g [(IssueId, Reason)], paused: &[IssueId]) -> Vec<(IssueId, &'g Reason)> {
    let first = |issue: &IssueId| pauses.iter().find(|(other, _)| other == issue);
    paused
        .iter()
        .filter_map(first)
        .map(|(issue, reason)| (*issue, reason))
        .collect()
}

/// Logs a pause with the issue's name, or its number where it can't be read.
async fn log_pause(store: &Store, issue: IssueId, reason: &Reason) {
    let name = match store.issue(issue).await {
        Ok(Some(row)) => format!("{} of {}", row.slug, row.list),
        _ => issue.to_string(),
    };
    tracing::error!("issue {name} pauses: {reason}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::testing::under_way;
    use crate::model::SubscriberId;
    use crate::model::delivery::{Event, State};
    use crate::model::reply::Diagnostic;
    use crate::store::testing::open_with_list;

    fn affected() -> Affected {
        let (settings, changed) = (crate::config::defaults().sending, Arc::default());
        let limits = Arc::new(settings.pacing.domains.clone());
        Affected {
            relays: Arc::new(Relays::new(&settings, &changed)),
            queue: Arc::new(ReadyQueue::new(4, limits, changed)),
            refusals: Arc::default(),
        }
    }

    #[tokio::test]
    async fn an_outcome_is_written_though_its_task_ends_before_the_next_claim() {
        let (_dir, store, list) = open_with_list().await;
        let issue = under_way(&store, list, vec!["r1@readers.example".into()]).await;
        let (queue, writing) = CommitQueue::new(
            store.clone(),
            crate::app::clock::machine(),
            affected(),
            CancellationToken::new(),
        );
        let writing = tokio::spawn(writing);
        let mut handle = queue.handle();
        let claim = Claim {
            key: MailKey::Issue(issue, SubscriberId(1)),
            from: State::Queued,
            attempt: 0,
        };
        let Grant::Granted { attempt } = handle.claim(claim).await else {
            panic!("nobody else claims it")
        };
        let outcome = Outcome {
            key: claim.key,
            from: State::Sending,
            attempt,
            event: Event::Accepted,
            next_at: None,
            reply: Diagnostic::without_reply("taken"),
            relay: "main".into(),
        };
        handle.set_pending(outcome, None, None);
        drop((handle, queue));
        writing.await.unwrap();
        let totals = store.issue(issue).await.unwrap().unwrap().totals;
        assert_eq!((totals.sent, totals.sending), (1, 0));
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_a_claim_that_cannot_be_written() {
        let (dir, store, list) = open_with_list().await;
        let issue = under_way(&store, list, vec!["r1@readers.example".into()]).await;
        let shutdown = CancellationToken::new();
        let (queue, writing) = CommitQueue::new(
            store.clone(),
            crate::app::clock::machine(),
            affected(),
            shutdown.clone(),
        );
        tokio::spawn(writing);
        let away = dir.path().join("away.db");
        std::fs::rename(store.path(), &away).unwrap();
        store.look_at_place();
        let mut handle = queue.handle();
        let claim = Claim {
            key: MailKey::Issue(issue, SubscriberId(1)),
            from: State::Queued,
            attempt: 0,
        };
        let claimed = tokio::spawn(async move { handle.claim(claim).await });
        tokio::time::sleep(FIRST_WAIT).await;
        assert!(!claimed.is_finished(), "it waits for the database");
        shutdown.cancel();
        assert_eq!(claimed.await.unwrap(), Grant::Refused);
    }

    #[test]
    fn a_pause_that_several_connections_meet_is_told_once() {
        let why = |text: &str| Reason::Text { text: text.into() };
        let pause = |issue: i64, text: &str| (IssueId(issue), why(text));
        let met = [
            pause(1, "no login"),
            pause(2, "blocked"),
            pause(1, "no login at all"),
            pause(3, "late"),
        ];
        // The third stood still already.
        assert_eq!(
            moved(&met, &[IssueId(1), IssueId(2)]),
            [
                (IssueId(1), &why("no login")),
                (IssueId(2), &why("blocked"))
            ]
        );
    }
}
