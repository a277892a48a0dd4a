//! SIGKILL at each step of `restore`: one of the two databases is there, and running it once more completes it.

use crate::breakpoints::sides;
use crate::effort::is_full;
use crate::killed_command::{READERS, done};
use crate::shim::Fault;
use crate::stage::{Stage, When};

const RESTORE: [&str; 3] = ["restore", "copy.db", "--yes"];
/// How many of the steps a bounded run breaks.
const BOUNDED: usize = 8;

/// A backup from before the send, which is done. Made anew each time: a restore puts another file in place, and going
/// back to an earlier one would be taken for a copy, as it should be.
fn sent_since_a_backup() -> Stage {
    let mut stage = Stage::new(READERS);
    stage.newsletter.ok(&["backup", "copy.db"]);
    done(&mut stage);
    stage
}

#[test]
fn a_restore_that_is_killed_is_completed() {
    let stage = sent_since_a_backup();
    assert_eq!(stage.command(&RESTORE, None), 0);
    let points = sides(stage.steps(), "");
    assert!(!points.is_empty(), "it made no step");
    let every = if is_full() {
        1
    } else {
        points.len().div_ceil(BOUNDED)
    };
    for point in points.iter().step_by(every) {
        let context = format!("restore killed {point}");
        let mut stage = sent_since_a_backup();
        let fault = Fault::Kill { after: point.after };
        assert_eq!(
            stage.command(&RESTORE, Some((fault, &point.step))),
            -1,
            "{context}"
        );
        let state = stage.newsletter.totals()["state"].clone();
        assert!(state == "done" || state == "held", "{context}: {state}");
        stage.newsletter.ok(&RESTORE);
        assert_eq!(stage.newsletter.totals()["state"], "held", "{context}");
        stage.newsletter.ok(&["resume", "1"]);
        stage.complete();
        stage.compare(When::AtTheEnd, 0, &context);
        let left = std::fs::read_dir(stage.newsletter.path())
            .unwrap()
            .flatten();
        let unfinished = left.filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with(".letterpress-")
        });
        assert_eq!(unfinished.count(), 0, "{context}");
    }
}
