//! A rendered issue: what is stored when a send is queued, and never changes afterwards.
//!
//! It is text cut at the personal spots. `mail` fills the spots for one person and encodes; no other room
//! needs to know how the text came about.

use serde::{Deserialize, Serialize};

/// The version of this format that is written; a stored issue of another version is refused with its number.
pub const FORMAT: u32 = 1;

/// A spot that differs from person to person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "spot", rename_all = "snake_case")]
pub enum Spot {
    /// The person's name, or the given word where it is empty.
    Name { default: String },
    /// The person's address.
    Email,
    /// The day since which the person is subscribed, as the language writes it.
    SubscribedSince,
    /// The address of the person's own unsubscribe page.
    UnsubscribeUrl,
    /// The address of the person's own confirm page (system mails).
    ConfirmUrl,
}

/// How a spot's value must be escaped where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// Text or a double-quoted attribute of HTML: `& < > " '` become entities.
    Html,
    /// Plain text: control characters become one space, nothing else changes.
    Text,
}

/// A run of text, or a spot in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Piece {
    /// The same for everybody.
    Text(String),
    /// Filled in for each person.
    Spot {
        /// What stands there.
        #[serde(flatten)]
        spot: Spot,
        /// How its value is escaped.
        context: Context,
    },
}

/// One issue, rendered for a list; pure data, no markup that is still to be interpreted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// [`FORMAT`] at the time of writing.
    pub format: u32,
    /// One line; spots in [`Context::Text`].
    pub subject: Vec<Piece>,
    /// A whole HTML document, lines ended by LF.
    pub html: Vec<Piece>,
    /// The text part, lines ended by LF.
    pub text: Vec<Piece>,
    /// BCP 47, such as `zh-Hans`.
    pub language: String,
}

impl Rendered {
    /// An empty mail in the current format: no subject, no text, in English.
    pub fn empty() -> Self {
        Self {
            format: FORMAT,
            language: "en".into(),
            ..Self::missing()
        }
    }

    /// In the place of an issue that could not be rendered: of a format that nobody takes, so it can't be sent.
    pub fn missing() -> Self {
        Self {
            format: 0,
            subject: vec![],
            html: vec![],
            text: vec![],
            language: String::new(),
        }
    }

    /// The bytes of the HTML with every spot left empty: what Gmail's 102 KB are measured against.
    pub fn html_bytes(&self) -> usize {
        self.html
            .iter()
            .map(|p| if let Piece::Text(t) = p { t.len() } else { 0 })
            .sum()
    }
}
