//! Dates as people write them at the head of an issue.

use jiff::civil::Date;

use super::language::{is_east_asian, is_hangul};

/// English months; three letters are enough.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Words that may stand before a date at the beginning of a line.
const LEADS: [&str; 18] = [
    "the",
    "week",
    "of",
    "for",
    "on",
    "published",
    "posted",
    "sent",
    "date",
    "issue",
    "no",
    "no.",
    "vol",
    "vol.",
    "ending",
    "edition",
    "发布于",
    "日期",
];

/// The date that a line begins with, as in `2021 年 7 月 25 日一周总结`, `July 25, 2021`, `Week of 25 July 2021`,
/// `No. 22 · 2021-07-25`; `None` where there is none, or where it can't be.
pub(super) fn leading(line: &str) -> Option<Date> {
    let words = words(line);
    let mut start = 0;
    while words.get(start).is_some_and(is_lead) {
        start += 1;
    }
    // "No. 22 · 2021-07-25": a number of an issue may come first.
    (start..words.len().min(start + 2)).find_map(|at| {
        let lead_in = words[start..at]
            .iter()
            .all(|w| matches!(w, Word::Number(n, _) if *n < 10_000));
        if lead_in {
            ymd(&words[at..]).or_else(|| english(&words[at..]))
        } else {
            None
        }
    })
}

/// A whole value that is a date, such as `2021-07-25`.
pub(super) fn whole(text: &str) -> Option<Date> {
    leading(text.trim())
}

/// A text that is a date and nothing else, its weekday left out.
pub(super) fn exact(text: &str) -> Option<Date> {
    let words = words(text);
    let is_filler = |word: &Word| match word {
        Word::Letters(l) => {
            matches!(
                l.as_str(),
                "st" | "nd" | "rd" | "th" | "of" | "年" | "月" | "日" | "년" | "월" | "일"
            ) || (is_lead(word) && !LEADS.contains(&l.as_str()))
        }
        Word::Number(..) => false,
    };
    let kept = words.iter().filter(|word| !is_filler(word)).count();
    if kept != 3 {
        return None;
    }
    leading(text)
}

/// A whole value that names its month in another language than English, such as `26 novembre 2024`.
pub(super) fn in_words(text: &str) -> Option<Date> {
    let words = words(text);
    let mut words = words.iter().filter(|w| match w {
        Word::Letters(l) => {
            !matches!(l.as_str(), "de" | "del" | "di" | "den" | "le" | "do") && !is_lead(w)
        }
        Word::Number(..) => true,
    });
    match (words.next()?, words.next()?, words.next()?, words.next()) {
        (Word::Number(day, _), Word::Letters(name), Word::Number(year, 4), None) => {
            date(*year, foreign_month(name)?, *day)
        }
        _ => None,
    }
}

/// A line with the first date that it holds changed for another, in the same writing; `None` where it holds
/// none that we know how to write.
pub(super) fn rewritten(line: &str, date: Date) -> Option<String> {
    let words = words_at(line);
    let plain: Vec<Word> = words.iter().map(|(_, word)| word.clone()).collect();
    let at = (0..plain.len()).find(|at| {
        ymd(&plain[*at..])
            .or_else(|| english(&plain[*at..]))
            .is_some()
    })?;
    let by_year = ymd(&plain[at..]).is_some();
    // 2021-07-25 has two digits each; 2021 年 7 月 25 日 and July 25 have as many as they need.
    let padded = words[at..].iter().take(5).any(|(start, word)| {
        let number = matches!(word, Word::Number(..));
        number && (line[*start..].starts_with('0') || (by_year && line[..*start].ends_with('-')))
    });
    let mut numbers = 0;
    let mut out = line[..words[at].0].to_owned();
    let mut done = words[at].0;
    for (start, word) in &words[at..] {
        let (new, length) = match word {
            Word::Number(_, digits) => {
                numbers += 1;
                let two = |n: i8| {
                    if padded {
                        format!("{n:02}")
                    } else {
                        n.to_string()
                    }
                };
                let new = match (by_year, numbers, digits) {
                    (true, 1, _) | (false, _, 4) => date.year().to_string(),
                    (true, 2, _) => two(date.month()),
                    _ => two(date.day()),
                };
                (new, *digits)
            }
            Word::Letters(name) if !by_year && month(name).is_some() => (
                month_like(&line[*start..*start + name.len()], date),
                name.len(),
            ),
            Word::Letters(suffix) if matches!(suffix.as_str(), "st" | "nd" | "rd" | "th") => {
                (ordinal(date.day()).to_owned(), suffix.len())
            }
            Word::Letters(_) => continue,
        };
        out.push_str(&line[done..*start]);
        out.push_str(&new);
        done = start + length;
        if numbers == if by_year { 3 } else { 2 } && !matches!(word, Word::Letters(_)) {
            break;
        }
    }
    out.push_str(&line[done..]);
    Some(out)
}

/// The month's name as long as the old one was, and with the same capitals.
fn month_like(old: &str, date: Date) -> String {
    let full = MONTHS[usize::from(date.month().unsigned_abs()).clamp(1, 12) - 1];
    let name = if old.len() <= 4 && !MONTHS.contains(&old.to_lowercase().as_str()) {
        &full[..3]
    } else {
        full
    };
    let capital = old.starts_with(|c: char| c.is_uppercase());
    let mut chars = name.chars();
    match chars.next() {
        Some(first) if capital => first.to_uppercase().chain(chars).collect(),
        _ => name.to_owned(),
    }
}

fn ordinal(day: i8) -> &'static str {
    match (day % 10, day / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}

/// A word of a line, as far as dates are concerned.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// The number and how many digits it was written with.
    Number(u64, usize),
    /// Small letters; East Asian characters stand alone.
    Letters(String),
}

/// Cuts a line into numbers and letters; see [`Word`].
pub(super) fn words(line: &str) -> Vec<Word> {
    words_at(line).into_iter().map(|(_, word)| word).collect()
}

/// Cuts a line into numbers and letters, each with its place; everything between is dropped.
fn words_at(line: &str) -> Vec<(usize, Word)> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let at = line.len() - rest.len();
        let run = |good: fn(char) -> bool| &rest[..rest.find(|c| !good(c)).unwrap_or(rest.len())];
        let word = if first.is_ascii_digit() {
            let digits = run(|c| c.is_ascii_digit());
            out.push((
                at,
                Word::Number(digits.parse().unwrap_or(u64::MAX), digits.len()),
            ));
            digits
        } else if first.is_alphabetic() && !is_east_asian(first) && !is_hangul(first) {
            let letters = run(|c| c.is_alphabetic() && !is_east_asian(c) && !is_hangul(c));
            out.push((at, Word::Letters(letters.to_lowercase())));
            letters
        } else {
            if first.is_alphabetic() {
                out.push((at, Word::Letters(first.to_string())));
            }
            &rest[..first.len_utf8()]
        };
        rest = &rest[word.len()..];
        if out.len() > 24 {
            break;
        }
    }
    out
}

fn is_lead(word: &Word) -> bool {
    let Word::Letters(word) = word else {
        return false;
    };
    let weekday = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        .iter()
        .any(|d| word.starts_with(d))
        && (word.len() == 3
            || word.ends_with("day")
            || matches!(word.as_str(), "tues" | "thur" | "thurs"));
    weekday || LEADS.contains(&word.as_str())
}

/// `2021-07-25`, `2021/7/25`, `2021 年 7 月 25 日`, `2021년 7월 25일`.
fn ymd(words: &[Word]) -> Option<Date> {
    let (&Word::Number(year, 4), rest) = words.split_first()? else {
        return None;
    };
    let (month, day) = match rest {
        [Word::Number(month, _), Word::Number(day, _), ..] => (month, day),
        [
            Word::Letters(y),
            Word::Number(month, _),
            Word::Letters(m),
            Word::Number(day, _),
            ..,
        ] if matches!((y.as_str(), m.as_str()), ("年", "月") | ("년", "월")) => (month, day),
        _ => return None,
    };
    date(year, *month, *day)
}

/// `25 July 2021`, `25th of July 2021`, `July 25, 2021`, `July 25th, 2021`.
fn english(words: &[Word]) -> Option<Date> {
    let plain: Vec<&Word> = words
        .iter()
        .filter(|w| !matches!(w, Word::Letters(l) if matches!(l.as_str(), "st" | "nd" | "rd" | "th" | "of")))
        .take(3)
        .collect();
    match plain.as_slice() {
        [
            Word::Number(day, _),
            Word::Letters(name),
            Word::Number(year, 4),
        ]
        | [
            Word::Letters(name),
            Word::Number(day, _),
            Word::Number(year, 4),
        ] => date(*year, month(name)?, *day),
        _ => None,
    }
}

fn month(name: &str) -> Option<u64> {
    let known = |full: &&str| {
        (full.starts_with(name) && name.len() >= 3) || (name == "sept" && **full == *"september")
    };
    MONTHS
        .into_iter()
        .position(|m| known(&m))
        .map(|at| at as u64 + 1)
}

/// The month of a name in French, German, Spanish, Portuguese, Italian or Dutch, or of its first three letters or more.
fn foreign_month(name: &str) -> Option<u64> {
    #[rustfmt::skip]
    const NAMES: [&[&str]; 12] = [
        &["janvier", "januar", "jänner", "enero", "janeiro", "gennaio", "januari"],
        &["février", "fevrier", "februar", "febrero", "fevereiro", "febbraio", "februari"],
        &["mars", "märz", "maerz", "marzo", "março", "maart"],
        &["avril", "april", "abril", "aprile"],
        &["mai", "mayo", "maio", "maggio", "mei"],
        &["juin", "juni", "junio", "junho", "giugno"],
        &["juillet", "juli", "julio", "julho", "luglio"],
        &["août", "aout", "august", "agosto", "augustus"],
        &["septembre", "september", "septiembre", "setiembre", "setembro", "settembre"],
        &["octobre", "oktober", "octubre", "outubro", "ottobre"],
        &["novembre", "november", "noviembre", "novembro"],
        &["décembre", "decembre", "dezember", "diciembre", "dezembro", "dicembre", "december"],
    ];
    let begins = |full: &&str| full.starts_with(name) && name.chars().count() >= 3;
    let mut found = (1..)
        .zip(NAMES)
        .filter(|(_, names)| names.iter().any(begins));
    match (found.next(), found.next()) {
        (Some((month, _)), None) => Some(month),
        _ => None,
    }
}

fn date(year: u64, month: u64, day: u64) -> Option<Date> {
    let year = i16::try_from(year)
        .ok()
        .filter(|y| (1900..2200).contains(y))?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_at_the_head_of_a_line_are_found() {
        let want = Some(jiff::civil::date(2021, 7, 25));
        for line in [
            "2021-07-25",
            "2021/7/25",
            "2021 年 7 月 25 日一周总结",
            "2021年7月25日",
            "2021년 7월 25일",
            "July 25, 2021",
            "Week of 25 July 2021",
            "Sunday, 25th of July 2021: what happened",
            "Published on Jul 25th, 2021.",
            "No. 22 · 2021-07-25",
            "Issue 22, July 25, 2021",
        ] {
            assert_eq!(leading(line), want, "{line}");
        }
        for line in [
            "In 2021-07-25 nothing",
            "2021-13-01",
            "25 men in 2021",
            "",
            "42",
            "2021 July",
            "v2.3.2021",
        ] {
            assert_eq!(leading(line), None, "{line}");
        }
    }

    #[test]
    fn a_date_is_changed_in_its_own_writing() {
        let new = jiff::civil::date(2026, 3, 1);
        for (old, want) in [
            ("2021 年 7 月 25 日一周总结", "2026 年 3 月 1 日一周总结"),
            ("Week of July 25, 2021", "Week of March 1, 2026"),
            (
                "Sent 25th of Jul 2021, again",
                "Sent 1st of Mar 2026, again",
            ),
            ("No. 22 · 2021-07-25", "No. 22 · 2026-03-01"),
            ("2021/7/25", "2026/3/1"),
        ] {
            assert_eq!(rewritten(old, new).as_deref(), Some(want));
        }
        assert_eq!(rewritten("no date", new), None);
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "(\\PC|[0-9]|#|第|期| |July|th|年|月){0,40}") {
            let _ = leading(&line);
            let _ = rewritten(&line, jiff::civil::date(2026, 11, 30));
        }
    }
}
