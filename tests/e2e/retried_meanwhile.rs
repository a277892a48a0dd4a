//! Whom the author has tried again while others wait for their provider is found at once, wherever they stand in the
//! queue.

use letterpress::model::delivery::State;
use letterpress::pace::{DomainLimits, Limits, Section};

use crate::fixture::{Letter, until};
use crate::server::{At, Do, Server, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_is_found_while_others_wait_for_their_provider() {
    let mut refused = false;
    let server = Server::start(move |at, rcpt, _| {
        let is_first = at == At::Rcpt
            && rcpt == "first@readers.example"
            && !std::mem::replace(&mut refused, true);
        if is_first {
            say("550 5.1.1 no such person")
        } else {
            Do::Usual
        }
    })
    .await;
    let mut letter = Letter::new(&server, 0).await;
    letter.reader("first@readers.example", "First").await;
    // More than the lane of a provider that gets one a minute holds.
    for i in 0..30 {
        letter
            .reader(&format!("reader{i}@slow.example"), "Reader")
            .await;
    }
    let limits = Limits {
        messages_per_minute: 1,
        ..Limits::default()
    };
    let section = Section {
        name: "slow.example".into(),
        domains: Vec::new(),
        limits,
    };
    letter.settings.pacing.domains = DomainLimits::new(vec![section], Limits::default());
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter
        .until(issue, "why it waits", |row| {
            row.totals.failed == 1 && row.reason.is_some()
        })
        .await;

    letter
        .store
        .retry(issue, State::Failed, letter.clock.now())
        .await
        .unwrap();
    letter
        .until(issue, "the second try", |row| {
            row.totals.failed == 0 && row.totals.sending == 0
        })
        .await;
    let is_sent = async || letter.fate(issue, "first@readers.example").await.state == State::Sent;
    until(
        "who is tried again, though others wait behind a slow provider",
        is_sent,
    )
    .await;
    letter
        .store
        .cancel(issue, letter.clock.now())
        .await
        .unwrap();
    letter.settle(issue, &server).await;
    sender.stop().await;
}
