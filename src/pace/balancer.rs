//! Which relay may take the next mail where relays have different weights.
//!
//! Where all weights are equal, whichever relay has a free connection takes it. Where they differ, a relay that is ahead
//! of its share waits for the others, as long as they are available: a relay that backs off or is throttled is not
//! waited for, and one that takes nothing is left out after a while. A relay of weight 0 stands by: it takes mails only
//! while all others back off, and does not make the weights differ.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a relay that takes nothing is waited for. Then it is left out until it takes a mail.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a relay that is ahead of its share waits before it asks again.
const MOMENT: Duration = Duration::from_millis(5);
/// Whether it is a relay's turn to take a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may take the next one.
    Now,
    /// It is ahead of its share, and asks again after this time.
    After(Duration),
    /// It stands by until the health of another relay changes.
    Standby,
}

/// Whether a relay can take mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayHealth {
    /// It takes mails.
    Available,
    /// Its rate limit or its warm-up permits none now.
    Throttled,
    /// It failed and is not tried for now.
    BackingOff,
}

/// Shares the mails out among relays by weight. Relays are named by their position in the settings.
#[derive(Debug)]
pub struct Balancer {
    /// The weight and the number of connections of each relay.
    relays: Vec<(u32, u32)>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The relays among which mails are shared out now.
    active: Vec<bool>,
    /// How many mails each took since the set of active relays last changed.
    taken: Vec<u64>,
    /// Since when others wait for each of them while it takes nothing.
    awaited: Vec<Option<Instant>>,
}

impl Inner {
    fn is_left_out(&self, relay: usize, now: Instant) -> bool {
        let since = self.awaited.get(relay).copied().flatten();
        since.is_some_and(|since| now.saturating_duration_since(since) > PATIENCE)
    }

    /// `me` waits for the other active relays. Nobody needs to wait for `me`, since it would take a mail.
    fn begin_waiting(&mut self, me: usize, now: Instant) {
        for (relay, since) in self.awaited.iter_mut().enumerate() {
            if relay == me {
                *since = None;
            } else if self.active[relay] {
                since.get_or_insert(now);
            }
        }
    }
}

impl Balancer {
    /// From each relay's weight and number of connections.
    pub fn new(relays: Vec<(u32, u32)>) -> Balancer {
        let inner = Inner {
            awaited: vec![None; relays.len()],
            ..Inner::default()
        };
        Balancer {
            relays,
            inner: Mutex::new(inner),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn weight(&self, relay: usize) -> u32 {
        self.relays.get(relay).map_or(0, |(weight, _)| *weight)
    }

    /// Whether all relays that do not stand by have the same weight.
    fn has_equal_weights(&self) -> bool {
        let mut weights = self
            .relays
            .iter()
            .map(|(weight, _)| *weight)
            .filter(|weight| *weight > 0);
        weights
            .next()
            .is_none_or(|first| weights.all(|weight| weight == first))
    }

    /// Whether a relay may take the next mail.
    pub fn turn(&self, me: usize, health: impl Fn(usize) -> RelayHealth, now: Instant) -> Turn {
        if self.weight(me) == 0 {
            return if self.needs_standby(me, health) {
                Turn::Now
            } else {
                Turn::Standby
            };
        }
        if self.has_equal_weights() {
            return Turn::Now;
        }
        let mut inner = self.inner();
        if inner.is_left_out(me, now) {
            return Turn::Now;
        }
        let takes = |relay: usize| {
            self.weight(relay) > 0
                && health(relay) == RelayHealth::Available
                && !inner.is_left_out(relay, now)
        };
        let active: Vec<bool> = (0..self.relays.len())
            .map(|relay| relay == me || takes(relay))
            .collect();
        if inner.active != active {
            inner.taken = vec![0; active.len()];
            inner.active = active;
        }
        if self.is_within_share(&inner, me) {
            return Turn::Now;
        }
        inner.begin_waiting(me, now);
        Turn::After(MOMENT)
    }

    /// Whether no relay but those that stand by can take a mail.
    fn needs_standby(&self, me: usize, health: impl Fn(usize) -> RelayHealth) -> bool {
        (0..self.relays.len())
            .filter(|relay| *relay != me)
            .all(|relay| self.weight(relay) == 0 || health(relay) == RelayHealth::BackingOff)
    }

    /// Whether one more mail leaves a relay within its share. Each of its connections may be one mail ahead.
    fn is_within_share(&self, inner: &Inner, me: usize) -> bool {
        let active = || (0..self.relays.len()).filter(|relay| inner.active[*relay]);
        let all: f64 = active().map(|relay| f64::from(self.weight(relay))).sum();
        let taken: u64 = active().map(|relay| inner.taken[relay]).sum();
        let share = (taken + 1) as f64 * f64::from(self.weight(me)) / all;
        let lead = f64::from(self.relays[me].1);
        inner.taken[me] as f64 + 1.0 <= share + lead
    }

    /// Counts a mail that a relay takes.
    pub fn take(&self, me: usize) {
        if self.has_equal_weights() {
            return;
        }
        let mut inner = self.inner();
        if let Some(since) = inner.awaited.get_mut(me) {
            *since = None;
        }
        if let Some(taken) = inner.taken.get_mut(me) {
            *taken += 1;
        }
    }

    /// Takes back a mail that a relay took and did not send.
    pub fn put_back(&self, me: usize) {
        if self.has_equal_weights() {
            return;
        }
        if let Some(taken) = self.inner().taken.get_mut(me) {
            // The counts may have begun again since it was taken.
            *taken = taken.saturating_sub(1);
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
        health: impl Fn(usize) -> RelayHealth,
    ) -> Vec<u64> {
        let balancer = Balancer::new(weights.iter().map(|weight| (*weight, 2)).collect());
        let now = Instant::now();
        let mut taken = vec![0; weights.len()];
        for turn in 0..turns {
            for relay in 0..weights.len() {
                let works = health(relay) == RelayHealth::Available;
                if works
                    && turn % speeds[relay] == 0
                    && balancer.turn(relay, &health, now) == Turn::Now
                {
                    balancer.take(relay);
                    taken[relay] += 1;
                }
            }
        }
        taken
    }

    #[test]
    fn one_of_no_weight_works_only_where_the_others_fail() {
        assert_eq!(
            taken(&[1, 0], &[1, 1], 100, |_| RelayHealth::Available),
            [100, 0]
        );
        let failing = |relay| {
            if relay == 0 {
                RelayHealth::BackingOff
            } else {
                RelayHealth::Available
            }
        };
        assert_eq!(taken(&[1, 0], &[1, 1], 100, failing), [0, 100]);
    }

    #[test]
    fn where_all_are_alike_the_quicker_takes_more() {
        assert_eq!(
            taken(&[1, 1], &[1, 4], 400, |_| RelayHealth::Available),
            [400, 100]
        );
    }

    #[test]
    fn one_that_stands_by_makes_no_weights_differ() {
        assert_eq!(
            taken(&[1, 1, 0], &[1, 4, 1], 400, |_| RelayHealth::Available),
            [400, 100, 0]
        );
        assert_eq!(
            taken(&[0, 0], &[1, 1], 10, |_| RelayHealth::Available),
            [10, 10]
        );
    }

    #[test]
    fn one_that_hangs_holds_up_the_others_once() {
        let balancer = Balancer::new(vec![(1, 2), (3, 2), (2, 2)]);
        let start = Instant::now();
        // Two of three take a mail whenever they may; the last took two and hangs.
        (0..2).for_each(|_| balancer.take(2));
        let mut waits = [Duration::ZERO; 2];
        let mut now = start;
        while now < start + PATIENCE * 20 {
            for (relay, waits) in waits.iter_mut().enumerate() {
                match balancer.turn(relay, |_| RelayHealth::Available, now) {
                    Turn::Now => balancer.take(relay),
                    _ => *waits += MOMENT,
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
        assert_eq!(balancer.turn(2, |_| RelayHealth::Available, now), Turn::Now);
        balancer.take(2);
        let may = || balancer.turn(1, |_| RelayHealth::Available, now) == Turn::Now;
        let more = (0..100)
            .take_while(|_| may())
            .inspect(|_| balancer.take(1))
            .count();
        assert!(more < 20, "{more} before it waits for the others again");
    }

    #[test]
    fn one_whose_turn_comes_seldom_is_not_left_out() {
        let balancer = Balancer::new(vec![(1, 1), (100, 1)]);
        let mut now = Instant::now();
        let mut taken = [0; 2];
        // The heavy one takes one in a second, so the light one waits for longer than anybody would for it.
        for turn in 0..3000 {
            for (relay, taken) in taken.iter_mut().enumerate() {
                let asks = relay == 0 || turn % 10 == 0;
                if asks && balancer.turn(relay, |_| RelayHealth::Available, now) == Turn::Now {
                    balancer.take(relay);
                    *taken += 1;
                }
            }
            now += Duration::from_millis(100);
        }
        assert!(taken[0] <= 5 && taken[1] >= 295, "{taken:?}");
    }

    #[test]
    fn one_that_takes_nothing_is_not_waited_for_for_ever() {
        let balancer = Balancer::new(vec![(1, 1), (9, 1)]);
        let now = Instant::now();
        while balancer.turn(0, |_| RelayHealth::Available, now) == Turn::Now {
            balancer.take(0);
        }
        assert_eq!(
            balancer.turn(0, |_| RelayHealth::Available, now + PATIENCE * 2),
            Turn::Now
        );
        assert_eq!(balancer.turn(0, |_| RelayHealth::Throttled, now), Turn::Now);
    }

    #[test]
    fn what_is_put_back_is_no_lead() {
        let balancer = Balancer::new(vec![(1, 1), (3, 1)]);
        let now = Instant::now();
        let turn = |relay| balancer.turn(relay, |_| RelayHealth::Available, now);
        while turn(0) == Turn::Now {
            balancer.take(0);
        }
        assert_eq!(turn(0), Turn::After(MOMENT));
        balancer.put_back(0);
        assert_eq!(turn(0), Turn::Now);
        (0..100).for_each(|_| balancer.put_back(0));
        assert_eq!(turn(0), Turn::Now);
    }

    proptest! {
        #[test]
        fn shares_come_to_the_weights_whatever_the_speeds(
            relays in proptest::collection::vec((1_u32..20, 1_u32..5), 2..5),
        ) {
            let weights: Vec<u32> = relays.iter().map(|(weight, _)| *weight).collect();
            let speeds: Vec<u32> = relays.iter().map(|(_, speed)| *speed).collect();
            prop_assume!(weights.iter().any(|weight| *weight != weights[0]));
            let taken = taken(&weights, &speeds, 4000, |_| RelayHealth::Available);
            let (all, sum) = (taken.iter().sum::<u64>() as f64, f64::from(weights.iter().sum::<u32>()));
            prop_assert!(all > 200.0);
            for (taken, weight) in taken.iter().zip(&weights) {
                let share = all * f64::from(*weight) / sum;
                prop_assert!((*taken as f64 - share).abs() <= 3.0 * weights.len() as f64, "{taken} of {all}, {share}");
            }
        }
    }
}
