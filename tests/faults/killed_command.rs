//! A command that is killed at each step while no daemon runs, and then run once more.

use serde_json::Value;

use crate::breakpoints::{Breakpoint, sides};
use crate::shim::Fault;
use crate::stage::{Ended, Stage};

/// Readers of the issue that is queued before.
pub(crate) const READERS: usize = 8;

/// Both sides of each step that a command makes in the state that `prepare` leaves.
fn steps_of(stage: &mut Stage, args: &[&str], prepare: fn(&mut Stage)) -> Vec<Breakpoint> {
    stage.reset();
    prepare(stage);
    assert_eq!(stage.command(args, None), 0);
    let points = sides(stage.steps(), "");
    assert!(
        points.len() >= 4,
        "{args:?} made hardly a step: {}",
        points.len()
    );
    points
}

/// Kills a command at each step; `look` sees what is left after the kill, and after it was run once more.
pub(crate) fn kill_at_each_step(
    args: &[&str],
    prepare: fn(&mut Stage),
    look: fn(&mut Stage, bool, &str),
) {
    let mut stage = Stage::new(READERS);
    let points = steps_of(&mut stage, args, prepare);
    let mut kills = 0;
    for point in &points {
        let context = format!("{args:?} killed {point}");
        stage.reset();
        prepare(&mut stage);
        let code = stage.command(
            args,
            Some((Fault::Kill { after: point.after }, &point.step)),
        );
        kills += usize::from(code == -1);
        look(&mut stage, false, &context);
        let again = stage.newsletter.run(args);
        assert!(
            matches!(again.code, 0 | 1),
            "{context}, then {}: {}",
            again.code,
            again.err
        );
        look(&mut stage, true, &context);
    }
    println!("{kills} kills of {args:?} at {} breakpoints", points.len());
    assert_eq!(kills, points.len());
}

/// How many are in a state.
pub(crate) fn count(rows: &[Value], state: &str) -> usize {
    rows.iter().filter(|row| row["state"] == state).count()
}

/// The issue that is queued goes out.
pub(crate) fn done(stage: &mut Stage) {
    assert_eq!(stage.run(None), Ended::InOrder);
}
