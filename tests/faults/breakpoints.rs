//! Where a send is broken: each step that a first run makes, and each side of it.

use std::collections::BTreeMap;

use crate::effort::is_full;
use crate::shim::{Fault, Step};
use crate::stage::{Ended, Stage};

/// One side of one step.
pub(crate) struct Breakpoint {
    pub step: Step,
    pub after: bool,
}

impl std::fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {}",
            if self.after { "after" } else { "before" },
            self.step
        )
    }
}

/// Makes the send once without a fault and gives both sides of each of its steps; in the bounded part, of one step
/// of each name with `bounded_to` in it.
pub(crate) fn generate(stage: &mut Stage, bounded_to: &str) -> Vec<Breakpoint> {
    stage.reset();
    assert_eq!(stage.run(None), Ended::InOrder);
    let steps = stage.steps();
    for must in [
        "write relay EHLO",
        "write relay MAIL",
        "write relay From:",
        "write log",
        "sync log",
        "remove log",
    ] {
        assert!(steps.iter().any(|name| name == must), "no step “{must}”");
    }
    sides(steps, bounded_to)
}

/// So many steps of one name are broken at the most, evenly spread.
const ALIKE_MAX: usize = 100;

/// Both sides of steps that were made: of all, or in the bounded part of one of each name with `bounded_to` in it.
pub(crate) fn sides(steps: Vec<String>, bounded_to: &str) -> Vec<Breakpoint> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in steps {
        *counts.entry(name).or_default() += 1;
    }
    println!(
        "{} steps of {} names",
        counts.values().sum::<usize>(),
        counts.len()
    );
    let mut points = Vec::new();
    for (name, count) in counts
        .into_iter()
        .filter(|(name, _)| is_full() || name.contains(bounded_to))
    {
        let nths = if is_full() {
            1..=count
        } else {
            count.div_ceil(2)..=count.div_ceil(2)
        };
        for nth in nths.step_by(count.div_ceil(ALIKE_MAX)) {
            let step = Step {
                name: name.clone(),
                nth,
            };
            points.extend([false, true].map(|after| Breakpoint {
                step: step.clone(),
                after,
            }));
        }
    }
    points
}

/// Makes the send once for each point, with a fault there; `look` sees how it ended.
///
/// Most of the faults must come. Not each of them does: commits may fall together otherwise than in the run whose
/// steps were counted.
pub(crate) fn break_at_each(
    stage: &mut Stage,
    points: &[Breakpoint],
    fault: impl Fn(bool) -> Fault,
    mut look: impl FnMut(&mut Stage, Ended, &str),
) {
    let mut came = 0;
    for point in points {
        let fault = fault(point.after);
        let context = format!("{fault:?} at {}", point.step);
        stage.reset();
        let ended = stage.run(Some((fault, &point.step)));
        let is_made = !stage.made().is_empty();
        assert_eq!(
            ended == Ended::Killed,
            is_made && fault.kills(),
            "{context}: {ended:?}"
        );
        came += usize::from(is_made);
        look(stage, ended, &context);
    }
    println!("{came} faults came at {} breakpoints", points.len());
    assert!(
        came > 0 && came * 4 >= points.len() * 3,
        "{came} faults came at {} breakpoints",
        points.len()
    );
}
