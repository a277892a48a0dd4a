//! Data that is meant to harm, from the author's file, the settings and the CSV down to the bytes on the wire: it
//! stays in its place. Whatever a command refuses is refused in words; whatever it takes is sent, and then read
//! byte by byte.

use std::collections::BTreeMap;

use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::Value;

use crate::newsletter::{Newsletter, until};
use crate::server::{Do, Server};

/// Each of these stands as a name, a title, a subject, a preheader, an alternative text, a list's name, and so on.
fn hostile() -> Vec<String> {
    let envelope = "MAIL FROM:<evil@else.example>{n}RCPT TO:<victim@else.example>{n}DATA{n}Subject: evil{n}{n}x{n}.{n}";
    let mut all: Vec<String> = ["\r\n", "\n", "\r"]
        .into_iter()
        .flat_map(|n| {
            [
                format!("Eve{n}Bcc: victim@else.example{n}{n}<p>body"),
                format!("Eve{n}.{n}{}", envelope.replace("{n}", n)),
            ]
        })
        .collect();
    all.extend(
        [
            "\" onmouseover=\"alert(1)",
            "'><script>alert(1)</script><!-- ]]> -->",
            "back\\slash \\\" and; semi, comma: colon",
            "nul\0l and bell\u{7} and escape\u{1b}[31m",
            "a\u{85}b\u{2028}c\u{2029}d\u{feff}e\u{b}f\u{c}g",
            "\u{202e}turned around\u{202c} مرحبا שלום",
            "👩‍👩‍👧‍👦 😀 e\u{301}\u{301}\u{301}",
            "=?utf-8?q?hi=0D=0ABcc:_victim=40else=2Eexample?=",
            "{{ name }} {% raw %} {{ secret }} &amp; &#10;Bcc: x",
            ".",
            "..",
            "From me",
        ]
        .map(str::to_owned),
    );
    all.extend([
        "x".repeat(10_000),
        "名".repeat(10_000),
        "word ".repeat(2_000),
        ".\r\n".repeat(3_000),
    ]);
    all
}

/// A value as TOML writes it, whatever is in it.
fn toml(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

fn csv(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A code block keeps lines as they are.
const DOTS: [&str; 5] = [".", "..", ".x", "...and so on", "From here"];

fn issue(number: usize, text: &str) -> String {
    let value = toml(text);
    format!(
        "+++\ntitle = {value}\nnumber = {number}\nsubject = {value}\npreheader = {value}\nutm_campaign = {value}\n+++\n\n\
         Good morning, {{{{ name | default(\"reader\") }}}}. {text}\n\n# {text}\n\n- {text}\n\n\
         ```\n{}\n```\n\n[a paper](https://example.org/paper?id=7) and nothing else.\n",
        DOTS.join("\n")
    )
}

struct Stage {
    newsletter: Newsletter,
    server: Server,
    /// Who has each issue, by the ledger.
    sent: BTreeMap<String, Vec<String>>,
    /// In which the server lives.
    _runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn new() -> Stage {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(Server::start(|_, _, _| Do::Usual));
        let port = server.address.port();
        let newsletter = Newsletter::new(&format!(
            "host = \"127.0.0.1\"\nport = {port}\ntls = \"none\""
        ));
        Stage {
            newsletter,
            server,
            sent: BTreeMap::new(),
            _runtime: runtime,
        }
    }

    fn issues(&self) -> Vec<Value> {
        self.newsletter.ok(&["deliveries", "--json"]).json()
    }

    /// Sends what is queued; gives the content of every mail with its recipient.
    fn send(&mut self) -> Vec<(String, Vec<u8>)> {
        self.newsletter.serve();
        until("the issues to be done", || {
            self.issues().iter().all(|row| row["state"] == "done")
        });
        assert_eq!(self.newsletter.stop(), 0);
        until("the server to be left", || self.server.open() == 0);
        let mails: Vec<_> = self
            .server
            .wires()
            .iter()
            .flat_map(|wire| mails_of(wire))
            .collect();
        let mut got: Vec<String> = mails.iter().map(|(rcpt, _)| rcpt.clone()).collect();
        self.look();
        let mut sent: Vec<String> = self.sent.values().flatten().cloned().collect();
        got.sort();
        sent.sort();
        assert_eq!(got, sent, "server and ledger differ");
        mails
    }

    /// Looks in the ledger who has the issues that are new; nobody is in another state.
    fn look(&mut self) {
        for issue in self.issues() {
            let name = issue["issue"].as_str().unwrap();
            if self.sent.contains_key(name) {
                continue;
            }
            let rows = self.newsletter.ok(&["deliveries", name, "--json"]).json();
            assert!(rows.iter().all(|row| row["state"] == "sent"), "{rows:?}");
            let emails = rows
                .iter()
                .map(|row| row["email"].as_str().unwrap().to_owned());
            self.sent.insert(name.to_owned(), emails.collect());
        }
    }
}

/// Reads what a client said as strictly as can be; gives the mails in it, dots undone.
fn mails_of(wire: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = String::from_utf8_lossy(wire);
    assert!(!wire.contains(&0), "a NUL is on the wire");
    assert!(
        wire.is_empty() || wire.ends_with(b"\r\n"),
        "the last line has no end"
    );
    let mut mails = Vec::new();
    let (mut rcpt, mut content): (Option<String>, Option<Vec<u8>>) = (None, None);
    for line in wire.split_inclusive(|&b| b == b'\n') {
        assert!(line.len() <= 1000, "a line of {} bytes", line.len());
        let bare = line
            .strip_suffix(b"\r\n")
            .unwrap_or_else(|| panic!("a bare LF in {text}"));
        assert!(!bare.contains(&b'\r'), "a bare CR in {text}");
        if let Some(bytes) = &mut content {
            if bare == b"." {
                mails.push((rcpt.take().unwrap(), content.take().unwrap()));
            } else {
                bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            }
            continue;
        }
        let command = std::str::from_utf8(bare).unwrap();
        let word = command.split([' ', ':']).next().unwrap();
        assert!(!command.contains("else.example"), "{command}");
        match word {
            "EHLO" | "QUIT" | "RSET" => {}
            "MAIL" => assert!(
                command.starts_with("MAIL FROM:<editor@letters.example>"),
                "{command}"
            ),
            "RCPT" => rcpt = Some(command["RCPT TO:<".len()..command.len() - 1].to_owned()),
            "DATA" => content = Some(Vec::new()),
            _ => panic!("“{command}” is no command"),
        }
    }
    assert!(content.is_none(), "a mail without end");
    mails
}

/// What must be the same of all mails: the names of their headers, and the kinds of their parts.
fn shape(raw: &[u8]) -> (Vec<String>, Vec<String>) {
    let mail = MessageParser::default().parse(raw).unwrap();
    let headers = mail
        .headers()
        .iter()
        .map(|header| header.name().to_owned())
        .collect();
    let kind = |part: &mail_parser::MessagePart| {
        part.content_type()
            .map(|kind| format!("{}/{:?}", kind.ctype(), kind.subtype()))
            .unwrap_or_default()
    };
    (headers, mail.parts.iter().map(kind).collect())
}

/// Nothing in the HTML acts, and the dots of the text are all there.
fn body_is_harmless(raw: &[u8]) {
    let mail = MessageParser::default().parse(raw).unwrap();
    let html = mail.body_html(0).unwrap().into_owned();
    let page = scraper::Html::parse_document(&html);
    for element in page.tree.values().filter_map(|node| node.as_element()) {
        let acts = element.attrs().any(|(name, _)| name.starts_with("on"));
        assert!(!acts && element.name() != "script", "{element:?}");
    }
    let text = mail.body_text(0).unwrap().into_owned();
    for dots in DOTS {
        assert!(
            text.lines().any(|line| line.trim() == dots),
            "“{dots}” is not in {text}"
        );
    }
}

fn all_are_like_the_first(mails: &[(String, Vec<u8>)]) {
    let expected = shape(&mails[0].1);
    for (rcpt, raw) in mails {
        assert_eq!(
            shape(raw),
            expected,
            "{rcpt}: {}",
            String::from_utf8_lossy(raw)
        );
        let parsed = MessageParser::default().parse(raw).unwrap();
        let to = parsed
            .to()
            .and_then(|list| list.first())
            .and_then(|to| to.address())
            .unwrap();
        assert_eq!(to, rcpt);
        body_is_harmless(raw);
    }
}

#[test]
fn hostile_names_and_addresses_stay_in_their_place() {
    let mut stage = Stage::new();
    let names = hostile();
    let mut rows = String::from("email,name\nreader@readers.example,Reader\n");
    for (n, name) in names.iter().enumerate() {
        rows.push_str(&format!("reader{n}@readers.example,{}\n", csv(name)));
    }
    for address in [
        "reader@readers.example>\r\nRCPT TO:<victim@else.example",
        "reader\r\n@else.example",
        "reader@else.example\0",
        "\"a\r\nb\"@else.example",
        "a b@else.example",
        "<victim@else.example> <reader@readers.example>",
    ] {
        rows.push_str(&format!("{},Nobody\n", csv(address)));
    }
    let report = stage.newsletter.import(&rows);
    let added = report.json().last().unwrap()["added"].as_u64().unwrap();
    assert!(
        added as usize > names.len() / 2,
        "{}{}",
        report.out,
        report.err
    );
    std::fs::write(
        stage.newsletter.path().join("issues/001.md"),
        issue(1, "Nothing odd"),
    )
    .unwrap();
    stage.newsletter.ok(&["send", "issues/001.md", "--yes"]);
    let mails = stage.send();
    assert_eq!(mails.len() as u64, added);
    all_are_like_the_first(&mails);
}

#[test]
fn hostile_titles_and_settings_stay_in_their_place() {
    let mut stage = Stage::new();
    stage.newsletter.people(1);
    std::fs::write(
        stage.newsletter.path().join("issues/001.md"),
        issue(1, "Nothing odd"),
    )
    .unwrap();
    stage.newsletter.ok(&["send", "issues/001.md", "--yes"]);
    let harmless = stage.send();
    let plain = std::fs::read_to_string(stage.newsletter.path().join("letterpress.toml")).unwrap();
    let (mut titles, mut settings) = (0, 0);
    for (n, text) in hostile().iter().enumerate() {
        let value = toml(text);
        let harmful = plain.replace("\"The Weekly Proof\"", &value).replace(
            "[list.weekly]\n",
            &format!("[list.weekly]\npostal_address = {value}\npromise = {value}\ndescription = {value}\n"),
        );
        std::fs::write(stage.newsletter.path().join("letterpress.toml"), &harmful).unwrap();
        if stage.newsletter.run(&["config", "check"]).code == 0 {
            settings += 1;
        } else {
            std::fs::write(stage.newsletter.path().join("letterpress.toml"), &plain).unwrap();
        }
        let file = format!("issues/{:03}.md", n + 2);
        std::fs::write(stage.newsletter.path().join(&file), issue(n + 2, text)).unwrap();
        let sent = stage.newsletter.run(&["send", &file, "--yes"]);
        if sent.code == 0 {
            titles += 1;
            let mails = stage.send();
            let mut both = harmless.clone();
            both.extend(mails.into_iter().skip(titles));
            all_are_like_the_first(&both);
        } else {
            assert!(
                !sent.err.trim().is_empty() && !sent.err.contains("panicked"),
                "{}",
                sent.err
            );
        }
    }
    let all = hostile().len();
    println!("of {all} texts {titles} were taken as titles, {settings} as settings");
    assert!(
        titles > all / 2 && settings > all / 3,
        "{titles} titles, {settings} settings of {all}"
    );
}
