//! The hours of the day and the days of the week in which mails may go, by local time.
//!
//! The hours belong to the day on which they begin, and may end on the next one. Where a clock change skips the time at
//! which they begin or end, it counts as the same span after midnight; where it repeats that time, the first one counts.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

/// Hours such as `08:00-20:00` on some days of the week, in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendingHours {
    from: Time,
    /// Where it is not later than `from`, it is a time of the next day.
    to: Time,
    /// The days on which the hours begin; none: every day.
    days: Vec<Weekday>,
    zone: TimeZone,
}

/// Whether mails may go at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// They may, until this time.
    Open(Timestamp),
    /// They may not, until this time.
    Closed(Timestamp),
}

impl SendingHours {
    /// Reads hours such as `08:00-20:00`, where `24:00` is the end of the day. `days`: those on which the hours begin;
    /// none: every day.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn parse(text: &str, days: Vec<Weekday>, zone: TimeZone) -> Result<SendingHours, String> {
        let bad = || format!("“{text}” is not a range of hours such as 08:00-20:00");
        let (from, to) = text.split_once('-').ok_or_else(bad)?;
        if from.trim() == to.trim() {
            return Err(format!(
                "“{text}” ends when it begins; for the whole day write 00:00-24:00"
            ));
        }
        let time = |text: &str| -> Result<Time, String> {
            let (hour, minute) = text.trim().split_once(':').ok_or_else(bad)?;
            let two = |digits: &str| {
                let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
                if plain {
                    digits.parse::<i8>().map_err(|_| bad())
                } else {
                    Err(bad())
                }
            };
            match (two(hour)?, two(minute)?) {
                (24, 0) => Ok(Time::midnight()),
                (hour, minute) => Time::new(hour, minute, 0, 0).map_err(|_| bad()),
            }
        };
        Ok(SendingHours {
            from: time(from)?,
            to: time(to)?,
            days,
            zone,
        })
    }

    /// Whether mails may go at a given time, and until when that holds.
    pub fn status(&self, now: Timestamp) -> Status {
        let today = now.to_zoned(self.zone.clone()).date();
        let mut open: Option<Timestamp> = None;
        // Within a week every day of the week comes once. The hours of the day before may reach into today.
        let mut date = today.yesterday().unwrap_or(today);
        for _ in 0..10 {
            if let Some((from, to)) = self.on(date) {
                match open {
                    // Hours that begin before the last ones end continue them.
                    Some(end) if from > end => return Status::Open(end),
                    Some(end) => open = Some(end.max(to)),
                    None if from <= now && now < to => open = Some(to),
                    None if from > now => return Status::Closed(from),
                    None => {}
                }
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        open.map_or(Status::Closed(Timestamp::MAX), Status::Open)
    }

    /// When the hours of a day begin and end; `None`: none begin on that day.
    fn on(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days.is_empty() && !self.days.contains(&date.weekday()) {
            return None;
        }
        let end = if self.to > self.from {
            date
        } else {
            date.tomorrow().ok()?
        };
        let moment = |date: Date, time| self.zone.to_timestamp(date.to_datetime(time)).ok();
        moment(date, self.from).zip(moment(end, self.to))
    }
}

/// Reads a day of the week: its English name, or the first three letters of it.
///
/// # Errors
/// A sentence that says what is wrong with the text.
pub fn weekday(text: &str) -> Result<Weekday, String> {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let days = [
        Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday,
    ];
    let names = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let small = text.trim().to_ascii_lowercase();
    let found = names
        .iter()
        .position(|name| *name == small || name.get(..3) == Some(small.as_str()));
    found
        .map(|day| days[day])
        .ok_or_else(|| format!("“{text}” is not a day of the week such as mon or friday"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours(text: &str, days: &[&str], zone: &str) -> SendingHours {
        let days = days.iter().map(|day| weekday(day).unwrap()).collect();
        SendingHours::parse(text, days, TimeZone::get(zone).unwrap()).unwrap()
    }

    fn t(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_opens_and_closes_by_local_time() {
        let day = hours("08:00-20:00", &[], "Europe/Berlin");
        assert_eq!(
            day.status(t("2026-11-25T06:59:59Z")),
            Status::Closed(t("2026-11-25T07:00:00Z"))
        );
        assert_eq!(
            day.status(t("2026-11-25T07:00:00Z")),
            Status::Open(t("2026-11-25T19:00:00Z"))
        );
        assert_eq!(
            day.status(t("2026-11-25T19:00:00Z")),
            Status::Closed(t("2026-11-26T07:00:00Z"))
        );
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = hours("22:00-06:00", &["fri"], "UTC");
        assert_eq!(
            night.status(t("2026-11-28T05:00:00Z")),
            Status::Open(t("2026-11-28T06:00:00Z"))
        );
        assert_eq!(
            night.status(t("2026-11-28T23:00:00Z")),
            Status::Closed(t("2026-12-04T22:00:00Z"))
        );
    }

    #[test]
    fn whole_days_go_into_one_another() {
        let all = hours("00:00-24:00", &["mon", "Tuesday"], "UTC");
        assert_eq!(
            all.status(t("2026-11-23T12:00:00Z")),
            Status::Open(t("2026-11-25T00:00:00Z"))
        );
        assert_eq!(
            all.status(t("2026-11-25T12:00:00Z")),
            Status::Closed(t("2026-11-30T00:00:00Z"))
        );
    }

    #[test]
    fn clock_changes_keep_the_local_hours() {
        let day = hours("02:30-08:00", &[], "Europe/Berlin");
        // The hour from two to three is left out on 28 March 2027, and comes twice on 31 October 2027.
        assert_eq!(
            day.status(t("2027-03-28T00:00:00Z")),
            Status::Closed(t("2027-03-28T01:30:00Z"))
        );
        assert_eq!(
            day.status(t("2027-03-28T05:59:59Z")),
            Status::Open(t("2027-03-28T06:00:00Z"))
        );
        assert_eq!(
            day.status(t("2027-10-31T00:29:00Z")),
            Status::Closed(t("2027-10-31T00:30:00Z"))
        );
        assert_eq!(
            day.status(t("2027-10-31T01:00:00Z")),
            Status::Open(t("2027-10-31T07:00:00Z"))
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "8-20",
            "08:00",
            "08:00-25:00",
            "8:00-20:00",
            "24:30-01:00",
            "+8:00-20:00",
            "08:00-08:00",
        ] {
            assert!(
                SendingHours::parse(text, Vec::new(), TimeZone::UTC).is_err(),
                "{text}"
            );
        }
        assert!(weekday("someday").is_err() && weekday("Mon").is_ok());
    }

    proptest! {
        /// The next change is where it is said to be: just before it nothing has changed, and at it something has.
        #[test]
        fn the_next_change_is_the_next_change(
            seconds in 1_700_000_000_i64..1_900_000_000,
            from in 0_u8..24, length in 1_u8..25,
            days in proptest::collection::btree_set(0_usize..7, 0..7),
            zone in 0_usize..4,
        ) {
            let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let days: Vec<&str> = days.into_iter().map(|day| names[day]).collect();
            let zone = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"][zone];
            // The whole day is one from midnight.
            let (from, to) = if length == 24 { (0, 24) } else { (from, (from + length) % 24) };
            let hours = hours(&format!("{from:02}:00-{to:02}:00"), &days, zone);
            let now = Timestamp::from_second(seconds).unwrap();
            let second = jiff::SignedDuration::from_secs(1);
            match hours.status(now) {
                Status::Closed(opens) => {
                    prop_assert!(opens > now);
                    prop_assert!(matches!(hours.status(opens), Status::Open(_)));
                    prop_assert_eq!(hours.status(opens - second), Status::Closed(opens));
                }
                Status::Open(closes) => {
                    prop_assert!(closes > now);
                    prop_assert!(matches!(hours.status(closes - second), Status::Open(_)));
                    let is_always_open = closes.duration_since(now) > second * (7 * 86_400);
                    prop_assert!(is_always_open || matches!(hours.status(closes), Status::Closed(_)));
                }
            }
        }
    }
}
