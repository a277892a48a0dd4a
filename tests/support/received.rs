//! A mail as a server got it, read by a parser that is not ours.

use mail_parser::{HeaderValue, Message, MessageParser};

/// Parses a mail; it must be whole.
pub(crate) fn parse(raw: &[u8]) -> Message<'_> {
    MessageParser::default()
        .parse(raw)
        .expect("a mail that can be parsed")
}

/// The one recipient in `To`.
pub(crate) fn to(mail: &Message) -> String {
    let list = mail.to().expect("a To header");
    let addresses: Vec<_> = list.iter().filter_map(|a| a.address()).collect();
    assert_eq!(addresses.len(), 1, "one recipient in To: {addresses:?}");
    addresses[0].to_owned()
}

/// The text of a header without folding.
pub(crate) fn header(mail: &Message, name: &str) -> String {
    let raw = mail
        .header_raw(name)
        .unwrap_or_else(|| panic!("no header {name}"));
    raw.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The https (here http) address of List-Unsubscribe.
pub(crate) fn unsubscribe_url(mail: &Message) -> String {
    let header = header(mail, "List-Unsubscribe");
    let found = header
        .split(['<', '>'])
        .find(|part| part.starts_with("http"));
    found
        .unwrap_or_else(|| panic!("no address in {header}"))
        .to_owned()
}

/// What every mail of an issue must have.
pub(crate) fn assert_well_formed(mail: &Message) {
    for name in [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "List-Id",
        "List-Unsubscribe",
        "MIME-Version",
    ] {
        let count = mail
            .headers()
            .iter()
            .filter(|h| h.name().eq_ignore_ascii_case(name))
            .count();
        assert_eq!(count, 1, "{name} stands {count} times");
    }
    assert_eq!(
        header(mail, "List-Unsubscribe-Post"),
        "List-Unsubscribe=One-Click"
    );
    assert!(mail.date().is_some(), "the Date can be read");
    let id = match mail.header("Message-ID") {
        Some(HeaderValue::Text(id)) => id.to_string(),
        other => panic!("the Message-ID is {other:?}"),
    };
    assert!(id.contains('@'), "the Message-ID is {id}");
    let (html, text) = (
        mail.body_html(0).expect("HTML"),
        mail.body_text(0).expect("text"),
    );
    for part in [&html, &text] {
        assert!(part.contains("paper") && !part.contains("{{"), "{part}");
    }
    assert!(html.contains("utm_source="), "the link is tagged");
}
