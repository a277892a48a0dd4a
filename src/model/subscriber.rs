//! A person as the database knows them. What may happen to their subscriptions is in `model::subscription`.

use jiff::Timestamp;
use serde::Serialize;

use super::subscription::SubscriptionState;
use super::{Address, SubscriberId};

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

/// A person's state on one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subscription {
    /// The list's key.
    pub list: String,
    /// The state on that list.
    pub state: SubscriptionState,
}

/// A person with all their subscriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// The row; never given to anybody else, even after it is deleted.
    pub id: SubscriberId,
    /// The address, unique without regard to case.
    pub email: Address,
    /// On one line; empty where it is not known.
    pub name: String,
    /// The author's words about them, sorted.
    pub tags: Vec<String>,
    /// A row for each list that they ever were on, by the list's key.
    pub subscriptions: Vec<Subscription>,
    /// When they were first seen, or what the imported file says.
    pub joined_at: Timestamp,
}

impl Subscriber {
    /// The person's state on the list of this key; without a key the best of all lists: active if anywhere, else
    /// pending, and so on. `None`: on no list.
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
