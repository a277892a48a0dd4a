//! SIGKILL at each step of `retry`: whoever runs it once more queues each of the failed once.

use crate::cancel_is_killed::planned;
use crate::killed_command::{READERS, count, done, kill_at_each_step};
use crate::server::Do;
use crate::stage::{Stage, When};

#[test]
fn a_retry_that_is_killed_queues_nobody_twice() {
    kill_at_each_step(
        &["retry", "1", "--yes"],
        done,
        |stage, is_whole, context| {
            // Reader 2 alone had failed.
            let (rows, totals) = (stage.newsletter.deliveries(), stage.newsletter.totals());
            let waiting = count(&rows, "queued");
            assert_eq!(waiting + count(&rows, "failed"), 1, "{context}: {totals}");
            assert_eq!(
                totals["state"] == "done",
                waiting == 0,
                "{context}: {totals}"
            );
            if is_whole {
                assert_eq!(waiting, 1, "{context}");
                stage.complete();
                stage.compare(When::AtTheEnd, 0, context);
            }
        },
    );
}

/// Nobody has it, and it was cancelled.
fn cancelled(stage: &mut Stage) {
    planned(stage);
    stage.newsletter.ok(&["cancel", "1", "--yes"]);
}

#[test]
fn a_cancel_that_is_taken_back_by_a_killed_command_reaches_each_once() {
    kill_at_each_step(
        &["retry", "1", "--state", "cancelled", "--yes"],
        cancelled,
        |stage, is_whole, context| {
            let (rows, totals) = (stage.newsletter.deliveries(), stage.newsletter.totals());
            let waiting = count(&rows, "queued");
            let kept = count(&rows, "cancelled");
            assert_eq!(waiting + kept, READERS, "{context}: {totals}");
            assert_eq!(
                totals["state"] == "cancelled",
                waiting == 0,
                "{context}: {totals}"
            );
            if is_whole {
                assert_eq!(kept, 0, "{context}");
                stage.server.script(|_, _, _| Do::Usual);
                stage.complete();
                stage.compare(When::AtTheEnd, 0, context);
            }
        },
    );
}
