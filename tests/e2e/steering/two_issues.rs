//! Two issues go out side by side, and everybody gets each of them.

use crate::fixture::Newsletter;
use crate::scripts::held_after;
use crate::server::{Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_issues_go_out_side_by_side() {
    let gate = Gate::new();
    let server = Server::start(held_after(10, &gate)).await;
    let newsletter = Newsletter::new(&server, 40).await;
    let sender = newsletter.serve();
    let one = newsletter.send(1).await;
    newsletter
        .until(one, "the first mails", |row| row.totals.sent == 10)
        .await;
    let two = newsletter.send(2).await;
    newsletter
        .until(two, "its audience", |row| row.totals.queued == 40)
        .await;
    gate.open();
    assert_eq!(newsletter.settle(one, &server).await.totals.sent, 40);
    assert_eq!(newsletter.settle(two, &server).await.totals.sent, 40);
    assert_eq!(server.mails().len(), 80);
    sender.stop().await;
}
