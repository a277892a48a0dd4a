//! What the connections of a relay wait for, and since when: a server that takes connections and then says nothing is
//! told of long before the time is over that it may take.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Until then silence is nothing to tell of.
const LONG: Duration = Duration::from_secs(5);

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// TCP, and TLS where the relay begins with it.
    Connection,
    Greeting,
    Answer,
}

impl Wants {
    /// As it stands in “waits for … the relay main”.
    pub(super) fn words(self) -> &'static str {
        match self {
            Wants::Connection => "a connection to",
            Wants::Greeting => "the greeting of",
            Wants::Answer => "an answer of",
        }
    }
}

/// All waits of one relay.
#[derive(Debug, Default)]
pub(super) struct Awaited(Mutex<Waits>);

#[derive(Debug, Default)]
struct Waits {
    begun: u64,
    open: BTreeMap<u64, (Wants, Instant)>,
}

/// One wait, which ends when it is dropped.
pub(super) struct Waiting<'a> {
    all: &'a Awaited,
    number: u64,
}

impl Awaited {
    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, wants: Wants) -> Waiting<'_> {
        let mut waits = self.waits();
        waits.begun += 1;
        let number = waits.begun;
        waits.open.insert(number, (wants, Instant::now()));
        Waiting { all: self, number }
    }

    /// What has been waited for the longest, where everything that is waited for has been for long.
    pub(super) fn silence(&self, now: Instant) -> Option<Wants> {
        let waits = self.waits();
        let is_long = |since: Instant| now.saturating_duration_since(since) >= LONG;
        let all = waits.open.values().all(|(_, since)| is_long(*since));
        let (wants, _) = waits
            .open
            .values()
            .min_by_key(|(_, since)| *since)
            .filter(|_| all)?;
        Some(*wants)
    }
}

impl Waiting<'_> {
    /// That has come; now something else is waited for.
    pub(super) fn goes_on(&self, wants: Wants) {
        self.all
            .waits()
            .open
            .insert(self.number, (wants, Instant::now()));
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.all.waits().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_where_everything_is_waited_for_for_long() {
        let awaited = Awaited::default();
        let soon = || awaited.silence(Instant::now());
        let later = || awaited.silence(Instant::now() + LONG * 2);
        assert_eq!(later(), None, "nothing is waited for");
        let one = awaited.begin(Wants::Connection);
        one.goes_on(Wants::Greeting);
        assert_eq!((soon(), later()), (None, Some(Wants::Greeting)));
        let two = awaited.begin(Wants::Answer);
        assert_eq!(later(), Some(Wants::Greeting), "the first of them");
        drop(one);
        assert_eq!(later(), Some(Wants::Answer));
        drop(two);
        assert_eq!(later(), None);
    }
}
