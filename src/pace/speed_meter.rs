//! How quickly a server takes mails: the time that one mail keeps a connection busy, as an average of the last ones.

use std::time::Duration;

use crate::model::rate::RelaySpeed;

/// How many mails the average remembers.
const REMEMBERED: u64 = 200;
/// The number of mails after which the speed can be relied on.
const ENOUGH: u64 = 20;

/// Measures one server.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpeedMeter {
    mail_s: f64,
    mails: u64,
    /// How many were measured since the value was last taken to be saved.
    unsaved: u64,
}

impl SpeedMeter {
    /// Counts a mail that kept its connection busy for so long.
    pub fn record(&mut self, took: Duration) {
        self.mails = (self.mails + 1).min(REMEMBERED);
        self.unsaved += 1;
        self.mail_s += (took.as_secs_f64() - self.mail_s) / self.mails as f64;
    }

    /// Continues an average that was saved.
    pub fn restore(&mut self, saved: &RelaySpeed) {
        if self.mails == 0 && saved.mail_s.is_finite() && saved.mail_s >= 0.0 {
            self.mail_s = saved.mail_s;
            self.mails = saved.mails.min(REMEMBERED);
        }
    }

    /// What is to be saved, where it has changed enough: seconds a mail, and how many mails that is an average of.
    pub fn to_save(&mut self) -> Option<(f64, u64)> {
        if self.mails < ENOUGH || self.unsaved < ENOUGH {
            return None;
        }
        self.unsaved = 0;
        Some((self.mail_s, self.mails))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_follows_the_last_mails_and_is_kept() {
        let mut meter = SpeedMeter::default();
        for _ in 0..ENOUGH - 1 {
            meter.record(Duration::from_millis(100));
        }
        assert_eq!(meter.to_save(), None, "too few");
        meter.record(Duration::from_millis(100));
        let (mail_s, mails) = meter.to_save().unwrap();
        assert!((mail_s - 0.1).abs() < 1e-9 && mails == ENOUGH);
        assert_eq!(meter.to_save(), None, "nothing new");
        for _ in 0..2000 {
            meter.record(Duration::from_secs(2));
        }
        let (mail_s, mails) = meter.to_save().unwrap();
        assert!(
            (1.9..2.01).contains(&mail_s) && mails == REMEMBERED,
            "{mail_s}"
        );

        let mut next = SpeedMeter::default();
        next.restore(&RelaySpeed {
            server: "h:25".into(),
            mail_s,
            mails,
        });
        for _ in 0..ENOUGH {
            next.record(Duration::from_secs(2));
        }
        assert!((1.9..2.01).contains(&next.to_save().unwrap().0));
    }
}
