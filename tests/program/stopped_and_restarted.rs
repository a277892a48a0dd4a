//! SIGTERM in mid-run: mails in flight end, and the next start goes on with the rest.

use crate::newsletter::{Newsletter, until};
use crate::sink::Sink;

const READERS: usize = 2000;

#[test]
fn sigterm_lets_mails_in_flight_end() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&sink.relay());
    newsletter.people(READERS);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    newsletter.serve();
    until("the send to begin", || sink.count() >= READERS / 20);
    assert_eq!(newsletter.stop(), 0);
    let totals = newsletter.totals();
    assert_eq!(
        (totals["sending"].as_u64(), totals["uncertain"].as_u64()),
        (Some(0), Some(0)),
        "{totals}"
    );
    newsletter.serve();
    until("the send to end", || newsletter.totals()["state"] == "done");
    assert_eq!(newsletter.totals()["sent"], READERS);
    assert_eq!(newsletter.stop(), 0);
}
