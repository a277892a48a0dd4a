//! How many entries a commit waits for.
//!
//! A commit costs nearly the same for one mail as for ten, and every connection waits for its own, so waiting a moment
//! for others saves work. If all waited for all, though, the servers would have nothing to do meanwhile: at most three
//! connections in four are waited for. And where the others are slow, a moment of waiting brings none: then it is tried
//! less and less often.

/// The most batches between two tries to wait for more entries.
const LONGEST_PAUSE: u32 = 63;

/// What the last batches taught.
#[derive(Debug)]
pub(super) struct BatchSize {
    /// How many entries are waited for.
    aim: usize,
    /// How many batches go by before one more entry is waited for.
    pause: u32,
    /// How many of them are left.
    left: u32,
    /// The current batch waits for one more entry than came before.
    is_trying: bool,
}

impl Default for BatchSize {
    fn default() -> BatchSize {
        BatchSize {
            aim: 1,
            pause: 0,
            left: 0,
            is_trying: false,
        }
    }
}

impl BatchSize {
    /// How many entries are worth a moment's wait while this number of mails is in flight.
    pub(super) fn wanted(&self, in_flight: usize) -> usize {
        self.aim.min(in_flight.saturating_mul(3).div_ceil(4)).max(1)
    }

    /// Learns from a batch of `came` entries, where it waited for `wanted`.
    pub(super) fn learn(&mut self, wanted: usize, came: usize) {
        if came < wanted {
            self.aim = came;
            self.pause = (self.pause * 2 + 1).min(LONGEST_PAUSE);
            self.left = self.pause;
            self.is_trying = false;
        } else if came > wanted {
            self.aim = came;
        } else if self.left > 0 {
            self.left -= 1;
        } else {
            if std::mem::replace(&mut self.is_trying, true) {
                self.pause /= 2;
            }
            self.aim = wanted + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of `n` batches where at most `there` entries come within a moment, `at_once` of them without waiting,
    /// and how many batches waited in vain.
    fn batches(n: usize, in_flight: usize, at_once: usize, there: usize) -> (Vec<usize>, usize) {
        let mut size = BatchSize::default();
        let mut vain = 0;
        let sizes = (0..n).map(|_| {
            let wanted = size.wanted(in_flight);
            let came = at_once.max(wanted.min(there));
            vain += usize::from(came < wanted);
            size.learn(wanted, came);
            came
        });
        (sizes.collect(), vain)
    }

    #[test]
    fn quick_connections_share_a_commit_but_for_one_in_four() {
        let (sizes, vain) = batches(50, 8, 1, 8);
        assert_eq!((sizes[49], vain), (6, 0));
    }

    #[test]
    fn one_connection_waits_for_nobody() {
        assert_eq!(batches(50, 1, 1, 1), (vec![1; 50], 0));
    }

    #[test]
    fn slow_connections_are_seldom_waited_for() {
        let (_, vain) = batches(6_400, 8, 1, 1);
        assert!(
            (6..=6_400 / 64 + 8).contains(&vain),
            "{vain} of 6400 batches waited in vain"
        );
    }

    #[test]
    fn who_comes_without_waiting_is_taken() {
        let (sizes, vain) = batches(3, 100, 40, 40);
        assert_eq!((sizes, vain), (vec![40, 40, 40], 1));
    }
}
