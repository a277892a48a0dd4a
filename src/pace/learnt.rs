//! The rate that the other side bears, learnt from its complaints: halved when it says that mails come too
//! quickly, and raised step by step while its answers are good. Pure.
//!
//! As TCP finds its way (additive increase, multiplicative decrease; RFC 5681), with one difference: where
//! nothing is set and nobody complains, there is no rate at all.

use std::time::Duration;

use tokio::time::Instant;

/// Between two cuts: complaints about mails that were under way already are one.
pub const CUT_EVERY: Duration = Duration::from_secs(10);
/// Between two steps up.
pub const STEP_EVERY: Duration = Duration::from_secs(60);
/// Each cut leaves so much.
const LEAVES: f64 = 0.5;
/// Each step up is so much of the rate at which the first complaint came.
const STEP: f64 = 0.1;
/// The least rate, in messages a minute, that a complaint can lead to.
pub const LEAST: f64 = 1.0;

/// What was learnt of one relay or provider.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Learnt {
    limit: Option<Limit>,
}

/// Rates are messages a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit {
    rate: f64,
    /// The rate at which the first complaint came: when it is reached again, nothing is left to learn.
    from: f64,
    /// When it was last cut or raised.
    at: Instant,
}

/// What is written down before a restart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    pub rate: f64,
    pub from: f64,
}

impl Learnt {
    /// As it was written down.
    pub fn recalled(memory: Memory, now: Instant) -> Learnt {
        let sound = memory.rate.is_finite() && memory.from.is_finite() && memory.rate < memory.from;
        let limit = Limit {
            rate: memory.rate.max(LEAST),
            from: memory.from,
            at: now,
        };
        Learnt {
            limit: sound.then_some(limit),
        }
    }

    /// What is to be written down; `None`: nothing was learnt.
    pub fn memory(&self) -> Option<Memory> {
        self.limit.map(|limit| Memory {
            rate: limit.rate,
            from: limit.from,
        })
    }

    /// Messages a minute; `None`: no complaint stands.
    pub fn rate(&self) -> Option<f64> {
        self.limit.map(|limit| limit.rate)
    }

    /// The other side complains while it gets so many messages a minute; whether the rate was cut.
    pub fn complaint(&mut self, current: f64, now: Instant) -> bool {
        let current = current.max(LEAST);
        match &mut self.limit {
            Some(limit) if now.saturating_duration_since(limit.at) < CUT_EVERY => false,
            Some(limit) => {
                limit.rate = (limit.rate.min(current) * LEAVES).max(LEAST);
                limit.at = now;
                true
            }
            None => {
                let rate = (current * LEAVES).max(LEAST);
                let from = current.max(rate * 2.0);
                self.limit = Some(Limit {
                    rate,
                    from,
                    at: now,
                });
                true
            }
        }
    }

    /// The other side took a mail; whether the rate was raised.
    pub fn good(&mut self, now: Instant) -> bool {
        let Some(limit) = &mut self.limit else {
            return false;
        };
        if now.saturating_duration_since(limit.at) < STEP_EVERY {
            return false;
        }
        limit.at = now;
        limit.rate += (limit.from * STEP).max(LEAST);
        if limit.rate >= limit.from {
            self.limit = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn complaints_about_what_was_under_way_are_one() {
        let start = Instant::now();
        let mut learnt = Learnt::default();
        assert!(learnt.complaint(600.0, start));
        assert!(!learnt.complaint(600.0, start + Duration::from_secs(1)));
        assert_eq!(learnt.rate(), Some(300.0));
        assert!(learnt.complaint(600.0, start + CUT_EVERY));
        assert_eq!(learnt.rate(), Some(150.0));
    }

    #[test]
    fn good_answers_raise_it_step_by_step_until_nothing_is_left() {
        let mut now = Instant::now();
        let mut learnt = Learnt::default();
        learnt.complaint(600.0, now);
        let mut rates = Vec::new();
        while let Some(rate) = learnt.rate() {
            rates.push(rate.round());
            assert!(!learnt.good(now + Duration::from_secs(1)), "too soon");
            now += STEP_EVERY;
            assert!(learnt.good(now));
        }
        assert_eq!(rates, [300.0, 360.0, 420.0, 480.0, 540.0]);
    }

    #[test]
    fn what_was_written_down_comes_back_and_nonsense_does_not() {
        let now = Instant::now();
        let mut learnt = Learnt::default();
        learnt.complaint(600.0, now);
        assert_eq!(
            Learnt::recalled(learnt.memory().unwrap(), now).rate(),
            Some(300.0)
        );
        for (rate, from) in [
            (f64::NAN, 1.0),
            (5.0, 5.0),
            (9.0, 2.0),
            (1.0, f64::INFINITY),
        ] {
            assert_eq!(Learnt::recalled(Memory { rate, from }, now).rate(), None);
        }
    }

    proptest! {
        /// Whatever comes, the rate stays between the least and where it began; it falls by complaints alone, and
        /// rises by good answers alone.
        #[test]
        fn the_rate_keeps_its_bounds(
            current in 1.0..100_000.0_f64,
            events in proptest::collection::vec((any::<bool>(), 0_u64..200), 1..200),
        ) {
            let mut now = Instant::now();
            let mut learnt = Learnt::default();
            for (complains, seconds) in events {
                now += Duration::from_secs(seconds);
                let before = learnt.rate();
                if complains { learnt.complaint(before.unwrap_or(current), now); } else { learnt.good(now); }
                let (was, is) = (before.unwrap_or(f64::MAX), learnt.rate().unwrap_or(f64::MAX));
                prop_assert!(is >= LEAST);
                let keeps = if complains { is <= was } else { is >= was };
                prop_assert!(keeps);
                prop_assert!(learnt.rate().is_none_or(|rate| rate <= current.max(2.0)));
            }
        }
    }
}
