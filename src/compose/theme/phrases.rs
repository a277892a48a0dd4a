//! The words of a mail that are ours and not the author's, in the mail's language.
//!
//! English, Chinese in both scripts, and German; every other language falls back to English. The words of
//! pages are `http`'s.

use jiff::Zoned;
use jiff::civil::{Date, Weekday};

use super::script::Script;

/// A language that our own words exist in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phrases {
    English,
    German,
    Hans,
    Hant,
}

impl Phrases {
    /// The words for a language tag (BCP 47).
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

    /// The tag of the language these words are in.
    pub(crate) fn language(self) -> &'static str {
        self.pick(["en", "de", "zh-Hans", "zh-Hant"])
    }

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

    /// A day with its year, such as “25 July 2021”.
    pub(crate) fn date(self, date: Date) -> String {
        let (year, month, day) = (date.year(), date.month(), date.day());
        match self {
            Phrases::English => format!("{day} {} {year}", ENGLISH_MONTHS[month_index(month)]),
            Phrases::German => format!("{day}. {} {year}", GERMAN_MONTHS[month_index(month)]),
            Phrases::Hans | Phrases::Hant => format!("{year} 年 {month} 月 {day} 日"),
        }
    }

    /// A day with the day of the week and without the year, such as “Sunday, 1 August”.
    pub(crate) fn day(self, date: Date) -> String {
        let weekday = match date.weekday() {
            Weekday::Monday => self.pick(["Monday", "Montag", "周一", "週一"]),
            Weekday::Tuesday => self.pick(["Tuesday", "Dienstag", "周二", "週二"]),
            Weekday::Wednesday => self.pick(["Wednesday", "Mittwoch", "周三", "週三"]),
            Weekday::Thursday => self.pick(["Thursday", "Donnerstag", "周四", "週四"]),
            Weekday::Friday => self.pick(["Friday", "Freitag", "周五", "週五"]),
            Weekday::Saturday => self.pick(["Saturday", "Samstag", "周六", "週六"]),
            Weekday::Sunday => self.pick(["Sunday", "Sonntag", "周日", "週日"]),
        };
        let (month, day) = (date.month(), date.day());
        match self {
            Phrases::English => format!("{weekday}, {day} {}", ENGLISH_MONTHS[month_index(month)]),
            Phrases::German => format!("{weekday}, {day}. {}", GERMAN_MONTHS[month_index(month)]),
            Phrases::Hans | Phrases::Hant => format!("{month} 月 {day} 日（{weekday}）"),
        }
    }

    /// How many items a section holds, at the end of its row in the contents.
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

    /// Why somebody gets the letter: what stands before the address, between it and the day since when, and after.
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

    /// A moment within some days, with its zone, such as “Sunday, 1 August, 09:14 (UTC)”.
    pub(crate) fn moment(self, at: &Zoned) -> String {
        let between = self.pick([", ", ", ", "", ""]);
        format!(
            "{}{between}{} ({})",
            self.day(at.date()),
            at.strftime("%H:%M"),
            crate::format::zone(at)
        )
    }

    pub(crate) fn unsubscribe(self) -> &'static str {
        self.pick(["Unsubscribe", "Abbestellen", "退订", "退訂"])
    }

    pub(crate) fn sent_with(self) -> &'static str {
        self.pick([
            "Sent with Letterpress",
            "Versandt mit Letterpress",
            "由 Letterpress 寄出",
            "由 Letterpress 寄出",
        ])
    }
}

/// Months come from a `Date`, which holds 1 to 12.
fn month_index(month: i8) -> usize {
    usize::try_from(month - 1).unwrap_or(0).min(11)
}

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn dates_read_as_each_language_writes_them() {
        let day = date(2021, 7, 25);
        assert_eq!(Phrases::English.date(day), "25 July 2021");
        assert_eq!(Phrases::German.date(day), "25. Juli 2021");
        assert_eq!(Phrases::Hans.date(day), "2021 年 7 月 25 日");
        assert_eq!(Phrases::English.day(day), "Sunday, 25 July");
        assert_eq!(Phrases::Hans.day(date(2021, 8, 1)), "8 月 1 日（周日）");
        let moment: Zoned = "2021-08-01T09:14[UTC]".parse().unwrap();
        assert_eq!(
            Phrases::English.moment(&moment),
            "Sunday, 1 August, 09:14 (UTC)"
        );
        assert_eq!(
            Phrases::Hans.moment(&moment),
            "8 月 1 日（周日）09:14 (UTC)"
        );
    }

    #[test]
    fn a_language_without_words_of_its_own_gets_english() {
        assert_eq!(Phrases::of("ar").unsubscribe(), "Unsubscribe");
        assert_eq!(Phrases::of("de-CH").unsubscribe(), "Abbestellen");
        assert_eq!(Phrases::of("zh-TW").unsubscribe(), "退訂");
        assert_eq!(Phrases::of("zh").unsubscribe(), "退订");
    }
}
