//! DKIM signatures (RFC 6376) with two keys: RSA-2048, which every verifier knows, and Ed25519 (RFC 8463).
//!
//! `mail::quoted` writes bodies in relaxed canonical form, so the body is hashed unchanged. Fields are oversigned,
//! which keeps others from adding one. The keys are files of [`keys`]; the database says which pair is in use.

pub mod keys;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use data_encoding::BASE64;
use jiff::Timestamp;

/// The signed fields, in the order of `h=` (RFC 6376, 5.4.1; RFC 8058, section 4 asks for those to unsubscribe).
const SIGNED: &[&str] = &[
    "From",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
];

/// The most bytes of a signature field without domain, selector and signature; nearly all are names in `h=`.
const TAGS_MAX_BYTES: usize = 800;
/// An Ed25519 signature's length (RFC 8032, 5.1.6).
const ED25519_BYTES: usize = 64;
/// Characters of a signature in a line.
const SIGNATURE_LINE: usize = 72;

/// A method of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with SHA-256 (RFC 6376, 3.3.1).
    Rsa,
    /// Ed25519 with SHA-256 (RFC 8463).
    Ed25519,
}

/// What the signatures of mails through one relay are like: some relays refuse a second signature or rewrite fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The methods that are used, where their keys are there.
    pub algorithms: &'static [Algorithm],
    /// The names of fields that are not signed, whatever their case.
    pub headers_not: Vec<String>,
}

impl Default for Policy {
    /// Both signatures, over every field that can be signed.
    fn default() -> Policy {
        Policy {
            algorithms: &[Algorithm::Rsa, Algorithm::Ed25519],
            headers_not: Vec::new(),
        }
    }
}

impl Policy {
    /// The names of the fields that are signed.
    fn signed(&self) -> impl Iterator<Item = &'static str> + '_ {
        let is_left_out =
            |name: &str| (self.headers_not.iter()).any(|other| other.eq_ignore_ascii_case(name));
        // RFC 6376, 5.4: From must be signed.
        SIGNED
            .iter()
            .copied()
            .filter(move |name| *name == "From" || !is_left_out(name))
    }

    /// Whether mails bear a signature by this method.
    pub fn includes(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }
}

/// Whether a field is one of those that signatures cover.
pub fn is_signed(name: &str) -> bool {
    SIGNED.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A way to sign a whole mail with a field in front of it. The sender does not depend on the method.
pub trait Signer: Send + Sync {
    /// Its method.
    fn algorithm(&self) -> Algorithm;

    /// The most bytes of its field.
    fn field_max_bytes(&self) -> usize;

    /// Appends one field, ended by CRLF, that signs the mail.
    fn sign(&self, mail: &Prepared, now: Timestamp, out: &mut Vec<u8>);
}

/// What all signatures of a mail have in common, computed once.
pub struct Prepared {
    /// The value of `h=`.
    names: String,
    /// The fields that it names, canonical, one after the other.
    fields: Vec<u8>,
    /// SHA-256 of the canonical body, in Base64.
    body_hash: String,
}

impl Prepared {
    /// Prepares a mail whose lines end with CRLF and whose body is in relaxed canonical form.
    ///
    /// The last field of a name is signed first (RFC 6376, 5.4.2). Each name occurs in `h=` once more than in the
    /// mail, which signs that there is no other. Of the fields that `policy` leaves out nothing is signed.
    pub fn new(mail: &[u8], policy: &Policy) -> Prepared {
        let end = mail
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .map_or(mail.len(), |i| i + 2);
        let body = mail.get(end + 2..).unwrap_or_default();
        debug_assert!(
            is_canonical(body),
            "a body that is not canonical as it stands"
        );
        let all = split(&mail[..end]);
        let (mut names, mut canonical) = (String::new(), Vec::with_capacity(2048));
        for name in policy.signed() {
            let same = |field: &&(&[u8], &[u8])| field.0.eq_ignore_ascii_case(name.as_bytes());
            for field in all.iter().rev().filter(same) {
                relaxed(field.0, field.1, &mut canonical);
                push_name(name, &mut names);
            }
            push_name(name, &mut names);
        }
        let body_hash = BASE64.encode(digest(&SHA256, body).as_ref());
        Prepared {
            names: folded(&names, ':'),
            fields: canonical,
            body_hash,
        }
    }
}

fn push_name(name: &str, names: &mut String) {
    if !names.is_empty() {
        names.push(':');
    }
    names.push_str(&name.to_ascii_lowercase());
}

/// Splits a header into its fields; a line that begins with white space belongs to the field before.
fn split(header: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut fields = Vec::new();
    let mut start = 0;
    while start < header.len() {
        let mut end = start;
        loop {
            end += header[end..]
                .windows(2)
                .position(|w| w == b"\r\n")
                .map_or(header.len() - end, |i| i + 2);
            if !matches!(header.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let field = &header[start..end];
        if let Some(colon) = field.iter().position(|&b| b == b':') {
            fields.push((&field[..colon], &field[colon + 1..]));
        }
        start = end;
    }
    fields
}

/// The relaxed canonical form of a field (RFC 6376, 3.4.2), with its CRLF.
fn relaxed(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend(name.trim_ascii().iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let words = value
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    for (i, word) in words.enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
    out.extend_from_slice(b"\r\n");
}

/// Whether relaxed canonicalisation (RFC 6376, 3.4.4) would leave a body as it is.
fn is_canonical(body: &[u8]) -> bool {
    let ends = body.is_empty() || (body.ends_with(b"\r\n") && !body.ends_with(b"\r\n\r\n"));
    let odd = |w: &[u8]| {
        (w[0] == b' ' && matches!(w[1], b' ' | b'\r'))
            || w.contains(&b'\t')
            || (w[1] == b'\n' && w[0] != b'\r')
    };
    ends && !body.windows(2).any(odd)
}

/// One of DKIM's two methods with its key.
pub struct DkimSigner {
    domain: String,
    selector: String,
    key: Key,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl Key {
    fn algorithm(&self) -> Algorithm {
        match self {
            Key::Rsa(_) => Algorithm::Rsa,
            Key::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// Its method as `a=` has it.
    fn tag(&self) -> &'static str {
        match self {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        }
    }

    fn signature_bytes(&self) -> usize {
        match self {
            Key::Rsa(pair) => pair.public_modulus_len(),
            Key::Ed25519(_) => ED25519_BYTES,
        }
    }

    /// The signature over the hash of what is signed (RFC 6376, 3.3.1; RFC 8463, section 3).
    fn sign(&self, signed: &[u8]) -> Vec<u8> {
        let hash = digest(&SHA256, signed);
        match self {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                match pair.sign_digest(&RSA_PKCS1_SHA256, &hash, &mut signature) {
                    Ok(()) => signature,
                    Err(_) => Vec::new(),
                }
            }
            Key::Ed25519(pair) => pair.sign(hash.as_ref()).as_ref().to_vec(),
        }
    }
}

impl Signer for DkimSigner {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn field_max_bytes(&self) -> usize {
        let signature = BASE64.encode_len(self.key.signature_bytes());
        let folds = signature.div_ceil(SIGNATURE_LINE) * "\r\n ".len();
        TAGS_MAX_BYTES + self.domain.len() + self.selector.len() + signature + folds
    }

    fn sign(&self, mail: &Prepared, now: Timestamp, out: &mut Vec<u8>) {
        let mut signed = mail.fields.clone();
        let mut field = format!(
            " v=1; a={}; c=relaxed/relaxed; d={};\r\n s={}; t={};\r\n h={};\r\n bh={};\r\n b=",
            self.key.tag(),
            self.domain,
            self.selector,
            now.as_second(),
            mail.names,
            mail.body_hash,
        );
        // The field itself is signed with an empty b= and without its CRLF (RFC 6376, 3.7).
        relaxed(b"DKIM-Signature", field.as_bytes(), &mut signed);
        signed.truncate(signed.len() - 2);
        let signature = BASE64.encode(&self.key.sign(&signed));
        if signature.is_empty() {
            return;
        }
        for (i, part) in signature.as_bytes().chunks(SIGNATURE_LINE).enumerate() {
            if i > 0 {
                field.push_str("\r\n ");
            }
            field.push_str(std::str::from_utf8(part).unwrap_or_default());
        }
        out.extend_from_slice(b"DKIM-Signature:");
        out.extend_from_slice(field.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// A long value broken after a separator, so that lines stay short.
fn folded(text: &str, separator: char) -> String {
    let (mut out, mut column) = (String::with_capacity(text.len() + 32), 3);
    for part in text.split_inclusive(separator) {
        if column + part.len() > 75 {
            out.push_str("\r\n ");
            column = 1;
        }
        out.push_str(part);
        column += part.len();
    }
    out
}

/// The fields of the signers that a policy includes, which go before the mail.
pub fn fields(
    mail: &[u8],
    signers: &[Arc<dyn Signer>],
    policy: &Policy,
    now: Timestamp,
) -> Vec<u8> {
    let mut fields = Vec::with_capacity(2048);
    let prepared = Prepared::new(mail, policy);
    for signer in signers.iter().filter(|it| policy.includes(it.algorithm())) {
        signer.sign(&prepared, now, &mut fields);
    }
    fields
}

#[cfg(test)]
mod tests;
