//! A server that takes no commands ahead of its answers is served step by step.

use crate::fixture::Newsletter;
use crate::server::{At, Do, Server, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_pipelining_is_served_step_by_step() {
    let server = Server::with(&["8BITMIME"], "127.0.0.1:0", |at, rcpt, _| {
        if at == At::Rcpt && rcpt.starts_with("reader1@") {
            say("550 5.1.1 no such person")
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = Newsletter::new(&server, 10).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.settle(issue, &server).await;
    assert_eq!((row.totals.sent, row.totals.failed), (9, 1));
    let data = server
        .commands()
        .iter()
        .filter(|line| *line == "DATA")
        .count();
    assert_eq!(data, 9, "DATA waits for the answer to RCPT");
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_comes_before_its_command_fails_nobody() {
    let mut tickets = 3;
    let server = Server::with(&["8BITMIME"], "127.0.0.1:0", move |at, _, _| {
        if at == At::Rcpt && tickets > 0 {
            tickets -= 1;
            // The second would be the reply to DATA, which was not said yet.
            say("250 2.1.5 ok\r\n550 5.1.1 no such person")
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = Newsletter::new(&server, 10).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 10);
    sender.stop().await;
}
