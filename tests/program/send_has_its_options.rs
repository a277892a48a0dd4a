//! What `send` is told: in spite of errors, at a later time, and to wait for the end.

use crate::newsletter::{ISSUE, Newsletter};
use crate::received;
use crate::sink::Sink;

#[test]
fn an_error_stops_a_send_unless_it_is_forced() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&sink.relay());
    newsletter.people(1);
    std::fs::write(
        newsletter.path().join("issues/001.md"),
        format!("{ISSUE}\n![A plot of both](gone.png)\n"),
    )
    .unwrap();
    let stopped = newsletter.run(&["send", "issues/001.md", "--yes"]);
    assert_eq!(stopped.code, 1, "{}{}", stopped.out, stopped.err);
    assert!(stopped.out.contains("gone.png"), "{}", stopped.out);
    assert!(stopped.err.contains("--force"), "{}", stopped.err);
    assert!(
        newsletter.ok(&["deliveries", "--json"]).json().is_empty(),
        "nothing was queued"
    );

    newsletter.serve();
    newsletter.ok(&["send", "issues/001.md", "--yes", "--force", "--wait"]);
    let (_, raw) = sink.mails().pop().unwrap();
    let mail = received::parse(&raw);
    assert!(
        mail.body_html(0).unwrap().contains("A plot of both"),
        "its words stand in its place"
    );
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn a_send_for_later_waits_for_its_time_and_can_be_moved() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&sink.relay());
    newsletter.people(3);
    let queued = newsletter.ok(&["send", "issues/001.md", "--at", "2099-12-31 07:00", "--yes"]);
    assert!(
        queued.out.contains("2099-12-31 07:00 UTC") && queued.out.contains("No daemon"),
        "{}",
        queued.out
    );
    newsletter.serve();
    let totals = newsletter.totals();
    assert_eq!(
        (totals["state"].as_str(), totals["planned"].as_u64()),
        (Some("scheduled"), Some(0))
    );
    assert_eq!(sink.count(), 0);
    for told in [&["deliveries"][..], &["deliveries", "1"]] {
        let told = newsletter.ok(told).out;
        assert!(told.contains("due at 2099-12-31 07:00 UTC"), "{told}");
    }

    // Moved to a moment from now; this time somebody waits for it.
    let soon = std::process::Command::new("date")
        .args(["-u", "-d", "+2 seconds", "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .unwrap();
    let soon = String::from_utf8(soon.stdout).unwrap();
    let sent = newsletter.ok(&[
        "send",
        "issues/001.md",
        "--at",
        soon.trim(),
        "--wait",
        "--yes",
    ]);
    assert!(sent.out.contains("planned"), "{}", sent.out);
    assert_eq!(
        (newsletter.totals()["sent"].as_u64(), sink.count()),
        (Some(3), 3)
    );
    let over = newsletter.run(&["cancel", "1"]);
    assert!(
        over.err.contains("is done, so it can't be cancelled"),
        "told without a question: {}",
        over.err
    );
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn an_issue_is_not_used_up_on_nobody_and_a_draft_is_called_one() {
    let newsletter = Newsletter::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"");
    let refused = newsletter.run(&["send", "issues/001.md", "--yes"]);
    assert_eq!(refused.code, 1, "{}{}", refused.out, refused.err);
    assert!(
        refused.err.contains("weekly has no active subscribers"),
        "{}",
        refused.err
    );
    assert!(
        newsletter.ok(&["deliveries", "--json"]).json().is_empty(),
        "nothing was queued"
    );
    // Until a later time people may come.
    newsletter.ok(&["send", "issues/001.md", "--at", "2099-12-31 07:00", "--yes"]);
    newsletter.ok(&["cancel", "1", "--yes"]);

    newsletter.people(1);
    std::fs::write(
        newsletter.path().join("issues/001.md"),
        ISSUE.replacen("+++\n", "+++\ndraft = true\n", 1),
    )
    .unwrap();
    let asked = newsletter.run(&["send", "issues/001.md"]).err;
    let words: Vec<&str> = asked.split_whitespace().collect();
    assert!(
        words
            .join(" ")
            .contains("which is still a draft, to 1 person"),
        "{asked}"
    );
    let sent = newsletter.ok(&["send", "issues/001.md", "--yes"]).err;
    assert!(
        sent.contains("001.md is marked as a draft, and is sent all the same"),
        "{sent}"
    );
}

#[test]
fn the_question_says_where_a_send_replaces_another() {
    let newsletter = Newsletter::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"");
    newsletter.people(1);
    let asked = |newsletter: &Newsletter| {
        let asked = newsletter.run(&["send", "issues/001.md"]).err;
        asked.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let first = asked(&newsletter);
    assert!(
        first.contains("Send No. 1") && !first.contains("replaces"),
        "{first}"
    );
    newsletter.ok(&["send", "issues/001.md", "--at", "2099-12-31 07:00", "--yes"]);
    let second = asked(&newsletter);
    assert!(
        second.contains("replaces the one that is scheduled for 2099-12-31 07:00 UTC"),
        "{second}"
    );
    // By its number it is the same issue, whatever its file is called.
    std::fs::rename(
        newsletter.path().join("issues/001.md"),
        newsletter.path().join("issues/first.md"),
    )
    .unwrap();
    let renamed = newsletter.run(&["send", "issues/first.md"]).err;
    assert!(renamed.contains("scheduled"), "{renamed}");
}

#[test]
fn a_pair_of_keys_that_no_list_needs_is_called_so() {
    let newsletter = Newsletter::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"");
    let mistyped = newsletter
        .ok(&["dkim", "new", "--domain", "leters.example"])
        .err;
    assert!(
        mistyped
            .contains("No list sends from leters.example. The lists send from: letters.example."),
        "{mistyped}"
    );
    assert!(
        !newsletter
            .ok(&["dkim", "new", "--domain", "letters.example"])
            .err
            .contains("No list")
    );

    // Of those that there are, each is named once.
    let unknown = newsletter.run(&["dkim", "use", "lp9"]).err;
    let unknown = unknown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        unknown.contains("There are: lp1 (leters.example, letters.example)."),
        "{unknown}"
    );
}

#[test]
fn commands_leave_nothing_beside_the_database() {
    let newsletter = Newsletter::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"");
    newsletter.people(2);
    for command in [
        &["subscribers", "list"][..],
        &["subscribers", "export"],
        &["deliveries"],
        &["send", "issues/001.md", "--yes"],
        &["cancel", "1", "--yes"],
        &["cancel", "no-such", "--yes"],
        &["rehearse", "issues/001.md"],
        &["keys", "rotate"],
        &["backup", "copy.db"],
    ] {
        newsletter.run(command);
        let left: Vec<String> = std::fs::read_dir(newsletter.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("-wal") || name.contains("-shm"))
            .collect();
        assert!(left.is_empty(), "{command:?} left {left:?}");
    }
}

#[test]
fn a_misspelt_field_stops_a_send_and_warnings_stand_above_its_question() {
    let newsletter = Newsletter::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"");
    newsletter.people(2);
    let issue = |text: &str| {
        std::fs::write(newsletter.path().join("issues/001.md"), text).unwrap();
    };
    issue(
        "+++\ntitle = \"A first proof\"\nnumber = 1\nsubject = \"For {{ frist_name }}\"\n+++\n\nDear {{ nmae }},\n",
    );
    let refused = newsletter.run(&["send", "issues/001.md", "--yes"]);
    assert_eq!(refused.code, 1, "{}{}", refused.out, refused.err);
    assert!(
        refused.out.contains("Did you mean {{ name }}?") && refused.err.contains("2 errors"),
        "{}{}",
        refused.out,
        refused.err
    );

    issue(
        "+++\ntitle = \"A first proof\"\nnumber = 1\nsubject = \"Proofs for {{ name }}\"\n+++\n\n\
         Dear {{ name }}, see {{ site.url }}.\n",
    );
    let asked = newsletter.run(&["send", "issues/001.md"]);
    let shown = asked.err.split_whitespace().collect::<Vec<_>>().join(" ");
    let warning = shown.find("{{ site.url }}");
    let question = shown.find("with the subject “Proofs for {{ name }}”, to 2 people");
    assert!(warning.is_some() && warning < question, "{shown}");

    let sent = newsletter.run(&["send", "issues/001.md", "--yes"]);
    assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
    assert!(
        sent.err
            .contains("1 warning; `letterpress check issues/001.md` shows them."),
        "{}",
        sent.err
    );
}
