//! A relay that can't be reached, or takes nothing for now, loses nobody, and is told as the reason of the wait.

use std::time::Duration;

use letterpress::model::delivery::State;
use letterpress::model::sending::IssueState;
use letterpress::store::steering::Steered;

use crate::fixture::{Newsletter, by_author, is_paused, says, silent_port};
use crate::server::{At, Do, OFFERS, Server, refuse, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_wait_for_a_relay_that_is_not_there() {
    let (_port, address) = silent_port();
    let newsletter = Newsletter::at(address, 20).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter
        .until(issue, "the reason", says(&address.to_string()))
        .await;
    assert_eq!(row.totals.queued, 20);
    let server = Server::with(OFFERS, &address.to_string(), |_, _, _| Do::Usual).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 20);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_busy_is_the_reason_of_the_wait() {
    let server = Server::start(refuse(At::Mail, "451 4.3.2 system busy")).await;
    let newsletter = Newsletter::new(&server, 5).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "the reason", says("system busy"))
        .await;
    newsletter.store.pause(issue, &by_author()).await.unwrap();
    newsletter
        .until(issue, "those in hand", |row| {
            is_paused(row) && row.totals.sending == 0
        })
        .await;
    assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 5);
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(newsletter.row(issue).await.reason, Some(by_author()));
    sender.stop().await;
}

/// Its waits are those of a relay, and not those of a person who was refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_was_away_for_seconds_is_not_waited_for_much_longer() {
    let (_port, address) = silent_port();
    let mut newsletter = Newsletter::at(address, 20).await;
    newsletter.settings.first_retry = Duration::from_secs(3600);
    newsletter.settings.longest_retry = Duration::from_secs(7200);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "the reason", says(&address.to_string()))
        .await;
    let server = Server::with(OFFERS, &address.to_string(), |_, _, _| Do::Usual).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 20);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_of_an_issue_that_waits_tries_at_once() {
    let server = Server::start(|at, _, _| {
        if at == At::Mail {
            say("451 4.3.2 system busy")
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = Newsletter::new(&server, 5).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "the reason", says("system busy"))
        .await;
    server.script(|_, _, _| Do::Usual);
    let now = newsletter.clock.now();
    let steered = newsletter.store.resume(issue, now).await.unwrap();
    assert_eq!(steered, Steered::Now(IssueState::Sending));
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 5);
    let steered = newsletter.store.resume(issue, now).await.unwrap();
    assert_eq!(steered, Steered::Not(IssueState::Done));
    sender.stop().await;
}
