//! SIGHUP has the daemon read its settings again: what can change does, the rest is named, and a broken file changes
//! nothing.

use std::collections::HashMap;

use crate::newsletter::{Newsletter, until};
use crate::postfix::{PASSWORD, Postfix};
use crate::sink::Sink;

/// Asks for a reload and waits until the log has said something so many times.
fn reload_and_read(newsletter: &Newsletter, what: &str, times: usize) {
    newsletter.reload();
    until(what, || newsletter.log().matches(what).count() >= times);
}

#[test]
fn what_can_change_does_and_the_rest_is_named() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&sink.relay());
    newsletter.people(5);
    newsletter.serve();
    newsletter.edit("The Weekly Proof", "The Daily Proof");
    newsletter.edit(
        "[sending]",
        "[log]\nlevel = \"debug\"\n\n[sending]\nbatch_size = 3",
    );
    newsletter.edit(
        "listen = \"127.0.0.1:",
        "trusted_proxies = [\"127.0.0.1/32\"]\nlisten = \"127.0.0.2:",
    );
    reload_and_read(&newsletter, "settings reloaded", 1);
    until("the rest to be named", || {
        newsletter
            .log()
            .contains("web.listen was changed, which takes effect when the daemon is restarted")
    });
    let log = newsletter.log();
    let changed = log.lines().find(|line| line.contains("changed:")).unwrap();
    for key in [
        "list.weekly.name",
        "log.level",
        "sending.batch_size",
        "web.trusted_proxies",
    ] {
        assert!(changed.contains(key), "{key} is not in {changed}");
    }
    assert!(!changed.contains("web.listen"), "{changed}");
    let page = crate::web::get(newsletter.web, "/subscribe").unwrap();
    assert!(page.body.contains("The Daily Proof"), "{}", page.body);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    until("the issue to be done", || {
        newsletter.totals()["state"] == "done"
    });
    assert_eq!(sink.mails().len(), 5);
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn a_broken_file_changes_nothing_until_it_is_fixed() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&sink.relay());
    newsletter.people(3);
    newsletter.serve();
    for (number, (from, to, said)) in [
        ("[sending]", "[sendign]", "letterpress.toml:10:"),
        ("host = ", "host ", "this is not TOML"),
        (
            "host = \"127.0.0.1\"",
            "host = \"127.0.0.1\"\nca_file = \"gone.pem\"",
            "gone.pem can't be used",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        newsletter.edit(from, to);
        reload_and_read(&newsletter, "the settings were not reloaded", number + 1);
        assert!(
            newsletter.log().contains(said),
            "{said} is not in {}",
            newsletter.log()
        );
        assert!(crate::web::get(newsletter.web, "/healthz").is_some());
        newsletter.edit(to, from);
    }
    reload_and_read(&newsletter, "settings reloaded", 1);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    until("the issue to be done", || {
        newsletter.totals()["state"] == "done"
    });
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn reloading_in_the_midst_of_a_send_loses_and_doubles_nobody() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&sink.relay());
    let readers = newsletter.people(3000);
    newsletter.serve();
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    for times in 1..=4 {
        reload_and_read(&newsletter, "settings reloaded", times);
    }
    until("the issue to be done", || {
        newsletter.totals()["state"] == "done"
    });
    let totals = newsletter.totals();
    assert_eq!(totals["sent"], 3000, "{totals}");
    let mut got: HashMap<String, usize> = HashMap::new();
    for (to, _) in sink.mails() {
        *got.entry(to).or_default() += 1;
    }
    assert_eq!(got.len(), readers.len());
    assert!(got.values().all(|count| *count == 1));
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn a_password_that_was_corrected_is_used_after_a_reload_and_a_resume() {
    let postfix = Postfix::start("localhost");
    let mut newsletter = Newsletter::new(&postfix.relay("starttls"));
    newsletter.edit(PASSWORD, "wrong");
    newsletter.people(4);
    newsletter.serve();
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    until("the issue to pause", || {
        newsletter.totals()["state"] == "paused"
    });
    let reason = newsletter.totals()["reason"].as_str().unwrap().to_owned();
    assert!(
        reason.contains("535") && reason.contains("kill -HUP"),
        "{reason}"
    );
    newsletter.edit("wrong", PASSWORD);
    reload_and_read(&newsletter, "changed: relay.main.password", 1);
    assert!(!newsletter.log().contains(PASSWORD));
    newsletter.ok(&["resume", "1"]);
    until("the rest to be sent", || newsletter.totals()["sent"] == 4);
    until("the log to tell it", || {
        newsletter.log().contains("resumed")
    });
    assert_eq!(newsletter.stop(), 0);
}
