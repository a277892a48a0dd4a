use mail_parser::{MessageParser, MimeHeaders as _};

use super::*;
use crate::link::Links;
use crate::model::ListId;
use crate::model::list::Mailbox;
use crate::model::rendered::FORMAT;

/// With characters that HTML escapes.
const PUBLIC_URL: &str = "https://letters.example/?x=1&y=2";

fn list() -> List {
    let from = Mailbox {
        name: "Editor".into(),
        address: Address::parse("editor@letters.example").unwrap(),
    };
    List {
        unsubscribe_mailto: Address::parse("leave@letters.example").unwrap(),
        ..List::new("weekly", "The Weekly Proof", from)
    }
}

fn text(text: &str) -> Piece {
    Piece::Text(text.into())
}

fn field(field: MergeField, context: Context) -> Piece {
    Piece::Field { field, context }
}

fn name(context: Context) -> Piece {
    field(
        MergeField::Name {
            default: "reader".into(),
        },
        context,
    )
}

fn issue() -> Rendered {
    Rendered {
        format: FORMAT,
        subject: vec![text("A first proof, "), name(Context::Text)],
        html: vec![
            text("<p title=\""),
            name(Context::Html),
            text("\">Hello "),
            name(Context::Html),
            text("</p>\n<a href=\""),
            field(MergeField::Link(Purpose::Unsubscribe), Context::Html),
            text("\">Unsubscribe</a>"),
        ],
        text: vec![
            text("Hello "),
            name(Context::Text),
            text("\n.\n..two\n\n"),
            field(MergeField::SubscribedSince, Context::Text),
            text("\n"),
            field(MergeField::Link(Purpose::Unsubscribe), Context::Text),
        ],
        language: "en".into(),
        date: None,
    }
}

fn mail(name: &str, email: &str, stream: Stream<'_>) -> Vec<u8> {
    let email = Address::parse(email).unwrap();
    let links = Links::preview(PUBLIC_URL);
    let to = Recipient {
        subscriber: SubscriberId(7),
        email: &email,
        name,
        since: Timestamp::from_second(1_790_000_000).unwrap(),
        links: links.of(ListId(1), SubscriberId(7)),
    };
    let mut out = Vec::new();
    Template::new(&issue(), &list(), stream).write(
        &to,
        Timestamp::from_second(1_800_000_000).unwrap(),
        &mut out,
    );
    out
}

fn lf(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// What must hold of the bytes of every mail.
fn is_ready_for_the_wire(mail: &[u8]) {
    assert!(mail.ends_with(b"\r\n"));
    for line in mail[..mail.len() - 2].split(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(
            !line.contains(&b'\r') && !line.contains(&0),
            "a bare CR or a NUL"
        );
        assert!(line.len() <= 998 && !line.starts_with(b"."));
    }
    assert_eq!(
        mail.iter().filter(|&&b| b == b'\n').count(),
        mail.windows(2).filter(|w| w == b"\r\n").count()
    );
}

#[test]
fn a_lists_own_headers_are_in_its_issues_and_its_reply_to_in_every_mail() {
    let json = format!("{{\"tags\":[{}]}}", "\"of-one-word\",".repeat(12));
    let list = List {
        reply_to: Some(Mailbox {
            name: "Ann, the editor".into(),
            address: Address::parse("ann@letters.example").unwrap(),
        }),
        headers: vec![
            ("X-PM-Message-Stream".into(), "broadcast".into()),
            ("X-Long".into(), json.clone()),
            ("X-Words".into(), "word ".repeat(40).trim().into()),
            ("X-Umlaut".into(), "grün".into()),
        ],
        ..list()
    };
    let email = Address::parse("ann@readers.example").unwrap();
    let links = Links::preview(PUBLIC_URL);
    let to = Recipient {
        subscriber: SubscriberId(7),
        email: &email,
        name: "",
        since: Timestamp::UNIX_EPOCH,
        links: links.of(ListId(1), SubscriberId(7)),
    };
    let written = |stream| {
        let mut out = Vec::new();
        Template::new(&issue(), &list, stream).write(&to, Timestamp::UNIX_EPOCH, &mut out);
        is_ready_for_the_wire(&out);
        String::from_utf8(out).unwrap()
    };
    let mail = written(Stream::Issue { seed: "1" });
    for wanted in [
        "Reply-To: \"Ann, the editor\" <ann@letters.example>\r\n",
        "X-PM-Message-Stream: broadcast\r\n",
        &format!("X-Long: {json}\r\n"),
        "X-Umlaut: =?utf-8?",
    ] {
        assert!(mail.contains(wanted), "{wanted} is not in {mail}");
    }
    let notice = written(Stream::System { seed: "1" });
    assert!(notice.contains("Reply-To: ") && !notice.contains("X-PM-Message-Stream"));
}

#[test]
fn a_mail_has_what_its_readers_and_their_providers_need() {
    let bytes = mail("Ann", "ann@readers.example", Stream::Issue { seed: "1" });
    is_ready_for_the_wire(&bytes);
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(mail.subject(), Some("A first proof, Ann"));
    assert_eq!(
        lf(mail.body_text(0).unwrap().trim_end()),
        concat!(
            "Hello Ann\n.\n..two\n\n",
            "21 September 2026\n",
            "https://letters.example/?x=1&y=2/unsubscribe/preview"
        )
    );
    assert_eq!(
        lf(mail.body_html(0).unwrap().trim_end()),
        "<p title=\"Ann\">Hello Ann</p>\n<a href=\"https://letters.example/?x=1&amp;y=2/unsubscribe/preview\">Unsubscribe</a>"
    );
    let whole = String::from_utf8(bytes.clone()).unwrap();
    for field in [
        "From: Editor <editor@letters.example>\r\n",
        "To: Ann <ann@readers.example>\r\n",
        "Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n",
        "List-Id: The Weekly Proof <weekly.letters.example>\r\n",
        "List-Unsubscribe: <https://letters.example/?x=1&y=2/unsubscribe/preview>,\r\n <mailto:leave@letters.example?subject=unsubscribe%20weekly>\r\n",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        "MIME-Version: 1.0\r\n",
    ] {
        assert_eq!(whole.matches(field).count(), 1, "{field:?} in {whole}");
    }
}

#[test]
fn a_message_id_is_of_one_mail_and_its_every_try() {
    let id = |bytes: Vec<u8>| {
        MessageParser::default()
            .parse(&bytes)
            .unwrap()
            .message_id()
            .unwrap()
            .to_owned()
    };
    let one = id(mail(
        "Ann",
        "ann@readers.example",
        Stream::Issue { seed: "1" },
    ));
    assert_eq!(
        one,
        id(mail(
            "Anna",
            "ann@readers.example",
            Stream::Issue { seed: "1" }
        ))
    );
    assert_ne!(
        one,
        id(mail(
            "Ann",
            "ann@readers.example",
            Stream::Issue { seed: "2" }
        ))
    );
    assert!(one.ends_with("@letters.example"));
}

#[test]
fn a_system_mail_is_no_list_mail() {
    // The name is of somebody who has not confirmed: it may be a message to a stranger.
    let bytes = mail(
        "Buy at evil.example",
        "ann@readers.example",
        Stream::System { seed: "1" },
    );
    is_ready_for_the_wire(&bytes);
    let whole = String::from_utf8(bytes).unwrap();
    assert!(!whole.contains("List-") && whole.contains("Auto-Submitted: auto-generated\r\n"));
    assert!(whole.contains("To: ann@readers.example\r\n"));
}

#[test]
fn hostile_names_stay_in_their_place() {
    for name in [
        "Eve\r\nBcc: victim@else.example",
        "<b>bold</b>",
        "\" onmouseover=\"x",
        "nul\0l",
        "\u{202e}turned",
        "{{ secret }}",
        "=?utf-8?q?hi?=",
        "😀 emoji",
        &"x".repeat(10_000),
        &"名".repeat(300),
        "  ",
    ] {
        let bytes = mail(name, "ann@readers.example", Stream::Issue { seed: "1" });
        is_ready_for_the_wire(&bytes);
        let mail = MessageParser::default().parse(&bytes).unwrap();
        assert!(mail.bcc().is_none(), "{name:.40}");
        assert_eq!(
            mail.to().unwrap().first().unwrap().address(),
            Some("ann@readers.example")
        );
        let html = mail.body_html(0).unwrap();
        let title = html.split('"').nth(1).unwrap();
        let shown = header::one_line(name);
        let shown = if shown.is_empty() {
            "reader".to_owned()
        } else {
            shown
        };
        assert_eq!(title, escaped(&shown), "{name:.40}");
        assert!(
            lf(&mail.body_text(0).unwrap()).starts_with(&format!("Hello {shown}\n")),
            "{name:.40}"
        );
        assert_eq!(
            mail.subject(),
            Some(&*format!("A first proof, {shown}")),
            "{name:.40}"
        );
    }
}

#[test]
fn an_address_beyond_ascii_stands_as_it_is() {
    let bytes = mail("用户", "用户@例子.广告", Stream::Issue { seed: "1" });
    is_ready_for_the_wire(&bytes);
    let whole = String::from_utf8(bytes).unwrap();
    assert!(whole.contains(" <用户@xn--fsqu00a.xn--4rr70v>\r\n"));
    assert_eq!(
        whole.lines().filter(|line| !line.is_ascii()).count(),
        1,
        "{whole}"
    );
}

#[test]
fn both_parts_say_what_they_are() {
    let bytes = mail("Ann", "ann@readers.example", Stream::Issue { seed: "1" });
    let mail = MessageParser::default().parse(&bytes).unwrap();
    let kinds: Vec<_> = mail
        .parts
        .iter()
        .map(|p| {
            p.content_type()
                .map(|t| format!("{}/{}", t.ctype(), t.subtype().unwrap_or("?")))
                .unwrap()
        })
        .collect();
    assert_eq!(kinds, ["multipart/alternative", "text/plain", "text/html"]);
}
