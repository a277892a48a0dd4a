//! The wall clock is set while mails go out: forward by more than a year, back by more, and right again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::newsletter::until;
use crate::server::{At, Do, say};
use crate::stage::{Stage, When};

const YEAR_S: i64 = 366 * 86_400;

#[test]
fn a_clock_that_is_set_back_and_forward_loses_and_doubles_nobody() {
    let mut stage = Stage::new(90);
    let forward = Arc::new(AtomicBool::new(false));
    let mut greylisted = 0;
    stage.server.script({
        let forward = forward.clone();
        move |at, _, _| {
            // When these are due again is more than a year away, once the clock is right.
            if at == At::Rcpt && greylisted < 8 && forward.load(Ordering::SeqCst) {
                greylisted += 1;
                return say("450 4.2.0 greylisted");
            }
            if at == At::Dot {
                Do::Wait(Duration::from_millis(20))
            } else {
                Do::Usual
            }
        }
    });
    stage.start(None);
    let clock = stage.newsletter.path().join("clock");
    for (mails, offset) in [(10, YEAR_S), (30, -YEAR_S), (50, 3600), (70, 0)] {
        until("some mails", || stage.server.mails().len() >= mails);
        std::fs::write(&clock, offset.to_string()).unwrap();
        forward.store(offset == YEAR_S, Ordering::SeqCst);
    }
    until("the issue to be done", || {
        stage.newsletter.totals()["state"] == "done"
    });
    assert_eq!(stage.newsletter.stop(), 0);
    let counts = stage.compare(When::AtTheEnd, 0, "the clock was set");
    assert_eq!(counts["sent"], 90, "{counts:?}");
    let tried_again = stage
        .newsletter
        .deliveries()
        .iter()
        .filter(|row| row["attempts"] == 2)
        .count();
    assert_eq!(tried_again, 8);
}

/// What is kept of a measure for the next start was written by the wrong clock.
#[test]
fn a_measure_that_was_kept_by_a_wrong_clock_stops_nobody() {
    let mut stage = Stage::new(60);
    stage.newsletter.edit(
        "connections = 2",
        "connections = 2\nmessages_per_minute = 1200",
    );
    let clock = stage.newsletter.path().join("clock");
    for (mails, is_killed) in [(10, true), (30, false)] {
        std::fs::write(&clock, "0").unwrap();
        stage.start(None);
        until("some mails by the right clock", || {
            stage.server.mails().len() >= mails
        });
        std::fs::write(&clock, YEAR_S.to_string()).unwrap();
        until("some mails by the wrong clock", || {
            stage.server.mails().len() >= mails + 10
        });
        if is_killed {
            stage.newsletter.kill();
        } else {
            assert_eq!(stage.newsletter.stop(), 0);
        }
    }
    stage.complete();
    stage.compare(When::AtTheEnd, 1, "a measure by a wrong clock");
}
