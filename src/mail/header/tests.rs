use mail_parser::MessageParser;

use super::*;

fn subject(text: &str) -> String {
    let mut out = Vec::new();
    unstructured("Subject", text, &mut out);
    String::from_utf8(out).unwrap()
}

fn to(name: &str) -> String {
    let mut out = Vec::new();
    mailbox(
        "To",
        name,
        &Address::parse("ann@readers.example").unwrap(),
        &mut out,
    );
    String::from_utf8(out).unwrap()
}

/// What a reader not written here makes of one field: the name and the address of To, and the subject.
fn read(field: &str) -> (String, String, String) {
    let mail = MessageParser::default().parse(field.as_bytes()).unwrap();
    let to = mail.to().and_then(|list| list.first());
    (
        to.and_then(|a| a.name()).unwrap_or_default().to_owned(),
        to.and_then(|a| a.address()).unwrap_or_default().to_owned(),
        mail.subject().unwrap_or_default().to_owned(),
    )
}

#[test]
fn plain_words_stand_for_themselves() {
    assert_eq!(subject("A first proof"), "Subject: A first proof\r\n");
    assert_eq!(to("Ann Reader"), "To: Ann Reader <ann@readers.example>\r\n");
    assert_eq!(to(""), "To: ann@readers.example\r\n");
    assert_eq!(
        to(r#""quote" \ back"#),
        "To: \"\\\"quote\\\" \\\\ back\" <ann@readers.example>\r\n"
    );
}

#[test]
fn letters_beyond_ascii_are_encoded_words() {
    assert_eq!(to("名"), "To: =?utf-8?B?5ZCN?= <ann@readers.example>\r\n");
    assert_eq!(subject("Café"), "Subject: =?utf-8?Q?Caf=C3=A9?=\r\n");
    assert_eq!(read(&to("名前")).0, "名前");
    // What looks like an encoded word is shown as it was written.
    assert_eq!(read(&subject("=?utf-8?q?hi?=")).2, "=?utf-8?q?hi?=");
}

#[test]
fn hostile_names_stay_in_their_place() {
    for name in [
        "Eve\r\nBcc: victim@else.example",
        "A\nB",
        "nul\0l",
        ",;:<>@[]",
        "\u{202e}right to left",
        "a <b@c.example>, d",
        "\u{85}next\u{2028}line",
        &"x".repeat(10_000),
        &"名".repeat(3_000),
    ] {
        let field = to(name);
        let (shown, address, _) = read(&field);
        assert_eq!(address, "ann@readers.example", "{name:.40}");
        let kept: String = one_line(name).chars().take(NAME_MAX).collect();
        assert_eq!(shown, kept, "{name:.40}");
    }
}

proptest::proptest! {
    #[test]
    fn a_field_is_one_field_and_comes_back(text in "(?s).{0,300}", word in "[ -~]{0,200}") {
        for text in [text, word] {
            for field in [subject(&text), to(&text)] {
                proptest::prop_assert!(field.ends_with("\r\n") && field.is_ascii());
                for line in field[..field.len() - 2].split("\r\n").enumerate() {
                    proptest::prop_assert!(line.0 == 0 || line.1.starts_with(' '), "a line that begins a field");
                    proptest::prop_assert!(!line.1.trim().is_empty() || text.trim().is_empty());
                    proptest::prop_assert!(!line.1.contains(['\r', '\n']) && line.1.len() <= 200);
                }
            }
            let kept = one_line(&text);
            proptest::prop_assert_eq!(read(&subject(&text)).2, kept.clone());
            proptest::prop_assert_eq!(read(&to(&text)).1, "ann@readers.example");
        }
    }
}
