//! Of two relays one fails: it is rested, and everybody gets the mail by the other.

use crate::fixture::{Newsletter, relay};
use crate::server::{At, Do, Server, say};

async fn one_of_two_fails(at: At, fault: Do) {
    let bad =
        Server::start(move |step, _, _| if step == at { fault.clone() } else { Do::Usual }).await;
    let good = Server::usual().await;
    let mut newsletter = Newsletter::new(&good, 60).await;
    let mut second = relay(bad.address);
    second.name = "second".into();
    newsletter.settings.relays.push(second);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &good).await.totals.sent, 60);
    assert!(bad.mails().is_empty());
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_refuses_us_is_passed_over() {
    one_of_two_fails(At::Mail, say("550 5.7.1 sender not allowed")).await;
    one_of_two_fails(At::Connect, say("554 5.7.1 not from there")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_busy_or_gone_is_passed_over() {
    one_of_two_fails(At::Mail, say("451 4.3.2 busy")).await;
    one_of_two_fails(At::Connect, Do::Drop).await;
}
