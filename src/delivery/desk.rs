//! What is ready to be claimed: the planner lays jobs down, connections take them. System mails go first.
//!
//! Nothing here is a promise: whoever lies on the desk is still `queued` or `deferred`, and is read again
//! after a restart. The claim decides.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::mail::Template;
use crate::model::delivery::MailKey;
use crate::model::{Address, IssueId};
use crate::store::deliveries::Candidate;

/// What all mails of an issue, or one system mail, have in common.
pub struct Letter {
    pub template: Template,
    /// The author's address, which is the envelope's sender where there is no bounce address.
    pub from: Address,
    pub bounce: Option<Address>,
}

/// One mail that may be claimed.
pub struct Job {
    pub candidate: Candidate,
    pub letter: Arc<Letter>,
}

impl Job {
    /// The issue it is of; `None` for a system mail.
    pub fn issue(&self) -> Option<IssueId> {
        match self.candidate.key {
            MailKey::Issue(issue, _) => Some(issue),
            MailKey::System(_) => None,
        }
    }
}

/// The desk. Cheap to share; every method but [`Desk::take`] returns at once.
pub struct Desk {
    inner: Mutex<Inner>,
    /// Wakes connections.
    laid: Notify,
    /// Wakes the planner: little is left, or the last mail of an issue was answered.
    hungry: Notify,
    /// Below so many jobs the planner is woken.
    low: usize,
}

#[derive(Default)]
struct Inner {
    system: VecDeque<Job>,
    issues: VecDeque<Job>,
    /// Everything that lies here or is in a connection's hands.
    out: HashSet<MailKey>,
    of_issue: HashMap<IssueId, usize>,
    /// What was done since the planner last began to read: what it reads may be older than that.
    since: HashSet<MailKey>,
    closed: bool,
}

impl Inner {
    fn forget(&mut self, key: MailKey) -> bool {
        if !self.out.remove(&key) {
            return false;
        }
        let MailKey::Issue(issue, _) = key else { return false };
        let Some(count) = self.of_issue.get_mut(&issue) else { return false };
        *count -= 1;
        if *count == 0 {
            self.of_issue.remove(&issue);
        }
        !self.of_issue.contains_key(&issue)
    }
}

impl Desk {
    /// An empty desk that asks for more below `low` jobs.
    pub fn new(low: usize) -> Desk {
        Desk { inner: Mutex::default(), laid: Notify::new(), hungry: Notify::new(), low }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves plain collections behind, which are whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the planner begins to read what it will [`Desk::lay`] next.
    pub fn begin_reading(&self) {
        self.inner().since.clear();
    }

    /// Lays jobs down; those that are out already, or were done since the reading began, are dropped. Gives the
    /// number of new ones.
    pub fn lay(&self, jobs: Vec<Job>) -> usize {
        let mut inner = self.inner();
        let mut count = 0;
        for job in jobs {
            let key = job.candidate.key;
            if inner.since.contains(&key) || !inner.out.insert(key) {
                continue;
            }
            count += 1;
            match job.issue() {
                Some(issue) => {
                    *inner.of_issue.entry(issue).or_default() += 1;
                    inner.issues.push_back(job);
                }
                None => inner.system.push_back(job),
            }
        }
        drop(inner);
        if count > 0 {
            self.laid.notify_waiters();
        }
        count
    }

    /// The next job; `None` once the desk is closed.
    pub async fn take(&self) -> Option<Job> {
        loop {
            let laid = self.laid.notified();
            tokio::pin!(laid);
            // Enabled before looking, so that what is laid down meanwhile is not missed.
            laid.as_mut().enable();
            if self.is_closed() {
                return None;
            }
            if let Some(job) = self.try_take() {
                return Some(job);
            }
            laid.await;
        }
    }

    /// The next job, if one lies here and the desk is open.
    pub fn try_take(&self) -> Option<Job> {
        let mut inner = self.inner();
        if inner.closed {
            return None;
        }
        let job = inner.system.pop_front().or_else(|| inner.issues.pop_front());
        let left = inner.issues.len();
        drop(inner);
        if left < self.low {
            self.hungry.notify_one();
        }
        job
    }

    /// Lays a job back where it was: it could not be tried.
    pub fn give_back(&self, job: Job) {
        let mut inner = self.inner();
        match job.issue() {
            Some(_) => inner.issues.push_front(job),
            None => inner.system.push_front(job),
        }
        drop(inner);
        self.laid.notify_waiters();
    }

    /// Says that nobody has this mail in hand any more.
    pub fn done(&self, key: MailKey) {
        let mut inner = self.inner();
        inner.since.insert(key);
        let last = inner.forget(key);
        drop(inner);
        if last {
            self.hungry.notify_one();
        }
    }

    /// Says that an outcome is on the disk with nothing to follow it: an issue may have come to its end.
    pub fn written(&self) {
        if self.lying() == 0 {
            self.hungry.notify_one();
        }
    }

    /// Takes away what lies here of issues that do not go on.
    pub fn retain(&self, goes_on: impl Fn(IssueId) -> bool) {
        let mut inner = self.inner();
        let (stay, gone): (VecDeque<Job>, VecDeque<Job>) =
            inner.issues.drain(..).partition(|job| job.issue().is_none_or(&goes_on));
        inner.issues = stay;
        for job in gone {
            inner.forget(job.candidate.key);
        }
    }

    /// How many mails of an issue lie here or are in hand.
    pub fn out(&self, issue: IssueId) -> usize {
        self.inner().of_issue.get(&issue).copied().unwrap_or(0)
    }

    /// How many mails of issues lie here.
    pub fn lying(&self) -> usize {
        self.inner().issues.len()
    }

    /// Waits until more is wanted.
    pub async fn hungry(&self) {
        self.hungry.notified().await;
    }

    /// From now on nothing is taken.
    pub fn close(&self) {
        self.inner().closed = true;
        self.laid.notify_waiters();
    }

    pub fn is_closed(&self) -> bool {
        self.inner().closed
    }

    /// Waits until the desk is closed.
    pub async fn closed(&self) {
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
