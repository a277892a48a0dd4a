//! Confirmation mails wait for no batch, pause or turn of an issue.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::{Newsletter, says};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_overtakes_an_issue() {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 60).await;
    newsletter.settings.batch_size = 20;
    newsletter.settings.pause_between_batches = Duration::from_secs(3600);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(
            issue,
            "the pause after the first batch",
            says("pause between two batches"),
        )
        .await;
    newsletter.sign_up("new@readers.example").await;
    newsletter.confirmed("new@readers.example", &server).await;
    assert_eq!(
        newsletter.confirmation("new@readers.example").await,
        (State::Sent, 1)
    );
    let text = String::from_utf8(server.mails().pop().unwrap().bytes).unwrap();
    assert!(
        text.replace("=\r\n", "")
            .contains("https://letters.example/confirm/"),
        "{text}"
    );
    let counts = newsletter.agree(issue, &server).await;
    assert_eq!((counts[&State::Sent], counts[&State::Queued]), (20, 40));
    sender.stop().await;
}
