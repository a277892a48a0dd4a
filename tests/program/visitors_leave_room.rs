//! Strangers who hold as many connections as they can get take nothing that the sender needs.

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use crate::newsletter::{Newsletter, until};
use crate::sink::Sink;
use crate::web::get;

const READERS: usize = 40;
/// So few files may the daemon open, and so many connections the strangers.
const DESCRIPTORS: usize = 160;
const STRANGERS: usize = 300;

#[test]
fn a_send_goes_on_and_pages_answer_while_strangers_hold_every_connection() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&sink.relay());
    newsletter.people(READERS);
    let launcher = newsletter.path().join("with-few-descriptors");
    let script = format!("#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec \"$@\"\n");
    std::fs::write(&launcher, script).unwrap();
    std::fs::set_permissions(&launcher, std::fs::Permissions::from_mode(0o755)).unwrap();
    newsletter.start_under(launcher.to_str().unwrap(), &[]);
    newsletter.until_it_answers();
    let web = newsletter.web;
    let strangers: Vec<TcpStream> = (0..STRANGERS)
        .filter_map(|n| {
            let mut stream = TcpStream::connect(("127.0.0.1", web)).ok()?;
            // Half of them say nothing, and half ask for more than they will ever read.
            if n % 2 == 0 {
                let asks = "GET /subscribe HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200);
                let _ = stream.write_all(asks.as_bytes());
            }
            Some(stream)
        })
        .collect();
    let sent = newsletter.run(&["send", "issues/001.md", "--wait", "--yes"]);
    assert_eq!(sent.code, 0, "{}{}{}", sent.out, sent.err, newsletter.log());
    until("the mails to be written", || sink.mails().len() == READERS);
    until("a page beside the strangers", || {
        get(web, "/healthz").is_some_and(|answer| answer.status == 200)
    });
    let log = newsletter.log();
    assert!(!log.contains("open files"), "{log}");
    drop(strangers);
    assert_eq!(newsletter.stop(), 0);
}
