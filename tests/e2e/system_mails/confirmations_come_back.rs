//! A confirmation that is refused for now, or for our own fault, goes out again until it is taken.

use letterpress::model::delivery::State;

use crate::fixture::{Newsletter, until};
use crate::server::{At, Do, Server, refuse, say};

const NEW: &str = "new@readers.example";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_is_refused_for_now_comes_back() {
    let mut left = 2;
    let server = Server::start(move |at, _, _| {
        if at == At::Rcpt && left > 0 {
            left -= 1;
            say("450 4.2.0 greylisted")
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = Newsletter::new(&server, 0).await;
    let sender = newsletter.serve();
    newsletter.sign_up(NEW).await;
    newsletter.confirmed(NEW, &server).await;
    assert_eq!(newsletter.confirmation(NEW).await, (State::Sent, 3));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_waits_out_our_own_fault() {
    let server = Server::start(refuse(At::Mail, "550 5.7.1 sender not allowed")).await;
    let newsletter = Newsletter::new(&server, 0).await;
    let sender = newsletter.serve();
    newsletter.sign_up(NEW).await;
    until("a try", async || newsletter.confirmation(NEW).await.1 >= 1).await;
    server.script(|_, _, _| Do::Usual);
    newsletter.confirmed(NEW, &server).await;
    sender.stop().await;
}
