//! A rendered issue: what is stored when a send is queued, and never changes afterwards.
//!
//! It is text cut at the merge fields. `mail` fills them in for one person and encodes the result; how the text came
//! about is known to `compose` and `notice` alone.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The version of the stored format that is written. Version 1 named fields differently and is still read.
pub const FORMAT: u32 = 2;
/// The oldest version that is still read.
const OLDEST: u32 = 1;

/// What a signed link lets its person do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum Purpose {
    /// Confirms a subscription.
    Confirm,
    /// Ends a subscription.
    Unsubscribe,
    /// Nothing: the link of a test copy or a preview, whose page explains that it changes nothing.
    Inert,
    /// Takes back an unsubscription; such links are only on the page that follows it.
    Undo,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 4] = [
        Purpose::Confirm,
        Purpose::Unsubscribe,
        Purpose::Inert,
        Purpose::Undo,
    ];
}

/// A place in a mail whose value differs from person to person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "StoredField", try_from = "StoredField")]
pub enum MergeField {
    /// The person's name.
    Name {
        /// What is written where the name is empty.
        default: String,
    },
    /// The person's address.
    Email,
    /// The day of the person's subscription, as the issue's language writes it.
    SubscribedSince,
    /// The address of the person's own link for a purpose.
    Link(Purpose),
}

/// A merge field as it is stored. Version 1 of the format named the tag `spot`, and had a name for each link.
#[derive(Serialize, Deserialize)]
struct StoredField {
    #[serde(rename = "field", alias = "spot")]
    kind: StoredKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    purpose: Option<Purpose>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredKind {
    Name,
    Email,
    SubscribedSince,
    Link,
    /// Of version 1.
    UnsubscribeUrl,
    /// Of version 1.
    ConfirmUrl,
}

impl From<MergeField> for StoredField {
    fn from(field: MergeField) -> StoredField {
        let (kind, default, purpose) = match field {
            MergeField::Name { default } => (StoredKind::Name, Some(default), None),
            MergeField::Email => (StoredKind::Email, None, None),
            MergeField::SubscribedSince => (StoredKind::SubscribedSince, None, None),
            MergeField::Link(purpose) => (StoredKind::Link, None, Some(purpose)),
        };
        StoredField {
            kind,
            default,
            purpose,
        }
    }
}

impl TryFrom<StoredField> for MergeField {
    type Error = &'static str;

    fn try_from(stored: StoredField) -> Result<MergeField, &'static str> {
        Ok(match stored.kind {
            StoredKind::Name => MergeField::Name {
                default: stored.default.ok_or("a name without its default")?,
            },
            StoredKind::Email => MergeField::Email,
            StoredKind::SubscribedSince => MergeField::SubscribedSince,
            StoredKind::Link => {
                MergeField::Link(stored.purpose.ok_or("a link without its purpose")?)
            }
            StoredKind::UnsubscribeUrl => MergeField::Link(Purpose::Unsubscribe),
            StoredKind::ConfirmUrl => MergeField::Link(Purpose::Confirm),
        })
    }
}

/// How the value of a merge field is escaped in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// Text or a double-quoted attribute of HTML: `& < > " '` become entities.
    Html,
    /// Plain text: control characters become one space, nothing else changes.
    Text,
}

/// A run of text, or a merge field in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Piece {
    /// Text that everybody gets, already escaped for its place.
    Text(String),
    /// A place for one person's value.
    Field {
        /// Which value.
        #[serde(flatten)]
        field: MergeField,
        /// How it is escaped.
        context: Context,
    },
}

/// One issue, rendered for a list; pure data, no markup that is still to be interpreted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// [`FORMAT`] at the time of writing.
    pub format: u32,
    /// One line; its merge fields are in [`Context::Text`].
    pub subject: Vec<Piece>,
    /// A whole HTML document, lines ended by LF.
    pub html: Vec<Piece>,
    /// The text part, lines ended by LF.
    pub text: Vec<Piece>,
    /// BCP 47, such as `zh-Hans`.
    pub language: String,
    /// The date that an issue carries; `None` where its author gave none, in other mails, and in what an older build
    /// stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
}

/// A line of text, such as a subject, as somebody reads it who is nobody's reader: a name is its default, an address
/// nothing.
pub fn impersonal(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Field {
                field: MergeField::Name { default },
                ..
            } => default.as_str(),
            Piece::Field { .. } => "",
        })
        .collect()
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

    /// A stand-in for an issue that could not be rendered. Its format is never readable, so it can't be sent.
    pub fn missing() -> Self {
        Self {
            format: 0,
            subject: vec![],
            html: vec![],
            text: vec![],
            language: String::new(),
            date: None,
        }
    }

    /// Whether this build can send it: its format is neither too old nor newer than [`FORMAT`].
    pub fn is_readable(&self) -> bool {
        (OLDEST..=FORMAT).contains(&self.format)
    }

    /// The size of the HTML with its merge fields left empty, in bytes: Gmail cuts a mail at 102 KB.
    pub fn html_bytes(&self) -> usize {
        self.html
            .iter()
            .map(|p| if let Piece::Text(t) = p { t.len() } else { 0 })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(field: MergeField) -> Piece {
        Piece::Field {
            field,
            context: Context::Html,
        }
    }

    #[test]
    fn an_issue_that_an_older_build_stored_is_read() {
        let stored = r#"{"format":1,"subject":["Proof, ",{"spot":"name","default":"reader","context":"text"}],
            "html":[{"spot":"email","context":"html"},{"spot":"subscribed_since","context":"html"},
            {"spot":"unsubscribe_url","context":"html"},{"spot":"confirm_url","context":"html"}],"text":[],"language":"en"}"#;
        let read: Rendered = serde_json::from_str(stored).unwrap();
        assert!(read.is_readable());
        let name = Piece::Field {
            field: MergeField::Name {
                default: "reader".into(),
            },
            context: Context::Text,
        };
        assert_eq!(read.subject, [Piece::Text("Proof, ".into()), name]);
        assert_eq!(
            read.html,
            [
                field(MergeField::Email),
                field(MergeField::SubscribedSince),
                field(MergeField::Link(Purpose::Unsubscribe)),
                field(MergeField::Link(Purpose::Confirm)),
            ]
        );
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let pieces = vec![
            Piece::Text("a".into()),
            field(MergeField::Name {
                default: String::new(),
            }),
            field(MergeField::Email),
            field(MergeField::SubscribedSince),
            field(MergeField::Link(Purpose::Unsubscribe)),
            field(MergeField::Link(Purpose::Undo)),
        ];
        let stored = serde_json::to_string(&pieces).unwrap();
        assert!(
            stored.ends_with(r#"{"field":"link","purpose":"undo","context":"html"}]"#),
            "{stored}"
        );
        assert_eq!(serde_json::from_str::<Vec<Piece>>(&stored).unwrap(), pieces);
        assert!(!Rendered::missing().is_readable());
    }
}
