//! A stop lets the mails in flight end and begins no other; the next start goes on.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::Newsletter;
use crate::scripts::held_after;
use crate::server::{Do, Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_mails_in_flight_and_the_next_start_goes_on() {
    let server = Server::usual().await;
    let newsletter = Newsletter::new(&server, 60).await;
    let issue = newsletter.send(1).await;
    let mut sent = 0;
    for _ in 0..2 {
        let gate = Gate::new();
        server.script(held_after(15, &gate));
        let sender = newsletter.serve();
        newsletter
            .until(issue, "mails in flight", |row| {
                row.totals.sent == sent + 15 && row.totals.sending == 4
            })
            .await;
        sender.ask_to_stop();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!sender.has_stopped(), "it waits for those in flight");
        gate.open();
        sender.stop().await;
        let counts = newsletter.agree(issue, &server).await;
        assert!(
            counts
                .keys()
                .all(|state| matches!(state, State::Sent | State::Queued)),
            "{counts:?}"
        );
        sent = counts[&State::Sent] as u64;
    }
    assert_eq!(sent, 38, "four in flight each time, and no other");
    server.script(|_, _, _| Do::Usual);
    let sender = newsletter.serve();
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 60);
    sender.stop().await;
}
