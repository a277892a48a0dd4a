//! A relay that takes no more mails on this day is left alone until the next one: nobody fails, and everybody who met it
//! is queued again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use letterpress::model::delivery::State;
use letterpress::model::sending::IssueState;

use crate::fixture::{Newsletter, Shifted, relay, says};
use crate::server::{At, Do, Server, say};

/// Accepts so many mails; then it refuses at a step.
fn up_to(mails: usize, at: At, answer: &str) -> impl FnMut(At, &str, usize) -> Do + Send + 'static {
    let (left, answer) = (Arc::new(AtomicUsize::new(mails)), say(answer));
    move |step, _, _| {
        let has_room = left.load(Ordering::SeqCst) > 0;
        if step == at && !has_room {
            return answer.clone();
        }
        if step == At::Kept && has_room {
            left.fetch_sub(1, Ordering::SeqCst);
        }
        Do::Usual
    }
}

async fn the_rest_waits_for_the_next_day(at: At, answer: &str, readers: usize) {
    let server = Server::start(up_to(10, at, answer)).await;
    let clock = Shifted::new();
    let mut newsletter = Newsletter::new(&server, readers).await;
    newsletter.clock = clock.clone();
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter
        .until(issue, "the reason", |row| {
            says("daily limit")(row) && row.totals.sending == 0
        })
        .await;
    assert_eq!(row.state, IssueState::Sending, "{answer}");
    let reason = row.reason.unwrap().to_string();
    let words = answer.split_once(' ').unwrap().1;
    assert!(
        reason.contains("relay main") && reason.contains(words) && reason.contains("T00:00:00Z"),
        "{reason}"
    );
    let counts = newsletter.agree(issue, &server).await;
    let open = counts[&State::Queued];
    assert_eq!(counts.len(), 2, "{answer} at {at:?}: {counts:?}");
    assert!(counts[&State::Sent] <= 14 && open + counts[&State::Sent] == readers);
    // What is in memory alone is met again after a restart.
    sender.stop().await;
    let sender = newsletter.serve();
    newsletter
        .until(issue, "the reason again", |row| {
            says("daily limit")(row) && row.totals.sending == 0
        })
        .await;
    assert!(
        !newsletter
            .agree(issue, &server)
            .await
            .contains_key(&State::Failed)
    );
    server.script(|_, _, _| Do::Usual);
    clock.forward(24);
    let row = newsletter.settle(issue, &server).await;
    assert_eq!(row.totals.sent, readers as u64, "{answer} at {at:?}");
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_recipient() {
    the_rest_waits_for_the_next_day(At::Rcpt, "550 5.4.5 Daily user sending limit exceeded.", 90)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_data() {
    the_rest_waits_for_the_next_day(
        At::Data,
        "454 Throttling failure: Daily message quota exceeded",
        60,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_dot() {
    the_rest_waits_for_the_next_day(
        At::Dot,
        "550 5.1.90 daily limit for message recipients reached",
        200,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_sender() {
    the_rest_waits_for_the_next_day(At::Mail, "550 5.7.1 Daily SMTP relay limit exceeded", 30)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_relay_takes_over() {
    let full = Server::start(up_to(5, At::Rcpt, "550 5.4.5 Daily sending quota exceeded")).await;
    let standby = Server::usual().await;
    let mut newsletter = Newsletter::new(&full, 60).await;
    let mut second = relay(standby.address);
    second.name = "second".into();
    second.weight = 0;
    newsletter.settings.relays.push(second);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.settle(issue, &[&full, &standby]).await;
    assert_eq!(row.totals.sent, 60);
    assert!(full.mails().len() <= 9 && standby.mails().len() >= 51);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_tries_at_once() {
    let server = Server::start(up_to(5, At::Rcpt, "550 5.4.5 Daily sending quota exceeded")).await;
    let newsletter = Newsletter::new(&server, 20).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "the reason", says("daily limit"))
        .await;
    server.script(|_, _, _| Do::Usual);
    let now = newsletter.clock.now();
    newsletter.store.resume(issue, now).await.unwrap();
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 20);
    sender.stop().await;
}
