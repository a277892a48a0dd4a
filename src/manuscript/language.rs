//! The language of a text as far as its script says: enough for fonts, line breaks and direction.

/// Characters that only one of the two Chinese scripts uses, in pairs of simplified and traditional.
const PAIRS: &str = "这這们們个個国國为為时時会會来來对對说說学學过過还還发發经經与與实實业業关關开開现現进進动動产產\
    无無从從图圖长長书書机機东東车車电電门門问問间間见見认認让讓应應点點体體数數据據网網样樣给給";

/// The tag for a text in an East Asian or right-to-left script; `None` where the script doesn't say.
pub(super) fn guess(text: &str) -> Option<&'static str> {
    let (mut letters, mut han, mut kana, mut hangul, mut arabic, mut hebrew) = (0, 0, 0, 0, 0, 0);
    let (mut simplified, mut traditional, mut persian) = (0, 0, 0);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        match c {
            '\u{3400}'..='\u{9FFF}' => {
                han += 1;
                match PAIRS
                    .chars()
                    .filter(|c| !c.is_whitespace())
                    .position(|p| p == c)
                {
                    Some(at) if at % 2 == 0 => simplified += 1,
                    Some(_) => traditional += 1,
                    None => {}
                }
            }
            '\u{3040}'..='\u{30FF}' => kana += 1,
            '\u{AC00}'..='\u{D7A3}' => hangul += 1,
            '\u{0600}'..='\u{06FF}' => {
                arabic += 1;
                persian += usize::from(matches!(c, 'پ' | 'چ' | 'ژ' | 'گ' | 'ک' | 'ی'));
            }
            '\u{0590}'..='\u{05FF}' => hebrew += 1,
            _ => {}
        }
    }
    // A character says about as much as a word: a third of a letter in Han is a Chinese letter.
    let much = |n: usize| n * 5 > letters && n > 0;
    if much(hangul) && hangul > han {
        Some("ko")
    } else if much(kana) || (much(han + kana) && kana * 10 > han) {
        Some("ja")
    } else if much(han) {
        Some(if traditional > simplified {
            "zh-Hant"
        } else {
            "zh-Hans"
        })
    } else if much(arabic) {
        Some(if persian * 20 > arabic { "fa" } else { "ar" })
    } else if much(hebrew) {
        Some("he")
    } else {
        None
    }
}

/// Scripts that are written without spaces: Han, kana, and their punctuation. (Korean has spaces.)
pub(crate) fn is_east_asian(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{2FFF}' | '\u{3000}'..='\u{312F}' | '\u{31A0}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FF60}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether a character is a syllable of Korean.
pub(super) fn is_hangul(c: char) -> bool {
    matches!(c, '\u{AC00}'..='\u{D7A3}')
}

#[cfg(test)]
mod tests {
    use super::guess;

    #[test]
    fn scripts_tell_languages() {
        assert_eq!(
            guess("这是本周的机器学习新闻，CVPR 提出了各种方法"),
            Some("zh-Hans")
        );
        assert_eq!(guess("這是本週的機器學習新聞"), Some("zh-Hant"));
        assert_eq!(guess("今週の機械学習ニュースです"), Some("ja"));
        assert_eq!(guess("이번 주의 기계 학습 소식"), Some("ko"));
        assert_eq!(guess("أخبار هذا الأسبوع"), Some("ar"));
        assert_eq!(guess("این هفته چه گذشت"), Some("fa"));
        assert_eq!(guess("חדשות השבוע"), Some("he"));
        assert_eq!(guess("The week in print, with one 字 in it"), None);
        assert_eq!(guess(""), None);
    }

    #[test]
    fn pairs_are_pairs() {
        let pairs: Vec<char> = super::PAIRS
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        assert_eq!(pairs.len() % 2, 0);
        let distinct: std::collections::HashSet<_> = pairs.iter().collect();
        assert_eq!(distinct.len(), pairs.len());
    }
}
