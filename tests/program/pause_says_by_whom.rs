//! An issue that somebody paused says who did so, how, and when.

use crate::newsletter::Newsletter;
use crate::sink::is_root;

#[test]
fn a_pause_says_by_whom_and_when() {
    let newsletter = Newsletter::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"");
    newsletter.people(1);
    newsletter.ok(&["send", "issues/001.md", "--at", "2099-12-31 07:00", "--yes"]);
    let pause = |names: [&str; 2]| {
        let environment = [
            ("LOGNAME", names[0].to_owned()),
            ("USER", names[1].to_owned()),
        ];
        let paused = newsletter.run_with(&["pause", "1", "--json"], &environment);
        assert_eq!(paused.code, 0, "{}", paused.err);
        let reason = paused.json()[0]["reason"].as_str().unwrap().to_owned();
        let (who, at) = reason
            .split_once(" with “letterpress pause” at ")
            .unwrap_or_else(|| panic!("{reason}"));
        assert!(
            at.len() == 20 && at.ends_with('Z'),
            "a moment to the second: {at}"
        );
        let shown = newsletter.ok(&["deliveries"]).out;
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        let local = format!("{} {} UTC", &at[..10], &at[11..16]);
        assert!(
            shown.contains(&format!("{who} with “letterpress pause” at {local}")),
            "{shown}"
        );
        newsletter.ok(&["resume", "1"]);
        who.to_owned()
    };
    assert_eq!(pause(["anna", "root"]), "paused by anna");
    assert_eq!(pause(["", "bo"]), "paused by bo");
    // What can't be a name is not believed, and would break the sentence.
    let number = pause(["an na", "” at noon"]);
    if is_root() {
        assert_eq!(number, "paused by root");
    } else {
        assert!(
            number
                .strip_prefix("paused by user ")
                .is_some_and(|n| n.parse::<u32>().is_ok()),
            "{number}"
        );
    }
}
