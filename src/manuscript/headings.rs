//! What a heading says: its number, whether it calls to subscribe or introduces the author, and the form in which
//! two headings are compared. The keywords are in the languages that newsletters are known in.

use crate::model::issue::{Inline, Inlines};

/// The form in which two headings are compared: letters in lower case and digits only.
pub(super) fn folded(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a folded heading calls to subscribe.
pub(super) fn calls_to_subscribe(folded: &str) -> bool {
    const WORDS: [&str; 10] = [
        "subscribe",
        "订阅",
        "訂閱",
        "購読",
        "구독",
        "abonnez",
        "abonnieren",
        "suscríb",
        "подпис",
        "اشترك",
    ];
    folded.chars().count() <= 40
        && WORDS.iter().any(|w| folded.contains(w))
        && !folded.contains("unsubscribe")
}

/// Whether a folded heading says who writes.
pub(super) fn is_about(folded: &str) -> bool {
    const WORDS: [&str; 24] = [
        "about",
        "aboutme",
        "aboutus",
        "abouttheauthor",
        "abouttheeditor",
        "aboutthisletter",
        "aboutthisnewsletter",
        "whowritesthis",
        "关于",
        "关于我",
        "关于我们",
        "关于作者",
        "关于本刊",
        "關於",
        "關於我",
        "關於我們",
        "關於作者",
        "プロフィール",
        "自己紹介",
        "소개",
        "übermich",
        "überuns",
        "àpropos",
        "sobremí",
    ];
    WORDS.contains(&folded)
}

/// Takes a number off a heading: `1.本周特稿` is section 1, `本周特稿`.
pub(super) fn numbered(mut heading: Inlines) -> (Option<u32>, Inlines) {
    let Some(Inline::Text(first)) = heading.first() else {
        return (None, heading);
    };
    let digits = &first[..first
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(first.len())];
    let rest = &first[digits.len()..];
    let mut after = rest.chars();
    let dot = after.next().is_some_and(|c| ".、．)）:：".contains(c));
    let rest = after.as_str();
    let number = digits
        .parse::<u32>()
        .ok()
        .filter(|n| n.to_string() == digits && *n < 1000);
    let more = !rest.trim().is_empty() || heading.len() > 1;
    // "1.5 release" is not a numbered heading, and "12:30" is a time.
    if !dot || number.is_none() || !more || rest.starts_with(|c: char| c.is_ascii_digit()) {
        return (None, heading);
    }
    let rest = rest.trim_start().to_owned();
    if rest.is_empty() {
        drop(heading.remove(0))
    } else {
        heading[0] = Inline::Text(rest)
    }
    (number, heading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::issue::plain;

    #[test]
    fn numbers_come_off_headings_and_only_they() {
        let of = |text: &str| {
            let (number, rest) = numbered(vec![Inline::Text(text.into())]);
            (number, plain(&rest))
        };
        assert_eq!(of("1.本周特稿/新闻"), (Some(1), "本周特稿/新闻".into()));
        assert_eq!(of("12、工具"), (Some(12), "工具".into()));
        assert_eq!(of("3) Tools"), (Some(3), "Tools".into()));
        for text in [
            "1.5 release",
            "2021 年",
            "12:30 news",
            "007. Bond",
            "1.",
            "5 tools",
            "",
            "Tools",
        ] {
            assert_eq!(of(text), (None, text.to_owned()));
        }
    }
}
