//! What whoever waits for a send is told: how long it takes, and that it was paused.

use std::process::Stdio;

use crate::newsletter::{Newsletter, until};
use crate::sink::Sink;

#[test]
fn a_pause_of_the_author_is_no_error_to_fix() {
    let sink = Sink::start();
    let relay = format!("{}\nmessages_per_minute = 60", sink.relay());
    let mut newsletter = Newsletter::new(&relay);
    newsletter.people(300);
    newsletter.serve();
    let waiting = newsletter
        .command(&["send", "issues/001.md", "--wait", "--yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("mails to go", || sink.count() > 0);
    newsletter.ok(&["pause", "1"]);
    let ended = waiting.wait_with_output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr),
    );
    assert_eq!(ended.status.code(), Some(1), "{out}{err}");
    let words = err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("No. 1 is paused: by ") && words.contains("letterpress resume 001"),
        "{err}"
    );
    assert!(!err.contains("error") && !err.contains("Fix"), "{err}");
    assert!(err.lines().all(|line| line.chars().count() <= 80), "{err}");
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn a_rehearsal_promises_no_more_than_was_measured() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&sink.relay());
    newsletter.people(60);
    let rehearse = |newsletter: &Newsletter| {
        let json = newsletter
            .ok(&["rehearse", "issues/001.md", "--json"])
            .json();
        let words = newsletter.ok(&["rehearse", "issues/001.md"]);
        let last = json.last().unwrap();
        (last["estimated_at_least"].as_bool().unwrap(), words)
    };
    let (at_least, told) = rehearse(&newsletter);
    assert!(at_least && told.out.contains("at least"), "{}", told.out);
    assert!(told.err.contains("is not known until"), "{}", told.err);
    newsletter.serve();
    newsletter.ok(&["send", "issues/001.md", "--wait", "--yes"]);
    assert_eq!(newsletter.stop(), 0);
    let (at_least, told) = rehearse(&newsletter);
    assert!(!at_least && told.out.contains("about"), "{}", told.out);
    assert!(!told.out.contains(" 0.0 s"), "{}", told.out);
}
