//! The number and the date that a file's name holds: `2020-08-11-news`, `issue-503`, `239-news`, `022`.

use jiff::civil::Date;

/// Words before the number of an issue.
const WORDS: [&str; 16] = [
    "issue",
    "no",
    "nr",
    "num",
    "number",
    "newsletter",
    "vol",
    "volume",
    "edition",
    "episode",
    "ep",
    "weekly",
    "digest",
    "ausgabe",
    "numero",
    "letter",
];

/// The number and the date in the name of a file, without its ending.
pub(super) fn number_and_date(slug: &str) -> (Option<u32>, Option<Date>) {
    let (date, rest) = match date(slug) {
        Some((date, range)) => {
            let rest = format!("{} {}", &slug[..range.start], &slug[range.end..]);
            (Some(date), rest)
        }
        None => (None, slug.to_owned()),
    };
    (number(&rest, date.is_some()), date)
}

/// A day written with year, month and day, wherever it stands, and where.
fn date(slug: &str) -> Option<(Date, std::ops::Range<usize>)> {
    let is_digit = |c: char| c.is_ascii_digit();
    for (start, _) in slug.match_indices(is_digit) {
        if slug[..start].ends_with(is_digit) {
            continue;
        }
        for length in [10, 8] {
            let Some(text) = slug.get(start..start + length) else {
                continue;
            };
            let whole = match length {
                10 => text.replace(['_', '.'], "-"),
                _ if text.chars().all(is_digit) => text.to_owned(),
                _ => continue,
            };
            let ends = !slug[start + length..].starts_with(is_digit);
            if let Ok(date) = whole.parse::<Date>()
                && ends
                && (1900..2200).contains(&date.year())
            {
                return Some((date, start..start + length));
            }
        }
    }
    None
}

/// The number of an issue: behind a word that says so, or at the beginning. A year, or the week of one, is none.
fn number(rest: &str, has_date: bool) -> Option<u32> {
    let parts: Vec<&str> = rest
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    let whole = |text: &str| -> Option<u32> {
        let good = !text.is_empty() && text.len() <= 5 && text.chars().all(|c| c.is_ascii_digit());
        text.parse().ok().filter(|_| good)
    };
    for (at, part) in parts.iter().enumerate() {
        let lower = part.to_lowercase();
        let end = lower
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(lower.len());
        let (word, digits) = lower.split_at(end);
        if !WORDS.contains(&word) {
            continue;
        }
        let found = if digits.is_empty() {
            parts.get(at + 1).and_then(|next| whole(next))
        } else {
            whole(digits)
        };
        if let Some(number) = found.filter(|n| !is_year(*n) || word == "issue") {
            return Some(number);
        }
    }
    // "2024-week-05" and "2024-05" are weeks and months of a year.
    let first = parts.first().and_then(|part| whole(part))?;
    (!has_date && !is_year(first)).then_some(first)
}

fn is_year(number: u32) -> bool {
    (1900..2100).contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_hold_numbers_and_dates() {
        let on = |y, m, d| Some(jiff::civil::date(y, m, d));
        for (slug, want) in [
            ("2020-08-11-x", (None, on(2020, 8, 11))),
            ("2020_08_11_news", (None, on(2020, 8, 11))),
            ("20200811-news", (None, on(2020, 8, 11))),
            ("news-2020-08-11", (None, on(2020, 8, 11))),
            ("2020-08-11-issue-46", (Some(46), on(2020, 8, 11))),
            ("issue-503", (Some(503), None)),
            ("Issue503", (Some(503), None)),
            ("weekly-issue-36", (Some(36), None)),
            ("newsletter_46", (Some(46), None)),
            ("239-x", (Some(239), None)),
            ("022", (Some(22), None)),
            ("7", (Some(7), None)),
            ("2024-week-05", (None, None)),
            ("2024-05", (None, None)),
            ("2024", (None, None)),
            ("2020-08-11", (None, on(2020, 8, 11))),
            ("twir-2025-07-30-this-week-in-rust", (None, on(2025, 7, 30))),
            ("rust-1-95-is-out", (None, None)),
            ("2020-13-41-x", (None, None)),
            ("news", (None, None)),
            ("", (None, None)),
            ("123456789-x", (None, None)),
            ("第12期", (None, None)),
        ] {
            assert_eq!(number_and_date(slug), want, "{slug}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_name_makes_it_panic(slug in "(\\PC|[0-9]{1,4}|[-_.]|issue){0,12}") {
            let _ = number_and_date(&slug);
        }
    }
}
