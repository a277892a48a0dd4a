//! What the connections to a server wait for, and since when: a server that accepts connections and then stays silent
//! is reported long before its time limits pass.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::waiting::WaitingFor;

/// A shorter silence is not worth reporting.
const LONG: Duration = Duration::from_secs(5);

/// All waits for one server.
#[derive(Debug, Default)]
pub struct StallMonitor(Mutex<Waits>);

#[derive(Debug, Default)]
struct Waits {
    begun: u64,
    open: BTreeMap<u64, (WaitingFor, Instant)>,
}

/// One wait, which ends when it is dropped.
#[derive(Debug)]
pub struct Wait<'a> {
    all: &'a StallMonitor,
    number: u64,
}

impl StallMonitor {
    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a wait.
    pub fn begin(&self, waiting_for: WaitingFor) -> Wait<'_> {
        let mut waits = self.waits();
        waits.begun += 1;
        let number = waits.begun;
        waits.open.insert(number, (waiting_for, Instant::now()));
        Wait { all: self, number }
    }

    /// What the longest wait is for, where every wait has lasted for five seconds or more.
    pub fn stalled(&self, now: Instant) -> Option<WaitingFor> {
        let waits = self.waits();
        let is_long = |since: Instant| now.saturating_duration_since(since) >= LONG;
        let all = waits.open.values().all(|(_, since)| is_long(*since));
        let (waiting_for, _) = waits
            .open
            .values()
            .min_by_key(|(_, since)| *since)
            .filter(|_| all)?;
        Some(*waiting_for)
    }
}

impl Wait<'_> {
    /// What was awaited has come, and something else is awaited from now on.
    pub fn continue_with(&self, waiting_for: WaitingFor) {
        self.all
            .waits()
            .open
            .insert(self.number, (waiting_for, Instant::now()));
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.all.waits().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_reported_where_every_wait_lasts_long() {
        let monitor = StallMonitor::default();
        let soon = || monitor.stalled(Instant::now());
        let later = || monitor.stalled(Instant::now() + LONG * 2);
        assert_eq!(later(), None, "nothing is waited for");
        let one = monitor.begin(WaitingFor::Connection);
        one.continue_with(WaitingFor::Greeting);
        assert_eq!((soon(), later()), (None, Some(WaitingFor::Greeting)));
        let two = monitor.begin(WaitingFor::Reply);
        assert_eq!(later(), Some(WaitingFor::Greeting), "the first of them");
        drop(one);
        assert_eq!(later(), Some(WaitingFor::Reply));
        drop(two);
        assert_eq!(later(), None);
    }
}
