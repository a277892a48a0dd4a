//! The script of a language, which decides its direction and how a mail sets it.

/// The scripts that a mail sets differently, each with fonts and sizes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// Latin, and every script that is set like it.
    Latin,
    /// Chinese in simplified characters.
    Hans,
    /// Chinese in traditional characters.
    Hant,
    /// Japanese.
    Japanese,
    /// Korean.
    Korean,
    /// Arabic, Hebrew and the other scripts that run from right to left.
    RightToLeft,
}

impl Script {
    /// Every script.
    pub(crate) const ALL: [Script; 6] = [
        Script::Latin,
        Script::Hans,
        Script::Hant,
        Script::Japanese,
        Script::Korean,
        Script::RightToLeft,
    ];

    /// The script of a language tag (BCP 47): its script subtag, else the usual one for language and region.
    pub(crate) fn of(language: &str) -> Script {
        let tag = language.to_ascii_lowercase();
        let mut subtags = tag.split(['-', '_']);
        let primary = subtags.next().unwrap_or_default();
        let rest: Vec<&str> = subtags.collect();
        let has = |subtag: &str| rest.contains(&subtag);
        match primary {
            _ if has("latn") => Script::Latin,
            _ if has("arab") || has("hebr") => Script::RightToLeft,
            "zh" | "yue" | "wuu" if has("hant") => Script::Hant,
            "zh" if has("hans") => Script::Hans,
            "zh" if has("tw") || has("hk") || has("mo") => Script::Hant,
            "zh" | "wuu" => Script::Hans,
            "yue" => Script::Hant,
            "ja" => Script::Japanese,
            "ko" => Script::Korean,
            "ar" | "he" | "iw" | "fa" | "ur" | "ps" | "sd" | "ug" | "yi" | "dv" | "ckb" => {
                Script::RightToLeft
            }
            _ => Script::Latin,
        }
    }

    /// Whether it is Chinese, Japanese or Korean: characters fill their em, so lines need more leading, titles
    /// a smaller size, and nothing is set in italics.
    pub(crate) fn is_cjk(self) -> bool {
        matches!(
            self,
            Script::Hans | Script::Hant | Script::Japanese | Script::Korean
        )
    }

    /// Whether lines run from right to left.
    pub(crate) fn is_right_to_left(self) -> bool {
        self == Script::RightToLeft
    }
}

/// Whether a character belongs to a block that Unicode reserves for right-to-left scripts.
pub(crate) fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_its_script() {
        for (tag, script) in [
            ("en", Script::Latin),
            ("de-AT", Script::Latin),
            ("", Script::Latin),
            ("zh", Script::Hans),
            ("zh-CN", Script::Hans),
            ("zh-Hant-CN", Script::Hant),
            ("zh_TW", Script::Hant),
            ("zh-Hans-HK", Script::Hans),
            ("zh-Latn-pinyin", Script::Latin),
            ("ja", Script::Japanese),
            ("KO-kr", Script::Korean),
            ("ar", Script::RightToLeft),
            ("he-IL", Script::RightToLeft),
            ("az-Arab", Script::RightToLeft),
        ] {
            assert_eq!(Script::of(tag), script, "{tag}");
        }
    }
}
