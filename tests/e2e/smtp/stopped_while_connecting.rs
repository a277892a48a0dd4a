//! A stop that comes while connections are being made begins no mail.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::{Newsletter, until};
use crate::server::{At, Do, Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_while_a_connection_is_made_begins_no_mail() {
    let gate = Gate::new();
    let greeting = gate.clone();
    let server = Server::start(move |at, _, _| {
        if at == At::Connect {
            Do::Hold(greeting.clone())
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = Newsletter::new(&server, 10).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    until("the connections", async || server.connections() == 4).await;
    let stopping = tokio::spawn(sender.stop());
    // Nothing shows that the stop has been heard.
    tokio::time::sleep(Duration::from_secs(2)).await;
    gate.open();
    stopping.await.unwrap();
    assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 10);
}
