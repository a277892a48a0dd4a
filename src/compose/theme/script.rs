//! How a language is written: which stacks of fonts, sizes and direction a mail in it needs.

/// Scripts that are set differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Latin,
    /// Chinese in simplified characters.
    Hans,
    /// Chinese in traditional characters.
    Hant,
    Japanese,
    Korean,
    /// Arabic, Hebrew and what else runs from right to left.
    RightToLeft,
}

impl Script {
    pub(crate) const ALL: [Script; 6] = [
        Script::Latin,
        Script::Hans,
        Script::Hant,
        Script::Japanese,
        Script::Korean,
        Script::RightToLeft,
    ];

    /// The script of a language tag (BCP 47): what its script subtag says, else what is usual.
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

    /// Whether characters fill their em, so that lines need more lead, titles less size, and nothing slants.
    pub(crate) fn is_cjk(self) -> bool {
        matches!(
            self,
            Script::Hans | Script::Hant | Script::Japanese | Script::Korean
        )
    }

    pub(crate) fn is_right_to_left(self) -> bool {
        self == Script::RightToLeft
    }

    /// The stacks of fonts, by the name under which themes speak of them. They stand on most elements of a
    /// mail, so they are kept short.
    ///
    /// In Chinese, YaHei stands before the generic family, or Windows would fall to SimSun's bitmaps.
    pub(crate) fn stacks(self) -> [(&'static str, &'static str); 4] {
        let (serif, sans, emphasis) = match self {
            Script::Latin => (
                "Georgia,serif",
                "-apple-system,'Segoe UI',Roboto,Arial,sans-serif",
                "Georgia,serif",
            ),
            Script::RightToLeft => (
                "Georgia,'Geeza Pro','Noto Naskh Arabic',Tahoma,serif",
                "-apple-system,'Segoe UI',Roboto,Tahoma,sans-serif",
                "Georgia,'Geeza Pro','Noto Naskh Arabic',Tahoma,serif",
            ),
            Script::Hans => (
                "Georgia,'Songti SC','Noto Serif CJK SC','Microsoft YaHei',serif",
                "-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif",
                "Georgia,'Kaiti SC',KaiTi,'Noto Serif CJK SC',serif",
            ),
            Script::Hant => (
                "Georgia,'Songti TC','Noto Serif CJK TC','Microsoft JhengHei',serif",
                "-apple-system,'Segoe UI',Roboto,'PingFang TC','Microsoft JhengHei','Noto Sans CJK TC',sans-serif",
                "Georgia,'Kaiti TC',DFKai-SB,'Noto Serif CJK TC',serif",
            ),
            Script::Japanese => (
                "Georgia,'Hiragino Mincho ProN','Noto Serif CJK JP','Yu Mincho',serif",
                "-apple-system,'Segoe UI',Roboto,'Hiragino Sans','Yu Gothic','Noto Sans CJK JP',sans-serif",
                "Georgia,'Klee One','YuKyokasho','Noto Serif CJK JP',serif",
            ),
            Script::Korean => (
                "Georgia,AppleMyungjo,'Noto Serif CJK KR',Batang,serif",
                "-apple-system,'Segoe UI',Roboto,'Apple SD Gothic Neo','Malgun Gothic','Noto Sans CJK KR',sans-serif",
                "Georgia,AppleMyungjo,'Noto Serif CJK KR',Batang,serif",
            ),
        };
        [
            ("serif", serif),
            ("sans", sans),
            ("kai", emphasis),
            ("mono", "ui-monospace,Menlo,Consolas,monospace"),
        ]
    }
}

/// Whether a letter runs from right to left: the blocks that Unicode keeps for such scripts.
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
