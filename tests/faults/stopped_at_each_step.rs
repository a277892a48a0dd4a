//! SIGTERM at each step: what is in flight ends, the rest stays queued, and nobody is left in between.

use crate::breakpoints::generate;
use crate::shim::Fault;
use crate::stage::{Ended, Stage, When};

const READERS: usize = 8;

#[test]
fn a_stop_at_any_step_leaves_nobody_in_between() {
    let mut stage = Stage::new(READERS);
    let points = generate(&mut stage, "");
    for point in points.iter().filter(|point| !point.after) {
        let context = format!("stopped {point}");
        stage.reset();
        // Where the step is one of the stop at the end, this is the second time that it is asked.
        let ended = stage.run(Some((Fault::Term, &point.step)));
        assert!(matches!(ended, Ended::InOrder | Ended::AtOnce), "{context}: {ended:?}");
        stage.compare(When::Between, 0, &context);
        stage.complete();
        stage.compare(When::AtTheEnd, 0, &context);
    }
}
