//! What Letterpress itself says to readers, in mails and on pages, and how dates read, in each language it speaks.
//!
//! Which phrases there are stands in `words`; each language fills them in, in a file of `languages`. Every other
//! language falls back to English, and [`Phrases::speaks`] tells who must say so. Here is the text alone: `compose`,
//! `notice` and `http` put it into mails and pages.

pub(crate) mod dates;
mod languages;
pub(crate) mod script;
mod words;

use std::ops::Deref;

use crate::model::issue::AlertKind;
use script::Script;
use words::Words;

/// A language that Letterpress speaks; its phrases are fields of what it points to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phrases(&'static Words);

impl Deref for Phrases {
    type Target = Words;

    fn deref(&self) -> &Words {
        self.0
    }
}

/// A part of a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bit {
    /// Words.
    Text(&'static str),
    /// What stands in braces there, and is filled in.
    Hole(&'static str),
}

impl Phrases {
    /// The language to use for a language tag (BCP 47).
    pub(crate) fn of(language: &str) -> Phrases {
        let script = Script::of(language);
        let found = languages::ALL.into_iter().find(|words| {
            primary(words.tag) == primary(language) && Script::of(words.tag) == script
        });
        Phrases(found.unwrap_or(languages::ENGLISH))
    }

    /// Its language tag (BCP 47).
    pub(crate) fn language(self) -> &'static str {
        self.0.tag
    }

    /// Whether these words are in the language of a tag. Where they are not, they must not claim to be.
    pub(crate) fn speaks(self, language: &str) -> bool {
        primary(language) == primary(self.0.tag)
    }

    /// Its direction, as HTML writes it.
    pub(crate) fn direction(self) -> &'static str {
        direction(self.0.tag)
    }

    /// The issue's number, such as “No. 22”.
    pub(crate) fn numbered(self, number: u32) -> String {
        fill(self.number, &[("number", &number.to_string())])
    }

    /// The number of items in a section, at the end of its row in the contents.
    pub(crate) fn counted(self, count: usize) -> String {
        fill(self.items, &[("count", &count.to_string())])
    }

    /// Why a reader gets the newsletter: the text before the address, between the address and the day of
    /// subscription, and after that day.
    pub(crate) fn reasons(self, list: &str) -> [String; 3] {
        let mut out = [String::new(), String::new(), String::new()];
        let mut at = 0;
        for bit in bits(self.why) {
            match bit {
                Bit::Text(text) => out[at].push_str(text),
                Bit::Hole("email") => at = 1,
                Bit::Hole("date") => at = 2,
                Bit::Hole(hole) => out[at].push_str(named(hole, list)),
            }
        }
        out
    }

    /// The title of a remark of a kind.
    pub(crate) fn alert(self, kind: AlertKind) -> &'static str {
        match kind {
            AlertKind::Note => self.note,
            AlertKind::Tip => self.tip,
            AlertKind::Important => self.important,
            AlertKind::Warning => self.warning,
            AlertKind::Caution => self.caution,
        }
    }

    /// What a film is called whose author gives it no name; `site` is the one that shows it, where that is known.
    pub(crate) fn film(self, site: Option<&str>) -> String {
        site.map_or_else(
            || self.video.to_owned(),
            |site| fill(self.video_on, &[("site", site)]),
        )
    }
}

/// `ltr` or `rtl`: how a language is written, by its tag (BCP 47).
pub(crate) fn direction(language: &str) -> &'static str {
    if Script::of(language).is_right_to_left() {
        "rtl"
    } else {
        "ltr"
    }
}

/// A phrase cut at its placeholders.
pub(crate) fn bits(phrase: &'static str) -> impl Iterator<Item = Bit> {
    let mut rest = phrase;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((hole, after)) = rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            rest = after;
            return Some(Bit::Hole(hole));
        }
        let end = rest.find('{').unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Bit::Text(text))
    })
}

/// A phrase with its placeholders filled in. Where a phrase writes `{title}`, the value of `list` stands without the
/// marks around it.
pub(crate) fn fill(phrase: &'static str, values: &[(&str, &str)]) -> String {
    let value = |name: &str| {
        values
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, v)| *v)
    };
    bits(phrase)
        .map(|bit| match bit {
            Bit::Text(text) => text,
            Bit::Hole(hole) => value(hole)
                .or_else(|| value("list").map(|list| named(hole, list)))
                .unwrap_or_default(),
        })
        .collect()
}

/// The name of a newsletter as a placeholder wants it: `{list}` as it stands, `{title}` without marks around it.
pub(crate) fn named<'l>(hole: &str, list: &'l str) -> &'l str {
    if hole == "title" {
        list.trim_matches(['《', '》', '「', '」', '『', '』'])
    } else {
        list
    }
}

/// The language of a tag, without script and region, in small letters.
fn primary(tag: &str) -> String {
    tag.split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_finds_its_language_and_others_fall_back_to_english() {
        for (tag, language) in [
            ("en-GB", "en"),
            ("de-CH", "de"),
            ("FR", "fr"),
            ("es_MX", "es"),
            ("zh", "zh-Hans"),
            ("zh-TW", "zh-Hant"),
            ("ja-JP", "ja"),
            ("ko", "ko"),
            ("ar-EG", "ar"),
            ("ar-Latn", "en"),
            ("zh-Latn-pinyin", "en"),
            ("it", "en"),
            ("fa", "en"),
            ("", "en"),
        ] {
            assert_eq!(Phrases::of(tag).language(), language, "{tag}");
        }
    }

    #[test]
    fn english_does_not_claim_to_be_another_language() {
        assert!(Phrases::of("de-AT").speaks("de-AT"));
        assert!(!Phrases::of("it").speaks("it"));
        assert!(!Phrases::of("zh-Latn").speaks("zh-Latn"));
        assert_eq!(Phrases::of("ar").direction(), "rtl");
        assert_eq!(Phrases::of("fa").direction(), "ltr");
    }

    /// `{title}` fills the place of `{list}`.
    fn holes(phrase: &'static str) -> Vec<&'static str> {
        let mut holes: Vec<&str> = bits(phrase)
            .filter_map(|bit| match bit {
                Bit::Hole("title") => Some("list"),
                Bit::Hole(hole) => Some(hole),
                Bit::Text(_) => None,
            })
            .collect();
        holes.sort_unstable();
        holes
    }

    #[test]
    fn every_language_has_every_phrase_with_its_placeholders() {
        for words in languages::ALL {
            for (name, text, mut wanted) in words.all() {
                wanted.sort_unstable();
                let tag = words.tag;
                assert!(
                    !text.trim().is_empty() && text.trim() == text,
                    "{tag}: {name}"
                );
                assert_eq!(holes(text), wanted, "{tag}: {name}");
                assert!(!text.contains(['<', '>', '&', '"']), "{tag}: {name}");
            }
            let why: Vec<&str> = bits(words.why)
                .filter_map(|bit| match bit {
                    Bit::Hole(hole @ ("email" | "date")) => Some(hole),
                    _ => None,
                })
                .collect();
            assert_eq!(why, ["email", "date"], "{}", words.tag);
        }
    }

    #[test]
    fn no_language_repeats_the_english_sentences() {
        for words in languages::ALL.iter().filter(|words| words.tag != "en") {
            let english = languages::ENGLISH.all();
            for ((name, own, _), (_, english, _)) in words.all().into_iter().zip(english) {
                // Single words, such as “Video”, and “Error: …” may be the same.
                if english.split(' ').count() > 2 {
                    assert_ne!(own, english, "{}: {name}", words.tag);
                }
            }
        }
    }

    #[test]
    fn a_name_in_a_phrase_keeps_its_braces_and_loses_doubled_marks() {
        let list = "{email} & Co.";
        assert_eq!(
            fill(Phrases::of("en").confirm_subject, &[("list", list)]),
            "Please confirm your subscription to {email} & Co."
        );
        assert_eq!(
            fill(Phrases::of("zh").confirm_subject, &[("list", "《证明》")]),
            "请确认您对《证明》的订阅"
        );
        assert_eq!(
            Phrases::of("ja").reasons("証明"),
            [
                "このメールは、",
                " が",
                "から「証明」を購読しているためお送りしています。"
            ]
        );
    }
}
