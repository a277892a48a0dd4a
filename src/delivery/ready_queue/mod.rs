//! The mails that are ready to be claimed: the scheduler enqueues them, connections take them. System mails go first.
//!
//! Nothing here is a promise: a mail in this queue is still `queued` or `deferred` in the database, and is read again
//! after a restart. The claim decides. What a provider's limits permit is left to [`provider_queues`], and what a mail
//! takes of all limits is held by its [`Permit`]. What leaves it untried, since its provider refuses us, is
//! [`Returned`] to the scheduler.

mod permit;
mod provider_queues;
mod returned;
mod throttled;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::Notify;

pub(super) use permit::{InFlight, Permit};
pub(super) use provider_queues::{COMMON, QueueId};
pub(super) use returned::{Refusing, Returned};

use provider_queues::{ProviderQueues, Taker};

use super::relay_set::RelaySet;

use crate::mail::Template;
use crate::model::delivery::MailKey;
use crate::model::rate::SavedRate;
use crate::model::{Address, IssueId, SubscriberId};
use crate::pace::DomainLimits;
use crate::store::deliveries::Candidate;

/// What all mails of an issue, or one system mail, have in common.
pub(crate) struct Mailing {
    /// The issue's slug, or what a system mail is, for the log.
    pub name: String,
    pub template: Template,
    /// The author's address. It is the envelope's sender where there is no bounce address.
    pub from: Address,
    pub bounce: Option<Address>,
}

/// One mail that may be claimed.
pub(crate) struct Job {
    pub candidate: Candidate,
    pub mailing: Arc<Mailing>,
    /// When the sending hours end: from then on it must not be claimed.
    pub closes_at: Option<Timestamp>,
    /// The relays that refused it for a fault of ours: another one tries it.
    pub refused_at: RelaySet,
}

impl Job {
    pub(super) fn new(candidate: Candidate, mailing: Arc<Mailing>) -> Job {
        Job {
            candidate,
            mailing,
            closes_at: None,
            refused_at: RelaySet::default(),
        }
    }

    /// The issue it is of; `None` for a system mail.
    pub(super) fn issue(&self) -> Option<IssueId> {
        match self.candidate.key {
            MailKey::Issue(issue, _) => Some(issue),
            MailKey::System(_) => None,
        }
    }

    fn domain(&self) -> &str {
        self.candidate.email.domain()
    }
}

/// Which mails a connection can take now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The place of its relay in the settings.
    pub relay: usize,
    /// Confirmations and other system mails.
    pub system: bool,
    /// Those that another relay could not take.
    pub rerouted: bool,
    /// Of these, those to addresses beyond ASCII as well.
    pub beyond_ascii: bool,
    /// Those of providers that refuse us by another relay.
    pub refused_elsewhere: bool,
    /// All others.
    pub queued: bool,
}

impl Wanted {
    /// Whether it takes a mail that was rerouted, of a provider that is closed to these relays.
    fn takes(&self, job: &Job, closed_to: RelaySet) -> bool {
        let refused = closed_to.union(job.refused_at).contains(self.relay);
        !refused && (self.beyond_ascii || !job.candidate.email.needs_smtputf8())
    }
}

/// The queue. Every method returns at once.
pub(super) struct ReadyQueue {
    inner: Mutex<Inner>,
    /// Wakes connections: there may be a mail for them, or a relay's state has changed.
    changed: Arc<Notify>,
    /// Wakes the scheduler: few mails are left, or the last mail of an issue was answered.
    hungry: Notify,
    /// Below this number of mails the scheduler is woken.
    low: usize,
}

struct Inner {
    system: VecDeque<Arc<Job>>,
    /// Mails that some relay could not take, with the queues they came from.
    rerouted: VecDeque<(QueueId, Arc<Job>)>,
    providers: ProviderQueues,
    /// All mails that are queued here or in a connection's hands.
    held: HashSet<MailKey>,
    /// How many mails of each issue are among them.
    of_issue: HashMap<IssueId, usize>,
    /// The mails that left since the scheduler last began to read: what it reads may be older than that.
    left: HashSet<MailKey>,
    /// The mails that are queued in the database, and that the scheduler has passed.
    returned: Vec<Returned>,
    /// All relays.
    relays: RelaySet,
    is_closed: bool,
}

/// What became of mails that were to be enqueued.
#[derive(Default)]
pub(super) struct Enqueued {
    /// How many are queued now.
    pub count: usize,
    /// The recipients of those for which their provider's queue has no room: they are to be read again when it has.
    pub overflow: Vec<(QueueId, SubscriberId)>,
}

impl Inner {
    fn add(&mut self, job: &Job) {
        self.held.insert(job.candidate.key);
        if let Some(issue) = job.issue() {
            *self.of_issue.entry(issue).or_default() += 1;
        }
    }

    /// Forgets a mail; returns whether it was the last one of its issue.
    fn remove(&mut self, key: MailKey) -> bool {
        let MailKey::Issue(issue, _) = key else {
            self.held.remove(&key);
            return false;
        };
        if !self.held.remove(&key) {
            return false;
        }
        let Some(count) = self.of_issue.get_mut(&issue) else {
            return false;
        };
        *count -= 1;
        let is_last = *count == 0;
        if is_last {
            self.of_issue.remove(&issue);
        }
        is_last
    }

    /// Queues an issue's mail; `false` where there is no room for it. One that a relay refused waits for the others.
    fn push(&mut self, queue: QueueId, job: &Arc<Job>) -> bool {
        if job.refused_at.is_empty() {
            return self.providers.push(queue, job.clone());
        }
        let refused = self.providers.closed_to(queue).union(job.refused_at);
        let has_room = !refused.covers(self.relays);
        if has_room {
            self.rerouted.push_back((queue, job.clone()));
        }
        has_room
    }

    /// Takes a rerouted mail that its provider permits now; else tells when it may permit one, where that is known.
    fn take_rerouted(
        &mut self,
        wanted: Wanted,
        now: Instant,
    ) -> Result<(QueueId, Arc<Job>), Option<Instant>> {
        let mut soonest: Option<Instant> = None;
        for at in 0..self.rerouted.len() {
            let (queue, job) = &self.rerouted[at];
            let own_queue = self.providers.of(job.domain());
            if !wanted.takes(job, self.providers.closed_to(own_queue)) {
                continue;
            }
            match self.providers.take_again(*queue, job, now) {
                Ok(()) => return self.rerouted.remove(at).ok_or(None),
                Err(wait) => {
                    let then = wait.map(|wait| now + wait);
                    soonest = soonest.into_iter().chain(then).min();
                }
            }
        }
        Err(soonest)
    }
}

impl ReadyQueue {
    /// An empty queue that asks for more below `low` mails. `changed` is notified when a connection should look again.
    pub(super) fn new(low: usize, limits: Arc<DomainLimits>, changed: Arc<Notify>) -> ReadyQueue {
        let inner = Inner {
            system: VecDeque::new(),
            rerouted: VecDeque::new(),
            providers: ProviderQueues::new(limits),
            held: HashSet::new(),
            of_issue: HashMap::new(),
            left: HashSet::new(),
            returned: Vec::new(),
            relays: RelaySet::all(1),
            is_closed: false,
        };
        ReadyQueue {
            inner: Mutex::new(inner),
            changed,
            hungry: Notify::new(),
            low,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves plain collections behind, which are complete.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all connections that wait.
    fn notify(&self) {
        self.changed.notify_waiters();
    }

    /// Says that the scheduler begins to read what it will [`ReadyQueue::enqueue`] next.
    pub(super) fn begin_reading(&self) {
        self.inner().left.clear();
    }

    /// Enqueues mails; those that are held already, or that left since the reading began, are dropped.
    pub(super) fn enqueue(&self, jobs: Vec<Job>) -> Enqueued {
        let mut inner = self.inner();
        let mut enqueued = Enqueued::default();
        for job in jobs {
            let key = job.candidate.key;
            if inner.left.contains(&key) || inner.held.contains(&key) {
                continue;
            }
            let job = Arc::new(job);
            if job.issue().is_none() {
                inner.system.push_back(job.clone());
            } else {
                let queue = inner.providers.of(job.domain());
                if !inner.push(queue, &job) {
                    enqueued.overflow.push((queue, job.candidate.subscriber));
                    continue;
                }
            }
            inner.add(&job);
            enqueued.count += 1;
        }
        drop(inner);
        if enqueued.count > 0 {
            self.notify();
        }
        enqueued
    }

    /// How many more mails a provider's queue takes.
    pub(super) fn room(&self, queue: QueueId) -> usize {
        self.inner().providers.room(queue)
    }

    /// Says for which queues there are more mails to be read.
    pub(super) fn set_more(&self, has_more: impl Fn(QueueId) -> bool) {
        self.inner().providers.set_more(has_more);
    }

    /// Takes the next mail of those that are wanted, with all that its provider's limits require for it.
    ///
    /// # Errors
    /// Where none may go now: when to ask again at the latest, where that is known.
    pub(super) fn try_take(
        self: &Arc<Self>,
        wanted: Wanted,
        now: Instant,
    ) -> Result<Permit, Option<Instant>> {
        let mut inner = self.inner();
        if inner.is_closed {
            return Err(None);
        }
        if wanted.system
            && let Some(job) = inner.system.pop_front()
        {
            drop(inner);
            return Ok(Permit::new(self.clone(), COMMON, job));
        }
        let mut taken = Err(None);
        if wanted.rerouted {
            taken = inner.take_rerouted(wanted, now);
        }
        let mut is_low = false;
        if (wanted.queued || wanted.refused_elsewhere)
            && let Err(again) = taken
        {
            let taker = Taker {
                relay: wanted.relay,
                refused_elsewhere_only: !wanted.queued,
            };
            taken = inner.providers.take(taker, now);
            is_low |= inner.return_dropped();
            if let Err(at) = &mut taken {
                *at = at.iter().copied().chain(again).min();
            }
            let queue = taken.as_ref().map_or(COMMON, |(queue, _)| *queue);
            is_low |= inner.providers.is_low(queue, self.low);
        }
        drop(inner);
        if is_low {
            self.hungry.notify_one();
        }
        taken.map(|(queue, job)| Permit::new(self.clone(), queue, job))
    }

    /// Puts back a mail that was taken and not tried, in front of all others.
    fn requeue(&self, queue: QueueId, job: Arc<Job>) {
        let mut inner = self.inner();
        match job.issue() {
            Some(_) => inner.providers.requeue(queue, job),
            None => inner.system.push_front(job),
        }
        if inner.return_dropped() {
            self.hungry.notify_one();
        }
        drop(inner);
        self.notify();
    }

    /// Keeps a mail that was taken and not tried for a relay that can take it.
    fn reroute(&self, queue: QueueId, job: Arc<Job>) {
        let mut inner = self.inner();
        if job.issue().is_some() {
            inner.providers.put_back(queue);
        }
        inner.rerouted.push_back((queue, job));
        drop(inner);
        self.notify();
    }

    /// Forgets a mail that was taken and is not sent now.
    fn discard(&self, queue: QueueId, job: &Job) {
        let mut inner = self.inner();
        if job.issue().is_some() {
            inner.providers.put_back(queue);
        }
        self.forget(inner, job.candidate.key);
        self.notify();
    }

    /// Forgets a mail that was sent or tried.
    fn finish(&self, queue: QueueId, job: &Job) {
        let mut inner = self.inner();
        let frees = job.issue().is_some() && inner.providers.finish(queue);
        self.forget(inner, job.candidate.key);
        if frees {
            self.notify();
        }
    }

    fn forget(&self, mut inner: MutexGuard<'_, Inner>, key: MailKey) {
        inner.left.insert(key);
        let is_last = inner.remove(key);
        drop(inner);
        if is_last {
            self.hungry.notify_one();
        }
    }

    /// Counts a system mail that is sent toward its provider's rate, which it did not wait for.
    fn count(&self, domain: &str) {
        self.inner().providers.count(domain, Instant::now());
    }

    /// A server says that mails to a domain come too quickly. Returns the provider, and its new rate in messages a minute
    /// where that changed.
    pub(super) fn complaint(&self, domain: &str) -> (Arc<str>, Option<f64>) {
        self.inner().providers.complaint(domain, Instant::now())
    }

    /// A server accepted a mail to a domain.
    pub(super) fn accepted(&self, domain: &str) {
        if self.inner().providers.accepted(domain, Instant::now()) {
            self.notify();
        }
    }

    /// Follows the author's overrides (messages a minute by name) as the database has them.
    pub(super) fn set_overrides(&self, overrides: &[(String, u32)]) {
        self.inner()
            .providers
            .set_overrides(overrides, Instant::now());
        self.notify();
    }

    /// What is to be saved of the providers' rate limits. `wall`: the wall clock; `is_final`: no mail is sent any more.
    pub(super) fn save(&self, wall: Timestamp, is_final: bool) -> Vec<SavedRate> {
        self.inner().providers.save(Instant::now(), wall, is_final)
    }

    /// Continues where the saved rate limits ended.
    pub(super) fn restore(&self, saved: &[SavedRate], wall: Timestamp) {
        self.inner().providers.restore(saved, Instant::now(), wall);
    }

    /// Wakes the scheduler.
    pub(super) fn wake_scheduler(&self) {
        self.hungry.notify_one();
    }

    /// Waits until the scheduler is wanted.
    pub(super) async fn hungry(&self) {
        self.hungry.notified().await;
    }

    /// Says that an outcome is in the database and no mail follows it: an issue may have ended.
    pub(super) fn committed(&self) {
        if !self.has_issue_mails() {
            self.hungry.notify_one();
        }
    }

    /// Removes the queued mails of issues that are not being sent any more.
    pub(super) fn retain(&self, goes_on: impl Fn(IssueId) -> bool) {
        let mut inner = self.inner();
        if inner.of_issue.keys().all(|issue| goes_on(*issue)) {
            return;
        }
        let mut gone = Vec::new();
        let mut stays = |job: &Job| {
            let stays = job.issue().is_none_or(&goes_on);
            gone.extend((!stays).then_some(job.candidate.key));
            stays
        };
        inner.providers.retain(&mut stays);
        inner.rerouted.retain(|(_, job)| stays(job));
        for key in gone {
            inner.remove(key);
        }
    }

    /// How many mails of an issue are queued or in a connection's hands.
    pub(super) fn held(&self, issue: IssueId) -> usize {
        self.inner().of_issue.get(&issue).copied().unwrap_or(0)
    }

    /// How many mails are queued that no provider limits.
    pub(super) fn queued_unlimited(&self) -> usize {
        self.inner().providers.queued().0
    }

    /// How many system mails are queued.
    pub(super) fn queued_system(&self) -> usize {
        self.inner().system.len()
    }

    /// Whether a mail of an issue is queued.
    pub(super) fn has_issue_mails(&self) -> bool {
        let inner = self.inner();
        inner.providers.queued() != (0, 0)
            || inner.rerouted.iter().any(|(_, job)| job.issue().is_some())
    }

    /// The most mails to a queue's provider on one connection; 0: no limit.
    pub(super) fn per_connection(&self, queue: QueueId) -> u32 {
        self.inner().providers.per_connection(queue)
    }

    /// From now on nothing can be taken.
    pub(super) fn close(&self) {
        self.inner().is_closed = true;
        self.notify();
        self.hungry.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.inner().is_closed
    }
}
