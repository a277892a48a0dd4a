//! What people are told of an issue that waits, that nobody sends, or that they no longer wait for.

use std::process::Command;

use crate::newsletter::{Newsletter, until};
use crate::received;
use crate::sink::Sink;

const NOWHERE: &str = "host = \"127.0.0.1\"\nport = 1\ntls = \"none\"";

fn in_a_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A newsletter whose daemon has begun to send, has said why it waits, and still runs.
fn waiting() -> Newsletter {
    let mut newsletter = Newsletter::new(NOWHERE);
    newsletter.people(2);
    newsletter.serve();
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    until("why it waits", || newsletter.totals()["reason"].is_string());
    newsletter
}

#[test]
fn without_a_daemon_an_issue_that_is_being_sent_says_so() {
    let mut newsletter = waiting();
    let before = newsletter.totals()["reason"].as_str().unwrap().to_owned();
    assert!(!before.contains("no daemon"), "{before}");
    newsletter.kill();
    let row = newsletter.totals();
    assert_eq!(row["state"], "sending");
    let reason = row["reason"].as_str().unwrap();
    assert_eq!(
        reason,
        "no daemon runs; it continues when `letterpress serve` does"
    );
    for command in [
        &["deliveries"][..],
        &["deliveries", "--csv"],
        &["deliveries", "1"],
    ] {
        let told = in_a_line(&newsletter.ok(command).out);
        assert!(
            told.contains(reason) && !told.contains(&before),
            "{command:?}: {told}"
        );
    }
    // A pause has its own reason, whoever runs.
    newsletter.ok(&["pause", "1"]);
    assert!(
        newsletter.totals()["reason"]
            .as_str()
            .unwrap()
            .contains("letterpress pause")
    );
}

#[test]
fn an_interrupted_wait_says_that_the_send_goes_on() {
    let mut newsletter = waiting();
    newsletter.ok(&["cancel", "1", "--yes"]);
    let fresh = std::fs::read_to_string(newsletter.path().join("issues/001.md")).unwrap();
    std::fs::write(
        newsletter.path().join("issues/030.md"),
        fresh.replace("number = 1", "number = 30"),
    )
    .unwrap();
    let mut wait = newsletter.begin(&["send", "issues/030.md", "--wait", "--yes"]);
    // It has begun to wait where it says what it waits for.
    until("the wait to begin", || {
        assert!(
            wait.try_wait().unwrap().is_none(),
            "it ended by itself: {}",
            newsletter.log()
        );
        newsletter.log().contains("No. 30 waits:")
    });
    assert!(
        Command::new("kill")
            .args(["-INT", &wait.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        wait.wait().unwrap().code(),
        Some(130),
        "{}",
        newsletter.log()
    );
    let log = in_a_line(&newsletter.log());
    assert!(
        log.contains("Sending continues; `letterpress cancel 30` stops it."),
        "{log}"
    );
    let rows = newsletter.ok(&["deliveries", "--json"]).json();
    assert_eq!(
        rows.iter().find(|row| row["number"] == 30).unwrap()["state"],
        "sending"
    );
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn what_is_so_already_is_said_to_be() {
    let newsletter = Newsletter::new(NOWHERE);
    newsletter.people(3);
    newsletter.ok(&["send", "issues/001.md", "--at", "2099-12-31 07:00", "--yes"]);
    let said = |command: &str, wanted: &str| {
        let ended = newsletter.run(&[command, "1", "--yes"]);
        let told = in_a_line(&ended.err);
        assert!(
            ended.code == 1 && told.contains(wanted),
            "{command}: {told}"
        );
    };
    said(
        "resume",
        "No. 1 is scheduled and not paused, so there is nothing to resume",
    );
    newsletter.ok(&["pause", "1"]);
    said("pause", "No. 1 is already paused");
    let cancelled = newsletter.ok(&["cancel", "1", "--yes"]).out;
    assert_eq!(cancelled.trim(), "No. 1 is cancelled.");
    said("cancel", "No. 1 is already cancelled");
}

#[test]
fn the_first_letter_greets_with_a_name_and_without() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&sink.relay());
    let ended = newsletter.run(&["init", "other"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    std::fs::copy(
        newsletter.path().join("other/issues/001.md"),
        newsletter.path().join("issues/001.md"),
    )
    .unwrap();
    std::fs::write(
        newsletter.path().join("two.csv"),
        "email,name\nanna@a.example,Anna\nbo@a.example,\n",
    )
    .unwrap();
    newsletter.ok(&[
        "subscribers",
        "import",
        "two.csv",
        "--list",
        "weekly",
        "--yes",
    ]);
    newsletter.serve();
    newsletter.ok(&["send", "issues/001.md", "--wait", "--yes"]);
    let mails = sink.mails();
    let text = |to: &str| {
        let (_, raw) = mails.iter().find(|(rcpt, _)| rcpt == to).unwrap();
        received::parse(raw).body_text(0).unwrap().into_owned()
    };
    assert!(text("anna@a.example").contains("Good morning, Anna. This is"));
    assert!(text("bo@a.example").contains("Good morning, reader. This is"));
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn a_list_that_does_not_exist_has_no_issues_to_show() {
    let newsletter = Newsletter::new(NOWHERE);
    newsletter.people(1);
    let none = newsletter.run(&["deliveries", "--list", "weekly"]);
    assert!(none.out.contains("No issue was queued yet"), "{}", none.out);
    let unknown = newsletter.run(&["deliveries", "--list", "weakly"]);
    assert_eq!(unknown.code, 2, "{}", unknown.out);
    let said = in_a_line(&unknown.err);
    assert!(
        said.contains("there is no list weakly") && said.contains("Did you mean weekly?"),
        "{said}"
    );
}
