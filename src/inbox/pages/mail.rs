//! One mail, parsed for its views.

use jiff::Timestamp;
use mail_parser::{Address, MessageParser};

/// What the views of a mail show.
#[derive(Clone, Debug, Default)]
pub(super) struct Mail {
    pub(super) subject: String,
    pub(super) to: String,
    /// With the name, such as `Akira <akira@news.example.org>`.
    pub(super) from: String,
    pub(super) date: Option<Timestamp>,
    /// `None`: the mail has no HTML part.
    pub(super) html: Option<String>,
    pub(super) text: String,
    /// As they came, encoded; folded lines are joined.
    pub(super) headers: Vec<(String, String)>,
    /// As it came over the wire.
    pub(super) source: String,
}

impl Mail {
    /// Reads a mail's bytes; what can't be read as one has a source and nothing else.
    pub(super) fn read(raw: &[u8]) -> Mail {
        let source = String::from_utf8_lossy(raw).into_owned();
        let Some(message) = MessageParser::default().parse(raw) else {
            return Mail {
                source,
                ..Mail::default()
            };
        };
        let from = message.from().and_then(Address::first);
        let html = message.html_bodies().find(|part| part.is_text_html());
        Mail {
            subject: line(message.subject().unwrap_or_default()),
            to: first_address(message.to()),
            from: from.map_or_else(String::new, |from| {
                let address = shown(from.address().unwrap_or_default());
                from.name().map_or_else(
                    || address.clone(),
                    |name| format!("{} <{address}>", line(name)),
                )
            }),
            date: message
                .date()
                .and_then(|d| Timestamp::from_second(d.to_timestamp()).ok()),
            html: html
                .and_then(|part| part.text_contents())
                .map(str::to_owned),
            text: message.body_text(0).unwrap_or_default().into_owned(),
            headers: message
                .headers_raw()
                .map(|(name, value)| (name.to_owned(), line(value)))
                .collect(),
            source,
        }
    }
}

/// The address of the first recipient, as people read it.
pub(super) fn first_address(list: Option<&Address>) -> String {
    list.and_then(Address::first)
        .and_then(|a| a.address())
        .map(shown)
        .unwrap_or_default()
}

/// An address with its domain in letters instead of A-labels.
fn shown(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", idna::domain_to_unicode(domain).0),
        None => address.to_owned(),
    }
}

/// Text of several lines as one.
pub(super) fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "From: \"Akira\" <akira@news.example.org>\r\nTo: =?utf-8?B?5a6J5aic?= <mei@xn--r8jz45g.example>\r\n\
        Subject: =?utf-8?Q?No=2E_22_=E2=80=94?=\r\n =?utf-8?Q?_news?=\r\nDate: Sun, 25 Jul 2021 08:00:03 +0900\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=cut\r\n\r\n--cut\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\nplain <words>\r\n--cut\r\n\
        Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=C3=A9</p>\r\n--cut--\r\n";

    #[test]
    fn a_mail_is_taken_apart() {
        let mail = Mail::read(RAW.as_bytes());
        assert_eq!(mail.subject, "No. 22 — news");
        assert_eq!(
            (mail.to.as_str(), mail.from.as_str()),
            ("mei@例え.example", "Akira <akira@news.example.org>")
        );
        assert_eq!(mail.date.unwrap().to_string(), "2021-07-24T23:00:03Z");
        assert_eq!(mail.html.as_deref().map(str::trim), Some("<p>é</p>"));
        assert_eq!(mail.text.trim(), "plain <words>");
        assert_eq!(
            mail.headers[2],
            (
                "Subject".into(),
                "=?utf-8?Q?No=2E_22_=E2=80=94?= =?utf-8?Q?_news?=".into()
            )
        );
        assert_eq!(mail.source, RAW);
    }

    #[test]
    fn a_mail_of_text_alone_has_no_html() {
        let mail = Mail::read(b"Subject: x\r\n\r\nwords\r\n");
        assert_eq!(
            (mail.html, mail.text.trim(), mail.to.as_str()),
            (None, "words", "")
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_taken(raw in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = Mail::read(&raw);
        }
    }
}
