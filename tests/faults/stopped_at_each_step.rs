//! SIGTERM at each step: what is in flight ends, the rest stays queued, and nobody is left in between.

use crate::breakpoints::{break_at_each, generate};
use crate::shim::Fault;
use crate::stage::{Ended, Stage, When};

const READERS: usize = 8;

#[test]
fn a_stop_at_any_step_leaves_nobody_in_between() {
    let mut stage = Stage::new(READERS);
    let mut points = generate(&mut stage, "");
    points.retain(|point| !point.after);
    break_at_each(
        &mut stage,
        &points,
        |_| Fault::Term,
        |stage, ended, context| {
            // Where the step is one of the stop at the end, this is the second time that it is asked.
            assert!(
                matches!(ended, Ended::InOrder | Ended::AtOnce),
                "{context}: {ended:?}"
            );
            stage.compare(When::Between, 0, context);
            stage.complete();
            stage.compare(When::AtTheEnd, 0, context);
        },
    );
}
