//! The value of a date in front matter, as site generators and people write it.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::date;
use crate::model::issue::Moment;

/// A date, with its time of day where it has one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dated {
    /// The day.
    pub date: Date,
    /// The day with its time.
    pub time: Option<Moment>,
    /// How day and month were told apart, where the date is written with numbers alone and the year last.
    pub order: Option<Order>,
}

/// Which of day and month comes first in a date such as `11/28/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The month; `other` is what it means where the day comes first.
    MonthFirst {
        /// `None` where that is no date.
        other: Option<Date>,
    },
    /// The day, since there is no such month.
    DayFirst,
}

impl Dated {
    /// The moment at which it begins.
    pub(super) fn moment(&self) -> Moment {
        self.time.unwrap_or(midnight(self.date))
    }
}

/// The beginning of a day in the list's zone.
pub(super) fn midnight(date: Date) -> Moment {
    Moment::Local(date.at(0, 0, 0, 0))
}

/// Reads a date, with or without a time of day: RFC 3339 and its relatives, RFC 2822, `November 26, 2024`,
/// `26. 11. 2024`, `26 novembre 2024`, `11/26/2024 10:30 PM`, seconds since 1970.
pub(super) fn read(text: &str) -> Option<Dated> {
    let text = text.trim().trim_matches(['"', '\'']).trim();
    let exact = |at: Timestamp, date| Dated {
        date,
        time: Some(Moment::Exact(at)),
        order: None,
    };
    let tight = text.replacen(" +", "+", 1).replacen(" Z", "Z", 1);
    if let Ok(at) = tight.parse::<Timestamp>()
        && let Some(date) = tight.get(..10).and_then(|d| d.parse().ok())
    {
        return Some(exact(at, date));
    }
    if let Ok(zoned) = jiff::fmt::rfc2822::parse(text) {
        return Some(exact(zoned.timestamp(), zoned.date()));
    }
    if text.contains(':')
        && let Ok(local) = text.parse::<DateTime>()
    {
        return Some(Dated {
            date: local.date(),
            time: Some(Moment::Local(local)),
            order: None,
        });
    }
    if text.len() == 10
        && let Ok(seconds) = text.parse::<i64>()
    {
        let at = Timestamp::from_second(seconds).ok()?;
        return Some(exact(at, Offset::UTC.to_datetime(at).date()));
    }
    let (text, clock) = split_clock(text);
    let (date, order) = day(text.trim().trim_end_matches([',', 'T']).trim_end())?;
    let time = clock.and_then(|clock| {
        let local = date.to_datetime(clock.time);
        match clock.offset {
            None => Some(Moment::Local(local)),
            Some(offset) => offset.to_timestamp(local).ok().map(Moment::Exact),
        }
    });
    Some(Dated { date, time, order })
}

/// A time of day as clocks show it.
struct Clock {
    time: Time,
    offset: Option<Offset>,
}

/// Takes the time of day off the end of a date: `10:30`, `10:30:00 -0500`, `10.30 PM`, `10:30 UTC`.
fn split_clock(text: &str) -> (&str, Option<Clock>) {
    let Some(colon) = text.find(':') else {
        return (text, None);
    };
    let start = text[..colon]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    let whole = (text, None);
    if text.get(..start).is_none() {
        return whole;
    }
    let mut numbers = [0i8; 3];
    let mut rest = &text[start..];
    for (at, number) in numbers.iter_mut().enumerate() {
        if at > 0 {
            let Some(after) = rest.strip_prefix(':') else {
                break;
            };
            rest = after;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let Ok(read) = rest[..end].parse() else {
            return whole;
        };
        *number = read;
        rest = &rest[end..];
    }
    // Fractions of a second tell nothing here.
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let zone = rest
        .trim()
        .trim_matches(['(', ')', '.'])
        .to_ascii_lowercase();
    let [mut hour, minute, second] = numbers;
    let zone = match zone.get(..2) {
        Some(half @ ("am" | "pm")) => {
            if !(1..=12).contains(&hour) {
                return whole;
            }
            hour = hour % 12 + if half == "pm" { 12 } else { 0 };
            zone[2..].trim().to_owned()
        }
        _ => zone,
    };
    match Time::new(hour, minute, second, 0) {
        Ok(time) => {
            let offset = offset(&zone);
            (&text[..start], Some(Clock { time, offset }))
        }
        Err(_) => whole,
    }
}

/// `Z`, `UTC`, `+0100`, `-05:00`; other names of zones are left to the list's own.
fn offset(zone: &str) -> Option<Offset> {
    if matches!(zone, "z" | "utc" | "gmt") {
        return Some(Offset::UTC);
    }
    let sign = match zone.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
    let number: i32 = Some(digits)
        .filter(|d| d.len() == 2 || d.len() == 4)?
        .parse()
        .ok()?;
    let minutes = if number < 100 && zone.len() <= 3 {
        number * 60
    } else {
        number / 100 * 60 + number % 100
    };
    Offset::from_seconds(sign * minutes * 60).ok()
}

/// A day without its time.
fn day(text: &str) -> Option<(Date, Option<Order>)> {
    if text.len() == 8
        && text.bytes().all(|b| b.is_ascii_digit())
        && let Ok(date) = text.parse::<Date>()
    {
        return Some((date, None)).filter(|(d, _)| (1900..2200).contains(&d.year()));
    }
    year_last(text).or_else(|| {
        date::whole(text)
            .or_else(|| date::in_words(text))
            .map(|d| (d, None))
    })
}

/// `11/28/2026`, `28.11.2026`, `11-28-26`.
fn year_last(text: &str) -> Option<(Date, Option<Order>)> {
    let sign = text.chars().find(|c| !c.is_ascii_digit() && *c != ' ')?;
    if !matches!(sign, '/' | '.' | '-') {
        return None;
    }
    let mut parts = text.split(sign).map(str::trim);
    let (Some(one), Some(two), Some(year), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let year: i16 = match year.len() {
        4 => year.parse().ok()?,
        2 => 2000 + year.parse::<i16>().ok()?,
        _ => return None,
    };
    if one.len() > 2 || two.len() > 2 || !(1900..2200).contains(&year) {
        return None;
    }
    let (one, two): (i8, i8) = (one.parse().ok()?, two.parse().ok()?);
    let month_first = Date::new(year, one, two).ok();
    let day_first = Date::new(year, two, one).ok();
    if sign == '.' {
        return day_first.map(|date| (date, None));
    }
    match (month_first, day_first) {
        (Some(date), other) => Some((date, Some(Order::MonthFirst { other }))),
        (None, Some(date)) => Some((date, Some(Order::DayFirst))),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as on;

    #[test]
    fn dates_are_read_as_sites_and_people_write_them() {
        for text in [
            "2024-11-26",
            "2024-11-26 00:00",
            "2024/11/26",
            "20241126",
            "November 26, 2024",
            "Nov 26, 2024",
            "26 November 2024",
            "Tuesday, November 26th, 2024",
            "26. November 2024",
            "26 novembre 2024",
            "26 de noviembre de 2024",
            "26 novembro, 2024",
            "26. Nov. 2024",
            "2024年11月26日",
            "2024년 11월 26일",
            "26.11.2024",
            "26. 11. 2024",
            "2024.11.26",
            "'2024-11-26'",
        ] {
            let read = read(text).map(|d| (d.date, d.order));
            assert_eq!(read, Some((on(2024, 11, 26), None)), "{text}");
        }
        for text in [
            "soon",
            "",
            "2024-13-01",
            "TBD: 12",
            "2024",
            "13/13/2024",
            "1.2.3",
            "12:30",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn times_keep_their_offset_or_are_local() {
        let ten = "2024-11-26T10:00:00Z".parse().unwrap();
        for text in [
            "2024-11-26T10:00:00Z",
            "2024-11-26T10:00:00.000Z",
            "2024-11-26 10:00:00 +0000",
            "2024-11-26 05:00:00 -0500",
            "2024-11-26 11:00 +01:00",
            "2024-11-26 10:00 UTC",
            "Tue, 26 Nov 2024 10:00:00 +0000",
            "Tue, 26 Nov 2024 10:00:00 GMT",
            "November 26, 2024 10:00 AM UTC",
            "1732615200",
        ] {
            let time = read(text).and_then(|d| d.time);
            assert_eq!(time, Some(Moment::Exact(ten)), "{text}");
        }
        let half_past = on(2024, 11, 26).at(22, 30, 0, 0);
        for text in [
            "2024-11-26T22:30",
            "2024-11-26 22:30:00",
            "Nov 26, 2024 10:30 PM",
            "26.11.2024, 22:30",
            "2024-11-26 10:30 PM EST",
        ] {
            let time = read(text).and_then(|d| d.time);
            assert_eq!(time, Some(Moment::Local(half_past)), "{text}");
        }
    }

    #[test]
    fn american_dates_have_the_month_first_where_that_is_a_date() {
        let of = |text| read(text).map(|d| (d.date, d.order));
        let month_first = |other| Some(Order::MonthFirst { other });
        for text in ["11/28/2026", "11-28-2026", "11/28/26"] {
            assert_eq!(
                of(text),
                Some((on(2026, 11, 28), month_first(None))),
                "{text}"
            );
        }
        let other = Some(on(2026, 12, 11));
        assert_eq!(
            of("11/12/2026"),
            Some((on(2026, 11, 12), month_first(other)))
        );
        let day_first = Some(Order::DayFirst);
        assert_eq!(of("28/11/2026 10:30"), Some((on(2026, 11, 28), day_first)));
    }

    proptest::proptest! {
        #[test]
        fn no_value_makes_it_panic(text in "(\\PC|[0-9]{1,4}|[/.: +-]|T|Z|AM|pm|Nov|年|é){0,20}") {
            let _ = read(&text);
        }
    }
}
