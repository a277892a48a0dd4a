//! What Letterpress itself says in mails and how dates read, in each language it speaks.
//!
//! English, German, and Chinese in both scripts; every other language falls back to English. Here is the text
//! alone: `compose` and `notice` put it into mails. Pages are in English, and their sentences are in `http`.

pub(crate) mod confirmation;
pub(crate) mod dates;
pub(crate) mod script;

use script::Script;

/// A language that Letterpress speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phrases {
    /// English, and the fallback for every language that is not here.
    English,
    /// German.
    German,
    /// Chinese in simplified characters.
    Hans,
    /// Chinese in traditional characters.
    Hant,
}

impl Phrases {
    /// The language to use for a language tag (BCP 47).
    pub(crate) fn of(language: &str) -> Phrases {
        let primary = language
            .split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match (primary.as_str(), Script::of(language)) {
            (_, Script::Hans) => Phrases::Hans,
            (_, Script::Hant) => Phrases::Hant,
            ("de", _) => Phrases::German,
            _ => Phrases::English,
        }
    }

    /// Its language tag (BCP 47).
    pub(crate) fn language(self) -> &'static str {
        self.pick(["en", "de", "zh-Hans", "zh-Hant"])
    }

    /// One of four values, in the order English, German, simplified and traditional Chinese.
    fn pick<T: Copy>(self, [english, german, hans, hant]: [T; 4]) -> T {
        match self {
            Phrases::English => english,
            Phrases::German => german,
            Phrases::Hans => hans,
            Phrases::Hant => hant,
        }
    }

    /// The number, such as “No. 22”.
    pub(crate) fn number(self, number: u32) -> String {
        match self {
            Phrases::English => format!("No. {number}"),
            Phrases::German => format!("Nr. {number}"),
            Phrases::Hans => format!("第 {number} 期"),
            Phrases::Hant => format!("第 {number} 期"),
        }
    }

    /// The number of items in a section, at the end of its row in the contents.
    pub(crate) fn items(self, count: usize) -> String {
        match self {
            Phrases::English | Phrases::German => count.to_string(),
            Phrases::Hans | Phrases::Hant => format!("{count} 篇"),
        }
    }

    /// The heading over the contents.
    pub(crate) fn contents(self) -> &'static str {
        self.pick(["In this issue", "In dieser Ausgabe", "目录", "目錄"])
    }

    /// The button of the call to subscribe.
    pub(crate) fn subscribe(self) -> &'static str {
        self.pick(["Subscribe", "Abonnieren", "订阅本刊", "訂閱本刊"])
    }

    /// Why a reader gets the newsletter: the text before the address, between the address and the day of
    /// subscription, and after that day.
    pub(crate) fn why(self, list: &str) -> [String; 3] {
        let title = list.trim_matches(['《', '》']);
        match self {
            Phrases::English => [
                format!("You get {list} because "),
                " has been subscribed to it since ".into(),
                ".".into(),
            ],
            Phrases::German => [
                format!("Sie erhalten {list}, weil "),
                " seit dem ".into(),
                " dafür angemeldet ist.".into(),
            ],
            Phrases::Hans => [
                "您收到这封信，是因为 ".into(),
                " 自 ".into(),
                format!("起订阅了《{title}》。"),
            ],
            Phrases::Hant => [
                "您收到這封信，是因為 ".into(),
                " 自 ".into(),
                format!("起訂閱了《{title}》。"),
            ],
        }
    }

    /// The link to unsubscribe.
    pub(crate) fn unsubscribe(self) -> &'static str {
        self.pick(["Unsubscribe", "Abbestellen", "退订", "退訂"])
    }

    /// The last line of a mail.
    pub(crate) fn sent_with(self) -> &'static str {
        self.pick([
            "Sent with Letterpress",
            "Versandt mit Letterpress",
            "由 Letterpress 寄出",
            "由 Letterpress 寄出",
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_languages_fall_back_to_english() {
        assert_eq!(Phrases::of("ar").unsubscribe(), "Unsubscribe");
        assert_eq!(Phrases::of("de-CH").unsubscribe(), "Abbestellen");
        assert_eq!(Phrases::of("zh-TW").unsubscribe(), "退訂");
        assert_eq!(Phrases::of("zh").unsubscribe(), "退订");
    }
}
