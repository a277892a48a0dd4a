//! So many mails a minute: a token bucket, kept as the time at which the next mail is due. Pure.
//!
//! governor, which `http` uses, keeps the same figure and hides it; ours must be written down before a restart
//! and read after it, and its rate changes while it is used.

use std::time::Duration;

use tokio::time::Instant;

/// So much of the time may be made up at once.
const BURST: Duration = Duration::from_secs(1);

/// A measure of mails a minute. Mails are spread over it; a second's worth may go at once.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// Between two mails; zero: no limit.
    interval: Duration,
    /// When the next mail is due by the measure alone.
    due: Option<Instant>,
}

impl Bucket {
    /// `None` or 0: no limit.
    pub fn new(per_minute: Option<f64>) -> Bucket {
        Bucket {
            interval: interval(per_minute),
            due: None,
        }
    }

    /// Changes the measure. Who waits already waits no longer than the new one makes them.
    pub fn set(&mut self, per_minute: Option<f64>, now: Instant) {
        self.interval = interval(per_minute);
        self.due = self.due.map(|due| due.min(now + self.ahead()));
    }

    /// Takes leave for one mail, or says how long to wait before asking again.
    pub fn permit(&mut self, now: Instant) -> Result<(), Duration> {
        match self.wait(now) {
            Some(wait) => Err(wait),
            None => {
                self.force(now);
                Ok(())
            }
        }
    }

    /// Counts a mail that waits for nothing; those after it wait the longer, but never longer than for one.
    pub fn force(&mut self, now: Instant) {
        if !self.interval.is_zero() {
            let due = self.due.map_or(now, |due| due.max(now)) + self.interval;
            self.due = Some(due.min(now + self.ahead()));
        }
    }

    /// Gives back the leave for one mail that was not sent.
    pub fn refund(&mut self) {
        self.due = self.due.and_then(|due| due.checked_sub(self.interval));
    }

    /// How long the next mail has to wait; `None`: not at all.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        if self.interval.is_zero() {
            return None;
        }
        let ahead = self.due?.saturating_duration_since(now);
        ahead
            .checked_sub(self.ahead() - self.interval)
            .filter(|wait| !wait.is_zero())
    }

    /// When the next mail is due by the measure alone.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The next mail is due no sooner than after `wait`, as far as that means anything with this measure.
    pub fn delay(&mut self, now: Instant, wait: Duration) {
        if !self.interval.is_zero() {
            self.due = self.due.max(Some(now + wait.min(self.ahead())));
        }
    }

    /// The furthest that the next mail may be due ahead.
    pub fn ahead(&self) -> Duration {
        BURST.max(self.interval)
    }
}

fn interval(per_minute: Option<f64>) -> Duration {
    // One a month is the least that means anything, and keeps every sum within its bounds.
    const LEAST: f64 = 1.0 / (31.0 * 24.0 * 60.0);
    match per_minute {
        Some(rate) if rate > 0.0 => Duration::from_secs_f64(60.0 / rate.max(LEAST)),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many mails pass in so many seconds, asked every millisecond.
    fn passed(per_minute: f64, seconds: u64) -> u64 {
        let mut bucket = Bucket::new(Some(per_minute));
        let start = Instant::now();
        (0..seconds * 1000)
            .filter(|ms| bucket.permit(start + Duration::from_millis(*ms)).is_ok())
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
        let mut bucket = Bucket::new(Some(60.0));
        let start = Instant::now();
        assert_eq!(bucket.permit(start), Ok(()));
        assert_eq!(bucket.permit(start), Err(Duration::from_secs(1)));
        bucket.refund();
        assert_eq!(bucket.permit(start), Ok(()));
        assert_eq!(bucket.permit(start + Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn a_quicker_measure_holds_at_once() {
        let mut bucket = Bucket::new(Some(1.0));
        let start = Instant::now();
        bucket.permit(start).unwrap();
        bucket.set(Some(600.0), start);
        assert!(bucket.wait(start).is_none_or(|wait| wait <= BURST));
        bucket.set(None, start);
        assert_eq!(bucket.wait(start), None);
    }

    proptest! {
        #[test]
        fn no_second_brings_more_than_its_share_and_a_burst(
            per_minute in 1.0..100_000.0_f64,
            steps in proptest::collection::vec(0_u64..3000, 1..300),
        ) {
            let mut bucket = Bucket::new(Some(per_minute));
            let start = Instant::now();
            let (mut now, mut count) = (start, 0.0);
            for step in steps {
                now += Duration::from_millis(step);
                while count < 1e6 && bucket.permit(now).is_ok() { count += 1.0; }
                let most = per_minute / 60.0 * ((now - start).as_secs_f64() + 1.0) + 1.001;
                prop_assert!(count <= most, "{count} by {:?}, {most} allowed", now - start);
                prop_assert!(bucket.wait(now).is_none_or(|w| w <= Duration::from_secs(61)));
            }
        }
    }
}
