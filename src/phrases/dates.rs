//! How days, times and spans read in each language.

use std::time::Duration;

use jiff::Zoned;
use jiff::civil::Date;

use super::words::Calendar;
use super::{Phrases, fill};

impl Phrases {
    /// A day with its year, such as “25 July 2021”.
    pub(crate) fn date(self, date: Date) -> String {
        written(self.calendar.date, date, &self.calendar)
    }

    /// A day with the day of the week and without the year, such as “Sunday, 1 August”.
    pub(crate) fn day(self, date: Date) -> String {
        written(self.calendar.weekday_date, date, &self.calendar)
    }

    /// A moment in the next few days, with its zone, such as “Sunday, 1 August, 09:14 (UTC)”.
    pub(crate) fn moment(self, at: &Zoned) -> String {
        fill(
            self.calendar.moment,
            &[
                ("day", &self.day(at.date())),
                ("time", &time(at)),
                ("zone", &crate::format::zone(at)),
            ],
        )
    }

    /// Day and time on a page, such as “Sunday, 1 August at 08:00”. Day and month stay on one line.
    pub(crate) fn day_and_hour(self, at: &Zoned) -> String {
        let day = unbroken(&self.day(at.date()), &self.month_day(at.date()));
        fill(
            self.calendar.day_and_hour,
            &[("day", &day), ("time", &time(at))],
        )
    }

    /// A day without its year on a page, such as “28 August”. It stays on one line.
    pub(crate) fn short_day(self, at: &Zoned) -> String {
        let day = self.month_day(at.date());
        unbroken(&day, &day)
    }

    /// A length of time, in the largest unit that has no remainder: “three days”, “one hour”, “90 minutes”. Seconds
    /// are rounded up.
    pub(crate) fn span(self, length: Duration) -> String {
        let calendar = &self.calendar;
        let minutes = length.as_secs().div_ceil(60);
        let (count, noun) = match minutes {
            m if m % (24 * 60) == 0 && m > 0 => (m / (24 * 60), &calendar.days),
            m if m % 60 == 0 && m > 0 => (m / 60, &calendar.hours),
            m => (m, &calendar.minutes),
        };
        let number = usize::try_from(count)
            .ok()
            .and_then(|n| calendar.numerals.get(n).map(|word| (*word).to_owned()))
            .unwrap_or_else(|| crate::format::count(count));
        fill(calendar.plural.pick(noun, count), &[("count", &number)])
    }

    fn month_day(self, date: Date) -> String {
        written(self.calendar.short_date, date, &self.calendar)
    }
}

/// A day in a pattern of a calendar.
fn written(pattern: &'static str, date: Date, calendar: &Calendar) -> String {
    let day = if date.day() == 1 {
        calendar.first.to_owned()
    } else {
        date.day().to_string()
    };
    let index = |n: i8| usize::try_from(n).unwrap_or_default();
    let weekday = index(date.weekday().to_monday_zero_offset());
    fill(
        pattern,
        &[
            ("d", &day),
            ("m", &date.month().to_string()),
            ("month", calendar.months[index(date.month() - 1).min(11)]),
            ("year", &date.year().to_string()),
            ("weekday", calendar.weekdays[weekday.min(6)]),
        ],
    )
}

fn time(at: &Zoned) -> String {
    at.strftime("%H:%M").to_string()
}

/// A text in which a part of it stays on one line.
fn unbroken(text: &str, part: &str) -> String {
    text.replace(part, &part.replace(' ', "\u{a0}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn at(text: &str) -> Zoned {
        text.parse().unwrap()
    }

    #[test]
    fn times_have_day_hour_and_zone() {
        let english = Phrases::of("en");
        let sunday = at("2021-08-01T08:00[Asia/Tokyo]");
        assert_eq!(
            english.day_and_hour(&sunday),
            "Sunday, 1\u{a0}August at 08:00"
        );
        assert_eq!(english.short_day(&sunday), "1\u{a0}August");
        for (language, moment, hour) in [
            (
                "en",
                "Sunday, 1 August, 08:00 (Tokyo)",
                "Sunday, 1 August at 08:00",
            ),
            (
                "de",
                "Sonntag, 1. August, 08:00 (Tokyo)",
                "Sonntag, 1. August um 08:00 Uhr",
            ),
            (
                "fr",
                "dimanche 1er août à 08:00 (Tokyo)",
                "dimanche 1er août à 08:00",
            ),
            (
                "es",
                "domingo, 1 de agosto, 08:00 (Tokyo)",
                "domingo, 1 de agosto a las 08:00",
            ),
            (
                "zh",
                "8 月 1 日（周日）08:00 (Tokyo)",
                "8 月 1 日（周日）08:00",
            ),
            ("ja", "8月1日（日）08:00（Tokyo）", "8月1日（日）08:00"),
            ("ko", "8월 1일 일요일 08:00 (Tokyo)", "8월 1일 일요일 08:00"),
            (
                "ar",
                "الأحد 1 أغسطس، 08:00 (Tokyo)",
                "الأحد 1 أغسطس الساعة 08:00",
            ),
        ] {
            let phrases = Phrases::of(language);
            assert_eq!(phrases.moment(&sunday), moment);
            assert_eq!(phrases.day_and_hour(&sunday).replace('\u{a0}', " "), hour);
        }
    }

    #[test]
    fn spans_are_said_in_whole_units() {
        let span = |length| Phrases::of("en").span(length);
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
    fn spans_take_the_plural_of_each_language() {
        let days =
            |language: &str, n: u64| Phrases::of(language).span(Duration::from_secs(n * 24 * 3600));
        for (language, forms) in [
            (
                "de",
                ["einen Tag", "2 Tage", "3 Tage", "14 Tage", "100 Tage"],
            ),
            (
                "fr",
                ["1 jour", "2 jours", "3 jours", "14 jours", "100 jours"],
            ),
            ("ja", ["1日間", "2日間", "3日間", "14日間", "100日間"]),
            ("ko", ["1일", "2일", "3일", "14일", "100일"]),
            ("ar", ["يوم واحد", "يومين", "3 أيام", "14 يومًا", "100 يوم"]),
        ] {
            let said = [1, 2, 3, 14, 100].map(|n| days(language, n));
            assert_eq!(said, forms, "{language}");
        }
    }

    #[test]
    fn dates_read_as_each_language_writes_them() {
        for (language, written, day) in [
            ("en", "25 July 2021", "Sunday, 25 July"),
            ("de", "25. Juli 2021", "Sonntag, 25. Juli"),
            ("fr", "25 juillet 2021", "dimanche 25 juillet"),
            ("es", "25 de julio de 2021", "domingo, 25 de julio"),
            ("zh", "2021 年 7 月 25 日", "7 月 25 日（周日）"),
            ("zh-TW", "2021 年 7 月 25 日", "7 月 25 日（週日）"),
            ("ja", "2021年7月25日", "7月25日（日）"),
            ("ko", "2021년 7월 25일", "7월 25일 일요일"),
            ("ar", "25 يوليو 2021", "الأحد 25 يوليو"),
        ] {
            let phrases = Phrases::of(language);
            assert_eq!(phrases.date(date(2021, 7, 25)), written);
            assert_eq!(phrases.day(date(2021, 7, 25)), day);
        }
        assert_eq!(Phrases::of("fr").date(date(2026, 1, 1)), "1er janvier 2026");
    }
}
