//! Warming a relay up: so many mails on the first day on which it sends, more on each further one. Pure.
//!
//! Only days on which something went count, so a weekly letter grows with each issue and not with the calendar. A
//! day is one of UTC: every one is as long as the next.

use jiff::Timestamp;

/// `warm_up_per_day` and `warm_up_growth`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Mails on the first day.
    pub per_day: u32,
    /// Each further day allows so many times what the one before did; 1 or more.
    pub growth: f64,
}

/// Above this a plan limits nothing any more.
const NO_LIMIT: f64 = 10_000_000.0;

impl Plan {
    /// What the day allows that follows so many on which something went; `None`: the plan has come to its end.
    pub fn allowed(&self, days: u32) -> Option<u64> {
        let exponent = i32::try_from(days).unwrap_or(i32::MAX);
        let allowed = f64::from(self.per_day) * self.growth.max(1.0).powi(exponent);
        (allowed < NO_LIMIT).then_some(allowed as u64)
    }

    /// On how many days so many mails go; `given` went today already, after so many days before.
    pub fn days_for(&self, mails: u64, days: u32, given: u64) -> u32 {
        let mut left = mails;
        for day in 0.. {
            let Some(allowed) = self.allowed(days.saturating_add(day)) else {
                return day;
            };
            let allowed = if day == 0 {
                allowed.saturating_sub(given)
            } else {
                allowed
            };
            // With one a day and no growth, nobody counts the days to their end.
            if left <= allowed || day > 10_000 {
                return day;
            }
            left -= allowed;
        }
        0
    }
}

/// The number of a day, counted from 1970.
pub fn day_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(86_400)
}

/// When a day ends.
pub fn end_of(day: i64) -> Timestamp {
    day.checked_add(1)
        .and_then(|next| next.checked_mul(86_400))
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::MAX)
}

/// A relay's day. Mails are given out of a leave that was written down before, block by block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    day: i64,
    /// `None`: no limit.
    allowed: Option<u64>,
    given: u64,
    /// As many may be given, as the database knows.
    leave: u64,
}

impl Day {
    /// A day of which `given` went, or may have gone, already.
    pub fn new(day: i64, allowed: Option<u64>, given: u64) -> Day {
        Day {
            day,
            allowed,
            given,
            leave: given,
        }
    }

    pub fn day(&self) -> i64 {
        self.day
    }

    /// What today allows, and what went of it; `None`: no limit.
    pub fn today(&self) -> Option<(u64, u64)> {
        self.allowed.map(|allowed| (self.given, allowed))
    }

    /// Whether one more mail may be given now.
    pub fn may_give(&self) -> bool {
        self.allowed.is_none() || self.given < self.leave
    }

    /// Whether the day has nothing left to give.
    pub fn is_over(&self) -> bool {
        self.allowed.is_some_and(|allowed| self.given >= allowed)
    }

    pub fn give(&mut self) {
        self.given += 1;
    }

    /// One that was given did not go.
    pub fn take_back(&mut self) {
        self.given = self.given.saturating_sub(1);
    }

    /// Up to where the leave should be written down now; `None`: there is enough, or the day is over.
    pub fn wants(&self) -> Option<u64> {
        let allowed = self.allowed?;
        let block = (allowed / 20).max(10);
        let wanted = self.given.saturating_add(block).min(allowed);
        (self.leave < allowed && self.leave.saturating_sub(self.given) <= block / 2)
            .then_some(wanted)
    }

    /// The leave was written down.
    pub fn grant(&mut self, leave: u64) {
        self.leave = self.leave.max(leave);
    }

    /// How many were given, for an orderly stop.
    pub fn given(&self) -> u64 {
        self.given
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_day_allows_more_until_nothing_is_limited() {
        let plan = Plan {
            per_day: 50,
            growth: 1.5,
        };
        let days: Vec<_> = (0..4).map(|day| plan.allowed(day)).collect();
        assert_eq!(days, [Some(50), Some(75), Some(112), Some(168)]);
        assert_eq!(plan.allowed(60), None);
        assert_eq!(plan.allowed(u32::MAX), None);
        assert_eq!(
            Plan {
                per_day: 50,
                growth: 1.0
            }
            .allowed(5000),
            Some(50)
        );
    }

    #[test]
    fn the_days_of_a_send_are_counted() {
        let plan = Plan {
            per_day: 50,
            growth: 1.5,
        };
        assert_eq!(
            [50, 51, 125, 126, 237].map(|mails| plan.days_for(mails, 0, 0)),
            [0, 1, 1, 2, 2]
        );
        assert_eq!(plan.days_for(10, 0, 45), 1);
        assert_eq!(plan.days_for(1_000_000, 60, 0), 0);
    }

    #[test]
    fn days_turn_at_midnight_of_utc_before_and_after_1970() {
        let day = |text: &str| day_of(text.parse().unwrap());
        assert_eq!(
            (day("1970-01-01T23:59:59Z"), day("1969-12-31T23:59:59Z")),
            (0, -1)
        );
        assert_eq!(end_of(0).to_string(), "1970-01-02T00:00:00Z");
        assert_eq!(end_of(i64::MAX), Timestamp::MAX);
    }

    proptest! {
        /// What was given never passes what was written down, nor what the day allows; and the day is used up.
        #[test]
        fn nothing_is_given_that_was_not_written_down(
            allowed in 1_u64..2000,
            before in 0_u64..3000,
            steps in proptest::collection::vec(any::<bool>(), 0..300),
        ) {
            let mut day = Day::new(1, Some(allowed), before);
            let mut written = before;
            for write in steps {
                if write && let Some(leave) = day.wants() {
                    written = leave;
                    day.grant(leave);
                }
                if day.may_give() { day.give(); }
                prop_assert!(day.given() <= written && written <= allowed.max(before));
            }
            loop {
                while day.may_give() { day.give(); }
                let Some(leave) = day.wants() else { break };
                day.grant(leave);
            }
            prop_assert!(day.is_over() && day.given() == allowed.max(before));
        }
    }
}
