//! One measure in use: what is set, what was learnt, and the author's word; and what of it outlives a restart. Pure.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::bucket::Bucket;
use super::learnt::{Learnt, Memory};
use crate::store::speed::Measure;

/// How often measures are written down while mails go.
pub const SAVE_EVERY: Duration = Duration::from_secs(5);

/// Messages a minute of what is set or said (0: no limit), and no more than was learnt; `None`: no limit.
pub fn lowest(wanted: u32, learnt: Option<f64>) -> Option<f64> {
    let wanted = (wanted > 0).then(|| f64::from(wanted));
    [wanted, learnt].into_iter().flatten().reduce(f64::min)
}

/// Where a rate that holds comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The settings.
    Set,
    /// Complaints of the other side.
    Learnt,
    /// The author, by `letterpress speed`.
    Word,
}

/// Messages a minute to a provider or by a relay.
#[derive(Clone, Debug, Default)]
pub struct Gauge {
    /// 0: no limit.
    set: u32,
    /// In place of what is set.
    word: Option<u32>,
    learnt: Learnt,
    bucket: Bucket,
    /// Something changed since it was last written down.
    is_dirty: bool,
    /// It stands in the database, which must be told what becomes of it.
    is_known: bool,
}

impl Gauge {
    /// `set` messages a minute; 0: no limit.
    pub fn new(set: u32) -> Gauge {
        let mut gauge = Gauge {
            set,
            is_dirty: set > 0,
            ..Gauge::default()
        };
        gauge.bucket = Bucket::new(gauge.rate());
        gauge
    }

    /// Messages a minute as they hold, and why; `None`: no limit.
    pub fn holds(&self) -> Option<(f64, Source)> {
        let wanted = match self.word {
            Some(word) => (word, Source::Word),
            None => (self.set, Source::Set),
        };
        let wanted = (wanted.0 > 0).then(|| (f64::from(wanted.0), wanted.1));
        match (wanted, self.learnt.rate()) {
            (Some((rate, _)), Some(learnt)) if learnt < rate => Some((learnt, Source::Learnt)),
            (None, Some(learnt)) => Some((learnt, Source::Learnt)),
            (wanted, _) => wanted,
        }
    }

    /// Messages a minute as they hold; `None`: no limit.
    pub fn rate(&self) -> Option<f64> {
        self.holds().map(|(rate, _)| rate)
    }

    /// Takes leave for one mail, or says how long to wait before asking again.
    pub fn permit(&mut self, now: Instant) -> Result<(), Duration> {
        self.bucket.permit(now)?;
        self.is_dirty = true;
        Ok(())
    }

    /// Counts a mail that waits for nothing.
    pub fn force(&mut self, now: Instant) {
        self.bucket.force(now);
        self.is_dirty = true;
    }

    /// Gives back the leave for one mail that was not sent.
    pub fn refund(&mut self) {
        self.bucket.refund();
    }

    /// How long the next mail has to wait.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        self.bucket.wait(now)
    }

    /// The author's word, in place of what is set and of what was learnt until now; `None`: it is taken back.
    /// Whether it is new.
    pub fn say(&mut self, word: Option<u32>, now: Instant) -> bool {
        if self.word == word {
            return false;
        }
        self.word = word;
        self.learnt = Learnt::default();
        self.follow(now);
        true
    }

    /// The other side says that mails come too quickly, while it gets so many a minute. Gives the new rate where
    /// that changed it.
    pub fn complaint(&mut self, current: f64, now: Instant) -> Option<f64> {
        let current = self
            .rate()
            .map_or(current, |rate| rate.min(current.max(1.0)));
        let cut = self.learnt.complaint(current, now);
        self.follow(now);
        cut.then(|| self.rate()).flatten()
    }

    /// The other side took a mail.
    pub fn good(&mut self, now: Instant) {
        if self.learnt.good(now) {
            self.follow(now);
        }
    }

    fn follow(&mut self, now: Instant) {
        self.is_dirty = true;
        self.bucket.set(self.rate(), now);
    }

    /// What is to be written down, where anything is new. `wall`: the wall clock at `now`.
    pub fn keep(
        &mut self,
        name: &str,
        now: Instant,
        wall: Timestamp,
        is_final: bool,
    ) -> Option<Measure> {
        let is_new = std::mem::take(&mut self.is_dirty) || (is_final && self.is_known);
        if !is_new || (self.rate().is_none() && !self.is_known) {
            return None;
        }
        self.is_known = true;
        let due_at = self.bucket.due().and_then(|due| {
            let ahead = due.saturating_duration_since(now);
            wall.checked_add(ahead).ok()
        });
        let learnt = self
            .learnt
            .memory()
            .map(|memory| (memory.rate, memory.from));
        Some(Measure {
            name: name.to_owned(),
            due_at,
            learnt,
            saved_at: wall,
            is_final,
        })
    }

    /// Takes up what was written down. After a kill mails may have gone until it would have been written again: they
    /// are taken to have gone. A clock that was set back makes nobody wait longer than for one mail.
    pub fn recall(&mut self, measure: &Measure, now: Instant, wall: Timestamp) {
        self.is_known = true;
        if let Some((rate, from)) = measure.learnt {
            self.learnt = Learnt::recalled(Memory { rate, from }, now);
        }
        self.bucket.set(self.rate(), now);
        let since = Duration::try_from(wall.duration_since(measure.saved_at)).unwrap_or_default();
        let ahead = measure
            .due_at
            .map(|due| Duration::try_from(due.duration_since(wall)).unwrap_or_default());
        let unknown = if measure.is_final {
            Duration::ZERO
        } else {
            (SAVE_EVERY + self.bucket.ahead()).saturating_sub(since)
        };
        self.bucket
            .delay(now, ahead.unwrap_or_default().max(unknown));
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
    fn the_lowest_of_set_and_learnt_holds_and_the_authors_word_wins() {
        let now = Instant::now();
        let mut gauge = Gauge::new(600);
        assert_eq!(gauge.holds(), Some((600.0, Source::Set)));
        assert_eq!(gauge.complaint(400.0, now), Some(200.0));
        assert_eq!(gauge.holds(), Some((200.0, Source::Learnt)));
        assert!(gauge.say(Some(0), now) && gauge.holds().is_none());
        assert_eq!(gauge.complaint(100.0, now), Some(50.0));
        assert!(gauge.say(None, now) && !gauge.say(None, now));
        assert_eq!(gauge.holds(), Some((600.0, Source::Set)));
    }

    #[test]
    fn an_orderly_stop_forgets_and_grants_nothing() {
        let now = Instant::now();
        let mut gauge = Gauge::new(1);
        gauge.permit(now).unwrap();
        let kept = gauge.keep("x", now, at(0), true).unwrap();
        let mut again = Gauge::new(1);
        again.recall(&kept, now, at(20));
        assert_eq!(again.wait(now).map(|w| w.as_secs()), Some(40));
    }

    #[test]
    fn what_was_learnt_is_forgotten_in_the_database_too() {
        let now = Instant::now();
        let mut gauge = Gauge::new(0);
        gauge.permit(now).unwrap();
        assert_eq!(
            gauge.keep("x", now, at(0), false),
            None,
            "there is nothing to say"
        );
        gauge.complaint(2.0, now);
        assert!(gauge.keep("x", now, at(0), false).unwrap().learnt.is_some());
        assert_eq!(gauge.keep("x", now, at(0), false), None, "nothing is new");
        gauge.good(now + Duration::from_secs(60));
        assert_eq!(gauge.keep("x", now, at(60), false).unwrap().learnt, None);
        assert!(gauge.keep("x", now, at(61), true).unwrap().is_final);
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
            let mut gauge = Gauge::new(per_minute);
            let mut now = start;
            let mut count = 0;
            gauge.permit(start).unwrap();
            count += 1;
            let kept = gauge.keep("x", start, at(0), orderly);
            for _ in 0..asked {
                if gauge.permit(now).is_ok() { count += 1; }
                now += Duration::from_millis(20);
            }
            let kept = if orderly { gauge.keep("x", now, at(4), true) } else { kept };
            let mut again = Gauge::new(per_minute);
            if let Some(kept) = &kept { again.recall(kept, now, at(4 + gap)); }
            let longest = Duration::from_secs_f64((60.0 / f64::from(per_minute)).max(1.0));
            prop_assert!(again.wait(now).is_none_or(|wait| wait <= longest), "{:?}", again.wait(now));
            if gap == 0 && kept.is_some() {
                let spent = (now - start).as_secs_f64();
                while again.permit(now).is_ok() { count += 1; }
                let most = f64::from(per_minute) / 60.0 * (spent + 1.0) + 1.001;
                prop_assert!(f64::from(count) <= most, "{count} of {most}");
            }
        }
    }
}
