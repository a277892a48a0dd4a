//! A server that says nothing is waited for no longer than set: before the content the mail goes out again, after
//! its dot nobody knows what became of it.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::Newsletter;
use crate::server::{At, Do, Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_is_waited_for_no_longer_than_set() {
    let mut silent = 2;
    let server = Server::start(move |at, _, _| {
        if at == At::Rcpt && silent > 0 {
            silent -= 1;
            // Never opened.
            Do::Hold(Gate::new())
        } else {
            Do::Usual
        }
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 6).await;
    newsletter.settings.relays[0].endpoint.timeouts.command = Duration::from_secs(2);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 6);
    let tries: u32 = newsletter
        .rows(issue)
        .await
        .iter()
        .map(|row| row.attempts)
        .sum();
    assert!(
        tries >= 8,
        "{tries} tries for six people, of whom two met silence"
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_after_the_dot_leaves_it_uncertain() {
    let server = Server::start(|at, rcpt, _| {
        let is_silent = at == At::Kept && rcpt.starts_with("reader0@");
        if is_silent {
            Do::Hold(Gate::new())
        } else {
            Do::Usual
        }
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 3).await;
    // The others' answers come sooner, however busy the machine.
    newsletter.settings.relays[0].endpoint.timeouts.dot = Duration::from_secs(5);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.settle(issue, &server).await;
    assert_eq!((row.totals.sent, row.totals.uncertain), (2, 1));
    assert_eq!(
        newsletter
            .fate(issue, "reader0@readers.example")
            .await
            .state,
        State::Uncertain
    );
    sender.stop().await;
}
