//! An issue that was paused before the sender came waits for its author.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::{Newsletter, by_author};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issue_that_was_paused_before_the_start_waits() {
    let server = Server::usual().await;
    let newsletter = Newsletter::new(&server, 10).await;
    let issue = newsletter.send(1).await;
    newsletter.store.pause(issue, &by_author()).await.unwrap();
    let sender = newsletter.serve();
    newsletter
        .until(issue, "the audience", |row| row.totals.queued == 10)
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 10);
    newsletter.resume(issue).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 10);
    sender.stop().await;
}
