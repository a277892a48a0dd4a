//! SIGTERM in mid-run: mails in flight end, and the next start goes on with the rest.

use crate::letter::{Letter, until};
use crate::sink::Sink;

const READERS: usize = 2000;

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
    assert_eq!(
        (totals["sending"].as_u64(), totals["uncertain"].as_u64()),
        (Some(0), Some(0)),
        "{totals}"
    );
    letter.serve();
    until("the send to end", || letter.totals()["state"] == "done");
    assert_eq!(letter.totals()["sent"], READERS);
    assert_eq!(letter.stop(), 0);
}
