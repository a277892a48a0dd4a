//! The power fails before and after each step: what was written and not synced is not on the disk.

use crate::breakpoints::generate;
use crate::shim::Fault;
use crate::stage::{Ended, Stage, When};

const READERS: usize = 8;

#[test]
fn a_power_cut_at_any_step_loses_and_doubles_nobody() {
    let mut stage = Stage::new(READERS);
    let points = generate(&mut stage);
    let mut cuts = 0;
    for point in &points {
        let context = format!("without power {point}");
        stage.reset();
        let cut = stage.run(Fault::Power { step: point.step, after: point.after }) == Ended::Killed;
        if cut {
            cuts += 1;
            stage.compare(When::Between, 1, &context);
            stage.complete();
        }
        stage.compare(When::AtTheEnd, usize::from(cut), &context);
        stage.retry_uncertain(&context);
    }
    println!("{cuts} power cuts at {} breakpoints", points.len());
    assert!(cuts * 10 >= points.len() * 9, "{cuts} cuts at {} breakpoints", points.len());
}
