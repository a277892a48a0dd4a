//! When to try again. Pure: chance is a parameter.

use std::time::Duration;

/// How long to wait before the next try, after so many that ended the same way (1: the first).
///
/// Each wait is twice the one before, from `first` up to `longest`. `chance` (0 to 255) makes it up to a quarter
/// longer, never shorter, so that those who were refused together do not all come back together.
pub(super) fn wait(tries: u32, first: Duration, longest: Duration, chance: u8) -> Duration {
    let base = grown(tries, first, longest);
    base + base.mul_f64(f64::from(chance) / 255.0 / 4.0)
}

/// The longest wait where a server greylists, which is over after some minutes as a rule (RFC 6647, section 2.4).
const LONGEST_FOR_GREYLISTING: Duration = Duration::from_secs(15 * 60);

/// The longest wait after greylisting: no longer than `longest`, and no shorter than `first`.
pub(super) fn longest_for_greylisting(first: Duration, longest: Duration) -> Duration {
    longest.min(LONGEST_FOR_GREYLISTING.max(first))
}

/// How long a relay backs off after a number of failures in a row: between `first` and `longest`.
pub(super) fn back_off(failures: u32, first: Duration, longest: Duration) -> Duration {
    grown(failures, first, longest)
}

fn grown(tries: u32, first: Duration, longest: Duration) -> Duration {
    let doublings = tries.saturating_sub(1).min(31);
    first.saturating_mul(1 << doublings).min(longest).max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_of_the_table() {
        let at = |tries| {
            wait(
                tries,
                Duration::from_secs(300),
                Duration::from_secs(4 * 3600),
                0,
            )
            .as_secs()
        };
        let steps: Vec<u64> = (1..=8).map(at).collect();
        assert_eq!(steps, [300, 600, 1200, 2400, 4800, 9600, 14_400, 14_400]);
        assert_eq!(at(0), 300);
        assert_eq!(at(u32::MAX), 14_400);
    }

    #[test]
    fn who_was_greylisted_comes_back_within_a_quarter_of_an_hour() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let at = |tries, first: u64, longest: u64| {
            let longest = longest_for_greylisting(minutes(first), minutes(longest));
            wait(tries, minutes(first), longest, 0).as_secs() / 60
        };
        let steps: Vec<u64> = (1..=5).map(|tries| at(tries, 5, 240)).collect();
        assert_eq!(steps, [5, 10, 15, 15, 15]);
        assert_eq!((at(3, 30, 240), at(3, 1, 2)), (30, 2));
    }

    #[test]
    fn waits_below_a_second_grow_as_well() {
        let at =
            |tries| wait(tries, Duration::from_millis(10), Duration::from_secs(1), 0).as_millis();
        assert_eq!([at(1), at(2), at(3)], [10, 20, 40]);
    }

    #[test]
    fn chance_only_lengthens() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(2));
        for chance in [0, 1, 128, 255] {
            let one = wait(1, first, longest, chance);
            assert!(one >= first && one <= first.mul_f64(1.25), "{one:?}");
        }
        assert!(wait(1, first, longest, 255) > wait(1, first, longest, 0));
    }

    #[test]
    fn a_longest_below_the_first_is_the_first() {
        assert_eq!(
            back_off(3, Duration::from_secs(9), Duration::from_secs(2)),
            Duration::from_secs(9)
        );
        assert_eq!(
            back_off(9, Duration::from_secs(1), Duration::from_secs(2)),
            Duration::from_secs(2)
        );
    }
}
