//! Issue numbers as people write them in titles: found, taken off, and counted up for the next issue.

use super::date::{Word, words};

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
    words.windows(2).find_map(|pair| match pair {
        [Word::Letters(word), Word::Number(number, _)]
            if matches!(
                word.as_str(),
                "issue" | "no" | "vol" | "volume" | "edition" | "number" | "episode"
            ) =>
        {
            u32::try_from(*number).ok()
        }
        _ => None,
    })
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
    fn a_number_counts_up_where_it_stands() {
        assert_eq!(renumbered("News #22 of 2022", 22, 23), "News #23 of 2022");
        assert_eq!(renumbered("News", 22, 23), "News");
    }

    proptest::proptest! {
        #[test]
        fn no_title_makes_it_panic(line in "(\\PC|[0-9]|#|第|期| |No|Issue|年){0,40}") {
            let (_, title) = in_title(&line);
            proptest::prop_assert!(line.starts_with(title));
        }
    }
}
