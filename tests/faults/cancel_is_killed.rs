//! SIGKILL at each step of `cancel`: it is completed by running it once more, and by the daemon.

use crate::killed_command::{READERS, count, kill_at_each_step};
use crate::newsletter::until;
use crate::server::{At, refuse};
use crate::stage::Stage;

/// The audience is whole and nobody has it, since the relay takes nobody.
pub(crate) fn planned(stage: &mut Stage) {
    stage.server.script(refuse(At::Connect, "421 4.3.2 busy"));
    stage.newsletter.serve();
    until("the audience", || {
        stage.newsletter.totals()["planned"] == READERS
    });
    assert_eq!(stage.newsletter.stop(), 0);
}

#[test]
fn a_cancel_that_is_killed_is_completed() {
    kill_at_each_step(
        &["cancel", "1", "--yes"],
        planned,
        |stage, is_whole, context| {
            let (rows, totals) = (stage.newsletter.deliveries(), stage.newsletter.totals());
            assert_eq!(rows.len(), READERS, "{context}");
            if is_whole {
                // What the killed one left, the daemon takes out as well.
                stage.newsletter.serve();
                until("nobody to wait", || {
                    let totals = stage.newsletter.totals();
                    totals["queued"] == 0 && totals["deferred"] == 0
                });
                assert_eq!(stage.newsletter.stop(), 0);
                assert_eq!(totals["state"], "cancelled", "{context}: {totals}");
                assert_eq!(
                    count(&stage.newsletter.deliveries(), "cancelled"),
                    READERS,
                    "{context}"
                );
                assert!(stage.server.mails().is_empty(), "{context}");
            }
        },
    );
}
