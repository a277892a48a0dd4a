//! How many mails went lately to each of many domains. Domains are only hashed, so the meter takes a few kilobytes
//! whatever their number; it tells at which rate mails went when a server complained.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, Instant};

/// The number of counters. Two domains that share one are counted together.
const SLOTS: usize = 1024;
/// The length of an interval. The current one and the one before count.
const INTERVAL: Duration = Duration::from_secs(5);

/// Counts mails by name over the last five to ten seconds.
#[derive(Debug, Default)]
pub struct RateMeter {
    /// When the current interval began.
    began: Option<Instant>,
    current: Vec<u32>,
    before: Vec<u32>,
}

impl RateMeter {
    /// Counts one mail.
    pub fn record(&mut self, name: &str, now: Instant) {
        self.roll(now);
        self.current.resize(SLOTS, 0);
        if let Some(n) = self.current.get_mut(slot(name)) {
            *n = n.saturating_add(1);
        }
    }

    /// Messages a minute of late. A single mail counts as at most one a second.
    pub fn per_minute(&mut self, name: &str, now: Instant) -> f64 {
        self.roll(now);
        let of = |counts: &Vec<u32>| f64::from(counts.get(slot(name)).copied().unwrap_or(0));
        let running = self.began.map_or(0.0, |began| {
            now.saturating_duration_since(began).as_secs_f64()
        });
        let current = of(&self.current) / running.max(1.0);
        let before = of(&self.before) / INTERVAL.as_secs_f64();
        current.max(before) * 60.0
    }

    /// Begins another interval where the current one is over.
    fn roll(&mut self, now: Instant) {
        let began = *self.began.get_or_insert(now);
        let passed = now.saturating_duration_since(began);
        if passed >= INTERVAL {
            std::mem::swap(&mut self.before, &mut self.current);
            self.current.clear();
            if passed >= INTERVAL * 2 {
                self.before.clear();
            }
            self.began = Some(now);
        }
    }
}

fn slot(name: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    (hasher.finish() % SLOTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_rate_is_known_by_name() {
        let mut meter = RateMeter::default();
        let start = Instant::now();
        for i in 0..1000 {
            meter.record("gmail.com", start + Duration::from_millis(i * 10));
        }
        let end = start + Duration::from_secs(10);
        let rate = meter.per_minute("gmail.com", end);
        assert!((5000.0..=7000.0).contains(&rate), "{rate}");
        assert!(meter.per_minute("example.org", end) < 1.0);
        assert!(meter.per_minute("gmail.com", end + Duration::from_secs(60)) < 1.0);
    }
}
