//! SIGKILL before and after each step of a command that writes the ledger while no daemon runs: `send`, `retry`,
//! `cancel`. Whoever runs it once more gets what it is for, once.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::breakpoints::{Breakpoint, sides};
use crate::server::{At, Do, say};
use crate::shim::Fault;
use crate::stage::{Ended, Stage, When};

const READERS: usize = 8;

/// Both sides of each step that a command makes in the state that `prepare` leaves.
fn steps_of(stage: &mut Stage, args: &[&str], prepare: fn(&mut Stage)) -> Vec<Breakpoint> {
    stage.reset();
    prepare(stage);
    assert_eq!(stage.command(args, None), 0);
    let points = sides(stage.steps(), "");
    assert!(points.len() >= 4, "{args:?} made hardly a step: {}", points.len());
    points
}

/// Kills a command at each step; `look` sees what is left after the kill, and after it was run once more.
fn kill_at_each_step(args: &[&str], prepare: fn(&mut Stage), look: fn(&mut Stage, bool, &str)) {
    let mut stage = Stage::new(READERS);
    let points = steps_of(&mut stage, args, prepare);
    let mut kills = 0;
    for point in &points {
        let context = format!("{args:?} killed {point}");
        stage.reset();
        prepare(&mut stage);
        let code = stage.command(args, Some((Fault::Kill { after: point.after }, &point.step)));
        kills += usize::from(code == -1);
        look(&mut stage, false, &context);
        let again = stage.letter.run(args);
        assert!(matches!(again.code, 0 | 1), "{context}, then {}: {}", again.code, again.err);
        look(&mut stage, true, &context);
    }
    println!("{kills} kills of {args:?} at {} breakpoints", points.len());
    assert_eq!(kills, points.len());
}

fn count(rows: &[Value], state: &str) -> usize {
    rows.iter().filter(|row| row["state"] == state).count()
}

fn done(stage: &mut Stage) {
    assert_eq!(stage.run(None), Ended::InOrder);
}

#[test]
fn a_retry_that_is_killed_queues_nobody_twice() {
    kill_at_each_step(&["retry", "1", "--yes"], done, |stage, is_whole, context| {
        // Reader 2 alone had failed.
        let (rows, totals) = (stage.letter.deliveries(), stage.letter.totals());
        let waiting = count(&rows, "queued");
        assert_eq!(waiting + count(&rows, "failed"), 1, "{context}: {totals}");
        assert_eq!(totals["state"] == "done", waiting == 0, "{context}: {totals}");
        if is_whole {
            assert_eq!(waiting, 1, "{context}");
            stage.complete();
            stage.compare(When::AtTheEnd, 0, context);
        }
    });
}

/// The audience is whole and nobody has it, since the relay takes nobody.
fn planned(stage: &mut Stage) {
    stage.server.script(|at, _, _| if at == At::Connect { say("421 4.3.2 busy") } else { Do::Usual });
    stage.letter.serve();
    crate::letter::until("the audience", || stage.letter.totals()["planned"] == READERS);
    assert_eq!(stage.letter.stop(), 0);
}

#[test]
fn a_cancel_that_is_killed_is_completed() {
    kill_at_each_step(&["cancel", "1", "--yes"], planned, |stage, is_whole, context| {
        let (rows, totals) = (stage.letter.deliveries(), stage.letter.totals());
        assert_eq!(rows.len(), READERS, "{context}");
        if is_whole {
            // What the killed one left, the daemon takes out as well.
            stage.letter.serve();
            crate::letter::until("nobody to wait", || {
                let totals = stage.letter.totals();
                totals["queued"] == 0 && totals["deferred"] == 0
            });
            assert_eq!(stage.letter.stop(), 0);
            assert_eq!(totals["state"], "cancelled", "{context}: {totals}");
            assert_eq!(count(&stage.letter.deliveries(), "cancelled"), READERS, "{context}");
            assert!(stage.server.mails().is_empty(), "{context}");
        }
    });
}

#[test]
fn a_send_that_is_killed_queues_one_issue() {
    fn second_issue(stage: &mut Stage) {
        let text = crate::letter::ISSUE.replace("number = 1", "number = 2");
        std::fs::write(stage.letter.path().join("issues/002.md"), text).unwrap();
    }
    kill_at_each_step(&["send", "issues/002.md", "--yes"], second_issue, |stage, is_whole, context| {
        let issues = stage.letter.ok(&["deliveries", "--json"]).json();
        let mut numbers: BTreeMap<u64, usize> = BTreeMap::new();
        issues.iter().for_each(|row| *numbers.entry(row["number"].as_u64().unwrap()).or_default() += 1);
        let seconds = numbers.get(&2).copied().unwrap_or(0);
        assert!(seconds <= 1 && (seconds == 1 || !is_whole), "{context}: {numbers:?}");
    });
}
