//! Which relay may take the next mail where relays have weights. Pure, but for the monotonic clock that is handed in.
//!
//! Where all weights are alike, whoever is free takes it. Where they differ, a relay that is ahead of its share waits
//! for the others, for as long as they work: one that rests, or whose measure permits nothing, is not waited for.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A relay is waited for no longer than so, in case it works and yet takes nothing; then not until it takes something.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before asking again.
const MOMENT: Duration = Duration::from_millis(5);
const LONG_MOMENT: Duration = Duration::from_millis(200);

/// How a relay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It takes mails.
    Works,
    /// Its measure permits none for now.
    Waits,
    /// It failed, and is not tried for now.
    Rests,
}

/// What each relay took since the same of them work.
#[derive(Debug)]
pub struct Shares {
    /// Weight and connections of each.
    relays: Vec<(u32, u32)>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    working: Vec<bool>,
    taken: Vec<u64>,
    /// When one last took a mail, or waited for the others.
    last: Option<Instant>,
    /// When each last took a mail, or all began to, after a pause.
    seen: Vec<Instant>,
}

impl Inner {
    /// Whether there is work.
    fn is_busy(&self, now: Instant) -> bool {
        self.last.is_some_and(|last| now.saturating_duration_since(last) <= PATIENCE)
    }

    /// Whether a relay takes some, as far as is known.
    fn takes(&self, relay: usize, now: Instant) -> bool {
        self.seen.get(relay).is_none_or(|seen| now.saturating_duration_since(*seen) <= PATIENCE)
    }
}

impl Shares {
    /// From each relay's weight and connections.
    pub fn new(relays: Vec<(u32, u32)>) -> Shares {
        Shares { relays, inner: Mutex::default() }
    }

    fn are_alike(&self) -> bool {
        self.relays.iter().all(|(weight, _)| *weight == self.relays[0].0)
    }

    /// How long a relay has to wait for the others; `None`: it may take the next mail.
    pub fn wait(&self, me: usize, stands: impl Fn(usize) -> Standing, now: Instant) -> Option<Duration> {
        if self.are_alike() {
            return None;
        }
        let weight = |relay: usize| self.relays.get(relay).map_or(0, |(weight, _)| *weight);
        let others = (0..self.relays.len()).filter(|relay| *relay != me);
        if weight(me) == 0 {
            let is_needed = others.into_iter().all(|o| weight(o) == 0 || stands(o) == Standing::Rests);
            return (!is_needed).then_some(LONG_MOMENT);
        }
        let works = |relay: usize| weight(relay) > 0 && stands(relay) == Standing::Works;
        let mut working: Vec<bool> =
            (0..self.relays.len()).map(|relay| relay == me || works(relay)).collect();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !inner.is_busy(now) {
            return None;
        }
        for (relay, works) in working.iter_mut().enumerate() {
            *works &= relay == me || inner.takes(relay, now);
        }
        if inner.working != working {
            inner.taken = vec![0; working.len()];
            inner.working = working;
        }
        let active = || (0..self.relays.len()).filter(|relay| inner.working[*relay]);
        let all: f64 = active().map(|relay| f64::from(weight(relay))).sum();
        let taken: u64 = active().map(|relay| inner.taken[relay]).sum();
        let share = (taken + 1) as f64 * f64::from(weight(me)) / all;
        // Each of its connections may be one mail ahead.
        let lead = f64::from(self.relays[me].1);
        let is_ahead = inner.taken[me] as f64 + 1.0 > share + lead;
        if is_ahead {
            inner.last = Some(now);
        }
        is_ahead.then_some(MOMENT)
    }

    /// A relay took a mail.
    pub fn took(&self, me: usize, now: Instant) {
        if self.are_alike() {
            return;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !inner.is_busy(now) {
            inner.seen = vec![now; self.relays.len()];
        }
        inner.last = Some(now);
        if let Some(seen) = inner.seen.get_mut(me) {
            *seen = now;
        }
        if let Some(taken) = inner.taken.get_mut(me) {
            *taken += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What each takes of so many turns, where each is asked at its own speed.
    fn taken(weights: &[u32], speeds: &[u32], turns: u32, stands: impl Fn(usize) -> Standing) -> Vec<u64> {
        let shares = Shares::new(weights.iter().map(|weight| (*weight, 2)).collect());
        let now = Instant::now();
        let mut taken = vec![0; weights.len()];
        for turn in 0..turns {
            for relay in 0..weights.len() {
                let works = stands(relay) == Standing::Works;
                if works && turn % speeds[relay] == 0 && shares.wait(relay, &stands, now).is_none() {
                    shares.took(relay, now);
                    taken[relay] += 1;
                }
            }
        }
        taken
    }

    #[test]
    fn one_of_no_weight_works_only_where_the_others_fail() {
        assert_eq!(taken(&[1, 0], &[1, 1], 100, |_| Standing::Works), [100, 0]);
        let failing = |relay| if relay == 0 { Standing::Rests } else { Standing::Works };
        assert_eq!(taken(&[1, 0], &[1, 1], 100, failing), [0, 100]);
    }

    #[test]
    fn where_all_are_alike_the_quicker_takes_more() {
        assert_eq!(taken(&[1, 1], &[1, 4], 400, |_| Standing::Works), [400, 100]);
    }

    #[test]
    fn one_that_takes_nothing_is_not_waited_for_for_ever() {
        let shares = Shares::new(vec![(1, 1), (9, 1)]);
        let now = Instant::now();
        while shares.wait(0, |_| Standing::Works, now).is_none() {
            shares.took(0, now);
        }
        assert_eq!(shares.wait(0, |_| Standing::Waits, now), None);
        let later = now + PATIENCE * 2;
        assert_eq!(shares.wait(0, |_| Standing::Works, later), None);
    }

    #[test]
    fn one_that_hangs_holds_the_others_up_no_more_than_once() {
        let shares = Shares::new(vec![(1, 1), (9, 1)]);
        let mut now = Instant::now();
        let mut taken = 0;
        for _ in 0..100 {
            now += PATIENCE / 10;
            while taken < 1000 && shares.wait(0, |_| Standing::Works, now).is_none() {
                shares.took(0, now);
                taken += 1;
            }
        }
        assert_eq!(taken, 1000);
        // It takes mails again, and has its share again.
        shares.took(1, now);
        while shares.wait(0, |_| Standing::Works, now).is_none() {
            shares.took(0, now);
            taken += 1;
        }
        assert!(taken < 1010, "{taken}");
    }

    proptest! {
        #[test]
        fn shares_come_to_the_weights_whatever_the_speeds(
            relays in proptest::collection::vec((1_u32..20, 1_u32..5), 2..5),
        ) {
            let weights: Vec<u32> = relays.iter().map(|(weight, _)| *weight).collect();
            let speeds: Vec<u32> = relays.iter().map(|(_, speed)| *speed).collect();
            prop_assume!(weights.iter().any(|weight| *weight != weights[0]));
            let taken = taken(&weights, &speeds, 4000, |_| Standing::Works);
            let (all, sum) = (taken.iter().sum::<u64>() as f64, f64::from(weights.iter().sum::<u32>()));
            prop_assert!(all > 200.0);
            for (taken, weight) in taken.iter().zip(&weights) {
                let share = all * f64::from(*weight) / sum;
                prop_assert!((*taken as f64 - share).abs() <= 3.0 * weights.len() as f64, "{taken} of {all}, {share}");
            }
        }
    }
}
