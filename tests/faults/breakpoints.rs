//! Where a send is broken: each step that a first run makes, and each side of it.

use std::collections::BTreeMap;

use crate::effort::is_full;
use crate::shim::Fault;
use crate::stage::{Ended, Stage};

/// One side of one step.
pub struct Breakpoint {
    pub step: usize,
    pub after: bool,
    /// What the step was in the run that was counted; another run's may differ by a commit or so.
    pub name: String,
}

impl std::fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} step {} ({})", if self.after { "after" } else { "before" }, self.step, self.name)
    }
}

/// Makes the send once without a fault and gives both sides of each of its steps; in the bounded part, both
/// sides of one step of each name with `bounded_to` in it.
pub fn generate(stage: &mut Stage, bounded_to: &str) -> Vec<Breakpoint> {
    stage.reset();
    assert_eq!(stage.run(Fault::None), Ended::InOrder);
    let steps = stage.steps();
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, name) in steps.iter().enumerate() {
        by_name.entry(name).or_default().push(i + 1);
    }
    for must in ["write relay EHLO", "write relay MAIL", "write relay From:", "write log", "sync log"] {
        assert!(by_name.contains_key(must), "no step “{must}” among {:?}", by_name.keys());
    }
    println!("{} steps of {} names", steps.len(), by_name.len());
    let mut chosen: Vec<usize> = if is_full() {
        (1..=steps.len()).collect()
    } else {
        let some = by_name.iter().filter(|(name, _)| name.contains(bounded_to));
        some.map(|(_, steps)| steps[steps.len() / 2]).collect()
    };
    chosen.sort_unstable();
    let sides = chosen.into_iter().flat_map(|step| [(step, false), (step, true)]);
    sides.map(|(step, after)| Breakpoint { step, after, name: steps[step - 1].clone() }).collect()
}
