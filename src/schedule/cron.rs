//! When a list's schedule fires: five fields of cron in a time zone.
//!
//! A clock change neither loses nor repeats an issue. A time that the clock skips fires at the first moment
//! after the gap; one that the clock shows twice fires at the first of the two. croner keeps these rules for
//! fixed times; a pattern that fires every few minutes follows the clock as it runs.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Why a pattern is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    /// It has another number of fields than five.
    #[error(
        "“{pattern}” has {fields} fields; a schedule has five: minute, hour, day, month, weekday"
    )]
    Fields {
        /// As the author wrote it.
        pattern: String,
        /// How many fields it has.
        fields: usize,
    },
    /// One of its fields can't be read.
    #[error("“{0}” is not a schedule such as 0 7 * * MON: minute, hour, day, month, weekday")]
    Malformed(String),
    /// No date matches it, as with 30 February.
    #[error("“{0}” never happens")]
    Never(String),
}

/// A list's schedule: a pattern in a time zone.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    cron: Cron,
    zone: TimeZone,
}

impl Plan {
    /// Reads a pattern such as `0 7 * * MON`; Sunday is 0, and 7 too.
    ///
    /// # Errors
    /// [`PatternError`] says what is wrong with the pattern.
    pub(crate) fn parse(pattern: &str, zone: TimeZone) -> Result<Plan, PatternError> {
        let fields = pattern.split_whitespace().count();
        if fields != 5 {
            return Err(PatternError::Fields {
                pattern: pattern.to_owned(),
                fields,
            });
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(pattern)
            .map_err(|_| PatternError::Malformed(pattern.to_owned()))?;
        let plan = Plan { cron, zone };
        if plan.next_after(Timestamp::UNIX_EPOCH).is_none() {
            return Err(PatternError::Never(pattern.to_owned()));
        }
        Ok(plan)
    }

    /// The first time strictly after a moment.
    pub(crate) fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let local = moment.to_zoned(self.zone.clone());
        self.cron
            .find_next_occurrence(&local, false)
            .ok()
            .map(|z| z.timestamp())
    }

    /// The next times strictly after a moment, at most `count`.
    pub(crate) fn next_times(&self, moment: Timestamp, count: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(moment), |at| self.next_after(*at))
            .take(count)
            .collect()
    }

    /// The last time at or before a moment, but after `since`.
    pub(crate) fn last_between(&self, since: Timestamp, moment: Timestamp) -> Option<Timestamp> {
        let local = moment.to_zoned(self.zone.clone());
        let last = self
            .cron
            .find_previous_occurrence(&local, true)
            .ok()?
            .timestamp();
        (last > since && last <= moment).then_some(last)
    }
}

/// A pattern that names days of the month and weekdays: cron takes that for either, where most people mean both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EitherDay {
    /// The field of the days of the month.
    pub days: String,
    /// The field of the weekdays.
    pub weekdays: String,
    /// The pattern that means both, where there is one, such as `0 7 * * MON#1` for the first Monday of a month.
    pub both: Option<String>,
}

/// Whether a pattern fires on days of the month as well as on weekdays.
pub(crate) fn either_day(pattern: &str) -> Option<EitherDay> {
    let fields: Vec<&str> = pattern.split_whitespace().collect();
    let [minute, hour, days, month, weekdays] = fields[..] else {
        return None;
    };
    let is_all = |field: &str| matches!(field, "*" | "?" | "*/1");
    if is_all(days) || is_all(weekdays) {
        return None;
    }
    // `*/100,1-7` is how some crons are told to take both.
    let week = match days.strip_prefix("*/100,").unwrap_or(days) {
        "1-7" => Some("1"),
        "8-14" => Some("2"),
        "15-21" => Some("3"),
        "22-28" => Some("4"),
        _ => None,
    };
    let is_one = weekdays.bytes().all(|b| b.is_ascii_alphanumeric());
    let both = week
        .filter(|_| is_one)
        .map(|week| format!("{minute} {hour} * {month} {weekdays}#{week}"))
        .filter(|both| Plan::parse(both, TimeZone::UTC).is_ok());
    Some(EitherDay {
        days: days.to_owned(),
        weekdays: weekdays.to_owned(),
        both,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weekdays_together_are_told_with_what_means_both() {
        let both = |pattern: &str| either_day(pattern).map(|it| it.both);
        let first = Some(Some("0 7 * * MON#1".to_owned()));
        assert_eq!(both("0 7 1-7 * MON"), first);
        assert_eq!(both("0 7 */100,1-7 * MON"), first);
        assert_eq!(both("0 7 15-21 * 5"), Some(Some("0 7 * * 5#3".into())));
        assert_eq!(both("0 7 13 * FRI"), Some(None));
        assert_eq!(both("0 7 1-7 * MON-FRI"), Some(None));
        for one in [
            "0 7 * * MON",
            "0 7 1-7 * *",
            "0 7 ? * MON",
            "0 7 */1 * MON",
            "0 7 * * *",
        ] {
            assert_eq!(both(one), None, "{one}");
        }
        let plan = plan("0 7 * * MON#1", "UTC");
        let times = plan.next_times("2026-11-28T00:00:00Z".parse().unwrap(), 2);
        let times: Vec<String> = times.iter().map(ToString::to_string).collect();
        assert_eq!(times, ["2026-12-07T07:00:00Z", "2027-01-04T07:00:00Z"]);
    }

    fn plan(pattern: &str, zone: &str) -> Plan {
        Plan::parse(pattern, TimeZone::get(zone).unwrap()).unwrap()
    }

    /// The first three times after a moment, in UTC.
    fn three(pattern: &str, zone: &str, after: &str) -> Vec<String> {
        let plan = plan(pattern, zone);
        let mut at: Timestamp = after.parse().unwrap();
        (0..3)
            .map(|_| {
                at = plan.next_after(at).unwrap();
                at.to_string()
            })
            .collect()
    }

    #[test]
    fn a_clock_change_neither_loses_nor_doubles_a_letter() {
        // (pattern, zone, after, the next three)
        let table = [
            // Berlin skips 02:00–03:00 on 28 March 2027: fires at 03:00 summer time.
            (
                "30 2 * * *",
                "Europe/Berlin",
                "2027-03-27T12:00:00Z",
                [
                    "2027-03-28T01:00:00Z",
                    "2027-03-29T00:30:00Z",
                    "2027-03-30T00:30:00Z",
                ],
            ),
            // Berlin shows 02:30 twice on 31 October 2027: the first one counts.
            (
                "30 2 * * *",
                "Europe/Berlin",
                "2027-10-30T12:00:00Z",
                [
                    "2027-10-31T00:30:00Z",
                    "2027-11-01T01:30:00Z",
                    "2027-11-02T01:30:00Z",
                ],
            ),
            // A weekly letter whose only time is in the gap is not lost that week.
            (
                "15 2 * * SUN",
                "Europe/Berlin",
                "2027-03-22T00:00:00Z",
                [
                    "2027-03-28T01:00:00Z",
                    "2027-04-04T00:15:00Z",
                    "2027-04-11T00:15:00Z",
                ],
            ),
            // New York: 14 March and 7 November 2027.
            (
                "30 2 * * *",
                "America/New_York",
                "2027-03-13T12:00:00Z",
                [
                    "2027-03-14T07:00:00Z",
                    "2027-03-15T06:30:00Z",
                    "2027-03-16T06:30:00Z",
                ],
            ),
            (
                "30 1 * * *",
                "America/New_York",
                "2027-11-06T12:00:00Z",
                [
                    "2027-11-07T05:30:00Z",
                    "2027-11-08T06:30:00Z",
                    "2027-11-09T06:30:00Z",
                ],
            ),
            // Lord Howe moves by half an hour: 4 April and 3 October 2027.
            (
                "45 1 * * *",
                "Australia/Lord_Howe",
                "2027-04-03T03:00:00Z",
                [
                    "2027-04-03T14:45:00Z",
                    "2027-04-04T15:15:00Z",
                    "2027-04-05T15:15:00Z",
                ],
            ),
            (
                "15 2 * * *",
                "Australia/Lord_Howe",
                "2027-10-02T03:00:00Z",
                [
                    "2027-10-02T15:30:00Z",
                    "2027-10-03T15:15:00Z",
                    "2027-10-04T15:15:00Z",
                ],
            ),
            // Away from a change it is plain.
            (
                "0 7 * * MON",
                "Europe/Berlin",
                "2026-11-24T00:00:00Z",
                [
                    "2026-11-30T06:00:00Z",
                    "2026-12-07T06:00:00Z",
                    "2026-12-14T06:00:00Z",
                ],
            ),
            (
                "0 7 * * 0",
                "Asia/Tokyo",
                "2026-11-24T00:00:00Z",
                [
                    "2026-11-28T22:00:00Z",
                    "2026-12-05T22:00:00Z",
                    "2026-12-12T22:00:00Z",
                ],
            ),
        ];
        for (pattern, zone, after, wanted) in table {
            assert_eq!(
                three(pattern, zone, after),
                wanted,
                "{pattern} in {zone} after {after}"
            );
        }
    }

    #[test]
    fn the_last_time_of_a_span_is_found_and_only_there() {
        let plan = plan("0 7 * * MON", "Europe/Berlin");
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let last =
            |since: &str, now: &str| plan.last_between(at(since), at(now)).map(|t| t.to_string());
        assert_eq!(last("2026-11-24T00:00:00Z", "2026-11-29T00:00:00Z"), None);
        assert_eq!(
            last("2026-11-24T00:00:00Z", "2026-11-30T06:00:00Z").as_deref(),
            Some("2026-11-30T06:00:00Z")
        );
        assert_eq!(last("2026-11-30T06:00:00Z", "2026-11-30T06:00:01Z"), None);
        assert_eq!(
            last("2026-11-01T00:00:00Z", "2026-11-29T00:00:00Z").as_deref(),
            Some("2026-11-23T06:00:00Z")
        );
    }

    #[test]
    fn walking_back_agrees_with_walking_on_over_a_whole_year() {
        for (pattern, zone) in [
            ("30 2 * * *", "Europe/Berlin"),
            ("45 1 * * *", "Australia/Lord_Howe"),
            ("30 1 * * *", "America/New_York"),
        ] {
            let plan = plan(pattern, zone);
            let mut at: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
            for day in 0..365 {
                let next = plan.next_after(at).unwrap();
                assert_eq!(
                    plan.last_between(at, next),
                    Some(next),
                    "{pattern} {zone} day {day}"
                );
                assert_eq!(
                    plan.last_between(at, next - jiff::SignedDuration::from_secs(1)),
                    None,
                    "{pattern} {zone} day {day}: {next}"
                );
                at = next;
            }
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_a_reason() {
        for bad in [
            "",
            "0 7 * *",
            "0 0 7 * * MON",
            "61 7 * * *",
            "0 7 * * MOON",
            "0 0 30 2 *",
            "@daily",
        ] {
            assert!(Plan::parse(bad, TimeZone::UTC).is_err(), "{bad}");
        }
        let why = |pattern: &str| Plan::parse(pattern, TimeZone::UTC).unwrap_err();
        assert!(matches!(
            why("0 7 * *"),
            PatternError::Fields { fields: 4, .. }
        ));
        assert!(matches!(why("0 0 30 2 *"), PatternError::Never(_)));
    }
}
