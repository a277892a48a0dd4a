//! So many mails a minute are spread over it, and the issue says that it waits for that.

use std::time::{Duration, Instant};

use crate::fixture::{Newsletter, says};
use crate::scripts::held_after;
use crate::server::{Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_measure_spreads_the_mails() {
    let gate = Gate::new();
    let server = Server::start(held_after(12, &gate)).await;
    let mut newsletter = Newsletter::new(&server, 30).await;
    // Ten a second; a second's worth may go at once.
    newsletter.settings.relays[0].messages_per_minute = 600;
    let start = Instant::now();
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "the middle", |row| row.totals.sent == 12)
        .await;
    newsletter
        .until(issue, "why it waits", says("600 messages a minute"))
        .await;
    gate.open();
    newsletter.settle(issue, &server).await;
    let took = server.mails()[29].at - start;
    assert!(took >= Duration::from_millis(1900), "30 mails in {took:?}");
    sender.stop().await;
}
