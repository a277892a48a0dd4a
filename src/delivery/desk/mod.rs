//! What is ready to be claimed: the planner lays jobs down, connections take them. System mails go first.
//!
//! Nothing here is a promise: whoever lies on the desk is still `queued` or `deferred`, and is read again
//! after a restart. The claim decides. Which mail may go is left to [`lanes`].

mod aside;
mod lanes;
#[cfg(test)]
pub(super) mod testing;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::sleep_until;

pub(super) use aside::Aside;
pub(super) use lanes::{FREE, Held, LaneId};

use lanes::Lanes;

use crate::mail::Template;
use crate::model::delivery::MailKey;
use crate::model::rate::SavedRate;
use crate::model::{Address, IssueId};
use crate::pace::DomainLimits;
use crate::store::deliveries::Candidate;

/// What all mails of an issue, or one system mail, have in common.
pub(super) struct Letter {
    pub template: Template,
    /// The author's address, which is the envelope's sender where there is no bounce address.
    pub from: Address,
    pub bounce: Option<Address>,
}

/// One mail that may be claimed.
pub(super) struct Job {
    pub candidate: Candidate,
    pub letter: Arc<Letter>,
    /// The queue that it was taken from.
    pub lane: LaneId,
    /// From then on it must not be claimed: the hours in which it may go are over.
    pub closes_at: Option<Timestamp>,
}

impl Job {
    pub(super) fn new(candidate: Candidate, letter: Arc<Letter>) -> Job {
        Job {
            candidate,
            letter,
            lane: FREE,
            closes_at: None,
        }
    }

    /// The issue it is of; `None` for a system mail.
    pub(super) fn issue(&self) -> Option<IssueId> {
        match self.candidate.key {
            MailKey::Issue(issue, _) => Some(issue),
            MailKey::System(_) => None,
        }
    }
}

/// The desk. Cheap to share; every method but [`Desk::take`] returns at once.
pub(super) struct Desk {
    inner: Mutex<Inner>,
    /// Wakes connections.
    laid: Notify,
    /// Wakes the planner: little is left, or the last mail of an issue was answered.
    hungry: Notify,
    /// Below so many jobs the planner is woken.
    low: usize,
}

struct Inner {
    system: VecDeque<Job>,
    /// What some relay can't take, and was left to another.
    aside: VecDeque<Job>,
    lanes: Lanes,
    /// Everything that lies here or is in a connection's hands.
    out: HashMap<MailKey, LaneId>,
    of_issue: HashMap<IssueId, usize>,
    /// What was done since the planner last began to read: what it reads may be older than that.
    since: HashSet<MailKey>,
    closed: bool,
}

/// What became of jobs that were laid down.
#[derive(Default)]
pub(super) struct Laid {
    /// New ones that lie here now.
    pub count: usize,
    /// Those for whom their provider's lane has no room: to be read again when it has.
    pub parked: Vec<(LaneId, Candidate)>,
}

impl Inner {
    /// Whether that was the last one of its issue.
    fn forget(&mut self, key: MailKey) -> bool {
        if self.out.remove(&key).is_none() {
            return false;
        }
        let MailKey::Issue(issue, _) = key else {
            return false;
        };
        let Some(count) = self.of_issue.get_mut(&issue) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.of_issue.remove(&issue);
        }
        !self.of_issue.contains_key(&issue)
    }
}

impl Desk {
    /// An empty desk that asks for more below `low` jobs.
    pub(super) fn new(low: usize, limits: Arc<DomainLimits>) -> Desk {
        let inner = Inner {
            system: VecDeque::new(),
            aside: VecDeque::new(),
            lanes: Lanes::new(limits),
            out: HashMap::new(),
            of_issue: HashMap::new(),
            since: HashSet::new(),
            closed: false,
        };
        Desk {
            inner: Mutex::new(inner),
            laid: Notify::new(),
            hungry: Notify::new(),
            low,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves plain collections behind, which are whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the planner begins to read what it will [`Desk::lay`] next.
    pub(super) fn begin_reading(&self) {
        self.inner().since.clear();
    }

    /// Lays jobs down; those that are out already, or were done since the reading began, are dropped.
    pub(super) fn lay(&self, jobs: Vec<Job>) -> Laid {
        let mut inner = self.inner();
        let mut laid = Laid::default();
        for mut job in jobs {
            let key = job.candidate.key;
            if inner.since.contains(&key) || inner.out.contains_key(&key) {
                continue;
            }
            let mut lane = FREE;
            if let Some(issue) = job.issue() {
                lane = inner.lanes.of(job.candidate.email.domain());
                job.lane = lane;
                if let Some(job) = inner.lanes.put(lane, job) {
                    laid.parked.push((lane, job.candidate));
                    continue;
                }
                *inner.of_issue.entry(issue).or_default() += 1;
            } else {
                inner.system.push_back(job);
            }
            inner.out.insert(key, lane);
            laid.count += 1;
        }
        drop(inner);
        if laid.count > 0 {
            self.laid.notify_waiters();
        }
        laid
    }

    /// How many more jobs a provider's lane takes.
    pub(super) fn room(&self, lane: LaneId) -> usize {
        self.inner().lanes.room(lane)
    }

    /// Says for which lanes somebody still waits to be read.
    pub(super) fn set_more(&self, waits: impl Fn(LaneId) -> bool) {
        self.inner().lanes.set_more(waits);
    }

    /// The next job that may go, of those laid aside as well where they are `wanted`; `None` once the desk is closed.
    pub(super) async fn take(&self, wanted: Aside) -> Option<Job> {
        loop {
            let laid = self.laid.notified();
            tokio::pin!(laid);
            // Enabled before looking, so that what is laid down meanwhile is not missed.
            laid.as_mut().enable();
            if self.is_closed() {
                return None;
            }
            match self.pick(wanted) {
                Ok(job) => return Some(job),
                Err(None) => laid.await,
                Err(Some(at)) => tokio::select! {
                    () = laid => {}
                    () = sleep_until(at.into()) => {}
                },
            }
        }
    }

    /// The next job, if one lies here that may go, and the desk is open.
    pub(super) fn try_take(&self, wanted: Aside) -> Option<Job> {
        self.pick(wanted).ok()
    }

    /// The next system mail, if one lies here and the desk is open.
    pub(super) fn try_take_system(&self) -> Option<Job> {
        let mut inner = self.inner();
        if inner.closed {
            None
        } else {
            inner.system.pop_front()
        }
    }

    /// As [`Desk::try_take`]; else tells when to ask again at the latest, where that is known.
    fn pick(&self, wanted: Aside) -> Result<Job, Option<Instant>> {
        let mut inner = self.inner();
        if inner.closed {
            return Err(None);
        }
        if let Some(job) = inner.system.pop_front() {
            return Ok(job);
        }
        let now = Instant::now();
        if wanted == Aside::Wanted
            && let Some(job) = inner.next_aside(now)
        {
            return Ok(job);
        }
        let picked = inner
            .lanes
            .pick(now)
            .map_err(|at| inner.look_aside_at(wanted, at, now));
        let lane = picked.as_ref().map_or(FREE, |(lane, _)| *lane);
        let low = inner.lanes.is_low(lane, self.low);
        if let Ok((lane, job)) = &picked
            && *lane != FREE
        {
            // It may have been laid into the common queue.
            inner.out.insert(job.candidate.key, *lane);
        }
        drop(inner);
        if low {
            self.hungry.notify_one();
        }
        picked.map(|(lane, job)| Job { lane, ..job })
    }

    /// A server says that mails to a domain come too quickly; gives the provider, and its new rate where that is new.
    pub(super) fn complaint(&self, domain: &str) -> (Arc<str>, Option<f64>) {
        self.inner().lanes.complaint(domain, Instant::now())
    }

    /// A server took a mail to a domain.
    pub(super) fn good(&self, domain: &str) {
        self.inner().lanes.good(domain, Instant::now());
    }

    /// The author's words on speeds, as the database has them.
    pub(super) fn say(&self, words: &[(String, u32)]) {
        self.inner().lanes.say(words, Instant::now());
        self.laid.notify_waiters();
    }

    /// What is to be written down of the providers' measures; `wall`: the wall clock.
    pub(super) fn keep(&self, wall: Timestamp, is_final: bool) -> Vec<SavedRate> {
        self.inner().lanes.keep(Instant::now(), wall, is_final)
    }

    /// Takes up what was written down.
    pub(super) fn recall(&self, measures: &[SavedRate], wall: Timestamp) {
        self.inner().lanes.recall(measures, Instant::now(), wall);
    }

    /// Wakes the planner.
    pub(super) fn ask(&self) {
        self.hungry.notify_one();
    }

    /// Lays a job back where it was: it could not be tried.
    pub(super) fn give_back(&self, job: Job) {
        let mut inner = self.inner();
        match job.issue() {
            Some(_) => inner.lanes.give_back(job.lane, job),
            None => inner.system.push_front(job),
        }
        drop(inner);
        self.laid.notify_waiters();
    }

    /// Says that nobody has this mail in hand any more.
    pub(super) fn done(&self, key: MailKey) {
        let mut inner = self.inner();
        inner.since.insert(key);
        let lane = inner.out.get(&key).copied();
        let frees = match (key, lane) {
            (MailKey::Issue(..), Some(lane)) => inner.lanes.done(lane),
            _ => false,
        };
        let last = inner.forget(key);
        drop(inner);
        if last {
            self.hungry.notify_one();
        }
        if frees {
            self.laid.notify_waiters();
        }
    }

    /// The same of a mail that was not sent: its provider's leave for it is given back.
    pub(super) fn unused(&self, job: &Job) {
        if job.issue().is_some() {
            self.inner().lanes.refund(job.lane);
        }
        self.done(job.candidate.key);
        self.laid.notify_waiters();
    }

    /// Counts a system mail that goes out by its provider's measure, for which it did not wait.
    pub(super) fn count(&self, domain: &str) {
        self.inner().lanes.count(domain, Instant::now());
    }

    /// Says that an outcome is on the disk with nothing to follow it: an issue may have come to its end.
    pub(super) fn written(&self) {
        if !self.holds_issues() {
            self.hungry.notify_one();
        }
    }

    /// Takes away what lies here of issues that do not go on.
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
        inner.lanes.retain(&mut stays);
        inner.aside.retain(&mut stays);
        for key in gone {
            inner.forget(key);
        }
    }

    /// How many mails of an issue lie here or are in hand.
    pub(super) fn out(&self, issue: IssueId) -> usize {
        self.inner().of_issue.get(&issue).copied().unwrap_or(0)
    }

    /// How many mails lie here that wait for no provider.
    pub(super) fn lying(&self) -> usize {
        self.inner().lanes.lying().0
    }

    /// How many system mails lie here.
    pub(super) fn lying_system(&self) -> usize {
        self.inner().system.len()
    }

    /// Whether a mail of an issue lies here.
    pub(super) fn holds_issues(&self) -> bool {
        let inner = self.inner();
        inner.lanes.lying() != (0, 0) || inner.aside.iter().any(|job| job.issue().is_some())
    }

    /// At most so many mails to the provider of a lane on one connection; 0: no limit.
    pub(super) fn per_connection(&self, lane: LaneId) -> u32 {
        self.inner().lanes.per_connection(lane)
    }

    /// Waits until more is wanted.
    pub(super) async fn hungry(&self) {
        self.hungry.notified().await;
    }

    /// From now on nothing is taken.
    pub(super) fn close(&self) {
        self.inner().closed = true;
        self.laid.notify_waiters();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.inner().closed
    }

    /// Waits until the desk is closed.
    pub(super) async fn closed(&self) {
        loop {
            let laid = self.laid.notified();
            tokio::pin!(laid);
            laid.as_mut().enable();
            if self.is_closed() {
                return;
            }
            laid.await;
        }
    }
}
