//! A server that takes connections and says nothing: the issue says what it waits for, long before the time is over
//! that the server may take.

use crate::fixture::{Newsletter, says};
use crate::server::{At, Do, Gate, Server};

/// A server is silent at a step until its gate is open; the issue says so, and goes on.
async fn silent_at(step: At, words: &str) {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |at, _, _| {
        if at == step {
            Do::Hold(held.clone())
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = Newsletter::new(&server, 3).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let told = format!("waits for {words} the relay main ({})", server.address);
    newsletter.until(issue, "why it waits", says(&told)).await;
    gate.open();
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 3);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_greeting_that_does_not_come_is_told() {
    silent_at(At::Connect, "the greeting of").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_come_is_told() {
    silent_at(At::Dot, "a reply from").await;
}
