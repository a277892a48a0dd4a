//! How long a send will take under everything that slows it down: rate limits, providers' connections, warm-ups,
//! sending hours, and pauses between batches.

use std::time::Duration;

use jiff::Timestamp;

use super::sending_hours::{SendingHours, Status};
use super::warmup::{self, Plan};

/// How many changes of day or hours a forecast looks ahead. A send that needs more is said to end there.
const CHANGES_MAX: usize = 10_000;
/// The longest time that is computed with, in seconds: a hundred years. Sums beyond it would overflow.
const LONGEST_S: f64 = 3.2e9;

/// What is known of a send before it begins.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// The number of mails.
    pub mails: u64,
    /// How long it takes where nothing is limited, as measured by a rehearsal.
    pub unlimited: Duration,
    /// The connections of all relays.
    pub connections: u32,
    /// Messages a minute by all relays together; `None`: no limit.
    pub per_minute: Option<f64>,
    /// The providers that are limited.
    pub providers: Vec<ProviderShare>,
    /// All pauses between batches, together.
    pub pauses: Duration,
    /// The relays that are being warmed up, if all are: the plan, the number of days of sending before today, and the
    /// number of mails that went today. Empty where some relay has no warm-up.
    pub warm_up: Vec<(Plan, u32, u64)>,
    /// When mails may go; `None`: at any time.
    pub window: Option<SendingHours>,
}

/// A limited provider's part in a send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProviderShare {
    /// The number of mails to it.
    pub mails: u64,
    /// Messages a minute; `None`: no limit.
    pub per_minute: Option<f64>,
    /// Connections at once; 0: no limit.
    pub connections: u32,
}

impl Forecast {
    /// How long the send takes when it begins at `now`.
    pub fn duration(&self, now: Timestamp) -> Duration {
        let active = self.active();
        if self.mails == 0 || (self.warm_up.is_empty() && self.window.is_none()) {
            return active;
        }
        let end = self.end(now, self.mails as f64 / active.as_secs_f64().max(0.001));
        Duration::try_from(end.duration_since(now)).unwrap_or_default()
    }

    /// When the last mail goes, at `per_s` mails a second whenever the day and the hours permit it.
    fn end(&self, now: Timestamp, per_s: f64) -> Timestamp {
        let mut left = self.mails as f64;
        let (mut at, mut days, mut day) = (now, 0, warmup::day_of(now));
        let mut allowed = self.allowed(days);
        for _ in 0..CHANGES_MAX {
            if warmup::day_of(at) != day {
                day = warmup::day_of(at);
                days += 1;
                allowed = self.allowed(days);
            }
            let mut end = if self.warm_up.is_empty() {
                Timestamp::MAX
            } else {
                warmup::end_of(day)
            };
            match self.window.as_ref().map(|hours| hours.status(at)) {
                Some(Status::Closed(opens)) => {
                    // A day on which nothing goes does not count for a warm-up.
                    at = opens;
                    day = warmup::day_of(at);
                    continue;
                }
                Some(Status::Open(closes)) => end = end.min(closes),
                None => {}
            }
            let seconds = end.duration_since(at).as_secs_f64();
            let sent = left
                .min(per_s * seconds)
                .min(allowed.unwrap_or(f64::INFINITY));
            left -= sent;
            allowed = allowed.map(|allowed| allowed - sent);
            if left < 0.5 {
                return later(at, sent / per_s);
            }
            at = if allowed.is_some_and(|allowed| allowed < 0.5) {
                warmup::end_of(day)
            } else {
                end
            };
        }
        at
    }

    /// How long it takes without the times in which nothing may go.
    fn active(&self) -> Duration {
        let seconds = |mails: u64, per_minute: Option<f64>| {
            per_minute.map_or(0.0, |rate| {
                mails as f64 * 60.0 / rate.max(f64::MIN_POSITIVE)
            })
        };
        let connections = f64::from(self.connections.max(1));
        // How long one mail keeps its connection busy.
        let one = self.unlimited.as_secs_f64() * connections / self.mails.max(1) as f64;
        let mut longest = self.unlimited.as_secs_f64();
        longest = longest.max(seconds(self.mails, self.per_minute));
        for share in &self.providers {
            longest = longest.max(seconds(share.mails, share.per_minute));
            if share.connections > 0 {
                longest = longest.max(share.mails as f64 * one / f64::from(share.connections));
            }
        }
        Duration::from_secs_f64(longest.min(LONGEST_S)).saturating_add(self.pauses)
    }

    /// How many mails all warm-ups together allow on a day (0: today); `None`: no limit.
    fn allowed(&self, day: u32) -> Option<f64> {
        if self.warm_up.is_empty() {
            return None;
        }
        let left = |(plan, days, used): &(Plan, u32, u64)| {
            let used = if day == 0 { *used } else { 0 };
            plan.allowed(days.saturating_add(day))
                .map(|allowed| allowed.saturating_sub(used) as f64)
        };
        self.warm_up.iter().map(left).sum()
    }
}

fn later(at: Timestamp, seconds: f64) -> Timestamp {
    at.checked_add(Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_S)))
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

    fn send(mails: u64) -> Forecast {
        Forecast {
            mails,
            unlimited: Duration::from_secs(2),
            connections: 4,
            ..Forecast::default()
        }
    }

    fn seconds(send: &Forecast) -> u64 {
        send.duration(t("2026-11-25T12:00:00Z"))
            .as_secs_f64()
            .round() as u64
    }

    #[test]
    fn the_slowest_measure_and_every_pause_count() {
        let mut send = send(6_000);
        assert_eq!(seconds(&send), 2);
        send.per_minute = Some(600.0);
        assert_eq!(seconds(&send), 600);
        send.providers = vec![
            ProviderShare {
                mails: 3_000,
                per_minute: Some(60.0),
                connections: 0,
            },
            ProviderShare {
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
        send.providers = vec![ProviderShare {
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
        send.window = Some(SendingHours::parse("08:00-20:00", Vec::new(), TimeZone::UTC).unwrap());
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
            let mut last = send.duration(now);
            send.per_minute = Some(rate);
            for step in 0..3 {
                match step {
                    0 => {}
                    1 => send.window =
                        Some(SendingHours::parse(&format!("00:00-{hours:02}:00"), Vec::new(), TimeZone::UTC).unwrap()),
                    _ => send.warm_up = vec![(Plan { per_day, growth: 1.2 }, 0, 0)],
                }
                let takes = send.duration(now);
                prop_assert!(takes.as_secs_f64() + 1.0 >= last.as_secs_f64(), "{takes:?} after {last:?}");
                last = takes;
            }
        }
    }
}
