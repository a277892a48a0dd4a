//! Killed at random instants of a long send, from the start of the process on, and started again each time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::effort::{Dice, is_full};
use crate::letter::{Letter, until};
use crate::received;
use crate::sink::Sink;

/// Connections, and so the most that one kill leaves uncertain.
const CONNECTIONS: usize = 4;

#[test]
fn kills_lose_and_double_nobody() {
    let (planned, kills) = if is_full() { (10_000, 200) } else { (3_000, 10) };
    let mut dice = Dice::new();
    let sink = Sink::start();
    let mut letter = Letter::new(&format!("{}\nconnections = {CONNECTIONS}", sink.relay()));
    let readers = letter.people(planned);
    letter.ok(&["send", "issues/001.md", "--yes"]);
    let mut lives = Lives { startup_ms: 100.0, mails_a_ms: 3.0 };
    let (mut killed, mut left) = (0, planned);
    while killed < kills && left > 0 {
        let begun = Instant::now();
        letter.start(&[]);
        std::thread::sleep(Duration::from_millis(dice.below(lives.longest_ms(left, kills - killed))));
        letter.kill();
        killed += 1;
        let totals = letter.totals();
        let open = if totals["planned"] == 0 { planned } else { open(&totals) };
        lives.learn(left - open, begun.elapsed());
        left = open;
    }
    letter.serve();
    until("the send to end", || letter.totals()["state"] == "done");
    // What was accepted is written by the sink a moment later.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(letter.stop(), 0);
    let uncertain = compare(&letter, &sink, &readers);
    println!("{killed} kills in {planned} mails left {uncertain} uncertain");
    assert!(uncertain <= killed * CONNECTIONS, "{uncertain} uncertain after {killed} kills");
    assert!(killed * 4 >= kills * 3, "it was done after {killed} kills");
}

/// How long a daemon may live, so that about the same number of mails is left for each of the kills to come.
struct Lives {
    /// The longest life in which nothing was sent.
    startup_ms: f64,
    mails_a_ms: f64,
}

impl Lives {
    fn learn(&mut self, mails: usize, life: Duration) {
        let life_ms = life.as_secs_f64() * 1000.0;
        if mails == 0 {
            self.startup_ms = self.startup_ms.max(life_ms).min(1_000.0);
        } else {
            let rate = mails as f64 / (life_ms - self.startup_ms).max(life_ms / 4.0);
            self.mails_a_ms = 0.7 * self.mails_a_ms + 0.3 * rate;
        }
    }

    fn longest_ms(&self, left: usize, kills: usize) -> u64 {
        // A little less, so that something is left for the last.
        let wanted = 0.8 * left as f64 / (kills + 1) as f64;
        (self.startup_ms + 2.0 * wanted / self.mails_a_ms).min(4_000.0) as u64
    }
}

fn open(totals: &serde_json::Value) -> usize {
    let of = |state: &str| usize::try_from(totals[state].as_u64().unwrap()).unwrap();
    of("queued") + of("sending") + of("deferred")
}

/// Sink and ledger, person by person; gives how many are uncertain.
fn compare(letter: &Letter, sink: &Sink, readers: &[String]) -> usize {
    let mut got: BTreeMap<String, usize> = BTreeMap::new();
    for (recipient, raw) in sink.mails() {
        // A mail whose connection was cut has no end: the sink keeps what it got of it.
        if received::parse(&raw).body_html(0).is_some_and(|html| html.contains("</html>")) {
            *got.entry(recipient).or_default() += 1;
        }
    }
    let rows = letter.deliveries();
    assert_eq!(rows.len(), readers.len());
    let mut uncertain = 0;
    for row in &rows {
        let (email, state) = (row["email"].as_str().unwrap(), row["state"].as_str().unwrap());
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
