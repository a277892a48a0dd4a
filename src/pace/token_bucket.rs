//! A token bucket for messages a minute, stored as the time at which the next mail is due (the generic cell rate
//! algorithm).
//!
//! governor, which `http` uses, implements the same algorithm and hides the due time. This one must survive a restart,
//! and its rate changes while it is in use.

use std::time::{Duration, Instant};

/// The tokens that the bucket holds at most: those of one second, and at least one.
const BURST: Duration = Duration::from_secs(1);
/// The lowest rate, in messages a minute: one a month. It keeps every sum of times within its bounds.
const LOWEST_RATE: f64 = 1.0 / (31.0 * 24.0 * 60.0);

/// A limit of messages a minute. Mails are spread evenly; those of one second may go at once.
#[derive(Clone, Debug, Default)]
pub struct TokenBucket {
    /// Between two mails; zero: no limit.
    interval: Duration,
    /// When the next mail is due by the rate alone.
    due: Option<Instant>,
}

impl TokenBucket {
    /// A full bucket for this many messages a minute; `None` or 0: no limit.
    pub fn new(per_minute: Option<f64>) -> TokenBucket {
        TokenBucket {
            interval: interval(per_minute),
            due: None,
        }
    }

    /// Changes the rate, in messages a minute. A mail that is waiting waits no longer than the new rate requires.
    pub fn set_rate(&mut self, per_minute: Option<f64>, now: Instant) {
        self.interval = interval(per_minute);
        self.due = self.due.map(|due| due.min(now + self.longest_wait()));
    }

    /// Takes the token for one mail.
    ///
    /// # Errors
    /// How long to wait before the next try, where the bucket is empty.
    pub fn try_take(&mut self, now: Instant) -> Result<(), Duration> {
        match self.wait(now) {
            Some(wait) => Err(wait),
            None => {
                self.take(now);
                Ok(())
            }
        }
    }

    /// Takes the token for a mail that is sent whether there is one or not. Later mails wait for it, at most as long as
    /// for one mail.
    pub fn take(&mut self, now: Instant) {
        if !self.interval.is_zero() {
            let due = self.due.map_or(now, |due| due.max(now)) + self.interval;
            self.due = Some(due.min(now + self.longest_wait()));
        }
    }

    /// Puts back the token of a mail that was not sent.
    pub fn put_back(&mut self) {
        self.due = self.due.and_then(|due| due.checked_sub(self.interval));
    }

    /// How long the next mail has to wait; `None`: not at all.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        if self.interval.is_zero() {
            return None;
        }
        let ahead = self.due?.saturating_duration_since(now);
        ahead
            .checked_sub(self.longest_wait() - self.interval)
            .filter(|wait| !wait.is_zero())
    }

    /// When the next mail is due by the rate alone; `None`: the bucket was never used.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Postpones the next mail until `wait` from now, but no longer than this rate can make a mail wait.
    pub fn postpone(&mut self, now: Instant, wait: Duration) {
        if !self.interval.is_zero() {
            self.due = self.due.max(Some(now + wait.min(self.longest_wait())));
        }
    }

    /// The furthest from now that the next mail may be due.
    pub fn longest_wait(&self) -> Duration {
        BURST.max(self.interval)
    }
}

fn interval(per_minute: Option<f64>) -> Duration {
    match per_minute {
        Some(rate) if rate > 0.0 => Duration::from_secs_f64(60.0 / rate.max(LOWEST_RATE)),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many mails pass in so many seconds, asked every millisecond.
    fn passed(per_minute: f64, seconds: u64) -> u64 {
        let mut bucket = TokenBucket::new(Some(per_minute));
        let start = Instant::now();
        (0..seconds * 1000)
            .filter(|ms| bucket.try_take(start + Duration::from_millis(*ms)).is_ok())
            .count() as u64
    }

    #[test]
    fn a_measure_is_kept_over_time() {
        assert_eq!(passed(60.0, 60), 60);
        assert_eq!(passed(1.0, 119), 2);
        let quick = passed(6000.0, 60);
        assert!((5990..=6101).contains(&quick), "{quick}");
    }

    #[test]
    fn no_measure_lets_all_pass() {
        assert_eq!(passed(0.0, 1), 1000);
    }

    #[test]
    fn the_wait_is_told_and_a_refund_takes_it_back() {
        let mut bucket = TokenBucket::new(Some(60.0));
        let start = Instant::now();
        assert_eq!(bucket.try_take(start), Ok(()));
        assert_eq!(bucket.try_take(start), Err(Duration::from_secs(1)));
        bucket.put_back();
        assert_eq!(bucket.try_take(start), Ok(()));
        assert_eq!(bucket.try_take(start + Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn a_quicker_measure_holds_at_once() {
        let mut bucket = TokenBucket::new(Some(1.0));
        let start = Instant::now();
        bucket.try_take(start).unwrap();
        bucket.set_rate(Some(600.0), start);
        assert!(bucket.wait(start).is_none_or(|wait| wait <= BURST));
        bucket.set_rate(None, start);
        assert_eq!(bucket.wait(start), None);
    }

    proptest! {
        #[test]
        fn no_second_brings_more_than_its_share_and_a_burst(
            per_minute in 1.0..100_000.0_f64,
            steps in proptest::collection::vec(0_u64..3000, 1..300),
        ) {
            let mut bucket = TokenBucket::new(Some(per_minute));
            let start = Instant::now();
            let (mut now, mut count) = (start, 0.0);
            for step in steps {
                now += Duration::from_millis(step);
                while count < 1e6 && bucket.try_take(now).is_ok() { count += 1.0; }
                let most = per_minute / 60.0 * ((now - start).as_secs_f64() + 1.0) + 1.001;
                prop_assert!(count <= most, "{count} by {:?}, {most} allowed", now - start);
                prop_assert!(bucket.wait(now).is_none_or(|w| w <= Duration::from_secs(61)));
            }
        }
    }
}
