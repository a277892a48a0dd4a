//! A relay gets no more connections than set, and none of them brings more mails than set.

use crate::fixture::Newsletter;
use crate::scripts::held_after;
use crate::server::{Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_and_their_mails_are_no_more_than_set() {
    let gate = Gate::new();
    let server = Server::start(held_after(0, &gate)).await;
    let mut newsletter = Newsletter::new(&server, 30).await;
    newsletter.settings.relays[0]
        .endpoint
        .messages_per_connection = 3;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "a mail on each connection", |row| {
            row.totals.sending == 4
        })
        .await;
    gate.open();
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 30);
    assert_eq!((server.most_open(), server.most_mails()), (4, 3));
    sender.stop().await;
}
