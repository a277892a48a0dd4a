//! A person, and what joins a person to a list.

use jiff::Timestamp;
use serde::Serialize;

use super::{Address, SubscriberId};

/// Whether somebody gets a list. Numbers are what the database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum SubscriptionState {
    /// Asked for it; has not confirmed.
    Pending = 0,
    Active = 1,
    Unsubscribed = 2,
    /// Mail came back for good (set when bounces are processed).
    Bounced = 3,
    /// Reported as spam.
    Complained = 4,
}

impl SubscriptionState {
    pub const ALL: [SubscriptionState; 5] = [
        Self::Pending,
        Self::Active,
        Self::Unsubscribed,
        Self::Bounced,
        Self::Complained,
    ];

    /// The word that people and scripts read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number)
            .ok()
            .and_then(|n| Self::ALL.get(n).copied())
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Whether the person is gone from the list: no import brings them back.
    pub fn is_gone(self) -> bool {
        !matches!(self, Self::Pending | Self::Active)
    }

    /// Whether this state wins where a file says both, or a file this and the database the other: active over
    /// pending, and being gone over either; who is gone already stays so as they are.
    pub fn wins_over(self, other: Self) -> bool {
        let rank = |state: Self| (state as u8).min(Self::Unsubscribed as u8);
        rank(self) > rank(other)
    }
}

/// How somebody's consent, or its end, reached us; kept for ever in the table `consent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The form at `/subscribe`, or its JSON.
    Form,
    Json,
    /// `subscribers add`, `remove`.
    Command,
    /// `subscribers import`.
    Import,
    /// The page behind a link in a mail.
    Page,
    /// The POST of RFC 8058.
    OneClick,
}

impl How {
    pub fn word(self) -> &'static str {
        match self {
            How::Form => "form",
            How::Json => "json",
            How::Command => "command",
            How::Import => "import",
            How::Page => "page",
            How::OneClick => "one-click",
        }
    }
}

/// What happened to somebody's consent to a list; the events of the table `consent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentEvent {
    /// Asked to join; says nothing yet about who asked.
    Asked,
    /// Confirmed by the link in a mail.
    Confirmed,
    /// Brought in by the author's file.
    Imported,
    /// Added by the author's command.
    Added,
    /// Left, by whatever way.
    Left,
    /// Took the leaving back.
    Undone,
}

impl ConsentEvent {
    /// The word that is stored, and that people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Confirmed => "confirmed",
            Self::Imported => "imported",
            Self::Added => "added",
            Self::Left => "left",
            Self::Undone => "undone",
        }
    }
}

/// The longest name that is kept, in characters.
pub const NAME_MAX_CHARS: usize = 500;

/// A name, or another short text about a person, on one line: line breaks and other control characters become
/// spaces, several spaces become one, and none stands at either end.
pub fn tidy(text: &str) -> String {
    let breaks = |c: char| c == ' ' || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut out = String::with_capacity(text.len());
    for word in text.split(breaks).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// One person's place on one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subscription {
    /// The list's key.
    pub list: String,
    pub state: SubscriptionState,
}

/// A person as `subscribers list --json` shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    pub id: SubscriberId,
    pub email: Address,
    pub name: String,
    pub tags: Vec<String>,
    pub subscriptions: Vec<Subscription>,
    pub joined_at: Timestamp,
}

impl Subscriber {
    /// Where the person stands: on the list of this key, or, without one, wherever it is best: active if
    /// anywhere, else pending, and so on. `None`: on no list.
    pub fn state(&self, list: Option<&str>) -> Option<SubscriptionState> {
        let here = self
            .subscriptions
            .iter()
            .filter(|place| list.is_none_or(|key| key == place.list));
        here.map(|place| place.state)
            .min_by_key(|state| match state {
                SubscriptionState::Active => 0,
                other => 1 + *other as u8,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_on_one_line() {
        assert_eq!(
            tidy("Eve\r\nBcc: victim@else.example"),
            "Eve Bcc: victim@else.example"
        );
        assert_eq!(tidy(" A\n \tB\u{2028}C\0D\u{85} "), "A B C D");
        assert_eq!(tidy("山田\u{3000}太郎"), "山田\u{3000}太郎");
        assert_eq!(tidy("\n"), "");
    }

    #[test]
    fn who_is_active_anywhere_is_active() {
        let place = |list: &str, state| Subscription {
            list: list.into(),
            state,
        };
        let ann = Subscriber {
            id: SubscriberId(1),
            email: Address::parse("ann@readers.example").unwrap(),
            name: String::new(),
            tags: Vec::new(),
            subscriptions: vec![
                place("daily", SubscriptionState::Unsubscribed),
                place("weekly", SubscriptionState::Active),
                place("yearly", SubscriptionState::Pending),
            ],
            joined_at: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(ann.state(None), Some(SubscriptionState::Active));
        assert_eq!(
            ann.state(Some("daily")),
            Some(SubscriptionState::Unsubscribed)
        );
        assert_eq!(ann.state(Some("hourly")), None);
    }

    proptest::proptest! {
        #[test]
        fn tidying_twice_changes_nothing(text in ".*") {
            let once = tidy(&text);
            proptest::prop_assert_eq!(&tidy(&once), &once);
            proptest::prop_assert!(!once.contains(char::is_control));
        }
    }
}
