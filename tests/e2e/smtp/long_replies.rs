//! Replies of many and of long lines are read to their end, and kept in part.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::Newsletter;
use crate::server::{At, Do, Server, say};

/// A reply of a hundred lines.
fn many(code: &str, enhanced: &str) -> String {
    let lines: String = (0..99)
        .map(|i| format!("{code}-{enhanced} line {i}\r\n"))
        .collect();
    format!("{lines}{code} {enhanced} line 99")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_and_many_lines_are_read_to_their_end() {
    let long = format!("550 5.1.1 {}", "x".repeat(9_000));
    let server = Server::start(move |at, rcpt, _| match at {
        At::Kept if rcpt.starts_with("reader0@") => say(&many("250", "2.0.0")),
        At::Rcpt if rcpt.starts_with("reader1@") => say(&long),
        At::Dot if rcpt.starts_with("reader2@") => say(&many("452", "4.2.2")),
        _ => Do::Usual,
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 4).await;
    newsletter.settings.relays[0].connections = 1;
    newsletter.settings.first_retry = Duration::from_secs(3600);
    newsletter.settings.longest_retry = Duration::from_secs(3600);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let each = |row: &letterpress::store::issues::IssueRow| {
        (row.totals.sent, row.totals.failed, row.totals.deferred) == (2, 1, 1)
    };
    newsletter.until(issue, "all answers", each).await;
    newsletter.agree(issue, &server).await;
    assert_eq!(
        server.connections(),
        1,
        "each answer was taken for its own question"
    );
    let lines: String = (0..100).map(|i| format!(" line {i}")).collect();
    for (who, state, kept) in [
        (
            "reader0@readers.example",
            State::Sent,
            format!("250 2.0.0{lines}"),
        ),
        (
            "reader1@readers.example",
            State::Failed,
            format!("550 5.1.1 {}…", "x".repeat(990)),
        ),
        (
            "reader2@readers.example",
            State::Deferred,
            format!("452 4.2.2{lines}"),
        ),
    ] {
        let row = newsletter.fate(issue, who).await;
        assert_eq!((row.state, row.reply), (state, Some(kept)), "{who}");
    }
    sender.stop().await;
}
