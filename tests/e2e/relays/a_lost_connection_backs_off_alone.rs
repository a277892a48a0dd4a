//! A connection that can't be had while others are open rests alone: the relay works, whatever it was meant for.

use std::time::Duration;

use crate::fixture::{Newsletter, until};
use crate::scripts::held_after;
use crate::server::{At, Do, Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_finds_no_connection_goes_by_another() {
    let gate = Gate::new();
    let mut connections = 0;
    let mut held = held_after(0, &gate);
    // One connection is all that the server takes.
    let server = Server::start(move |at, rcpt, n| {
        connections += usize::from(at == At::Connect);
        if at == At::Connect && connections > 1 {
            Do::Drop
        } else {
            held(at, rcpt, n)
        }
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 1).await;
    newsletter.settings.relays[0].connections = 2;
    // Whoever rests does so for longer than this test.
    newsletter.settings.first_retry = Duration::from_secs(3600);
    newsletter.settings.longest_retry = Duration::from_secs(3600);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "a mail in flight", |row| row.totals.sending == 1)
        .await;
    until("its connection", async || server.open() == 1).await;
    newsletter.sign_up("new@readers.example").await;
    until("another connection", async || server.connections() == 2).await;
    gate.open();
    newsletter.confirmed("new@readers.example", &server).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 1);
    assert_eq!(server.connections(), 2);
    sender.stop().await;
}
