//! A rendered issue as encoded pieces, cut at the merge fields.

use std::borrow::Cow;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

use super::{header, quoted};
use crate::link::PersonalLinks;
use crate::model::rendered::{Context, MergeField, Piece, Purpose, Rendered};
use crate::model::{Address, List, SubscriberId};
use crate::phrases::Phrases;

/// Between the parts. `=_` can't stand in quoted-printable text (RFC 2045, 6.7), so no text contains it.
const BOUNDARY: &str = "=_letterpress";

/// What kind of mail it is. The seed differs from issue to issue and stays the same for every attempt; together with
/// the subscriber it gives the Message-ID.
#[derive(Clone, Copy, Debug)]
pub enum Stream<'a> {
    /// An issue: it has the headers of its list (RFC 2919) and those for unsubscribing (RFC 2369, RFC 8058).
    Issue {
        /// What the Message-ID is made of.
        seed: &'a str,
    },
    /// A system mail, such as a confirmation, to somebody who may not be subscribed.
    System {
        /// What the Message-ID is made of.
        seed: &'a str,
    },
}

/// The person whom a mail is written for.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// Distinguishes the mails of an issue in their Message-ID.
    pub subscriber: SubscriberId,
    /// For the To field and in the text.
    pub email: &'a Address,
    /// For the To field of issues and in the text; may be empty.
    pub name: &'a str,
    /// When the subscription began; unused in system mails.
    pub since: Timestamp,
    /// The person's own links.
    pub links: PersonalLinks<'a>,
}

/// An encoded mail that lacks only the values of one person.
#[derive(Clone, Debug)]
pub struct Template {
    /// The fields that are the same for everybody, each ended by CRLF.
    fixed: Vec<u8>,
    subject: Subject,
    body: Vec<Chunk>,
    /// `None`: a mail without a list's headers.
    unsubscribe_mailto: Option<String>,
    /// What the mail's personal links are for, each once.
    purposes: Vec<Purpose>,
    seed: String,
    /// The right-hand side of Message-IDs.
    domain: String,
    zone: TimeZone,
    /// The language in which days are written.
    phrases: Phrases,
    /// The bytes of the body without personal values.
    size: usize,
}

#[derive(Clone, Debug)]
enum Subject {
    /// The field as it is written.
    Same(Vec<u8>),
    Personal(Vec<Piece>),
}

/// Encoded text, and the merge field that follows it.
#[derive(Clone, Debug)]
struct Chunk {
    text: Vec<u8>,
    field: Option<(MergeField, Context)>,
}

/// One person's values. Each link is signed once, however often the mail holds it.
struct Values<'a> {
    to: &'a Recipient<'a>,
    urls: Vec<(Purpose, String)>,
}

impl Values<'_> {
    /// The link for a purpose that the template named.
    fn url(&self, purpose: Purpose) -> &str {
        self.urls
            .iter()
            .find(|(known, _)| *known == purpose)
            .map_or("", |(_, url)| url)
    }
}

impl Template {
    /// Encodes a rendered mail once for all its recipients, with the headers of its list.
    pub fn new(rendered: &Rendered, list: &List, stream: Stream<'_>) -> Template {
        let domain = list.from.address.domain().to_owned();
        let mut fixed = Vec::new();
        header::mailbox("From", &list.from.name, &list.from.address, &mut fixed);
        if let Some(reply_to) = &list.reply_to {
            header::mailbox("Reply-To", &reply_to.name, &reply_to.address, &mut fixed);
        }
        let (seed, unsubscribe_mailto) = match stream {
            Stream::Issue { seed } => {
                list_fields(list, seed, &mut fixed);
                for (name, value) in &list.headers {
                    header::machine(name, value, &mut fixed);
                }
                (seed, Some(mailto(&list.unsubscribe_mailto, &list.key)))
            }
            Stream::System { seed } => {
                // RFC 3834, section 5: no machine shall answer it.
                fixed.extend_from_slice(b"Auto-Submitted: auto-generated\r\n");
                (seed, None)
            }
        };
        if is_language(&rendered.language) {
            header::unstructured("Content-Language", &rendered.language, &mut fixed);
        }
        fixed.extend_from_slice(b"MIME-Version: 1.0\r\n");
        let kind = format!("Content-Type: multipart/alternative;\r\n boundary=\"{BOUNDARY}\"\r\n");
        fixed.extend_from_slice(kind.as_bytes());
        let body = chunks(rendered);
        Template {
            fixed,
            subject: subject(&rendered.subject),
            purposes: purposes(rendered, unsubscribe_mailto.is_some()),
            size: body.iter().map(|chunk| chunk.text.len()).sum(),
            body,
            unsubscribe_mailto,
            seed: seed.to_owned(),
            domain,
            zone: list.zone.clone(),
            phrases: Phrases::of(&rendered.language),
        }
    }

    /// Appends the whole mail of one person to `out`; `now` becomes its Date.
    pub fn write(&self, to: &Recipient<'_>, now: Timestamp, out: &mut Vec<u8>) {
        out.reserve(self.size + self.fixed.len() + 4096);
        let values = &self.values(to);
        self.head(values, now, out);
        out.extend_from_slice(b"\r\n");
        for chunk in &self.body {
            out.extend_from_slice(&chunk.text);
            if let Some((field, context)) = &chunk.field {
                quoted::soft_break(out);
                quoted::encode(&self.value(field, *context, values), out);
                quoted::soft_break(out);
            }
        }
    }

    fn values<'v>(&self, to: &'v Recipient<'v>) -> Values<'v> {
        let urls = self
            .purposes
            .iter()
            .map(|purpose| (*purpose, to.links.url(*purpose)));
        Values {
            to,
            urls: urls.collect(),
        }
    }

    fn head(&self, values: &Values<'_>, now: Timestamp, out: &mut Vec<u8>) {
        let to = values.to;
        out.extend_from_slice(&self.fixed);
        // Before the confirmation, the name could be a stranger's message: system mails have the address alone.
        let name = if self.unsubscribe_mailto.is_some() {
            to.name
        } else {
            ""
        };
        header::mailbox("To", name, to.email, out);
        match &self.subject {
            Subject::Same(field) => out.extend_from_slice(field),
            Subject::Personal(pieces) => {
                let text: String = pieces
                    .iter()
                    .map(|piece| self.plain(piece, values))
                    .collect();
                header::unstructured("Subject", &text, out);
            }
        }
        let date =
            rfc2822::DateTimePrinter::new().zoned_to_string(&now.to_zoned(self.zone.clone()));
        let date = date.unwrap_or_else(|_| "Thu, 1 Jan 1970 00:00:00 +0000".into());
        out.extend_from_slice(format!("Date: {date}\r\n").as_bytes());
        out.extend_from_slice(
            format!("Message-ID: <{}>\r\n", self.message_id(to.subscriber)).as_bytes(),
        );
        if let Some(mailto) = &self.unsubscribe_mailto {
            // RFC 8058, 3.1: one HTTPS address, and the second field that says what a POST there does.
            let field = format!(
                "List-Unsubscribe: <{}>,\r\n <{mailto}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
                values.url(Purpose::Unsubscribe)
            );
            out.extend_from_slice(field.as_bytes());
        }
    }

    /// The value of a merge field for one person, escaped for its place.
    fn value<'v>(
        &self,
        field: &'v MergeField,
        context: Context,
        values: &'v Values<'v>,
    ) -> Cow<'v, str> {
        let mut raw = self.raw(field, values);
        let safe = |c: char| !c.is_control() && !header::is_turning(c);
        if !raw.chars().all(safe) {
            raw = Cow::Owned(header::one_line(&raw));
        }
        match context {
            Context::Html if raw.contains(['&', '<', '>', '"', '\'']) => Cow::Owned(escaped(&raw)),
            Context::Html | Context::Text => raw,
        }
    }

    /// The value of a merge field for one person.
    fn raw<'v>(&self, field: &'v MergeField, values: &'v Values<'v>) -> Cow<'v, str> {
        let to = values.to;
        Cow::Borrowed(match field {
            MergeField::Name { default } if to.name.trim().is_empty() => default,
            MergeField::Name { .. } => to.name,
            MergeField::Email => to.email.as_str(),
            MergeField::SubscribedSince => {
                return Cow::Owned(
                    self.phrases
                        .date(to.since.to_zoned(self.zone.clone()).date()),
                );
            }
            MergeField::Link(purpose) => values.url(*purpose),
        })
    }

    fn plain<'p>(&self, piece: &'p Piece, values: &'p Values<'p>) -> Cow<'p, str> {
        match piece {
            Piece::Text(text) => Cow::Borrowed(text),
            Piece::Field { field, .. } => self.raw(field, values),
        }
    }

    /// The Message-ID of one mail: the same for every attempt (RFC 5322, 3.6.4), and useless for counting readers.
    fn message_id(&self, who: SubscriberId) -> String {
        let text = format!("{}/{who}", self.seed);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        format!("{}@{}", HEXLOWER.encode(&hash.as_ref()[..16]), self.domain)
    }
}

/// List-Id (RFC 2919), and the Feedback-ID by which mailbox providers report complaints.
fn list_fields(list: &List, seed: &str, out: &mut Vec<u8>) {
    let id = format!(
        "{}.{}",
        list.key.replace('_', "-"),
        list.from.address.domain()
    );
    header::named("List-Id", &list.name, &id, out);
    let hash = digest::digest(&digest::SHA256, seed.as_bytes());
    let issue = HEXLOWER.encode(&hash.as_ref()[..5]);
    out.extend_from_slice(
        format!("Feedback-ID: {issue}:{}:issue:letterpress\r\n", list.key).as_bytes(),
    );
}

/// A `mailto:` address (RFC 6068) whose subject names the list.
fn mailto(address: &Address, list: &str) -> String {
    let mut out = String::from("mailto:");
    for &b in address.as_str().as_bytes() {
        if b.is_ascii_alphanumeric() || b"@-._~+!$'*".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    format!("{out}?subject=unsubscribe%20{list}")
}

/// Whether a text looks like a BCP 47 tag; no other text is written into a header.
fn is_language(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 35
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The purposes of a mail's personal links, each once. `in_header`: its header has the link to unsubscribe.
fn purposes(rendered: &Rendered, in_header: bool) -> Vec<Purpose> {
    let mut out = Vec::new();
    if in_header {
        out.push(Purpose::Unsubscribe);
    }
    for piece in [&rendered.subject, &rendered.html, &rendered.text]
        .into_iter()
        .flatten()
    {
        if let Piece::Field {
            field: MergeField::Link(purpose),
            ..
        } = piece
            && !out.contains(purpose)
        {
            out.push(*purpose);
        }
    }
    out
}

fn subject(pieces: &[Piece]) -> Subject {
    if pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Field { .. }))
    {
        return Subject::Personal(pieces.to_vec());
    }
    let text: String = pieces
        .iter()
        .map(|p| if let Piece::Text(t) = p { t } else { "" })
        .collect();
    let mut field = Vec::new();
    header::unstructured("Subject", &text, &mut field);
    Subject::Same(field)
}

/// The whole body: both parts between their boundaries.
fn chunks(rendered: &Rendered) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut open = Vec::new();
    // RFC 2046, 5.1.4: the plainest alternative first.
    for (kind, pieces) in [("plain", &rendered.text), ("html", &rendered.html)] {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        );
        open.extend_from_slice(head.as_bytes());
        for (i, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => {
                    // At the end of a part the line is closed; before a merge field it stays open.
                    let last = i + 1 == pieces.len() && !text.ends_with('\n');
                    let text = if last {
                        Cow::Owned(format!("{text}\n"))
                    } else {
                        Cow::Borrowed(text.as_str())
                    };
                    quoted::soft_break(&mut open);
                    quoted::encode(&text, &mut open);
                }
                Piece::Field { field, context } => {
                    chunks.push(Chunk {
                        text: std::mem::take(&mut open),
                        field: Some((field.clone(), *context)),
                    });
                }
            }
        }
        if !open.ends_with(b"\n") {
            open.extend_from_slice(b"\r\n");
        }
    }
    open.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    chunks.push(Chunk {
        text: open,
        field: None,
    });
    chunks
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests;
