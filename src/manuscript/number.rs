//! Issue numbers as people write them in titles: found, taken off, and counted up for the next issue.

use jiff::civil::Date;

use super::date::{self, Word, words};

/// What stands between a title and its number or date.
const SEPARATORS: &str = "—–-―:：,，|│｜·•/";

/// A title without the number and the date that it holds, where nothing but them goes: `News #190 │ 2022-01-24` is
/// `News`. Of what would leave only a word such as `Issue`, the number stays.
pub(super) fn without_number_and_date(
    title: &str,
    number: Option<u32>,
    date: Option<Date>,
) -> String {
    let dateless = date.map_or_else(|| title.to_owned(), |date| without_date(title, date));
    let dateless = if dateless.is_empty() {
        title.to_owned()
    } else {
        dateless
    };
    let short = number.map_or_else(|| dateless.clone(), |n| without_number(&dateless, n));
    let is_too_short = |text: &str| {
        const GENERIC: [&str; 14] = [
            "",
            "issue",
            "no",
            "nr",
            "newsletter",
            "edition",
            "vol",
            "volume",
            "episode",
            "ep",
            "number",
            "ausgabe",
            "numero",
            "numéro",
        ];
        let folded: String = text
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        GENERIC.contains(&folded.as_str())
    };
    if !is_too_short(&short) {
        short
    } else if dateless.chars().any(char::is_alphanumeric) {
        dateless
    } else {
        title.to_owned()
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || SEPARATORS.contains(c))
}

/// Takes a date off the end or the beginning of a title, where it stands apart or in brackets.
fn without_date(title: &str, wanted: Date) -> String {
    let is_it = |text: &str| date::exact(text) == Some(wanted);
    if let Some((before, after)) = bracketed(title, &is_it) {
        return joined(before, after);
    }
    for (at, c) in title.char_indices() {
        let behind = at + c.len_utf8();
        let is_apart = SEPARATORS.contains(c) && (c != '-' || title[..at].ends_with(' '));
        if !is_apart {
            continue;
        }
        if is_it(title[behind..].trim()) {
            return trimmed(&title[..at]).to_owned();
        }
        if is_it(title[..at].trim()) {
            return trimmed(&title[behind..]).to_owned();
        }
    }
    title.to_owned()
}

/// Takes `#22` off the end or the beginning of a title, in brackets or not, and `Issue 22` where it stands apart.
fn without_number(title: &str, number: u32) -> String {
    let rest = in_title(title).1;
    if rest != title {
        return trimmed(rest).to_owned();
    }
    let is_it = |text: &str| {
        let words = words(text);
        matches!(words.as_slice(), [Word::Number(n, _)] if *n == u64::from(number))
            && text.contains(['#', '＃', '№'])
            || matches!(words.as_slice(), [Word::Letters(w), Word::Number(n, _)]
                if *n == u64::from(number) && is_counting(w))
    };
    if let Some((before, after)) = bracketed(title, &is_it) {
        return joined(before, after);
    }
    for (at, c) in title.char_indices() {
        let behind = at + c.len_utf8();
        if !SEPARATORS.contains(c) || (c == '-' && !title[..at].ends_with(' ')) {
            continue;
        }
        if is_it(&title[behind..]) {
            return trimmed(&title[..at]).to_owned();
        }
        if is_it(&title[..at]) && title[..at].contains(['#', '＃', '№']) {
            return trimmed(&title[behind..]).to_owned();
        }
    }
    title.to_owned()
}

/// What stands before and after a pair of brackets whose content is what is looked for.
fn bracketed<'t>(title: &'t str, is_it: &dyn Fn(&str) -> bool) -> Option<(&'t str, &'t str)> {
    const PAIRS: [(char, char); 5] = [
        ('(', ')'),
        ('（', '）'),
        ('[', ']'),
        ('【', '】'),
        ('〔', '〕'),
    ];
    PAIRS.iter().find_map(|(open, close)| {
        let start = title.find(*open)?;
        let end = start + title[start..].find(*close)?;
        is_it(&title[start + open.len_utf8()..end])
            .then(|| (&title[..start], &title[end + close.len_utf8()..]))
    })
}

fn joined(before: &str, after: &str) -> String {
    let (before, after) = (before.trim_end(), after.trim_start());
    // `News (#7): trees` keeps its colon.
    let is_tight =
        after.is_empty() || before.is_empty() || after.starts_with([':', '：', ',', '，']);
    let out = format!("{before}{}{after}", if is_tight { "" } else { " " });
    trimmed(&out).to_owned()
}

/// The number of an issue in its title, and the title without it where it can be taken off without losing
/// a word: `News — #22` gives 22 and `News`; `第 22 期`, `Issue 22`, `No. 22`, `News 22` keep the title.
pub(super) fn in_title(title: &str) -> (Option<u32>, &str) {
    if let Some((before, after)) = title.rsplit_once(['#', '＃'])
        && let Ok(number) = after.trim().parse::<u32>()
        && number.to_string() == after.trim()
    {
        let rest =
            before.trim_end_matches(|c: char| c.is_whitespace() || "—–-―:：,，|·•".contains(c));
        return (Some(number), if rest.is_empty() { title } else { rest });
    }
    (marked(title).or_else(|| trailing(title)), title)
}

/// A number with a word that says what it counts: `Issue 22`, `No. 22`, `Vol. 3`, `#22`, `第 22 期`.
fn marked(title: &str) -> Option<u32> {
    for (at, c) in title.char_indices() {
        let rest = &title[at + c.len_utf8()..];
        let number = digits(rest.trim_start());
        match c {
            '#' | '＃' | '№' if !number.is_empty() => return number.parse().ok(),
            '第' if !number.is_empty() => {
                let after = rest.trim_start()[number.len()..].trim_start();
                if after.starts_with(['期', '号', '號', '回', '弹', '刊', '卷']) {
                    return number.parse().ok();
                }
            }
            _ => {}
        }
    }
    let words = words(title);
    let counted = words.windows(2).find_map(|pair| match pair {
        [Word::Letters(word), Word::Number(number, _)] if is_counting(word) => {
            u32::try_from(*number).ok()
        }
        _ => None,
    });
    counted
        .or_else(|| before_counter(title))
        .or_else(|| before_colon(title))
}

fn is_counting(word: &str) -> bool {
    matches!(
        word,
        "issue"
            | "no"
            | "nr"
            | "vol"
            | "volume"
            | "edition"
            | "number"
            | "episode"
            | "ausgabe"
            | "numero"
            | "numéro"
            | "número"
            | "edición"
            | "edição"
            | "édition"
            | "выпуск"
            | "nº"
            | "n"
    )
}

/// `398 期`, `12호`: a number with the counter of issues behind it.
fn before_counter(title: &str) -> Option<u32> {
    for (at, c) in title.char_indices() {
        if !c.is_ascii_digit() || title[..at].ends_with(|c: char| c.is_ascii_digit() || c == '.') {
            continue;
        }
        let number = digits(&title[at..]);
        let after = title[at + number.len()..].trim_start();
        if number.len() <= 5 && after.starts_with(['期', '호', '号', '號']) {
            return number.parse().ok();
        }
    }
    None
}

/// `DevOps'ish 323: …`: a number between the name of a newsletter and a colon or a dash.
fn before_colon(title: &str) -> Option<u32> {
    let colon = title
        .char_indices()
        .find(|(at, c)| {
            let behind = &title[at + c.len_utf8()..];
            matches!(c, ':' | '：') && !behind.starts_with(|c: char| c.is_ascii_digit())
                || matches!(c, '–' | '—' | '|') && title[..*at].ends_with(' ')
        })?
        .0;
    let before = title[..colon].trim_end();
    let number = trailing(before)?;
    let word = before.rsplit(' ').nth(1)?.to_lowercase();
    let is_name = word.starts_with(char::is_alphabetic)
        && !matches!(
            word.as_str(),
            "top"
                | "best"
                | "part"
                | "chapter"
                | "day"
                | "week"
                | "year"
                | "version"
                | "first"
                | "last"
                | "the"
                | "of"
                | "and"
                | "to"
                | "in"
                | "rust"
                | "python"
                | "java"
                | "php"
                | "go"
                | "es"
                | "html"
                | "windows"
                | "ubuntu"
                | "fedora"
                | "debian"
                | "kde"
                | "gnome"
                | "release"
                | "january"
                | "february"
                | "march"
                | "april"
                | "may"
                | "june"
                | "july"
                | "august"
                | "september"
                | "october"
                | "november"
                | "december"
                | "season"
                | "lesson"
        );
    (is_name && number > 1).then_some(number)
}

/// A number at the very end that is not a year.
fn trailing(title: &str) -> Option<u32> {
    let title = title.trim_end();
    let start = title
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    let before = title.get(..start)?;
    let number: u32 = title.get(start..)?.parse().ok()?;
    let apart =
        before.ends_with(' ') && !before.trim_end().ends_with(|c: char| ".,/-–:".contains(c));
    (apart && number > 0 && !(1900..2100).contains(&number) && number < 100_000).then_some(number)
}

fn digits(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    &text[..end]
}

/// A title with its number changed; as it was where it holds none.
pub(super) fn renumbered(title: &str, old: u32, new: u32) -> String {
    let old = old.to_string();
    let whole = |at: usize| {
        let digit = |c: char| c.is_ascii_digit();
        !title[..at].ends_with(digit) && !title[at + old.len()..].starts_with(digit)
    };
    match title.rmatch_indices(&old).find(|(at, _)| whole(*at)) {
        Some((at, _)) => format!("{}{new}{}", &title[..at], &title[at + old.len()..]),
        None => title.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_off_a_title_only_where_no_word_goes_with_it() {
        assert_eq!(
            in_title("Akira 的机器学习新闻— #22"),
            (Some(22), "Akira 的机器学习新闻")
        );
        assert_eq!(in_title("Proof #7"), (Some(7), "Proof"));
        assert_eq!(in_title("Proof (#7)"), (Some(7), "Proof (#7)"));
        assert_eq!(in_title("Proof #007"), (Some(7), "Proof #007"));
        for (title, want) in [
            ("This Week in Rust 610", Some(610)),
            ("每周分享第 36 期", Some(36)),
            ("周刊（第 397 期）：财富", Some(397)),
            ("Issue 12: trees", Some(12)),
            ("The News, No. 5", Some(5)),
            ("The best of 2024", None),
            ("Version 1.5", None),
            ("Catch-22", None),
            ("#22", Some(22)),
            ("Hello", None),
        ] {
            assert_eq!(in_title(title), (want, title), "{title}");
        }
    }

    #[test]
    fn numbers_are_found_where_series_write_them() {
        for (title, want) in [
            ("DevOps'ish 323: Go 1.27 lands generic methods", Some(323)),
            ("Rust 官方周报 398 期（2021-07-07）", Some(398)),
            ("주간 소식 12호", Some(12)),
            ("Infos Nr. 7", Some(7)),
            ("Weekly 88 — the end", Some(88)),
            ("Top 10: the tools", None),
            ("Rust 2024: what changes", None),
            ("Week 5: the end", None),
            ("Opens at 12:30 today", None),
        ] {
            assert_eq!(in_title(title).0, want, "{title}");
        }
    }

    #[test]
    fn number_and_date_come_off_a_title() {
        let date = Some(jiff::civil::date(2022, 1, 24));
        for (title, number, want) in [
            ("Newsletter #190 │ 2022-01-24", Some(190), "Newsletter #190"),
            ("Core News #190 │ 2022-01-24", Some(190), "Core News"),
            ("2022-01-24 — Core News #190", Some(190), "Core News"),
            (
                "Core News (#190) – January 24, 2022",
                Some(190),
                "Core News",
            ),
            (
                "Last Week in Pony - January 24, 2022",
                None,
                "Last Week in Pony",
            ),
            (
                "Rust 官方周报 398 期（2022-01-24）",
                Some(398),
                "Rust 官方周报 398 期",
            ),
            (
                "Core News | Issue 190 | 24 January 2022",
                Some(190),
                "Core News",
            ),
            ("#190: Core News", Some(190), "Core News"),
            ("Issue #165", Some(165), "Issue #165"),
            ("#165", Some(165), "#165"),
            ("2022-01-24", None, "2022-01-24"),
            ("Week of January 24, 2022", None, "Week of January 24, 2022"),
            ("Issue 12: trees", Some(12), "Issue 12: trees"),
            ("News #22", Some(22), "News"),
            ("What 2022-01-24 brought", None, "What 2022-01-24 brought"),
        ] {
            assert_eq!(
                without_number_and_date(title, number, date),
                want,
                "{title}"
            );
        }
    }

    #[test]
    fn a_number_counts_up_where_it_stands() {
        assert_eq!(renumbered("News #22 of 2022", 22, 23), "News #23 of 2022");
        assert_eq!(renumbered("News", 22, 23), "News");
    }

    proptest::proptest! {
        #[test]
        fn no_title_makes_it_panic(line in "(\\PC|[0-9]|#|第|期| |No|Issue|年){0,40}") {
            let (number, title) = in_title(&line);
            proptest::prop_assert!(line.starts_with(title));
            let short = without_number_and_date(&line, number, date::leading(&line));
            proptest::prop_assert!(!short.is_empty() || line.trim().is_empty());
        }
    }
}
