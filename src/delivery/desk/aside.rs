//! Jobs that some relay can't take and left to another. They keep their lane, and its provider permits them anew.

use std::time::{Duration, Instant};

use super::{Desk, Inner, Job};

/// How often those laid aside are looked at while their providers permit none.
const ASIDE_EVERY: Duration = Duration::from_secs(1);

/// Whether who takes a job takes those as well that were laid aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aside {
    Wanted,
    Left,
}

impl Inner {
    /// The next of those that were laid aside and whose provider permits it.
    pub(super) fn next_aside(&mut self, now: Instant) -> Option<Job> {
        let lanes = &mut self.lanes;
        let may = |job: &Job| job.issue().is_none() || lanes.pick_again(job.lane, now);
        let at = self.aside.iter().position(may)?;
        self.aside.remove(at)
    }

    /// When to ask again at the latest, where that was to be at `at`: their providers may permit them before long.
    pub(super) fn look_aside_at(
        &self,
        wanted: Aside,
        at: Option<Instant>,
        now: Instant,
    ) -> Option<Instant> {
        if self.aside.is_empty() || wanted == Aside::Left {
            return at;
        }
        let soon = now + ASIDE_EVERY;
        Some(at.map_or(soon, |at| at.min(soon)))
    }
}

impl Desk {
    /// The next of those laid aside, if one may go, and the desk is open.
    pub(crate) fn try_take_aside(&self) -> Option<Job> {
        let mut inner = self.inner();
        if inner.closed {
            None
        } else {
            inner.next_aside(Instant::now())
        }
    }

    /// Lays a job that was taken and not tried aside, for a relay that can take it.
    pub(crate) fn set_aside(&self, job: Job) {
        let mut inner = self.inner();
        if job.issue().is_some() {
            inner.lanes.put_off(job.lane);
        }
        inner.aside.push_back(job);
        drop(inner);
        self.laid.notify_waiters();
    }
}
