//! Dates as products and spreadsheets write them. One that can't be read for certain is none: `05/06/2024` is a day in
//! May in one country and in June in another, unless other rows of the same column show which.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::consent::is_blank;

/// What comes first in a date such as `05/06/2024`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    DayFirst,
    MonthFirst,
}

/// Why a date is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// Day and month can't be told apart.
    Ambiguous,
    /// It is not a date, or not in a form that is known.
    Unknown,
}

/// Years that a subscription may be of.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// Names of months, January first: English, German, French, Spanish, Italian, Portuguese, Dutch.
#[rustfmt::skip]
const MONTHS: [&[&str]; 12] = [
    &["january", "jan", "januar", "jänner", "jän", "janvier", "janv", "enero", "ene", "gennaio", "gen", "janeiro", "januari"],
    &["february", "feb", "februar", "febr", "février", "fevrier", "févr", "fév", "febrero", "febbraio", "fevereiro", "fev", "februari"],
    &["march", "mar", "märz", "maerz", "mär", "mrz", "mars", "marzo", "março", "maart", "mrt"],
    &["april", "apr", "avril", "avr", "abril", "abr", "aprile"],
    &["may", "mai", "mayo", "maggio", "mag", "maio", "mei"],
    &["june", "jun", "juni", "juin", "junio", "giugno", "giu", "junho"],
    &["july", "jul", "juli", "juillet", "juil", "julio", "luglio", "lug", "julho"],
    &["august", "aug", "août", "aout", "agosto", "ago", "augustus"],
    &["september", "sep", "sept", "septembre", "septiembre", "settembre", "set", "setembro"],
    &["october", "oct", "oktober", "okt", "octobre", "octubre", "ottobre", "ott", "outubro", "out"],
    &["november", "nov", "novembre", "noviembre", "novembro"],
    &["december", "dec", "dezember", "dez", "décembre", "decembre", "déc", "diciembre", "dic", "dicembre", "dezembro"],
];

/// Words that say nothing that counts: days of the week, and what stands between.
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "mon", "monday", "tue", "tues", "tuesday", "wed", "wednesday", "thu", "thur", "thurs", "thursday", "fri", "friday",
    "sat", "saturday", "sun", "sunday", "mo", "di", "mi", "do", "fr", "sa", "so", "montag", "dienstag", "mittwoch",
    "donnerstag", "freitag", "samstag", "sonntag", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
    "at", "um", "uhr", "de", "del", "of", "the", "le", "à", "kl",
];

/// Reads a time with its zone, or a date with or without a time, which is then taken as UTC. `None`: the value says that
/// there is none.
///
/// # Errors
/// [`Unread`].
pub(super) fn read(text: &str, order: Option<Order>) -> Result<Option<Timestamp>, Unread> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(time) = iso(text) {
        return Ok(Some(time));
    }
    if is_blank(text) {
        return Ok(None);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return digits(text).map(Some).ok_or(Unread::Unknown);
    }
    let words = Words::of(text).ok_or(Unread::Unknown)?;
    let date = date(&words.date, order)?;
    let time = words.offset.to_timestamp(date.to_datetime(words.time));
    Ok(Some(time.map_err(|_| Unread::Unknown)?))
}

/// What a date shows of what comes first in its column; `None`: nothing.
pub(super) fn order_of(text: &str) -> Option<Order> {
    let words = Words::of(text)?;
    let day_first = date(&words.date, Some(Order::DayFirst)).is_ok();
    let month_first = date(&words.date, Some(Order::MonthFirst)).is_ok();
    match (day_first, month_first) {
        (true, false) => Some(Order::DayFirst),
        (false, true) => Some(Order::MonthFirst),
        _ => None,
    }
}

/// The forms of ISO 8601 and RFC 3339.
fn iso(text: &str) -> Option<Timestamp> {
    let time = text
        .parse::<Timestamp>()
        .or_else(|_| {
            text.parse::<DateTime>()
                .and_then(|time| Offset::UTC.to_timestamp(time))
        })
        .ok()?;
    let year = Offset::UTC.to_datetime(time).year();
    YEARS.contains(&year).then_some(time)
}

/// Seconds, milliseconds or microseconds since 1970.
fn digits(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    match text.len() {
        9..=10 => Timestamp::from_second(number).ok(),
        12..=13 => Timestamp::from_millisecond(number).ok(),
        15..=16 => Timestamp::from_microsecond(number).ok(),
        _ => None,
    }
}

/// A date and time taken apart.
struct Words<'t> {
    /// What the date consists of.
    date: Vec<&'t str>,
    time: Time,
    offset: Offset,
}

impl<'t> Words<'t> {
    fn of(text: &'t str) -> Option<Words<'t>> {
        let mut words = Words {
            date: Vec::new(),
            time: Time::midnight(),
            offset: Offset::UTC,
        };
        let mut hours = None;
        for word in text
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty())
        {
            let small = word.to_lowercase();
            let small = small.trim_end_matches('.');
            if FILLERS.contains(&small) || matches!(small, "utc" | "gmt" | "z") {
                continue;
            }
            match small.replace('.', "").as_str() {
                "am" | "a m" => hours = Some(0),
                "pm" | "p m" => hours = Some(12),
                _ if word.starts_with(['+', '-']) => words.offset = offset(word)?,
                _ if word.contains(':') => (words.time, words.offset, hours) = time(word, hours)?,
                _ => words.date.push(word),
            }
        }
        if let Some(half) = hours {
            let hour = words.time.hour();
            if !(1..=12).contains(&hour) {
                return None;
            }
            words.time = words.time.with().hour(hour % 12 + half).build().ok()?;
        }
        Some(words)
    }
}

/// A time such as `7:08`, `07:08:09.5`, `7:08pm` or `07:08:09+02:00`, with its offset and half of the day.
fn time(word: &str, hours: Option<i8>) -> Option<(Time, Offset, Option<i8>)> {
    let is_of_time = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.');
    let end = word.find(|c| !is_of_time(c)).unwrap_or(word.len());
    let (digits, rest) = word.split_at(end);
    let (hours, zone) = match rest.to_ascii_lowercase().as_str() {
        "" | "z" | "utc" => (hours, Offset::UTC),
        "am" => (Some(0), Offset::UTC),
        "pm" => (Some(12), Offset::UTC),
        _ => (hours, offset(rest)?),
    };
    let mut parts = digits.split(':');
    let hour: i8 = parts.next()?.parse().ok()?;
    let minute: i8 = parts.next()?.parse().ok()?;
    // Fractions of a second are nobody's concern here.
    let second: i8 = match parts.next() {
        Some(second) => second.split('.').next()?.parse().ok()?,
        None => 0,
    };
    let time = Time::new(hour, minute, second.min(59), 0).ok()?;
    parts.next().is_none().then_some((time, zone, hours))
}

/// An offset such as `+02`, `+0200` or `-05:30`.
fn offset(word: &str) -> Option<Offset> {
    let sign = match word.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = word[1..].chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = digits.get(2..4).map_or(Ok(0), str::parse).ok()?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Joins the parts of a date: three numbers, or two and the name of a month.
fn date(words: &[&str], order: Option<Order>) -> Result<Date, Unread> {
    let is_separator = |c: char| matches!(c, '-' | '/' | '.' | '年' | '月' | '日');
    let parts: Vec<&str> = words
        .iter()
        .flat_map(|word| word.split(is_separator))
        .filter(|part| !part.is_empty())
        .collect();
    let [one, two, three] = parts.as_slice() else {
        return Err(Unread::Unknown);
    };
    let has_dots = words.len() == 1 && words[0].contains('.');
    let (year, month, day) = match (month(one), month(two)) {
        (Some(month), _) => (year(three), Some(month), day(two)),
        (None, Some(month)) if one.len() == 4 => (year(one), Some(month), day(three)),
        (None, Some(month)) => (year(three), Some(month), day(one)),
        (None, None) if one.len() == 4 => (year(one), number(two), day(three)),
        (None, None) => {
            let (first, second) = (number(one), number(two));
            let order = if has_dots {
                Some(Order::DayFirst)
            } else {
                order
            };
            let (month, day) = match (order, first, second) {
                (_, Some(1..=12), Some(1..=12)) if first == second => (first, second),
                (Some(Order::DayFirst), ..) | (None, Some(13..), _) => (second, first),
                (Some(Order::MonthFirst), ..) | (None, _, Some(13..)) => (first, second),
                (None, Some(1..=12), Some(1..=12)) => return Err(Unread::Ambiguous),
                (None, ..) => return Err(Unread::Unknown),
            };
            (year(three), month, day)
        }
    };
    let (Some(year), Some(month), Some(day)) = (year, month, day) else {
        return Err(Unread::Unknown);
    };
    Date::new(year, month, day).map_err(|_| Unread::Unknown)
}

/// The number of a month that is named.
fn month(word: &str) -> Option<i8> {
    let word = word.to_lowercase();
    let at = MONTHS
        .iter()
        .position(|names| names.contains(&word.as_str()))?;
    i8::try_from(at + 1).ok()
}

fn number(word: &str) -> Option<i8> {
    (word.len() <= 2).then(|| word.parse().ok())?
}

/// A day such as `6` or `6th`.
fn day(word: &str) -> Option<i8> {
    let word = word.to_lowercase();
    let digits = word.trim_end_matches(|c: char| c.is_alphabetic());
    let is_plain = ["", "st", "nd", "rd", "th", "er", "º"].contains(&&word[digits.len()..]);
    is_plain.then(|| number(digits))?
}

/// A year of four digits, or of two.
fn year(word: &str) -> Option<i16> {
    let number: i16 = word.parse().ok()?;
    match word.len() {
        4 => YEARS.contains(&number).then_some(number),
        2 if number < 70 => Some(2000 + number),
        2 => Some(1900 + number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Result<Option<String>, Unread> {
        read(text, None).map(|time| time.map(|time| time.to_string()))
    }

    #[test]
    fn dates_are_read_as_products_write_them() {
        for text in [
            "2024-05-06T07:08:09Z",
            "2024-05-06T07:08:09.000Z",
            "2024-05-06 07:08:09",
            "2024-05-06 07:08:09 UTC",
            "2024-05-06 07:08:09 +0000 UTC",
            "2024-05-06 07:08:09+00",
            "2024-05-06 09:08:09 +0200",
            "2024-05-06T02:38:09-04:30",
            "Mon, 06 May 2024 07:08:09 +0000",
            "Mon, 6 May 2024 07:08:09 GMT",
            "May 6, 2024 7:08:09 AM",
            "6 May 2024 at 07:08:09",
            "06.05.2024 07:08:09",
            "2024/05/06 07:08:09",
            "6. Mai 2024, 07:08:09 Uhr",
            "1714979289",
        ] {
            assert_eq!(at(text), Ok(Some("2024-05-06T07:08:09Z".into())), "{text}");
        }
        for text in [
            "2024-05-06",
            "20240506",
            "2024/05/06",
            "06.05.2024",
            "6.5.24",
            "May 6, 2024",
            "May 6th, 2024",
            "6 May 2024",
            "06-May-2024",
            "6 mai 2024",
            "6 de mayo de 2024",
            "2024年5月6日",
            "1714953600000",
        ] {
            assert_eq!(at(text), Ok(Some("2024-05-06T00:00:00Z".into())), "{text}");
        }
        assert_eq!(
            at("5/13/2024 7:08 PM"),
            Ok(Some("2024-05-13T19:08:00Z".into()))
        );
        assert_eq!(
            at("13/05/2024 12:30am"),
            Ok(Some("2024-05-13T00:30:00Z".into()))
        );
    }

    #[test]
    fn no_date_is_none_and_what_is_not_certain_is_not_read() {
        for text in [
            "",
            "-",
            "NULL",
            "0000-00-00 00:00:00",
            "0001-01-01T00:00:00Z",
            "n/a",
            "never",
        ] {
            assert_eq!(at(text), Ok(None), "{text}");
        }
        assert_eq!(at("05/06/2024"), Err(Unread::Ambiguous));
        assert_eq!(at("05/05/2024"), Ok(Some("2024-05-05T00:00:00Z".into())));
        for text in [
            "yesterday",
            "May 2024",
            "2024",
            "2024-13-45",
            "31/02/2024",
            "45418",
            "25:61 05.06.2024",
            "13:00 PM 05.06.2024",
            "June 31, 2024",
            "6 Foo 2024",
            "1/2/3/4",
            "2024-05-06 07:08 CEST",
            "+",
            "年月日",
        ] {
            assert_eq!(at(text), Err(Unread::Unknown), "{text}");
        }
    }

    #[test]
    fn other_dates_show_what_comes_first() {
        assert_eq!(order_of("13/05/2024"), Some(Order::DayFirst));
        assert_eq!(order_of("05/13/2024 7:08 PM"), Some(Order::MonthFirst));
        for text in [
            "05/06/2024",
            "2024-05-13",
            "May 13, 2024",
            "13.05.2024",
            "",
            "?",
        ] {
            assert_eq!(order_of(text), None, "{text}");
        }
        let read = |order| {
            read("05/06/2024", Some(order))
                .unwrap()
                .unwrap()
                .to_string()
        };
        assert_eq!(read(Order::DayFirst), "2024-06-05T00:00:00Z");
        assert_eq!(read(Order::MonthFirst), "2024-05-06T00:00:00Z");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "\\PC{0,30}", dated in "[0-9/.:TZapm +日月-]{0,24}") {
            let _ = (read(&text, None), read(&dated, Some(Order::DayFirst)), order_of(&dated));
        }
    }
}
