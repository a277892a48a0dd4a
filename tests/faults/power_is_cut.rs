//! The power fails before and after each step: what was written and not synced is not on the disk.

use crate::breakpoints::{break_at_each, generate};
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
    break_at_each(
        &mut stage,
        &points,
        |after| Fault::Power { after },
        |stage, ended, context| {
            let is_cut = ended == Ended::Killed;
            if is_cut {
                stage.compare(When::Between, 1, context);
                stage.complete();
            }
            stage.compare(When::AtTheEnd, usize::from(is_cut), context);
            stage.retry_uncertain(context);
        },
    );
}
