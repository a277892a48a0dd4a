//! A rate that is learned from the other side's complaints: halved when it says that mails come too quickly, and raised
//! step by step while it accepts them.
//!
//! This is additive increase, multiplicative decrease as in TCP (RFC 5681), with one difference: as long as nobody
//! complains, there is no limit at all.

use std::time::{Duration, Instant};

use crate::model::rate::LearnedRate;

/// The shortest time between two cuts. Complaints about mails that were already in flight count as one.
pub const CUT_EVERY: Duration = Duration::from_secs(10);
/// The shortest time between two raises.
pub const RAISE_EVERY: Duration = Duration::from_secs(60);
/// What a cut leaves of the rate.
const CUT_FACTOR: f64 = 0.5;
/// A raise, as a share of the rate at the first complaint.
const RAISE_SHARE: f64 = 0.1;
/// The lowest rate that complaints lead to, and the smallest raise, in messages a minute.
pub const LOWEST_RATE: f64 = 1.0;

/// What was learned of one relay or provider.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AdaptiveRate {
    limit: Option<Limit>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit {
    rate: LearnedRate,
    /// When it was last cut or raised.
    changed: Instant,
}

impl AdaptiveRate {
    /// The rate that was saved; none where the saved values make no sense.
    pub fn restored(saved: LearnedRate, now: Instant) -> AdaptiveRate {
        let LearnedRate {
            per_minute,
            ceiling,
        } = saved;
        let is_sound = per_minute.is_finite() && ceiling.is_finite() && per_minute < ceiling;
        let limit = Limit {
            rate: LearnedRate {
                per_minute: per_minute.max(LOWEST_RATE),
                ceiling,
            },
            changed: now,
        };
        AdaptiveRate {
            limit: is_sound.then_some(limit),
        }
    }

    /// What is to be saved; `None`: there is no limit.
    pub fn saved(&self) -> Option<LearnedRate> {
        self.limit.map(|limit| limit.rate)
    }

    /// Messages a minute; `None`: there is no limit.
    pub fn per_minute(&self) -> Option<f64> {
        self.saved().map(|rate| rate.per_minute)
    }

    /// The other side complained while it was sent `current` messages a minute. Returns whether the rate was cut.
    pub fn cut(&mut self, current: f64, now: Instant) -> bool {
        let current = current.max(LOWEST_RATE);
        match &mut self.limit {
            Some(limit) if now.saturating_duration_since(limit.changed) < CUT_EVERY => false,
            Some(limit) => {
                let rate = &mut limit.rate.per_minute;
                *rate = (rate.min(current) * CUT_FACTOR).max(LOWEST_RATE);
                limit.changed = now;
                true
            }
            None => {
                let per_minute = (current * CUT_FACTOR).max(LOWEST_RATE);
                let ceiling = current.max(per_minute * 2.0);
                self.limit = Some(Limit {
                    rate: LearnedRate {
                        per_minute,
                        ceiling,
                    },
                    changed: now,
                });
                true
            }
        }
    }

    /// The other side accepted a mail. Returns whether the rate was raised, which lifts the limit where the rate of the
    /// first complaint is reached.
    pub fn raise(&mut self, now: Instant) -> bool {
        let Some(limit) = &mut self.limit else {
            return false;
        };
        if now.saturating_duration_since(limit.changed) < RAISE_EVERY {
            return false;
        }
        limit.changed = now;
        let rate = &mut limit.rate;
        rate.per_minute += (rate.ceiling * RAISE_SHARE).max(LOWEST_RATE);
        if rate.per_minute >= rate.ceiling {
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
        let mut adaptive = AdaptiveRate::default();
        assert!(adaptive.cut(600.0, start));
        assert!(!adaptive.cut(600.0, start + Duration::from_secs(1)));
        assert_eq!(adaptive.per_minute(), Some(300.0));
        assert!(adaptive.cut(600.0, start + CUT_EVERY));
        assert_eq!(adaptive.per_minute(), Some(150.0));
    }

    #[test]
    fn good_answers_raise_it_step_by_step_until_nothing_is_left() {
        let mut now = Instant::now();
        let mut adaptive = AdaptiveRate::default();
        adaptive.cut(600.0, now);
        let mut rates = Vec::new();
        while let Some(rate) = adaptive.per_minute() {
            rates.push(rate.round());
            assert!(!adaptive.raise(now + Duration::from_secs(1)), "too soon");
            now += RAISE_EVERY;
            assert!(adaptive.raise(now));
        }
        assert_eq!(rates, [300.0, 360.0, 420.0, 480.0, 540.0]);
    }

    #[test]
    fn what_was_written_down_comes_back_and_nonsense_does_not() {
        let now = Instant::now();
        let mut adaptive = AdaptiveRate::default();
        adaptive.cut(600.0, now);
        assert_eq!(
            AdaptiveRate::restored(adaptive.saved().unwrap(), now).per_minute(),
            Some(300.0)
        );
        for (per_minute, ceiling) in [
            (f64::NAN, 1.0),
            (5.0, 5.0),
            (9.0, 2.0),
            (1.0, f64::INFINITY),
        ] {
            assert_eq!(
                AdaptiveRate::restored(
                    LearnedRate {
                        per_minute,
                        ceiling
                    },
                    now
                )
                .per_minute(),
                None
            );
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
            let mut adaptive = AdaptiveRate::default();
            for (complains, seconds) in events {
                now += Duration::from_secs(seconds);
                let before = adaptive.per_minute();
                if complains { adaptive.cut(before.unwrap_or(current), now); } else { adaptive.raise(now); }
                let (was, is) = (before.unwrap_or(f64::MAX), adaptive.per_minute().unwrap_or(f64::MAX));
                prop_assert!(is >= LOWEST_RATE);
                let keeps = if complains { is <= was } else { is >= was };
                prop_assert!(keeps);
                prop_assert!(adaptive.per_minute().is_none_or(|rate| rate <= current.max(2.0)));
            }
        }
    }
}
