//! The power fails before and after each step: what was written and not synced is not on the disk.

use crate::breakpoints::generate;
use crate::shim::Fault;
use crate::stage::{Ended, Stage, When};

const READERS: usize = 8;

#[test]
fn a_power_cut_at_any_step_loses_and_doubles_nobody() {
    cut_at_each_step("standard", "");
}

#[test]
fn a_power_cut_where_mails_are_offered_ahead_loses_and_doubles_nobody() {
    cut_at_each_step("ahead", "relay");
}

fn cut_at_each_step(pipelining: &str, bounded_to: &str) {
    let mut stage = Stage::with(READERS, pipelining);
    let points = generate(&mut stage, bounded_to);
    let mut cuts = 0;
    for point in &points {
        let context = format!("without power {point}");
        stage.reset();
        let cut = stage.run(Some((Fault::Power { after: point.after }, &point.step))) == Ended::Killed;
        if cut {
            cuts += 1;
            stage.compare(When::Between, 1, &context);
            stage.complete();
        }
        stage.compare(When::AtTheEnd, usize::from(cut), &context);
        stage.retry_uncertain(&context);
    }
    println!("{pipelining}: {cuts} power cuts at {} breakpoints", points.len());
    // Where commits fall together otherwise than in the run that was counted, the last of them do not come.
    assert!(cuts * 4 >= points.len() * 3, "{cuts} cuts at {} breakpoints", points.len());
}
