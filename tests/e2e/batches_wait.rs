//! Mails go out in batches, with a pause after each.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::{Letter, says};
use crate::server::Server;

async fn letter(server: &Server, pause: Duration) -> Letter {
    let mut letter = Letter::new(server, 30).await;
    letter.settings.batch_size = 10;
    letter.settings.pause_between_batches = pause;
    letter
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_batch_the_rest_waits_and_is_told_so() {
    let server = Server::usual().await;
    let letter = letter(&server, Duration::from_secs(3600)).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter
        .until(issue, "the pause", says("pause between two batches"))
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let counts = letter.agree(issue, &server).await;
    assert_eq!((counts[&State::Sent], counts[&State::Queued]), (10, 20));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_two_batches_lies_the_pause() {
    let pause = Duration::from_millis(500);
    let server = Server::usual().await;
    let letter = letter(&server, pause).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    assert_eq!(letter.settle(issue, &server).await.totals.sent, 30);
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
