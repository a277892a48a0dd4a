//! So many mails a minute are spread over it, and the issue says that it waits for that.

use std::time::{Duration, Instant};

use crate::fixture::{Letter, says};
use crate::scripts::held_after;
use crate::server::{Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_measure_spreads_the_mails() {
    let gate = Gate::new();
    let server = Server::start(held_after(12, &gate)).await;
    let mut letter = Letter::new(&server, 30).await;
    // Ten a second; a second's worth may go at once.
    letter.settings.relays[0].messages_per_minute = 600;
    let start = Instant::now();
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter
        .until(issue, "the middle", |row| row.totals.sent == 12)
        .await;
    letter
        .until(issue, "why it waits", says("600 messages a minute"))
        .await;
    gate.open();
    letter.settle(issue, &server).await;
    let took = server.mails()[29].at - start;
    assert!(took >= Duration::from_millis(1900), "30 mails in {took:?}");
    sender.stop().await;
}
