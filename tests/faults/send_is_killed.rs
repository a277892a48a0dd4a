//! SIGKILL at each step of `send`: whoever runs it once more has queued one issue.

use std::collections::BTreeMap;

use crate::killed_command::kill_at_each_step;
use crate::stage::Stage;

#[test]
fn a_send_that_is_killed_queues_one_issue() {
    fn second_issue(stage: &mut Stage) {
        let text = crate::newsletter::ISSUE.replace("number = 1", "number = 2");
        std::fs::write(stage.newsletter.path().join("issues/002.md"), text).unwrap();
    }
    kill_at_each_step(
        &["send", "issues/002.md", "--yes"],
        second_issue,
        |stage, is_whole, context| {
            let issues = stage.newsletter.ok(&["deliveries", "--json"]).json();
            let mut numbers: BTreeMap<u64, usize> = BTreeMap::new();
            issues
                .iter()
                .for_each(|row| *numbers.entry(row["number"].as_u64().unwrap()).or_default() += 1);
            let seconds = numbers.get(&2).copied().unwrap_or(0);
            assert!(
                seconds <= 1 && (seconds == 1 || !is_whole),
                "{context}: {numbers:?}"
            );
        },
    );
}
