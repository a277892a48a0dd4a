//! Times and spans as a page says them. Day and month stay on one line.

use std::time::Duration;

use jiff::Zoned;

/// Such as `Sunday, 1 August at 08:00`.
pub(super) fn day_and_hour(at: &Zoned) -> String {
    at.strftime("%A, %-d\u{a0}%B at %H:%M").to_string()
}

/// Such as `28 August`.
pub(super) fn day(at: &Zoned) -> String {
    at.strftime("%-d\u{a0}%B").to_string()
}

/// Such as `25 July 2021`.
pub(super) fn day_of_year(at: &Zoned) -> String {
    at.strftime("%-d %B %Y").to_string()
}

/// Such as `three days`, `one hour`, `90 minutes`: in the largest unit that has no remainder.
pub(super) fn span(length: Duration) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
