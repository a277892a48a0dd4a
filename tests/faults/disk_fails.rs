//! A disk that fails to sync: a commit that is not on the disk is none.

use crate::breakpoints::{break_at_each, generate};
use crate::shim::Fault;
use crate::stage::{Ended, Stage, When};

const READERS: usize = 8;

#[test]
fn a_sync_that_fails_counts_as_no_commit() {
    let mut stage = Stage::new(READERS);
    let mut points = generate(&mut stage, "sync");
    points.retain(|point| !point.after && point.step.name.starts_with("sync"));
    break_at_each(
        &mut stage,
        &points,
        |_| Fault::Io { count: 2 },
        |stage, ended, context| {
            if ended == Ended::Refused {
                // A broken disk may end the daemon, in order: whoever was in flight is known.
                stage.compare(When::Between, 1, context);
                stage.complete();
            }
            stage.compare(When::AtTheEnd, 1, context);
        },
    );
}
