//! SIGKILL at each step of `retry`: whoever runs it once more queues each of the failed once.

use crate::killed_command::{count, done, kill_at_each_step};
use crate::stage::When;

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
