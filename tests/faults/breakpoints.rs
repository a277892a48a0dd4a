//! Where a send is broken: each step that a first run makes, and each side of it.

use std::collections::BTreeMap;

use crate::effort::is_full;
use crate::shim::Step;
use crate::stage::{Ended, Stage};

/// One side of one step.
pub struct Breakpoint {
    pub step: Step,
    pub after: bool,
}

impl std::fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", if self.after { "after" } else { "before" }, self.step)
    }
}

/// Makes the send once without a fault and gives both sides of each of its steps; in the bounded part, of one step
/// of each name with `bounded_to` in it.
pub fn generate(stage: &mut Stage, bounded_to: &str) -> Vec<Breakpoint> {
    stage.reset();
    assert_eq!(stage.run(None), Ended::InOrder);
    let steps = stage.steps();
    for must in ["write relay EHLO", "write relay MAIL", "write relay From:", "write log", "sync log"] {
        assert!(steps.iter().any(|name| name == must), "no step “{must}”");
    }
    sides(steps, bounded_to)
}

/// Both sides of steps that were made: of all, or in the bounded part of one of each name with `bounded_to` in it.
pub fn sides(steps: Vec<String>, bounded_to: &str) -> Vec<Breakpoint> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in steps {
        *counts.entry(name).or_default() += 1;
    }
    println!("{} steps of {} names", counts.values().sum::<usize>(), counts.len());
    let mut points = Vec::new();
    for (name, count) in counts.into_iter().filter(|(name, _)| is_full() || name.contains(bounded_to)) {
        let nths = if is_full() { 1..=count } else { count.div_ceil(2)..=count.div_ceil(2) };
        for nth in nths {
            let step = Step { name: name.clone(), nth };
            points.extend([false, true].map(|after| Breakpoint { step: step.clone(), after }));
        }
    }
    points
}
