//! `speed` while the daemon sends, what a kill leaves of it, and what `rehearse` makes of it.

use serde_json::Value;

use crate::newsletter::{Newsletter, until};
use crate::sink::Sink;

/// The line of one measure.
fn speed(newsletter: &Newsletter, name: &str) -> Value {
    newsletter.ok(&["speed", name, "--json"]).json().remove(0)
}

fn sent(newsletter: &Newsletter) -> u64 {
    newsletter.totals()["sent"].as_u64().unwrap()
}

#[test]
fn a_speed_is_changed_while_mails_go_and_goes_back() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&format!("{}\nmessages_per_minute = 30", sink.relay()));
    newsletter.people(60);
    newsletter.serve();
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    until("the first mail", || sent(&newsletter) > 0);
    until("why it waits", || {
        newsletter.totals()["reason"]
            .as_str()
            .is_some_and(|r| r.contains("30 messages"))
    });

    newsletter.ok(&["speed", "readers.example", "20"]);
    newsletter.ok(&["speed", "main", "6000"]);
    until("the provider's turn", || {
        let row = newsletter.totals();
        row["reason"]
            .as_str()
            .is_some_and(|r| r.contains("readers.example") || r.contains("6,000"))
    });
    assert!(sent(&newsletter) < 60, "the provider is slow all the same");
    newsletter.ok(&["speed", "readers.example", "off"]);
    until("all mails", || newsletter.totals()["state"] == "done");

    let main = speed(&newsletter, "main");
    assert_eq!(
        (&main["set"], &main["overridden"], &main["per_minute"]),
        (&30.into(), &6000.into(), &6000.0.into())
    );
    newsletter.ok(&["speed", "main", "off"]);
    assert_eq!(speed(&newsletter, "main")["per_minute"], 30.0);
    let told = newsletter.ok(&["speed"]);
    let shown = told.out;
    assert!(
        shown.lines().count() == 2 && shown.contains("main"),
        "{shown}"
    );
    assert!(
        told.err
            .contains("a running daemon uses those it started with"),
        "{}",
        told.err
    );
    assert_eq!(newsletter.run(&["speed", "mian", "60"]).code, 2);
    assert_eq!(newsletter.run(&["speed", "main", "quick"]).code, 2);
}

#[test]
fn a_kill_leaves_a_warm_up_no_more_than_its_day() {
    let sink = Sink::start();
    let mut newsletter = Newsletter::new(&format!(
        "{}\nwarm_up_per_day = 40\nwarm_up_growth = 2",
        sink.relay()
    ));
    newsletter.people(200);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    for _ in 0..3 {
        let before = newsletter.totals()["sent"].as_u64().unwrap();
        newsletter.serve();
        // Either it sends, or the day has nothing more to give.
        until("mails, or why there are none", || {
            let row = newsletter.totals();
            row["sent"].as_u64().unwrap() > before
                || row["reason"]
                    .as_str()
                    .is_some_and(|r| r.contains("warmed up"))
        });
        newsletter.kill();
    }
    newsletter.serve();
    until("the day's end", || {
        newsletter.totals()["reason"]
            .as_str()
            .is_some_and(|r| r.contains("warmed up"))
    });
    let main = speed(&newsletter, "main");
    assert_eq!(
        (&main["today"], &main["given_today"]),
        (&40.into(), &40.into())
    );
    assert!((1..=40).contains(&sink.count()), "{} mails", sink.count());
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn a_rehearsal_tells_how_long_the_slowest_provider_will_take() {
    let newsletter = Newsletter::new("host = \"127.0.0.1\"\nport = 9\ntls = \"none\"");
    newsletter.edit(
        "[sending]\n",
        "[domain.\"readers.example\"]\nmessages_per_minute = 6\n\n[sending]\n",
    );
    newsletter.people(30);
    let last = |newsletter: &Newsletter| {
        newsletter
            .ok(&["rehearse", "issues/001.md", "--json"])
            .json()
            .pop()
            .unwrap()
    };
    let seconds = last(&newsletter)["estimated_s"].as_f64().unwrap();
    assert!((299.0..310.0).contains(&seconds), "{seconds}");
    // The author's word holds in the real send, and in what is told of it; the rehearsal itself waits for nothing.
    newsletter.ok(&["speed", "readers.example", "60"]);
    let row = last(&newsletter);
    assert_eq!(row["sent"], 30);
    let seconds = row["estimated_s"].as_f64().unwrap();
    assert!((29.0..40.0).contains(&seconds), "{seconds}");
}
