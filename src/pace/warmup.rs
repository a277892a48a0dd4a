//! Warming a relay up: a number of mails on the first day on which it sends, and more on each further one.
//!
//! Only days on which something went count, so a weekly newsletter grows with each issue and not with the calendar. A
//! day is one of UTC, so that all are equally long.

use jiff::Timestamp;

/// How many mails a relay may send on each day: `warm_up_per_day` and `warm_up_growth`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Mails on the first day.
    pub per_day: u32,
    /// By what each further day's number is multiplied; 1 or more.
    pub growth: f64,
}

/// Above this number of mails a day, a plan has ended and limits nothing any more.
const NO_LIMIT: f64 = 10_000_000.0;

impl Plan {
    /// How many mails may go on a day that follows `days` days on which something went; `None`: the plan has ended.
    pub fn allowed(&self, days: u32) -> Option<u64> {
        let exponent = i32::try_from(days).unwrap_or(i32::MAX);
        let allowed = f64::from(self.per_day) * self.growth.max(1.0).powi(exponent);
        (allowed < NO_LIMIT).then_some(allowed as u64)
    }
}

/// The number of the day in UTC, counted from 1970-01-01.
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

/// How many mails a relay may still send on a day. They are reserved in the database, block by block, before they are
/// used, so that a kill never leads to more than the day allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DailyQuota {
    day: i64,
    /// `None`: no limit.
    allowed: Option<u64>,
    used: u64,
    /// How many of them the database knows of.
    reserved: u64,
}

impl DailyQuota {
    /// The quota of a day of which `used` mails went, or may have gone, already. `allowed`: mails; `None`: no limit.
    pub fn new(day: i64, allowed: Option<u64>, used: u64) -> DailyQuota {
        DailyQuota {
            day,
            allowed,
            used,
            reserved: used,
        }
    }

    /// A quota that permits nothing, for a day that is not known yet.
    pub fn unknown() -> DailyQuota {
        DailyQuota::new(i64::MIN, Some(0), 0)
    }

    /// The number of the day, counted from 1970-01-01; [`i64::MIN`]: not known yet.
    pub fn day(&self) -> i64 {
        self.day
    }

    /// Whether what was used of it is to be written down: the day is known and has a limit.
    pub fn counts(&self) -> bool {
        self.allowed.is_some() && self.day != i64::MIN
    }

    /// Whether one more mail may be sent now.
    pub fn has_room(&self) -> bool {
        self.allowed.is_none() || self.used < self.reserved
    }

    /// Whether no more mails may be sent on this day.
    pub fn is_used_up(&self) -> bool {
        self.allowed.is_some_and(|allowed| self.used >= allowed)
    }

    /// Counts a mail.
    pub fn take(&mut self) {
        self.used += 1;
    }

    /// Takes back a mail that was counted on `day` and did not go. What another day was charged stays with that day.
    pub fn put_back(&mut self, day: i64) {
        if self.day == day {
            self.used = self.used.saturating_sub(1);
        }
    }

    /// The number of mails up to which more should be reserved now; `None`: enough is reserved, or the day allows no
    /// more.
    pub fn to_reserve(&self) -> Option<u64> {
        let allowed = self.allowed?;
        let block = (allowed / 20).max(10);
        let wanted = self.used.saturating_add(block).min(allowed);
        (self.reserved < allowed && self.reserved.saturating_sub(self.used) <= block / 2)
            .then_some(wanted)
    }

    /// Notes that the database knows of `reserved` mails in all.
    pub fn reserve(&mut self, reserved: u64) {
        self.reserved = self.reserved.max(reserved);
    }

    /// How many mails went on this day.
    pub fn used(&self) -> u64 {
        self.used
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
            let mut quota = DailyQuota::new(1, Some(allowed), before);
            let mut written = before;
            for write in steps {
                if write && let Some(reserved) = quota.to_reserve() {
                    written = reserved;
                    quota.reserve(reserved);
                }
                if quota.has_room() { quota.take(); }
                prop_assert!(quota.used() <= written && written <= allowed.max(before));
            }
            loop {
                while quota.has_room() { quota.take(); }
                let Some(reserved) = quota.to_reserve() else { break };
                quota.reserve(reserved);
            }
            prop_assert!(quota.is_used_up() && quota.used() == allowed.max(before));
        }
    }
}
