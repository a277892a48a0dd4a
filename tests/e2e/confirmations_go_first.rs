//! Confirmation mails wait for no batch, pause or turn of an issue.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::{Letter, says};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_overtakes_an_issue() {
    let server = Server::usual().await;
    let mut letter = Letter::new(&server, 60).await;
    letter.settings.batch_size = 20;
    letter.settings.pause_between_batches = Duration::from_secs(3600);
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter
        .until(
            issue,
            "the pause after the first batch",
            says("pause between two batches"),
        )
        .await;
    letter.sign_up("new@readers.example").await;
    letter.confirmed("new@readers.example", &server).await;
    assert_eq!(
        letter.confirmation("new@readers.example").await,
        (State::Sent, 1)
    );
    let text = String::from_utf8(server.mails().pop().unwrap().bytes).unwrap();
    assert!(
        text.replace("=\r\n", "")
            .contains("https://letters.example/confirm/"),
        "{text}"
    );
    let counts = letter.agree(issue, &server).await;
    assert_eq!((counts[&State::Sent], counts[&State::Queued]), (20, 40));
    sender.stop().await;
}
