//! Words by which parts of a letter are told, in the languages we know letters in.

use crate::model::issue::{Block, Inline};

/// A heading in the form in which two are compared: small letters and digits only.
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

/// Whether a paragraph is nothing but dashes or stars: a line across the page, drawn by hand.
pub(super) fn is_separator(block: &Block) -> bool {
    let Block::Paragraph(inlines) = block else {
        return false;
    };
    let mut marks = 0;
    for inline in inlines {
        let Inline::Text(text) = inline else {
            return false;
        };
        for c in text.chars().filter(|c| !c.is_whitespace()) {
            if !"—–-―─━⸺⸻=_~*•·⁂".contains(c) {
                return false;
            }
            marks += 1;
        }
    }
    marks >= 3
        || inlines
            .iter()
            .any(|i| matches!(i, Inline::Text(t) if t.contains(['⁂', '⸻'])))
}
