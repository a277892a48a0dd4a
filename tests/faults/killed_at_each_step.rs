//! SIGKILL before and after each write to the relay, each write of the database, and each of its syncs.

use crate::breakpoints::generate;
use crate::shim::Fault;
use crate::stage::{Ended, Stage, When};

const READERS: usize = 8;

#[test]
fn a_kill_at_any_step_loses_and_doubles_nobody() {
    let mut stage = Stage::new(READERS);
    let points = generate(&mut stage);
    let (mut kills, mut uncertain) = (0, 0);
    for point in &points {
        let context = format!("killed {point}");
        stage.reset();
        let killed = stage.run(Fault::Kill { step: point.step, after: point.after }) == Ended::Killed;
        if killed {
            kills += 1;
            stage.compare(When::Between, 1, &context);
            stage.complete();
        }
        let counts = stage.compare(When::AtTheEnd, usize::from(killed), &context);
        uncertain += counts.get("uncertain").copied().unwrap_or(0);
        stage.retry_uncertain(&context);
    }
    println!("{kills} kills at {} breakpoints left {uncertain} uncertain", points.len());
    // Where a group of commits falls out otherwise than in the run that was counted, the last steps do not come.
    assert!(kills * 10 >= points.len() * 9, "{kills} kills at {} breakpoints", points.len());
    assert!(uncertain > 0, "no kill fell between a claim and its outcome");
}
