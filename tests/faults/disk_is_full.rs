//! A full disk, from each write of the database on, that has room again after a while.

use crate::breakpoints::{break_at_each, generate};
use crate::shim::Fault;
use crate::stage::{Ended, Stage, When};

const READERS: usize = 8;

#[test]
fn a_disk_that_is_full_for_a_while_costs_nothing_but_time() {
    let mut stage = Stage::new(READERS);
    let mut points = generate(&mut stage, "");
    points.retain(|point| {
        !point.after && point.step.name.starts_with("write") && !point.step.name.contains("relay")
    });
    break_at_each(
        &mut stage,
        &points,
        |_| Fault::Full { count: 3 },
        |stage, ended, context| {
            if ended == Ended::Refused {
                // It had no room to begin, which it said; nothing had been sent.
                assert!(
                    stage.newsletter.log().contains("the disk is full"),
                    "{context}: {}",
                    stage.newsletter.log()
                );
                assert!(stage.server.mails().is_empty(), "{context}");
                stage.complete();
            }
            stage.compare(When::AtTheEnd, 0, context);
        },
    );
}
