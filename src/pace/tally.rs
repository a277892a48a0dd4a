//! How many mails went lately, to each of many whose names are only hashed: enough to know at which rate somebody
//! complained, in a few kilobytes whatever the number of domains. Pure.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use tokio::time::Instant;

/// Names fall into so many; two that fall together count as one.
const SLOTS: usize = 1024;
/// What went in the current window and the one before counts.
const WINDOW: Duration = Duration::from_secs(5);

/// See the file's head.
#[derive(Debug, Default)]
pub struct Tally {
    begun: Option<Instant>,
    current: Vec<u32>,
    before: Vec<u32>,
}

impl Tally {
    /// Counts a mail.
    pub fn count(&mut self, name: &str, now: Instant) {
        self.turn(now);
        self.current.resize(SLOTS, 0);
        if let Some(n) = self.current.get_mut(slot(name)) {
            *n = n.saturating_add(1);
        }
    }

    /// Messages a minute of late; never more than what would have been had they gone within a second.
    pub fn per_minute(&mut self, name: &str, now: Instant) -> f64 {
        self.turn(now);
        let of = |window: &Vec<u32>| f64::from(window.get(slot(name)).copied().unwrap_or(0));
        let running = self.begun.map_or(0.0, |begun| {
            now.saturating_duration_since(begun).as_secs_f64()
        });
        let current = of(&self.current) / running.max(1.0);
        let before = of(&self.before) / WINDOW.as_secs_f64();
        current.max(before) * 60.0
    }

    fn turn(&mut self, now: Instant) {
        let begun = *self.begun.get_or_insert(now);
        let passed = now.saturating_duration_since(begun);
        if passed >= WINDOW {
            std::mem::swap(&mut self.before, &mut self.current);
            self.current.clear();
            if passed >= WINDOW * 2 {
                self.before.clear();
            }
            self.begun = Some(now);
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
    fn the_late_rate_is_told_by_name() {
        let mut tally = Tally::default();
        let start = Instant::now();
        for i in 0..1000 {
            tally.count("gmail.com", start + Duration::from_millis(i * 10));
        }
        let end = start + Duration::from_secs(10);
        let rate = tally.per_minute("gmail.com", end);
        assert!((5000.0..=7000.0).contains(&rate), "{rate}");
        assert!(tally.per_minute("example.org", end) < 1.0);
        assert!(tally.per_minute("gmail.com", end + Duration::from_secs(60)) < 1.0);
    }
}
