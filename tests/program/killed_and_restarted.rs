//! Killed at any moment and started again: nobody is skipped, nobody gets it twice.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::letter::{Letter, until};
use crate::received;
use crate::sink::Sink;

const READERS: usize = 2000;
/// Connections, and so the most that one kill leaves uncertain.
const CONNECTIONS: usize = 4;

#[test]
fn kills_lose_and_double_nobody() {
    let sink = Sink::start();
    let mut letter = Letter::new(&format!("{}\nconnections = {CONNECTIONS}", sink.relay()));
    let readers = letter.people(READERS);
    letter.ok(&["send", "issues/001.md", "--yes"]);
    let mut kills = 0;
    for wanted in [READERS / 10, READERS / 4, READERS / 2] {
        letter.serve();
        until("the send to go on", || sink.count() >= wanted || letter.totals()["state"] == "done");
        letter.kill();
        kills += 1;
        letter.totals();
    }
    letter.serve();
    until("the send to end", || letter.totals()["state"] == "done");
    // What was accepted is written by the sink a moment later.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(letter.stop(), 0);

    let mut got: BTreeMap<String, usize> = BTreeMap::new();
    for (recipient, raw) in sink.mails() {
        // A mail whose connection was cut has no end: the sink keeps what it got of it.
        if received::parse(&raw).body_html(0).is_some_and(|html| html.contains("</html>")) {
            *got.entry(recipient).or_default() += 1;
        }
    }
    let mut uncertain = 0;
    let rows = letter.deliveries();
    assert_eq!(rows.len(), READERS);
    for row in &rows {
        let (email, state) = (row["email"].as_str().unwrap(), row["state"].as_str().unwrap());
        let count = got.get(email).copied().unwrap_or(0);
        match state {
            "sent" => assert_eq!(count, 1, "{email} is sent and came {count} times"),
            "uncertain" => {
                uncertain += 1;
                assert!(count <= 1, "{email} is uncertain and came {count} times");
            }
            other => panic!("{email} is {other}"),
        }
    }
    assert!(uncertain <= kills * CONNECTIONS, "{uncertain} uncertain after {kills} kills");
    assert!(got.keys().all(|email| readers.contains(email)));
}

#[test]
fn sigterm_lets_mails_in_flight_end() {
    let sink = Sink::start();
    let mut letter = Letter::new(&sink.relay());
    letter.people(READERS);
    letter.ok(&["send", "issues/001.md", "--yes"]);
    letter.serve();
    until("the send to begin", || sink.count() >= READERS / 20);
    assert_eq!(letter.stop(), 0);
    let totals = letter.totals();
    assert_eq!((totals["sending"].as_u64(), totals["uncertain"].as_u64()), (Some(0), Some(0)), "{totals}");
    letter.serve();
    until("the send to end", || letter.totals()["state"] == "done");
    assert_eq!(letter.totals()["sent"], READERS);
    assert_eq!(letter.stop(), 0);
}
