//! How long a send will take under everything that slows it: measures, providers' shares, warm-up, hours, batches.
//! Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::warm::{self, Plan};
use super::window::{At, Window};

/// So many turns of hours and days are looked ahead, before it is said to take as long as until there.
const TURNS: usize = 10_000;

/// What is known of a send beforehand.
#[derive(Clone, Debug, Default)]
pub struct Send {
    pub mails: u64,
    /// How long it takes where nothing is limited, as a rehearsal shows.
    pub unlimited: Duration,
    /// Connections of all relays.
    pub connections: u32,
    /// Messages a minute by all relays together; `None`: no limit.
    pub per_minute: Option<f64>,
    /// The providers that are limited.
    pub providers: Vec<Part>,
    /// All pauses between batches.
    pub pauses: Duration,
    /// The relays that are warmed up, where none is without: the plan, the days of sending before today, and what
    /// went today.
    pub warm_up: Vec<(Plan, u32, u64)>,
    pub window: Option<Window>,
}

/// A provider's part in a send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    pub mails: u64,
    /// `None`: no limit.
    pub per_minute: Option<f64>,
    /// 0: no limit.
    pub connections: u32,
}

impl Send {
    /// How long it takes from `now` on.
    pub fn takes(&self, now: Timestamp) -> Duration {
        let active = self.active();
        if self.mails == 0 || (self.warm_up.is_empty() && self.window.is_none()) {
            return active;
        }
        let per_s = self.mails as f64 / active.as_secs_f64().max(0.001);
        let mut left = self.mails as f64;
        let (mut at, mut day_index, mut day) = (now, 0, warm::day_of(now));
        let mut allowed = self.allowed(day_index);
        for _ in 0..TURNS {
            if warm::day_of(at) != day {
                day = warm::day_of(at);
                day_index += 1;
                allowed = self.allowed(day_index);
            }
            let mut end = if self.warm_up.is_empty() {
                Timestamp::MAX
            } else {
                warm::end_of(day)
            };
            match self.window.as_ref().map(|window| window.at(at)) {
                Some(At::Closed(opens)) => {
                    // Each day that nothing goes is none of the warm-up's.
                    at = opens;
                    day = warm::day_of(at);
                    continue;
                }
                Some(At::Open(closes)) => end = end.min(closes),
                None => {}
            }
            let seconds = end.duration_since(at).as_secs_f64();
            let goes = left
                .min(per_s * seconds)
                .min(allowed.unwrap_or(f64::INFINITY));
            left -= goes;
            allowed = allowed.map(|allowed| allowed - goes);
            if left < 0.5 {
                at = later(at, goes / per_s);
                break;
            }
            at = if allowed.is_some_and(|allowed| allowed < 0.5) {
                warm::end_of(day)
            } else {
                end
            };
        }
        Duration::try_from(at.duration_since(now)).unwrap_or_default()
    }

    /// How long it takes while it may go.
    fn active(&self) -> Duration {
        let seconds =
            |mails: u64, per_minute: f64| mails as f64 * 60.0 / per_minute.max(f64::MIN_POSITIVE);
        let connections = f64::from(self.connections.max(1));
        // How long one mail keeps its connection busy.
        let one = self.unlimited.as_secs_f64() * connections / self.mails.max(1) as f64;
        let mut longest = self.unlimited.as_secs_f64();
        longest = longest.max(
            self.per_minute
                .map_or(0.0, |rate| seconds(self.mails, rate)),
        );
        for part in &self.providers {
            longest = longest.max(
                part.per_minute
                    .map_or(0.0, |rate| seconds(part.mails, rate)),
            );
            if part.connections > 0 {
                longest = longest.max(part.mails as f64 * one / f64::from(part.connections));
            }
        }
        // A hundred years: beyond it, sums with a clock would overflow.
        Duration::from_secs_f64(longest.min(3.2e9)).saturating_add(self.pauses)
    }

    /// What all relays that are warmed up may give on a day, counted from today; `None`: no limit.
    fn allowed(&self, day: u32) -> Option<f64> {
        let of = |(plan, days, given): &(Plan, u32, u64)| {
            let given = if day == 0 { *given } else { 0 };
            plan.allowed(days.saturating_add(day))
                .map(|allowed| allowed.saturating_sub(given) as f64)
        };
        if self.warm_up.is_empty() {
            None
        } else {
            self.warm_up.iter().map(of).sum()
        }
    }
}

fn later(at: Timestamp, seconds: f64) -> Timestamp {
    at.checked_add(Duration::from_secs_f64(seconds.clamp(0.0, 3.2e9)))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn t(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn send(mails: u64) -> Send {
        Send {
            mails,
            unlimited: Duration::from_secs(2),
            connections: 4,
            ..Send::default()
        }
    }

    fn seconds(send: &Send) -> u64 {
        send.takes(t("2026-11-25T12:00:00Z")).as_secs_f64().round() as u64
    }

    #[test]
    fn the_slowest_measure_and_every_pause_count() {
        let mut send = send(6_000);
        assert_eq!(seconds(&send), 2);
        send.per_minute = Some(600.0);
        assert_eq!(seconds(&send), 600);
        send.providers = vec![
            Part {
                mails: 3_000,
                per_minute: Some(60.0),
                connections: 0,
            },
            Part {
                mails: 10,
                per_minute: Some(1.0),
                connections: 0,
            },
        ];
        send.pauses = Duration::from_secs(110);
        assert_eq!(seconds(&send), 3_110);
    }

    #[test]
    fn few_connections_take_longer_by_their_share() {
        let mut send = send(4_000);
        send.providers = vec![Part {
            mails: 4_000,
            per_minute: None,
            connections: 1,
        }];
        assert_eq!(seconds(&send), 8);
    }

    #[test]
    fn nights_are_waited_for() {
        let mut send = send(600);
        send.per_minute = Some(1.0);
        // Ten hours of work, from noon on: eight today, two tomorrow from eight on.
        send.window = Some(Window::parse("08:00-20:00", Vec::new(), TimeZone::UTC).unwrap());
        assert_eq!(seconds(&send), 22 * 3600);
    }

    #[test]
    fn each_day_of_a_warm_up_gives_its_part() {
        let mut send = send(200);
        send.warm_up = vec![(
            Plan {
                per_day: 50,
                growth: 1.5,
            },
            0,
            0,
        )];
        // 50 today, 75 tomorrow, 75 of 112 on the day after; by midnight of UTC.
        assert_eq!(seconds(&send).abs_diff((12 + 24) * 3600), 1);
        send.warm_up.push((
            Plan {
                per_day: 500,
                growth: 1.0,
            },
            0,
            0,
        ));
        assert_eq!(seconds(&send), 2);
    }

    proptest! {
        /// Whatever is limited in addition makes no send shorter, and every forecast ends.
        #[test]
        fn limits_only_lengthen(
            mails in 0_u64..1_000_000,
            rate in 1.0..10_000.0_f64,
            per_day in 1_u32..100_000,
            hours in 1_u8..24,
        ) {
            let now = t("2026-11-25T12:00:00Z");
            let mut send = send(mails);
            let mut last = send.takes(now);
            send.per_minute = Some(rate);
            for step in 0..3 {
                match step {
                    0 => {}
                    1 => send.window =
                        Some(Window::parse(&format!("00:00-{hours:02}:00"), Vec::new(), TimeZone::UTC).unwrap()),
                    _ => send.warm_up = vec![(Plan { per_day, growth: 1.2 }, 0, 0)],
                }
                let takes = send.takes(now);
                prop_assert!(takes.as_secs_f64() + 1.0 >= last.as_secs_f64(), "{takes:?} after {last:?}");
                last = takes;
            }
        }
    }
}
