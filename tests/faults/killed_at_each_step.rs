//! SIGKILL before and after each write to the relay, each write of the database, and each of its syncs.

use crate::breakpoints::generate;
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
    let (mut kills, mut uncertain) = (0, 0);
    for point in &points {
        let context = format!("killed {point}");
        stage.reset();
        let killed = stage.run(Some((Fault::Kill { after: point.after }, &point.step))) == Ended::Killed;
        if killed {
            kills += 1;
            stage.compare(When::Between, 1, &context);
            stage.complete();
        }
        let counts = stage.compare(When::AtTheEnd, usize::from(killed), &context);
        uncertain += counts.get("uncertain").copied().unwrap_or(0);
        stage.retry_uncertain(&context);
    }
    println!("{pipelining}: {kills} kills at {} breakpoints left {uncertain} uncertain", points.len());
    // Where commits fall together otherwise than in the run that was counted, the last of them do not come.
    assert!(kills * 4 >= points.len() * 3, "{kills} kills at {} breakpoints", points.len());
    assert!(uncertain > 0, "no kill fell between a claim and its outcome");
}
