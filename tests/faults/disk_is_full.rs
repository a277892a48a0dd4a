//! A full disk, from each write of the database on, that has room again after a while.

use crate::breakpoints::generate;
use crate::shim::Fault;
use crate::stage::{Ended, Stage, When};

const READERS: usize = 8;

#[test]
fn a_disk_that_is_full_for_a_while_costs_nothing_but_time() {
    let mut stage = Stage::new(READERS);
    let points = generate(&mut stage, "");
    for point in points.iter().filter(|point| !point.after && !point.step.name.contains("relay")) {
        let context = format!("full {point}");
        stage.reset();
        if stage.run(Some((Fault::Full { count: 3 }, &point.step))) == Ended::Refused {
            // It had no room to begin, which it said; nothing had been sent.
            assert!(stage.letter.log().contains("the disk is full"), "{context}: {}", stage.letter.log());
            assert!(stage.server.mails().is_empty(), "{context}");
            stage.complete();
        }
        stage.compare(When::AtTheEnd, 0, &context);
    }
}
