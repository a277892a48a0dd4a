//! Whom the author has tried again while others wait for their provider is found at once, wherever they stand in the
//! queue.

use letterpress::model::delivery::State;
use letterpress::pace::Limits;

use crate::fixture::{Newsletter, until};
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
    let mut newsletter = Newsletter::new(&server, 0).await;
    newsletter.reader("first@readers.example", "First").await;
    // More than the queue of a provider that gets one a minute holds.
    for i in 0..30 {
        newsletter
            .reader(&format!("reader{i}@slow.example"), "Reader")
            .await;
    }
    let limits = Limits {
        messages_per_minute: 1,
        ..Limits::default()
    };
    newsletter.limit_provider("slow.example", limits);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "why it waits", |row| {
            row.totals.failed == 1 && row.reason.is_some()
        })
        .await;

    newsletter.retry(issue, State::Failed).await;
    newsletter
        .until(issue, "the second try", |row| {
            row.totals.failed == 0 && row.totals.sending == 0
        })
        .await;
    let is_sent =
        async || newsletter.fate(issue, "first@readers.example").await.state == State::Sent;
    until(
        "who is tried again, though others wait behind a slow provider",
        is_sent,
    )
    .await;
    newsletter.cancel(issue).await;
    newsletter.settle(issue, &server).await;
    sender.stop().await;
}
