//! Killed at random instants of a long send, from the start of the process on, and started again each time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::effort::{Dice, is_full};
use crate::newsletter::{Newsletter, PATIENCE, until};
use crate::received;
use crate::sink::Sink;

/// Connections, and so the most that one kill leaves uncertain.
const CONNECTIONS: usize = 4;
/// Mails a millisecond, as many as a quick machine sends.
const QUICK_A_MS: f64 = 5.0;

#[test]
fn kills_lose_and_double_nobody() {
    let (planned, kills) = if is_full() {
        (10_000, 200)
    } else {
        (3_000, 10)
    };
    let mut dice = Dice::new();
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&format!("{}\nconnections = {CONNECTIONS}", sink.relay()));
    let readers = newsletter.people(planned);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    let (mut longest_ms, mut left, mut fastest_a_ms) = (250.0, planned, QUICK_A_MS);
    for kill in 1..=kills {
        // However quick it is, one life sends no more than half of what is left.
        let most_ms = f64::min(longest_ms, left as f64 / 2.0 / fastest_a_ms);
        // Every third life begins to count at its first mail, so that kills meet mails in flight on a slow machine too.
        let from_mail = kill % 3 == 0;
        let life_ms = dice.below(if from_mail { most_ms / 4.0 } else { most_ms } as u64 + 1);
        let count = sink.count();
        newsletter.start(&[]);
        let end = Instant::now() + PATIENCE;
        while from_mail && sink.count() == count && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(life_ms));
        newsletter.kill();
        let totals = newsletter.totals();
        let before = left;
        left = if totals["planned"] == 0 {
            planned
        } else {
            open(&totals)
        };
        assert!(left > 0, "it was done after {kill} kills");
        fastest_a_ms = f64::max(fastest_a_ms, (before - left) as f64 / (life_ms + 1) as f64);
        // Who is ahead of an even course, at whose end a tenth is left, lives shorter, down to no mail at all.
        let even = planned as f64 * (1.0 - 0.9 * kill as f64 / kills as f64);
        let is_ahead = (left as f64) < even;
        longest_ms = if is_ahead {
            f64::max(longest_ms * 0.8, 20.0)
        } else {
            f64::min(longest_ms * 1.15, 4000.0)
        };
    }
    newsletter.serve();
    until("the send to end", || newsletter.totals()["state"] == "done");
    // What was accepted is written by the sink a moment later.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(newsletter.stop(), 0);
    let uncertain = compare(&newsletter, &sink, &readers);
    println!("{kills} kills in {planned} mails left {uncertain} uncertain");
    assert!(uncertain > 0, "no kill met a mail in flight");
    assert!(
        uncertain <= kills * CONNECTIONS,
        "{uncertain} uncertain after {kills} kills"
    );
}

fn open(totals: &serde_json::Value) -> usize {
    let of = |state: &str| usize::try_from(totals[state].as_u64().unwrap()).unwrap();
    of("queued") + of("sending") + of("deferred")
}

/// Sink and ledger, person by person; gives how many are uncertain.
fn compare(newsletter: &Newsletter, sink: &Sink, readers: &[String]) -> usize {
    let mut got: BTreeMap<String, usize> = BTreeMap::new();
    for (recipient, raw) in sink.mails() {
        // A mail whose connection was cut has no end: the sink keeps what it got of it.
        if received::parse(&raw)
            .body_html(0)
            .is_some_and(|html| html.contains("</html>"))
        {
            *got.entry(recipient).or_default() += 1;
        }
    }
    let rows = newsletter.deliveries();
    assert_eq!(rows.len(), readers.len());
    let mut uncertain = 0;
    for row in &rows {
        let (email, state) = (
            row["email"].as_str().unwrap(),
            row["state"].as_str().unwrap(),
        );
        let count = got.remove(email).unwrap_or(0);
        match state {
            "sent" => assert_eq!(count, 1, "{email} is sent and came {count} times"),
            "uncertain" => {
                uncertain += 1;
                assert!(count <= 1, "{email} is uncertain and came {count} times");
            }
            other => panic!("{email} is {other}"),
        }
    }
    assert!(got.is_empty(), "strangers: {got:?}");
    uncertain
}
