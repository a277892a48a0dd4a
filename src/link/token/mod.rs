//! Signed tokens: what a link may do, for whom, and on which list.
//!
//! A token is `version ‖ key ‖ purpose ‖ list ‖ subscriber ‖ tag`, numbers as varints, the tag being the first
//! 16 bytes of HMAC-SHA-256 over all before it; as base64url without padding (RFC 4648, section 5), it has some
//! 30 characters. Mail programs take a `-` or `_` at the end of an address for punctuation, so one that ends in them gets a
//! `0` behind it. It is read strictly: one text is one token. Nobody without a key can change who, where or
//! what for. The newest key signs, every known key verifies, so links stay good for years after a rotation.
//!
//! Envelope senders (VERP) bear a token too, in small base32 letters, because mail servers may fold the case of
//! an address, and with a shorter tag, because a local part has 64 bytes. The two kinds are signed under
//! different labels and can't stand in for one another.
//!
//! What it leaves to others: how long a link is good (`store` knows when somebody signed up or left).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use data_encoding::{BASE32_NOPAD, BASE32_NOPAD_NOCASE, BASE64URL_NOPAD};

use crate::model::rendered::Purpose;
use crate::model::{IssueId, ListId, SubscriberId};

/// The first byte of every token; another number is another format.
const VERSION: u8 = 1;
/// Bytes of the tag in a link.
const TAG: usize = 16;
/// Bytes of the tag in an envelope sender. A forged one is noticed one mail at a time: 80 bits suffice.
const BOUNCE_TAG: usize = 10;
/// No token of ours is longer; what is longer is not even decoded.
const MAX_CHARS: usize = 96;
/// Shorter secrets than the hash's output weaken HMAC (RFC 2104, section 3), in bytes.
const SECRET_MIN: usize = 32;

/// What follows a token that ends in `-` or `_`.
const END: char = '0';

/// The most characters of a token in an envelope sender, for as many rows as a database will ever hold. With
/// `bounce` and `+` before it, the local part stays below the 64 bytes of RFC 5321, 4.5.3.1.1.
pub const BOUNCE_MAX_CHARS: usize = 40;

/// What a link's token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// What the link may do.
    pub purpose: Purpose,
    /// On which list.
    pub list: ListId,
    /// For whom.
    pub subscriber: SubscriberId,
}

/// The token was not signed by any of our keys. There are no details, since only a forger could use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the link is not complete, or was not made here")]
pub struct BadToken;

/// Why a set of keys can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// There is none.
    #[error("there is no key for signed links; `letterpress keys rotate` makes one")]
    None,
    /// A secret is shorter than the output of HMAC-SHA-256.
    #[error(
        "key {id} for signed links has {bytes} bytes, and {SECRET_MIN} are needed; `letterpress keys rotate` makes a new one"
    )]
    Short {
        /// The number of the key.
        id: i64,
        /// The length of its secret.
        bytes: usize,
    },
    /// A key has a negative number.
    #[error("a key for signed links has the number {0}; numbers can't be negative")]
    Number(i64),
}

/// The keys for signed links. All of them verify; the newest signs.
pub struct KeyRing {
    /// In the order of their numbers; not empty.
    keys: Vec<(u64, hmac::Key)>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyRing({} keys)", self.keys.len())
    }
}

/// Which kind of token is signed; the label is hashed first, so that one kind can't stand in for the other.
#[derive(Clone, Copy)]
enum Label {
    Link,
    Bounce,
}

impl KeyRing {
    /// A ring of numbered secrets; the highest number is the newest.
    ///
    /// # Errors
    /// [`BadKeys`] if there is none, one has less than 32 bytes, or a number is negative.
    pub fn new(keys: Vec<(i64, Vec<u8>)>) -> Result<KeyRing, BadKeys> {
        let mut ring = Vec::with_capacity(keys.len());
        for (id, secret) in keys {
            if secret.len() < SECRET_MIN {
                return Err(BadKeys::Short {
                    id,
                    bytes: secret.len(),
                });
            }
            let number = u64::try_from(id).map_err(|_| BadKeys::Number(id))?;
            ring.push((number, hmac::Key::new(hmac::HMAC_SHA256, &secret)));
        }
        ring.sort_by_key(|(number, _)| *number);
        if ring.is_empty() {
            Err(BadKeys::None)
        } else {
            Ok(KeyRing { keys: ring })
        }
    }

    /// Whether both rings hold keys of the same numbers.
    pub fn same_keys(&self, other: &KeyRing) -> bool {
        self.keys
            .iter()
            .map(|(n, _)| n)
            .eq(other.keys.iter().map(|(n, _)| n))
    }

    /// The token of a link: base64url, some 30 characters.
    pub fn mint(&self, claim: &Claim) -> String {
        let bytes = self.sign(Label::Link, TAG, |out| {
            out.push(number(claim.purpose));
            put(out, claim.list.0);
            put(out, claim.subscriber.0);
        });
        let mut token = BASE64URL_NOPAD.encode(&bytes);
        if is_mark_at_end(&token) {
            token.push(END);
        }
        token
    }

    /// What a link's token says. Tokens of earlier versions have no [`END`].
    ///
    /// # Errors
    /// [`BadToken`] unless every character is as [`KeyRing::mint`] wrote it with one of these keys.
    pub fn verify(&self, token: &str) -> Result<Claim, BadToken> {
        let without_end = || token.strip_suffix(END).filter(|rest| is_mark_at_end(rest));
        self.verify_encoded(token)
            .or_else(|bad| self.verify_encoded(without_end().ok_or(bad)?))
    }

    fn verify_encoded(&self, token: &str) -> Result<Claim, BadToken> {
        let bytes = decoded(token, &BASE64URL_NOPAD)?;
        let mut rest = self.signed(Label::Link, TAG, &bytes)?;
        let (&found, after) = rest.split_first().ok_or(BadToken)?;
        rest = after;
        let purpose = Purpose::ALL
            .into_iter()
            .find(|purpose| number(*purpose) == found)
            .ok_or(BadToken)?;
        let claim = Claim {
            purpose,
            list: ListId(take(&mut rest)?),
            subscriber: SubscriberId(take(&mut rest)?),
        };
        if rest.is_empty() {
            Ok(claim)
        } else {
            Err(BadToken)
        }
    }

    /// The token of an envelope sender such as `bounce+TOKEN@example.org` (VERP): lower-case letters and digits, at
    /// most [`BOUNCE_MAX_CHARS`].
    pub fn mint_bounce(&self, issue: IssueId, subscriber: SubscriberId) -> String {
        let bytes = self.sign(Label::Bounce, BOUNCE_TAG, |out| {
            put(out, issue.0);
            put(out, subscriber.0);
        });
        BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
    }

    /// The mail that a bounce is about. Case does not matter.
    ///
    /// # Errors
    /// [`BadToken`] unless [`KeyRing::mint_bounce`] wrote it with one of these keys.
    pub fn verify_bounce(&self, token: &str) -> Result<(IssueId, SubscriberId), BadToken> {
        let bytes = decoded(token, &BASE32_NOPAD_NOCASE)?;
        let mut rest = self.signed(Label::Bounce, BOUNCE_TAG, &bytes)?;
        let what = (IssueId(take(&mut rest)?), SubscriberId(take(&mut rest)?));
        if rest.is_empty() {
            Ok(what)
        } else {
            Err(BadToken)
        }
    }

    /// Version and key, what `payload` writes, and the tag of it all.
    fn sign(&self, label: Label, tag: usize, payload: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        out.push(VERSION);
        // `new` refuses an empty ring.
        if let Some((number, key)) = self.keys.last() {
            put(&mut out, i64::try_from(*number).unwrap_or_default());
            payload(&mut out);
            let full = tag_of(key, label, &out);
            out.extend_from_slice(&full.as_ref()[..tag]);
        }
        out
    }

    /// The payload of what one of our keys signed.
    fn signed<'b>(&self, label: Label, tag: usize, bytes: &'b [u8]) -> Result<&'b [u8], BadToken> {
        let (body, given) = bytes
            .split_at_checked(bytes.len().wrapping_sub(tag))
            .ok_or(BadToken)?;
        let (&version, mut rest) = body.split_first().ok_or(BadToken)?;
        if version != VERSION {
            return Err(BadToken);
        }
        let number = take(&mut rest)?;
        let (_, key) = self
            .keys
            .iter()
            .find(|(known, _)| i64::try_from(*known) == Ok(number))
            .ok_or(BadToken)?;
        let full = tag_of(key, label, body);
        verify_slices_are_equal(&full.as_ref()[..tag], given).map_err(|_| BadToken)?;
        Ok(rest)
    }
}

/// Whether a token ends in one of the two characters of its alphabet that are no letters and digits.
fn is_mark_at_end(token: &str) -> bool {
    token.ends_with(['-', '_'])
}

/// The number that stands for a purpose in a token. It never changes its meaning.
fn number(purpose: Purpose) -> u8 {
    match purpose {
        Purpose::Confirm => 1,
        Purpose::Unsubscribe => 2,
        Purpose::Inert => 3,
        Purpose::Undo => 4,
    }
}

fn tag_of(key: &hmac::Key, label: Label, body: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(match label {
        Label::Link => b"letterpress link\0",
        Label::Bounce => b"letterpress bounce\0",
    });
    context.update(body);
    context.sign()
}

fn decoded(token: &str, encoding: &data_encoding::Encoding) -> Result<Vec<u8>, BadToken> {
    if token.len() > MAX_CHARS {
        return Err(BadToken);
    }
    // Both encodings refuse padding, other alphabets, and bits left over at the end.
    encoding.decode(token.as_bytes()).map_err(|_| BadToken)
}

/// Writes a number in groups of seven bits, the lowest first (LEB128). Row numbers are never below zero.
fn put(out: &mut Vec<u8>, number: i64) {
    let mut rest = number.cast_unsigned();
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Reads what [`put`] wrote, and moves on.
fn take(from: &mut &[u8]) -> Result<i64, BadToken> {
    let mut number: u64 = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = from.split_first().ok_or(BadToken)?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number.cast_signed());
        }
    }
    Err(BadToken)
}

#[cfg(test)]
mod tests;
