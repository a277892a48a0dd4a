//! Two issues go out side by side, and everybody gets each of them.

use crate::fixture::Letter;
use crate::scripts::held_after;
use crate::server::{Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_issues_go_out_side_by_side() {
    let gate = Gate::new();
    let server = Server::start(held_after(10, &gate)).await;
    let letter = Letter::new(&server, 40).await;
    let sender = letter.serve();
    let one = letter.send(1).await;
    letter
        .until(one, "the first mails", |row| row.totals.sent == 10)
        .await;
    let two = letter.send(2).await;
    letter
        .until(two, "its audience", |row| row.totals.queued == 40)
        .await;
    gate.open();
    assert_eq!(letter.settle(one, &server).await.totals.sent, 40);
    assert_eq!(letter.settle(two, &server).await.totals.sent, 40);
    assert_eq!(server.mails().len(), 80);
    sender.stop().await;
}
