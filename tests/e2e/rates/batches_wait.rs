//! Mails go out in batches, with a pause after each.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::{Newsletter, says};
use crate::server::Server;

async fn newsletter(server: &Server, pause: Duration) -> Newsletter {
    let mut newsletter = Newsletter::new(server, 30).await;
    newsletter.settings.batch_size = 10;
    newsletter.settings.pause_between_batches = pause;
    newsletter
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_batch_the_rest_waits_and_is_told_so() {
    let server = Server::usual().await;
    let newsletter = newsletter(&server, Duration::from_secs(3600)).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "the pause", says("pause between two batches"))
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let counts = newsletter.agree(issue, &server).await;
    assert_eq!((counts[&State::Sent], counts[&State::Queued]), (10, 20));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_two_batches_lies_the_pause() {
    let pause = Duration::from_millis(500);
    let server = Server::usual().await;
    let newsletter = newsletter(&server, pause).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 30);
    let times: Vec<_> = server.mails().iter().map(|mail| mail.at).collect();
    for i in [9, 19] {
        assert!(
            times[i + 1] - times[i] >= pause,
            "after mail {i}: {:?}",
            times[i + 1] - times[i]
        );
    }
    sender.stop().await;
}
