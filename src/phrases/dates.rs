//! How days, times and spans read in each language.

use std::time::Duration;

use jiff::Zoned;
use jiff::civil::{Date, Weekday};

use super::Phrases;

impl Phrases {
    /// A day with its year, such as “25 July 2021”.
    pub(crate) fn date(self, date: Date) -> String {
        let (year, month, day) = (date.year(), date.month(), date.day());
        match self {
            Phrases::English => format!("{day} {} {year}", ENGLISH_MONTHS[month_index(month)]),
            Phrases::German => format!("{day}. {} {year}", GERMAN_MONTHS[month_index(month)]),
            Phrases::Hans | Phrases::Hant => format!("{year} 年 {month} 月 {day} 日"),
        }
    }

    /// A day with the day of the week and without the year, such as “Sunday, 1 August”.
    pub(crate) fn day(self, date: Date) -> String {
        let weekday = match date.weekday() {
            Weekday::Monday => self.pick(["Monday", "Montag", "周一", "週一"]),
            Weekday::Tuesday => self.pick(["Tuesday", "Dienstag", "周二", "週二"]),
            Weekday::Wednesday => self.pick(["Wednesday", "Mittwoch", "周三", "週三"]),
            Weekday::Thursday => self.pick(["Thursday", "Donnerstag", "周四", "週四"]),
            Weekday::Friday => self.pick(["Friday", "Freitag", "周五", "週五"]),
            Weekday::Saturday => self.pick(["Saturday", "Samstag", "周六", "週六"]),
            Weekday::Sunday => self.pick(["Sunday", "Sonntag", "周日", "週日"]),
        };
        let (month, day) = (date.month(), date.day());
        match self {
            Phrases::English => format!("{weekday}, {day} {}", ENGLISH_MONTHS[month_index(month)]),
            Phrases::German => format!("{weekday}, {day}. {}", GERMAN_MONTHS[month_index(month)]),
            Phrases::Hans | Phrases::Hant => format!("{month} 月 {day} 日（{weekday}）"),
        }
    }

    /// A moment in the next few days, with its zone, such as “Sunday, 1 August, 09:14 (UTC)”.
    pub(crate) fn moment(self, at: &Zoned) -> String {
        let between = self.pick([", ", ", ", "", ""]);
        format!(
            "{}{between}{} ({})",
            self.day(at.date()),
            at.strftime("%H:%M"),
            crate::format::zone(at)
        )
    }
}

/// Day and time on a page, in English, such as `Sunday, 1 August at 08:00`. Day and month stay on one line.
pub(crate) fn day_and_hour(at: &Zoned) -> String {
    at.strftime("%A, %-d\u{a0}%B at %H:%M").to_string()
}

/// A day without its year on a page, in English, such as `28 August`. Day and month stay on one line.
pub(crate) fn day(at: &Zoned) -> String {
    at.strftime("%-d\u{a0}%B").to_string()
}

/// A day with its year on a page, in English, such as `25 July 2021`.
pub(crate) fn day_of_year(at: &Zoned) -> String {
    at.strftime("%-d %B %Y").to_string()
}

/// A length of time on a page, in English, in the largest unit that has no remainder: `three days`, `one hour`,
/// `90 minutes`. Seconds are rounded up.
pub(crate) fn span(length: Duration) -> String {
    let minutes = length.as_secs().div_ceil(60);
    let (count, unit) = match minutes {
        m if m % (24 * 60) == 0 && m > 0 => (m / (24 * 60), "day"),
        m if m % 60 == 0 && m > 0 => (m / 60, "hour"),
        m => (m, "minute"),
    };
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    let number = usize::try_from(count)
        .ok()
        .and_then(|n| WORDS.get(n).map(|word| (*word).to_owned()))
        .unwrap_or_else(|| crate::format::count(count));
    format!("{number} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Months come from a `Date`, which holds 1 to 12.
fn month_index(month: i8) -> usize {
    usize::try_from(month - 1).unwrap_or(0).min(11)
}

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn at(text: &str) -> Zoned {
        text.parse().unwrap()
    }

    #[test]
    fn times_have_day_hour_and_zone() {
        let sunday = at("2021-08-01T08:00[Asia/Tokyo]");
        assert_eq!(day_and_hour(&sunday), "Sunday, 1\u{a0}August at 08:00");
        assert_eq!(day(&sunday), "1\u{a0}August");
        assert_eq!(day_of_year(&sunday), "1 August 2021");
    }

    #[test]
    fn spans_are_said_in_whole_units() {
        let hours = |n: u64| span(Duration::from_secs(n * 3600));
        assert_eq!(hours(72), "three days");
        assert_eq!(hours(24), "one day");
        assert_eq!(hours(36), "36 hours");
        assert_eq!(hours(1), "one hour");
        assert_eq!(span(Duration::from_secs(90 * 60)), "90 minutes");
        assert_eq!(span(Duration::from_secs(1)), "one minute");
        assert_eq!(span(Duration::ZERO), "no minutes");
    }

    #[test]
    fn dates_read_as_each_language_writes_them() {
        let day = date(2021, 7, 25);
        assert_eq!(Phrases::English.date(day), "25 July 2021");
        assert_eq!(Phrases::German.date(day), "25. Juli 2021");
        assert_eq!(Phrases::Hans.date(day), "2021 年 7 月 25 日");
        assert_eq!(Phrases::English.day(day), "Sunday, 25 July");
        assert_eq!(Phrases::Hans.day(date(2021, 8, 1)), "8 月 1 日（周日）");
        let moment: Zoned = "2021-08-01T09:14[UTC]".parse().unwrap();
        assert_eq!(
            Phrases::English.moment(&moment),
            "Sunday, 1 August, 09:14 (UTC)"
        );
        assert_eq!(
            Phrases::Hans.moment(&moment),
            "8 月 1 日（周日）09:14 (UTC)"
        );
    }
}
