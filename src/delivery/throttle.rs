//! So many mails a minute: a token bucket, as the time at which the next mail is due.

use std::time::Duration;

use tokio::time::Instant;

/// A measure of mails a minute. Mails are spread over it; a second's worth may go at once.
#[derive(Debug)]
pub struct Throttle {
    /// Between two mails; zero: no limit.
    interval: Duration,
    /// How far ahead of its time a mail may go.
    burst: Duration,
    /// When the next mail is due by the measure alone.
    due: Option<Instant>,
}

impl Throttle {
    /// `per_minute` 0: no limit.
    pub fn new(per_minute: u32) -> Throttle {
        let interval = if per_minute == 0 { Duration::ZERO } else { Duration::from_secs(60) / per_minute };
        Throttle { interval, burst: Duration::from_secs(1), due: None }
    }

    /// Takes leave for one mail, or says how long to wait before asking again.
    pub fn permit(&mut self, now: Instant) -> Result<(), Duration> {
        if let Some(wait) = self.wait(now) {
            return Err(wait);
        }
        let due = self.due.map_or(now, |due| due.max(now));
        self.due = Some(due + self.interval);
        Ok(())
    }

    /// How long the next mail has to wait; `None`: not at all.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        if self.interval.is_zero() {
            return None;
        }
        let ahead = self.due?.saturating_duration_since(now);
        ahead.checked_sub(self.burst.max(self.interval) - self.interval).filter(|wait| !wait.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many mails pass in so many seconds, asked every millisecond.
    fn passed(per_minute: u32, seconds: u64) -> u32 {
        let mut throttle = Throttle::new(per_minute);
        let start = Instant::now();
        (0..seconds * 1000).filter(|ms| throttle.permit(start + Duration::from_millis(*ms)).is_ok()).count()
            as u32
    }

    #[test]
    fn a_measure_is_kept_over_time() {
        assert_eq!(passed(60, 60), 60);
        assert_eq!(passed(1, 119), 2);
        let quick = passed(6000, 60);
        assert!((5990..=6101).contains(&quick), "{quick}");
    }

    #[test]
    fn no_measure_lets_all_pass() {
        assert_eq!(passed(0, 1), 1000);
    }

    #[test]
    fn the_wait_is_told() {
        let mut throttle = Throttle::new(60);
        let start = Instant::now();
        assert_eq!(throttle.permit(start), Ok(()));
        assert_eq!(throttle.permit(start), Err(Duration::from_secs(1)));
        assert_eq!(throttle.permit(start + Duration::from_secs(1)), Ok(()));
    }
}
