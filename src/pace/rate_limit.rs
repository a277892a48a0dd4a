//! The rate limit of one relay or provider: the settings, the author's override, and what was learned from complaints;
//! and what of it is saved across restarts.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::adaptive_rate::AdaptiveRate;
use super::token_bucket::TokenBucket;
use crate::model::rate::{RateSource, SavedRate};

/// How often rate limits are saved while mails go.
pub const SAVE_EVERY: Duration = Duration::from_secs(5);

/// The lower of a wanted rate (0: no limit) and a learned one, in messages a minute; `None`: no limit.
pub fn effective_rate(wanted: u32, learned: Option<f64>) -> Option<f64> {
    let wanted = (wanted > 0).then(|| f64::from(wanted));
    [wanted, learned].into_iter().flatten().reduce(f64::min)
}

/// A limit of messages a minute, to a provider or by a relay.
#[derive(Clone, Debug, Default)]
pub struct RateLimit {
    /// The setting; 0: no limit.
    configured: u32,
    /// In place of the setting; 0: no limit.
    override_rate: Option<u32>,
    adaptive: AdaptiveRate,
    bucket: TokenBucket,
    /// Something changed since it was last saved.
    is_dirty: bool,
    /// The database has a row of it, which must be replaced when it changes.
    is_saved: bool,
}

impl RateLimit {
    /// A limit of `configured` messages a minute; 0: no limit.
    pub fn new(configured: u32) -> RateLimit {
        let mut limit = RateLimit {
            configured,
            is_dirty: configured > 0,
            ..RateLimit::default()
        };
        limit.bucket = TokenBucket::new(limit.per_minute());
        limit
    }

    /// The messages a minute that hold, and why; `None`: no limit.
    pub fn effective(&self) -> Option<(f64, RateSource)> {
        let (wanted, source) = match self.override_rate {
            Some(rate) => (rate, RateSource::Override),
            None => (self.configured, RateSource::Settings),
        };
        let wanted = (wanted > 0).then(|| (f64::from(wanted), source));
        match (wanted, self.adaptive.per_minute()) {
            (Some((rate, _)), Some(learned)) if learned < rate => {
                Some((learned, RateSource::Adaptive))
            }
            (None, Some(learned)) => Some((learned, RateSource::Adaptive)),
            (wanted, _) => wanted,
        }
    }

    /// The messages a minute that hold; `None`: no limit.
    pub fn per_minute(&self) -> Option<f64> {
        self.effective().map(|(rate, _)| rate)
    }

    /// Takes the token for one mail.
    ///
    /// # Errors
    /// How long to wait before the next try, where the rate permits none now.
    pub fn try_take(&mut self, now: Instant) -> Result<(), Duration> {
        self.bucket.try_take(now)?;
        self.is_dirty = true;
        Ok(())
    }

    /// Takes the token for a mail that is sent whether the rate permits it or not.
    pub fn take(&mut self, now: Instant) {
        self.bucket.take(now);
        self.is_dirty = true;
    }

    /// Puts back the token of a mail that was not sent.
    pub fn put_back(&mut self) {
        self.bucket.put_back();
    }

    /// How long the next mail has to wait; `None`: not at all.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        self.bucket.wait(now)
    }

    /// Replaces the setting and everything learned so far by the author's rate (messages a minute; 0: no limit), or goes
    /// back to the setting where there is `None`. Returns whether that changed anything.
    pub fn set_override(&mut self, per_minute: Option<u32>, now: Instant) -> bool {
        if self.override_rate == per_minute {
            return false;
        }
        self.override_rate = per_minute;
        self.adaptive = AdaptiveRate::default();
        self.update_bucket(now);
        true
    }

    /// The other side complained of the rate while it was sent `current` messages a minute. Returns the new rate where
    /// that changed it.
    pub fn complaint(&mut self, current: f64, now: Instant) -> Option<f64> {
        let current = self
            .per_minute()
            .map_or(current, |rate| rate.min(current.max(1.0)));
        let was_cut = self.adaptive.cut(current, now);
        self.update_bucket(now);
        was_cut.then(|| self.per_minute()).flatten()
    }

    /// The other side accepted a mail, so a rate that was cut may rise. Returns whether it did.
    pub fn accepted(&mut self, now: Instant) -> bool {
        let was_raised = self.adaptive.raise(now);
        if was_raised {
            self.update_bucket(now);
        }
        was_raised
    }

    fn update_bucket(&mut self, now: Instant) {
        self.is_dirty = true;
        self.bucket.set_rate(self.per_minute(), now);
    }

    /// What is to be saved under `name`, where anything changed. `wall`: the wall clock at `now`; `is_final`: no mail is
    /// sent any more.
    pub fn save(
        &mut self,
        name: &str,
        now: Instant,
        wall: Timestamp,
        is_final: bool,
    ) -> Option<SavedRate> {
        let has_changed = std::mem::take(&mut self.is_dirty) || (is_final && self.is_saved);
        if !has_changed || (self.per_minute().is_none() && !self.is_saved) {
            return None;
        }
        self.is_saved = true;
        let due_at = self.bucket.due().and_then(|due| {
            let ahead = due.saturating_duration_since(now);
            wall.checked_add(ahead).ok()
        });
        Some(SavedRate {
            name: name.to_owned(),
            due_at,
            learned: self.adaptive.saved(),
            saved_at: wall,
            is_final,
        })
    }

    /// Continues where a saved limit ended. `wall`: the wall clock at `now`.
    ///
    /// After a kill, mails may have gone until the next save was due: they are assumed to have gone. A clock that was set
    /// back makes the next mail wait no longer than the rate requires.
    pub fn restore(&mut self, saved: &SavedRate, now: Instant, wall: Timestamp) {
        self.is_saved = true;
        if let Some(learned) = saved.learned {
            self.adaptive = AdaptiveRate::restored(learned, now);
        }
        self.bucket.set_rate(self.per_minute(), now);
        let since = Duration::try_from(wall.duration_since(saved.saved_at)).unwrap_or_default();
        let ahead = saved
            .due_at
            .map(|due| Duration::try_from(due.duration_since(wall)).unwrap_or_default());
        let unknown = if saved.is_final {
            Duration::ZERO
        } else {
            (SAVE_EVERY + self.bucket.longest_wait()).saturating_sub(since)
        };
        self.bucket
            .postpone(now, ahead.unwrap_or_default().max(unknown));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_lower_of_setting_and_learned_rate_holds_and_an_override_wins() {
        let now = Instant::now();
        let mut limit = RateLimit::new(600);
        assert_eq!(limit.effective(), Some((600.0, RateSource::Settings)));
        assert_eq!(limit.complaint(400.0, now), Some(200.0));
        assert_eq!(limit.effective(), Some((200.0, RateSource::Adaptive)));
        assert!(limit.set_override(Some(0), now) && limit.effective().is_none());
        assert_eq!(limit.complaint(100.0, now), Some(50.0));
        assert!(limit.set_override(None, now) && !limit.set_override(None, now));
        assert_eq!(limit.effective(), Some((600.0, RateSource::Settings)));
    }

    #[test]
    fn an_orderly_stop_forgets_and_grants_nothing() {
        let now = Instant::now();
        let mut limit = RateLimit::new(1);
        limit.try_take(now).unwrap();
        let kept = limit.save("x", now, at(0), true).unwrap();
        let mut again = RateLimit::new(1);
        again.restore(&kept, now, at(20));
        assert_eq!(again.wait(now).map(|w| w.as_secs()), Some(40));
    }

    #[test]
    fn a_lifted_limit_is_lifted_in_the_database_too() {
        let now = Instant::now();
        let mut limit = RateLimit::new(0);
        limit.try_take(now).unwrap();
        assert_eq!(
            limit.save("x", now, at(0), false),
            None,
            "there is nothing to say"
        );
        limit.complaint(2.0, now);
        assert!(
            limit
                .save("x", now, at(0), false)
                .unwrap()
                .learned
                .is_some()
        );
        assert_eq!(limit.save("x", now, at(0), false), None, "nothing is new");
        assert!(limit.accepted(now + Duration::from_secs(60)));
        assert_eq!(limit.save("x", now, at(60), false).unwrap().learned, None);
        assert!(limit.save("x", now, at(61), true).unwrap().is_final);
    }

    proptest! {
        /// Whenever it was killed, whatever the clock did: no flood, and nobody waits for ever.
        #[test]
        fn a_kill_or_a_clock_that_was_set_neither_floods_nor_stops(
            // Slower than what is asked for, so that each second grants no more than it must.
            per_minute in 1_u32..2_000,
            asked in 50_u64..200,
            gap in prop_oneof![Just(0_i64), -100_000_i64..100_000],
            orderly: bool,
        ) {
            let start = Instant::now();
            let mut limit = RateLimit::new(per_minute);
            let mut now = start;
            let mut count = 0;
            limit.try_take(start).unwrap();
            count += 1;
            let kept = limit.save("x", start, at(0), orderly);
            for _ in 0..asked {
                if limit.try_take(now).is_ok() { count += 1; }
                now += Duration::from_millis(20);
            }
            let kept = if orderly { limit.save("x", now, at(4), true) } else { kept };
            let mut again = RateLimit::new(per_minute);
            if let Some(kept) = &kept { again.restore(kept, now, at(4 + gap)); }
            let longest = Duration::from_secs_f64((60.0 / f64::from(per_minute)).max(1.0));
            prop_assert!(again.wait(now).is_none_or(|wait| wait <= longest), "{:?}", again.wait(now));
            if gap == 0 && kept.is_some() {
                let spent = (now - start).as_secs_f64();
                while again.try_take(now).is_ok() { count += 1; }
                let most = f64::from(per_minute) / 60.0 * (spent + 1.0) + 1.001;
                prop_assert!(f64::from(count) <= most, "{count} of {most}");
            }
        }
    }
}
