//! SIGKILL before and after each write to the relay, each write of the database, and each of its syncs.

use crate::breakpoints::{break_at_each, generate};
use crate::shim::Fault;
use crate::stage::{Ended, Stage, When};

const READERS: usize = 8;

#[test]
fn a_kill_at_any_step_loses_and_doubles_nobody() {
    kill_at_each_step("standard", "");
}

#[test]
fn a_kill_where_mails_are_offered_ahead_loses_and_doubles_nobody() {
    kill_at_each_step("ahead", "relay");
}

#[test]
fn a_kill_where_each_answer_is_waited_for_loses_and_doubles_nobody() {
    kill_at_each_step("off", "relay");
}

fn kill_at_each_step(pipelining: &str, bounded_to: &str) {
    let mut stage = Stage::with(READERS, pipelining);
    let points = generate(&mut stage, bounded_to);
    let mut uncertain = 0;
    break_at_each(
        &mut stage,
        &points,
        |after| Fault::Kill { after },
        |stage, ended, context| {
            let killed = ended == Ended::Killed;
            if killed {
                stage.compare(When::Between, 1, context);
                stage.complete();
            }
            let counts = stage.compare(When::AtTheEnd, usize::from(killed), context);
            uncertain += counts.get("uncertain").copied().unwrap_or(0);
            stage.retry_uncertain(context);
        },
    );
    println!("{pipelining}: {uncertain} uncertain");
    assert!(
        uncertain > 0,
        "no kill fell between a claim and its outcome"
    );
}
