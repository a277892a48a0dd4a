//! How many entries a commit waits for. Pure.
//!
//! A commit costs nearly the same for one mail as for ten, and every connection waits for its own, so waiting a
//! moment for the others saves work. Where all waited for all, though, the server would have nothing to do
//! meanwhile: so it is for three connections in four. And where the others are slow, a moment spent on waiting
//! brings nobody: then it is tried more and more seldom.

/// The most groups between two tries to wait for more.
const LONGEST_PAUSE: u32 = 63;

/// What the last groups taught.
#[derive(Debug)]
pub(super) struct Gathering {
    /// As many are waited for.
    aim: usize,
    /// So many groups go by before one more is waited for.
    pause: u32,
    /// What is left of that.
    left: u32,
    /// The group that is being gathered waits for one more than came before.
    tries: bool,
}

impl Default for Gathering {
    fn default() -> Gathering {
        Gathering {
            aim: 1,
            pause: 0,
            left: 0,
            tries: false,
        }
    }
}

impl Gathering {
    /// How many entries are worth a moment's waiting while so many mails are in flight.
    pub(super) fn wanted(&self, in_flight: usize) -> usize {
        self.aim.min(in_flight.saturating_mul(3).div_ceil(4)).max(1)
    }

    /// Learns from a group of `came` entries, of which `wanted` had been hoped for.
    pub(super) fn learn(&mut self, wanted: usize, came: usize) {
        if came < wanted {
            self.aim = came;
            self.pause = (self.pause * 2 + 1).min(LONGEST_PAUSE);
            self.left = self.pause;
            self.tries = false;
        } else if came > wanted {
            self.aim = came;
        } else if self.left > 0 {
            self.left -= 1;
        } else {
            if std::mem::replace(&mut self.tries, true) {
                self.pause /= 2;
            }
            self.aim = wanted + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of so many groups where at most `there` entries come within a moment, `at_once` of them without
    /// waiting; with how many groups waited in vain.
    fn groups(n: usize, in_flight: usize, at_once: usize, there: usize) -> (Vec<usize>, usize) {
        let mut gathering = Gathering::default();
        let mut vain = 0;
        let sizes = (0..n).map(|_| {
            let wanted = gathering.wanted(in_flight);
            let came = at_once.max(wanted.min(there));
            vain += usize::from(came < wanted);
            gathering.learn(wanted, came);
            came
        });
        (sizes.collect(), vain)
    }

    #[test]
    fn quick_connections_share_a_commit_but_for_one_in_four() {
        let (sizes, vain) = groups(50, 8, 1, 8);
        assert_eq!((sizes[49], vain), (6, 0));
    }

    #[test]
    fn one_connection_waits_for_nobody() {
        assert_eq!(groups(50, 1, 1, 1), (vec![1; 50], 0));
    }

    #[test]
    fn slow_connections_are_seldom_waited_for() {
        let (_, vain) = groups(6_400, 8, 1, 1);
        assert!(
            (6..=6_400 / 64 + 8).contains(&vain),
            "{vain} of 6400 groups waited in vain"
        );
    }

    #[test]
    fn who_comes_without_waiting_is_taken() {
        let (sizes, vain) = groups(3, 100, 40, 40);
        assert_eq!((sizes, vain), (vec![40, 40, 40], 1));
    }
}
