//! `speed` while the daemon sends, what a kill leaves of it, and what `rehearse` makes of it.

use serde_json::Value;

use crate::letter::{Letter, until};
use crate::sink::Sink;

/// The line of one measure.
fn speed(letter: &Letter, name: &str) -> Value {
    letter.ok(&["speed", name, "--json"]).json().remove(0)
}

fn sent(letter: &Letter) -> u64 {
    letter.totals()["sent"].as_u64().unwrap()
}

#[test]
fn a_speed_is_changed_while_mails_go_and_goes_back() {
    let sink = Sink::start();
    let mut letter = Letter::new(&format!("{}\nmessages_per_minute = 30", sink.relay()));
    letter.people(60);
    letter.serve();
    letter.ok(&["send", "issues/001.md", "--yes"]);
    until("the first mail", || sent(&letter) > 0);
    until("why it waits", || {
        letter.totals()["reason"]
            .as_str()
            .is_some_and(|r| r.contains("30 messages"))
    });

    letter.ok(&["speed", "readers.example", "20"]);
    letter.ok(&["speed", "main", "6000"]);
    until("the provider's turn", || {
        let row = letter.totals();
        row["reason"]
            .as_str()
            .is_some_and(|r| r.contains("readers.example") || r.contains("6,000"))
    });
    assert!(sent(&letter) < 60, "the provider is slow all the same");
    letter.ok(&["speed", "readers.example", "off"]);
    until("all mails", || letter.totals()["state"] == "done");

    let main = speed(&letter, "main");
    assert_eq!(
        (&main["set"], &main["overridden"], &main["per_minute"]),
        (&30.into(), &6000.into(), &6000.0.into())
    );
    letter.ok(&["speed", "main", "off"]);
    assert_eq!(speed(&letter, "main")["per_minute"], 30.0);
    let told = letter.ok(&["speed"]);
    let shown = told.out;
    assert!(
        shown.lines().count() == 2 && shown.contains("main"),
        "{shown}"
    );
    assert!(
        told.err.contains("keeps to it from its next start on"),
        "{}",
        told.err
    );
    assert_eq!(letter.run(&["speed", "mian", "60"]).code, 2);
    assert_eq!(letter.run(&["speed", "main", "quick"]).code, 2);
}

#[test]
fn a_kill_leaves_a_warm_up_no_more_than_its_day() {
    let sink = Sink::start();
    let mut letter = Letter::new(&format!(
        "{}\nwarm_up_per_day = 40\nwarm_up_growth = 2",
        sink.relay()
    ));
    letter.people(200);
    letter.ok(&["send", "issues/001.md", "--yes"]);
    for _ in 0..3 {
        let before = letter.totals()["sent"].as_u64().unwrap();
        letter.serve();
        // Either it sends, or the day has nothing more to give.
        until("mails, or why there are none", || {
            let row = letter.totals();
            row["sent"].as_u64().unwrap() > before
                || row["reason"]
                    .as_str()
                    .is_some_and(|r| r.contains("warmed up"))
        });
        letter.kill();
    }
    letter.serve();
    until("the day's end", || {
        letter.totals()["reason"]
            .as_str()
            .is_some_and(|r| r.contains("warmed up"))
    });
    let main = speed(&letter, "main");
    assert_eq!(
        (&main["today"], &main["given_today"]),
        (&40.into(), &40.into())
    );
    assert!((1..=40).contains(&sink.count()), "{} mails", sink.count());
    assert_eq!(letter.stop(), 0);
}

#[test]
fn a_rehearsal_tells_how_long_the_slowest_provider_will_take() {
    let letter = Letter::new("host = \"127.0.0.1\"\nport = 9\ntls = \"none\"");
    letter.edit(
        "[sending]\n",
        "[domain.\"readers.example\"]\nmessages_per_minute = 6\n\n[sending]\n",
    );
    letter.people(30);
    let last = |letter: &Letter| {
        letter
            .ok(&["rehearse", "issues/001.md", "--json"])
            .json()
            .pop()
            .unwrap()
    };
    let seconds = last(&letter)["estimated_s"].as_f64().unwrap();
    assert!((299.0..310.0).contains(&seconds), "{seconds}");
    // The author's word holds in the real send, and in what is told of it; the rehearsal itself waits for nothing.
    letter.ok(&["speed", "readers.example", "60"]);
    let row = last(&letter);
    assert_eq!(row["sent"], 30);
    let seconds = row["estimated_s"].as_f64().unwrap();
    assert!((29.0..40.0).contains(&seconds), "{seconds}");
}
