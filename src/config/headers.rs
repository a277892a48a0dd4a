//! `[list.KEY.headers]`: headers that an author adds to the issues of a list.
//!
//! Those that Letterpress or the way of a mail gives each mail are refused, and so is what could break out of its field.

use super::parse::BadValue;
use super::taker::Taker;

/// The longest name, in characters.
const NAME_MAX: usize = 64;
/// The longest value, in bytes: with its name it stays below the longest line (RFC 5322, 2.1.1) wherever it is folded.
const VALUE_MAX_BYTES: usize = 900;
/// Headers that are not the author's, in lower case. One that ends with `-` stands for all that begin so.
const NOT_THEIRS: [&str; 29] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-",
    "return-path",
    "received",
    "received-",
    "resent-",
    "delivered-to",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "feedback-id",
    "auto-submitted",
    "dkim-signature",
    "domainkey-signature",
    "authentication-results",
    "arc-",
    "cfbl-address",
    "cfbl-feedback-id",
    "x-pm-metadata-message-id",
];

impl Taker<'_> {
    /// The headers that a list adds; those that are wrong are noted and left out.
    pub(super) fn headers(&mut self, list: &str) -> Vec<(String, String)> {
        let names: Vec<String> = self
            .values
            .further_headers(list)
            .map(|path| path[3].clone())
            .collect();
        let mut headers: Vec<(String, String)> = Vec::new();
        for name in names {
            let at = ["list", list, "headers", name.as_str()];
            if let Some((other, _)) = headers
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(&name))
            {
                let bad = BadValue::from(format!("{other} is the same header"));
                self.wrong_text(&at, &bad.help("Remove one of them."));
                continue;
            }
            let value = self.parsed(&at, |value| checked(&name, value));
            headers.extend(value.map(|value| (name, value)));
        }
        headers
    }
}

/// The value of a header, if it can be one.
fn checked(name: &str, value: &str) -> Result<String, BadValue> {
    let bad = |what: String, help: &str| Err(BadValue::from(what).help(help));
    let is_name = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if name.is_empty() || name.len() > NAME_MAX || !is_name {
        return bad(
            format!("“{name}” can't be the name of a header"),
            "Use at most 64 ASCII letters, digits, - and _, such as X-PM-Message-Stream.",
        );
    }
    let lower = name.to_ascii_lowercase();
    if lower == "reply-to" {
        return bad(
            "Reply-To is a setting of its own".into(),
            "Set reply_to of the list.",
        );
    }
    let is_not_theirs = NOT_THEIRS
        .iter()
        .any(|other| lower == *other || other.ends_with('-') && lower.starts_with(other));
    if is_not_theirs {
        return bad(
            format!("{name} can't be set: each mail gets its own from Letterpress, or on its way"),
            "Remove it. Headers of your mail provider, such as X-PM-Message-Stream, can be set here.",
        );
    }
    if value.trim().is_empty() {
        return bad("the value is empty".into(), "Write a value, or remove it.");
    }
    if value.chars().any(char::is_control) {
        return bad(
            "the value has a line break or another control character".into(),
            "Write it on one line.",
        );
    }
    if value.len() > VALUE_MAX_BYTES {
        return bad(
            format!("the value has {} bytes", value.len()),
            "At most 900 bytes fit.",
        );
    }
    Ok(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authors_header_is_neither_ours_nor_more_than_a_line() {
        let words = |name: &str, value: &str| match checked(name, value) {
            Ok(value) => value,
            Err(bad) => bad.what,
        };
        assert_eq!(words("X-PM-Message-Stream", " broadcast "), "broadcast");
        assert_eq!(
            words("List-Help", "<https://a.example/>"),
            "<https://a.example/>"
        );
        for ours in [
            "Subject",
            "bcc",
            "CONTENT-TYPE",
            "Content-Language",
            "List-Unsubscribe-Post",
            "ARC-Seal",
            "Resent-From",
            "X-PM-Metadata-message-id",
        ] {
            assert!(words(ours, "x").contains("can't be set"), "{ours}");
        }
        assert!(words("Reply-To", "a@b.example").contains("setting of its own"));
        for name in ["", "X Y", "X:Y", "X-Ä", "X\r\nBcc", &"x".repeat(65)] {
            assert!(words(name, "x").contains("can't be the name"), "{name}");
        }
        for value in ["a\r\nBcc: b@c.example", "a\nb", "a\0", "a\tb"] {
            assert!(words("X-A", value).contains("line break"), "{value:?}");
        }
        assert!(words("X-A", " ").contains("empty"));
        assert!(words("X-A", &"a".repeat(901)).contains("901 bytes"));
        assert_eq!(words("X-A", &"a".repeat(900)).len(), 900);
    }
}
