//! An email address, checked and normalised once, at the door.
//!
//! lettre's parser (RFC 5321 and 6531) judges the form; the policy on top is ours: the domain has a dot and
//! an ending, is no address literal, and is kept as A-labels in small letters; what stands before the `@`
//! is put into NFKC and otherwise kept as it was written, but for letters outside ASCII, which become small.
//! So two addresses are the same if they are alike without regard to ASCII case, as the database compares.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr as _;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::invisible;

/// The longest local part that is taken (RFC 5321, 4.5.3.1.1), in bytes.
const LOCAL_MAX_BYTES: usize = 64;
/// The longest address that is taken (RFC 5321, 4.5.3.1.3 less the angle brackets), in bytes.
const ADDRESS_MAX_BYTES: usize = 254;

/// A normalised address, such as `Mei@xn--fsqu00a.xn--4rr70v`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

/// Why a text is no address that mail can be sent to; one line, ready to be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadAddress(String);

impl Address {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// [`BadAddress`] says what to look at; it never repeats more than the address itself.
    pub fn parse(typed: &str) -> Result<Self, BadAddress> {
        let typed = invisible::trim(typed);
        match plain(typed) {
            Some(address) => Ok(Self(address)),
            None => Self::judge(typed),
        }
    }

    /// Judges what is not as plain as most addresses are.
    fn judge(typed: &str) -> Result<Self, BadAddress> {
        let bad = |why: String| Err(BadAddress(why));
        if typed.is_empty() {
            return bad("there is no address".into());
        }
        if let Some((c, name)) = typed.chars().find_map(unseen) {
            let code = u32::from(c);
            return bad(format!(
                "an invisible character is in this address, U+{code:04X} ({name}); type it again"
            ));
        }
        let folded: String = typed.nfkc().collect();
        if let Some(c) = folded.chars().find(|c| c.is_control() || c.is_whitespace()) {
            let what = if c.is_whitespace() && !c.is_control() {
                "a space"
            } else {
                "a control character"
            };
            return bad(format!("an address can't hold {what}"));
        }
        let folded = in_small_letters(&folded);
        let Some((local, domain)) = folded.rsplit_once('@') else {
            return bad("this address has no @".into());
        };
        if local.contains(['\u{200C}', '\u{200D}']) {
            return bad(
                "there is an invisible joiner before the @; type this address again".into(),
            );
        }
        if local.is_empty() || domain.is_empty() {
            return bad("something is missing beside the @".into());
        }
        if local.contains('@') {
            return bad("this address has more than one @".into());
        }
        if domain.starts_with('[') {
            return bad("an IP address in brackets can't be used; write a domain name".into());
        }
        let Ok(ascii) = idna::domain_to_ascii_strict(domain) else {
            return bad(format!("“{domain}” is not a domain name"));
        };
        let ending = ascii.rsplit('.').next().unwrap_or_default();
        if !ascii.contains('.') || ending.is_empty() {
            return bad(
                "this address has no ending such as .com; please check the part after @".into(),
            );
        }
        if ending.bytes().all(|b| b.is_ascii_digit()) {
            return bad("a domain name does not end in a number".into());
        }
        let whole = format!("{local}@{ascii}");
        if local.len() > LOCAL_MAX_BYTES || whole.len() > ADDRESS_MAX_BYTES {
            return bad("this address is longer than mail allows".into());
        }
        if local.starts_with('"') || lettre::Address::from_str(&whole).is_err() {
            return bad(format!("“{local}” can't be used before the @"));
        }
        Ok(Self(whole))
    }

    /// Takes back what [`Address::parse`] gave before, such as a column of the database, unchecked.
    pub fn trusted(stored: String) -> Self {
        Self(stored)
    }

    /// The whole address, as it stands in headers and on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The domain, as A-labels in small letters.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Whether mailing it needs SMTPUTF8 (RFC 6531).
    pub fn needs_smtputf8(&self) -> bool {
        !self.0.is_ascii()
    }

    /// The form under which two addresses are the same; the order of keys is the database's.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// An invisible character with its name. The zero width joiners are passed over: some scripts need them in a domain,
/// where IDNA judges them (RFC 5892, appendix A.1 and A.2).
fn unseen(c: char) -> Option<(char, &'static str)> {
    let is_joiner = matches!(c, '\u{200C}' | '\u{200D}');
    invisible::name(c)
        .filter(|_| !is_joiner)
        .map(|name| (c, name))
}

/// The address, if it is of the kind that nearly all are: a dot-atom before the `@` (RFC 5322, 3.2.3), a domain
/// of ordinary labels behind it. They come by the million; asking lettre and idna would take most of the time
/// of an import, and give the same answer.
fn plain(typed: &str) -> Option<String> {
    let (local, domain) = typed.split_once('@')?;
    let is_atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        bytes.len() <= 63
            && ends(bytes.first())
            && ends(bytes.last())
            && bytes
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && bytes.get(2..4) != Some(b"--")
    };
    let ending = domain.rsplit_once('.')?.1;
    let fits = local.len() <= LOCAL_MAX_BYTES && typed.len() <= ADDRESS_MAX_BYTES;
    let is_plain = fits
        && local.split('.').all(is_atom)
        && domain.split('.').all(is_label)
        && !ending.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| format!("{local}@{}", domain.to_ascii_lowercase()))
}

/// Puts letters outside ASCII into small ones; SQLite's NOCASE knows ASCII alone.
fn in_small_letters(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut small = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            small.push(c);
        } else {
            small.extend(c.to_lowercase());
        }
    }
    Cow::Owned(small.nfkc().collect())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_become_a_labels_and_local_parts_stay() {
        let ok = |typed: &str| Address::parse(typed).unwrap().to_string();
        assert_eq!(ok(" Ann@Readers.EXAMPLE "), "Ann@readers.example");
        assert_eq!(ok("用户@例子.广告"), "用户@xn--fsqu00a.xn--4rr70v");
        assert_eq!(ok("ａ@ｅｘａｍｐｌｅ.com"), "a@example.com");
        assert_eq!(
            ok("first.last+tag@sub.example.co.uk"),
            "first.last+tag@sub.example.co.uk"
        );
    }

    #[test]
    fn most_addresses_are_plain() {
        for typed in [
            "ann@readers.example",
            "First.Last+tag@Sub.example.co.uk",
            "o'neil_1@a-b.example",
        ] {
            assert!(plain(typed).is_some(), "{typed}");
        }
        let long = format!("{}@{}", "x".repeat(64), "abcdefgh.".repeat(20) + "example");
        assert_eq!(plain(&long), Some(long.clone()));
        assert_eq!(Address::judge(&long), Ok(Address(long)));
    }

    #[test]
    fn addresses_that_differ_in_case_alone_are_the_same() {
        let key = |typed: &str| Address::parse(typed).unwrap().key();
        assert_eq!(key("Ann@readers.example"), key("aNN@READERS.example"));
        assert_eq!(key("ÄNNE@readers.example"), key("änne@readers.example"));
        assert_eq!(key("ΣΟΦΙΑ@readers.example"), key("σοφια@readers.example"));
    }

    #[test]
    fn what_no_mail_can_reach_is_refused_with_a_reason() {
        for typed in [
            "",
            "no-at-sign",
            "two@@readers.example",
            "a@b@c.example",
            "a@localhost",
            "a@[127.0.0.1]",
            "a@1.2.3.4",
            "@example.com",
            "a@",
            "a b@example.com",
            "a@exa mple.com",
            "a@example..com",
            "a\r\n@example.com",
            ".a@example.com",
            "a@-x.example",
            "\"q q\"@example.com",
            "a@example.com.",
        ] {
            assert!(Address::parse(typed).is_err(), "{typed:?} was taken");
        }
        assert!(Address::parse(&format!("{}@example.com", "x".repeat(65))).is_err());
    }

    #[test]
    fn invisible_characters_are_taken_off_the_ends_and_refused_within() {
        for typed in [
            "\u{200B}ann@readers.example",
            "ann@readers.example\u{200B}",
            "\u{FEFF}ann@readers.example",
            "\u{202A}ann@readers.example\u{202C}",
            "ann@readers.example\u{200E} ",
            "\u{2060}\u{A0}ann@readers.example\u{AD}\u{200D}",
        ] {
            let read = Address::parse(typed).map(|a| a.to_string());
            assert_eq!(read.as_deref(), Ok("ann@readers.example"), "{typed:?}");
        }
        for (typed, named) in [
            ("an\u{200B}n@readers.example", "U+200B (zero width space)"),
            ("ann\u{AD}@readers.example", "U+00AD (soft hyphen)"),
            ("ann@rea\u{2060}ders.example", "U+2060 (word joiner)"),
            (
                "a\u{202E}nn@readers.example",
                "U+202E (right-to-left override)",
            ),
            ("ann@readers.ex\u{FE0F}ample", "U+FE0F (variation selector)"),
            (
                "an\u{FFFD}n@readers.example",
                "U+FFFD (replacement character)",
            ),
            (
                "\u{FFFD}ann@readers.example",
                "U+FFFD (replacement character)",
            ),
            ("an\u{200D}n@readers.example", "invisible joiner"),
        ] {
            let why = Address::parse(typed).unwrap_err().to_string();
            assert!(why.contains(named), "{typed:?}: {why}");
        }
        assert!(Address::parse("\u{200B}").is_err());
        // In Persian, a domain needs the non-joiner between two of its letters.
        assert!(Address::parse("ann@نامه\u{200C}ای.example").is_ok());
    }

    proptest::proptest! {
        #[test]
        fn what_is_plain_would_be_judged_the_same(
            typed in "[a-zA-Z0-9.!#_+'{-]{0,9}@([a-zA-Z0-9_-]{0,6}\\.){1,3}[a-zA-Z0-9-]{0,4}",
        ) {
            if let Some(address) = plain(&typed) {
                proptest::prop_assert_eq!(Address::judge(&typed), Ok(Address(address)));
            }
        }

        #[test]
        fn odd_local_parts_are_idempotent_too(local in "\\PC{1,12}", domain in "[a-zßäİ例.-]{1,8}\\.example") {
            if let Ok(once) = Address::parse(&format!("{local}@{domain}")) {
                proptest::prop_assert_eq!(Address::parse(once.as_str()), Ok(once.clone()));
                proptest::prop_assert_eq!(once.key(), Address::parse(&once.as_str().to_lowercase()).unwrap().key());
            }
        }

        #[test]
        fn parsing_is_idempotent_and_never_panics(typed in "\\PC{0,40}") {
            if let Ok(once) = Address::parse(&typed) {
                proptest::prop_assert_eq!(Address::parse(once.as_str()), Ok(once.clone()));
                proptest::prop_assert!(once.domain().is_ascii());
            }
        }
    }
}
