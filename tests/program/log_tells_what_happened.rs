//! The daemon's log tells what authors do to issues, and which addresses fail for good.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::newsletter::{Newsletter, until};

/// A server that knows no mailbox but reader0's.
fn refuse_most(stream: TcpStream) {
    let mut out = stream.try_clone().unwrap();
    let mut answer = |text: &str| out.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    let mut in_data = false;
    if !answer("220 relay.test") {
        return;
    }
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        let said = match line.get(..4).unwrap_or_default() {
            _ if in_data => {
                in_data = line != ".";
                if in_data { continue } else { "250 2.0.0 ok" }
            }
            "RCPT" if !line.contains("reader0@") => "550 5.1.1 no such mailbox",
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            _ => "250 ok",
        };
        if !answer(said) {
            return;
        }
    }
}

#[test]
fn steering_and_failed_addresses_are_in_the_log() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(|| refuse_most(stream));
        }
    });
    let mut newsletter = Newsletter::new(&format!(
        "host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\npipelining = \"off\""
    ));
    newsletter.people(3);
    newsletter.serve();
    let says = |newsletter: &Newsletter, what: &str| {
        until(what, || newsletter.log().contains(what));
    };
    newsletter.ok(&["send", "issues/001.md", "--at", "2099-12-31 07:00", "--yes"]);
    says(&newsletter, "queued; due at 2099-12-31T07:00:00Z");
    newsletter.ok(&["pause", "1"]);
    says(&newsletter, "paused by ");
    newsletter.ok(&["resume", "1"]);
    says(&newsletter, "resumed");
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    until("the issue to be done", || {
        newsletter.totals()["state"] == "done"
    });
    says(&newsletter, "failed: 550 5.1.1 no such mailbox");
    let log = newsletter.log();
    for reader in ["reader1@readers.example", "reader2@readers.example"] {
        assert!(log.contains(&format!("to={reader}")), "{log}");
    }
    assert!(!log.contains("to=reader0"), "{log}");
    assert_eq!(newsletter.stop(), 0);
}
