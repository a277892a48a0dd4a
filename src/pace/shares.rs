//! Which relay may take the next mail where relays have weights. Pure, but for the monotonic clock that is handed in.
//!
//! Where all weights are alike, whoever is free takes it. Where they differ, a relay that is ahead of its share waits
//! for the others, for as long as they work: one that rests, or whose measure permits nothing, is not waited for, and
//! one that takes nothing is left out after a while. A weight of 0 stands by, and makes none differ.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A relay that takes nothing is waited for no longer than so; then it is left out until it takes something again.
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
    /// Since when others wait for each, and it takes nothing.
    awaited: Vec<Option<Instant>>,
}

impl Inner {
    fn is_left_out(&self, relay: usize, now: Instant) -> bool {
        let since = self.awaited.get(relay).copied().flatten();
        since.is_some_and(|since| now.saturating_duration_since(since) > PATIENCE)
    }

    /// `me` waits for the others that work. It would take something, so nobody need wait for it.
    fn begin_waiting(&mut self, me: usize, now: Instant) {
        for (relay, since) in self.awaited.iter_mut().enumerate() {
            if relay == me {
                *since = None;
            } else if self.working[relay] {
                since.get_or_insert(now);
            }
        }
    }
}

impl Shares {
    /// From each relay's weight and connections.
    pub fn new(relays: Vec<(u32, u32)>) -> Shares {
        let inner = Inner {
            awaited: vec![None; relays.len()],
            ..Inner::default()
        };
        Shares {
            relays,
            inner: Mutex::new(inner),
        }
    }

    /// Whether all that do not just stand by have the same weight.
    fn are_alike(&self) -> bool {
        let mut weights = self
            .relays
            .iter()
            .map(|(weight, _)| *weight)
            .filter(|weight| *weight > 0);
        weights
            .next()
            .is_none_or(|first| weights.all(|weight| weight == first))
    }

    /// How long a relay has to wait for the others; `None`: it may take the next mail.
    pub fn wait(
        &self,
        me: usize,
        stands: impl Fn(usize) -> Standing,
        now: Instant,
    ) -> Option<Duration> {
        let weight = |relay: usize| self.relays.get(relay).map_or(0, |(weight, _)| *weight);
        let others = (0..self.relays.len()).filter(|relay| *relay != me);
        if weight(me) == 0 {
            let is_needed = others
                .into_iter()
                .all(|o| weight(o) == 0 || stands(o) == Standing::Rests);
            return (!is_needed).then_some(LONG_MOMENT);
        }
        if self.are_alike() {
            return None;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.is_left_out(me, now) {
            return None;
        }
        let works = |relay: usize| weight(relay) > 0 && stands(relay) == Standing::Works;
        let working: Vec<bool> = (0..self.relays.len())
            .map(|relay| relay == me || (works(relay) && !inner.is_left_out(relay, now)))
            .collect();
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
        if inner.taken[me] as f64 + 1.0 <= share + lead {
            return None;
        }
        inner.begin_waiting(me, now);
        Some(MOMENT)
    }

    /// A relay took a mail.
    pub fn took(&self, me: usize) {
        if self.are_alike() {
            return;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = inner.awaited.get_mut(me) {
            *since = None;
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
    fn taken(
        weights: &[u32],
        speeds: &[u32],
        turns: u32,
        stands: impl Fn(usize) -> Standing,
    ) -> Vec<u64> {
        let shares = Shares::new(weights.iter().map(|weight| (*weight, 2)).collect());
        let now = Instant::now();
        let mut taken = vec![0; weights.len()];
        for turn in 0..turns {
            for relay in 0..weights.len() {
                let works = stands(relay) == Standing::Works;
                if works && turn % speeds[relay] == 0 && shares.wait(relay, &stands, now).is_none()
                {
                    shares.took(relay);
                    taken[relay] += 1;
                }
            }
        }
        taken
    }

    #[test]
    fn one_of_no_weight_works_only_where_the_others_fail() {
        assert_eq!(taken(&[1, 0], &[1, 1], 100, |_| Standing::Works), [100, 0]);
        let failing = |relay| {
            if relay == 0 {
                Standing::Rests
            } else {
                Standing::Works
            }
        };
        assert_eq!(taken(&[1, 0], &[1, 1], 100, failing), [0, 100]);
    }

    #[test]
    fn where_all_are_alike_the_quicker_takes_more() {
        assert_eq!(
            taken(&[1, 1], &[1, 4], 400, |_| Standing::Works),
            [400, 100]
        );
    }

    #[test]
    fn one_that_stands_by_makes_no_weights_differ() {
        assert_eq!(
            taken(&[1, 1, 0], &[1, 4, 1], 400, |_| Standing::Works),
            [400, 100, 0]
        );
        assert_eq!(taken(&[0, 0], &[1, 1], 10, |_| Standing::Works), [10, 10]);
    }

    #[test]
    fn one_that_hangs_holds_up_the_others_once() {
        let shares = Shares::new(vec![(1, 2), (3, 2), (2, 2)]);
        let start = Instant::now();
        // Two of three take a mail whenever they may; the last took two and hangs.
        (0..2).for_each(|_| shares.took(2));
        let mut waits = [Duration::ZERO; 2];
        let mut now = start;
        while now < start + PATIENCE * 20 {
            for (relay, waits) in waits.iter_mut().enumerate() {
                match shares.wait(relay, |_| Standing::Works, now) {
                    None => shares.took(relay),
                    Some(_) => *waits += MOMENT,
                }
            }
            now += MOMENT;
        }
        assert!(
            waits[1] <= PATIENCE + MOMENT * 2,
            "the heavier one waited for {:?}",
            waits[1]
        );

        // Once it takes something it counts again.
        assert_eq!(shares.wait(2, |_| Standing::Works, now), None);
        shares.took(2);
        let may = || shares.wait(1, |_| Standing::Works, now).is_none();
        let more = (0..100)
            .take_while(|_| may())
            .inspect(|_| shares.took(1))
            .count();
        assert!(more < 20, "{more} before it waits for the others again");
    }

    #[test]
    fn one_whose_turn_comes_seldom_is_not_left_out() {
        let shares = Shares::new(vec![(1, 1), (100, 1)]);
        let mut now = Instant::now();
        let mut taken = [0; 2];
        // The heavy one takes one in a second, so the light one waits for longer than anybody would for it.
        for turn in 0..3000 {
            for (relay, taken) in taken.iter_mut().enumerate() {
                let asks = relay == 0 || turn % 10 == 0;
                if asks && shares.wait(relay, |_| Standing::Works, now).is_none() {
                    shares.took(relay);
                    *taken += 1;
                }
            }
            now += Duration::from_millis(100);
        }
        assert!(taken[0] <= 5 && taken[1] >= 295, "{taken:?}");
    }

    #[test]
    fn one_that_takes_nothing_is_not_waited_for_for_ever() {
        let shares = Shares::new(vec![(1, 1), (9, 1)]);
        let now = Instant::now();
        while shares.wait(0, |_| Standing::Works, now).is_none() {
            shares.took(0);
        }
        assert_eq!(
            shares.wait(0, |_| Standing::Works, now + PATIENCE * 2),
            None
        );
        assert_eq!(shares.wait(0, |_| Standing::Waits, now), None);
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
