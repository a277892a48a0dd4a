//! Warnings that visitors can cause at any rate: each is logged once in a while.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When something was last said.
pub(super) struct Rarely {
    every: Duration,
    last: Mutex<Option<Instant>>,
}

impl Rarely {
    pub(super) fn every(every: Duration) -> Rarely {
        Rarely {
            every,
            last: Mutex::default(),
        }
    }

    /// Whether it is time to say it again; then that counts as said.
    pub(super) fn is_due(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|at| at.elapsed() >= self.every);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_first_and_then_rarely() {
        let hourly = Rarely::every(Duration::from_secs(3600));
        assert_eq!([hourly.is_due(), hourly.is_due()], [true, false]);
        let always = Rarely::every(Duration::ZERO);
        assert_eq!([always.is_due(), always.is_due()], [true, true]);
    }
}
