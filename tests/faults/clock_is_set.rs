//! The wall clock is set while mails go out: forward by more than a year, back by more, and right again.

use std::time::Duration;

use crate::letter::until;
use crate::server::{At, Do, say};
use crate::shim::Fault;
use crate::stage::{Stage, When};

const YEAR_S: i64 = 366 * 86_400;

#[test]
fn a_clock_that_is_set_back_and_forward_loses_and_doubles_nobody() {
    let mut stage = Stage::new(90);
    let mut greylisted = 0;
    stage.server.script(move |at, rcpt, _| {
        if at == At::Rcpt && rcpt.starts_with("reader1") && greylisted < 8 {
            greylisted += 1;
            return say("450 4.2.0 greylisted");
        }
        if at == At::Dot { Do::Wait(Duration::from_millis(20)) } else { Do::Usual }
    });
    stage.start(Fault::None);
    let clock = stage.letter.path().join("clock");
    for (mails, offset) in [(10, YEAR_S), (30, -YEAR_S), (50, 3600), (70, 0)] {
        until("some mails", || stage.server.mails().len() >= mails);
        std::fs::write(&clock, offset.to_string()).unwrap();
    }
    until("the issue to be done", || stage.letter.totals()["state"] == "done");
    assert_eq!(stage.letter.stop(), 0);
    let counts = stage.compare(When::AtTheEnd, 0, "the clock was set");
    assert_eq!(counts["sent"], 90, "{counts:?}");
}
