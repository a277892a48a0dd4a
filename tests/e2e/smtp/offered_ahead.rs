//! The next mail's commands behind a content, in one write: used where it is asked for and taken, and where it is not
//! taken, nobody is to blame.

use std::time::Duration;

use letterpress::model::delivery::State;
use letterpress::smtp::Pipelining;

use crate::fixture::{Newsletter, by_author, is_paused};
use crate::scripts::{held_after, mixed_faults};
use crate::server::{At, Do, Gate, Server, say};

async fn newsletter(server: &Server, readers: usize, connections: usize) -> Newsletter {
    let mut newsletter = Newsletter::new(server, readers).await;
    newsletter.settings.relays[0].endpoint.pipelining = Pipelining::Ahead;
    newsletter.settings.relays[0].connections = connections;
    newsletter
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mail_brings_the_next_ones_commands() {
    let server = Server::usual().await;
    let newsletter = newsletter(&server, 40, 2).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 40);
    assert!(
        server.followed() >= 30,
        "only {} mails were followed by others",
        server.followed()
    );
    assert_eq!(server.connections(), 2);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_runs_ahead_of_an_answer_unasked() {
    let server = Server::usual().await;
    let newsletter = Newsletter::new(&server, 20).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 20);
    assert_eq!(server.followed(), 0);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_measure_of_a_connection_is_kept() {
    let server = Server::usual().await;
    let mut newsletter = newsletter(&server, 20, 1).await;
    newsletter.settings.relays[0]
        .endpoint
        .messages_per_connection = 4;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 20);
    assert_eq!((server.most_mails(), server.connections()), (4, 5));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_throws_the_commands_away_gets_each_mail_by_itself() {
    let server = Server::start(|at, _, _| if at == At::Dot { Do::Forget } else { Do::Usual }).await;
    let mut newsletter = newsletter(&server, 30, 2).await;
    newsletter.settings.relays[0].endpoint.timeouts.command = Duration::from_secs(2);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 30);
    assert!(
        (1..=2).contains(&server.followed()),
        "{} mails were followed",
        server.followed()
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_calls_it_an_error_fails_nobody() {
    let mut first = true;
    let server = Server::start(move |at, _, _| {
        if at == At::Dot && std::mem::take(&mut first) {
            say("554 5.5.0 SMTP synchronization error")
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = newsletter(&server, 10, 1).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 10);
    assert_eq!(server.followed(), 1);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_person_costs_neither_the_form_nor_the_connection() {
    let server = Server::start(|at, rcpt, _| match at {
        At::Rcpt if rcpt.starts_with("reader3@") => say("550 5.1.1 no such person"),
        At::Dot if rcpt.starts_with("reader7@") => say("554 5.6.0 not this one"),
        _ => Do::Usual,
    })
    .await;
    let newsletter = newsletter(&server, 20, 1).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.settle(issue, &server).await;
    assert_eq!((row.totals.sent, row.totals.failed), (18, 2));
    assert_eq!(server.connections(), 1);
    assert!(
        server.followed() >= 10,
        "only {} mails were followed by others",
        server.followed()
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_holds_back_who_was_offered_already() {
    let gate = Gate::new();
    let server = Server::start(held_after(6, &gate)).await;
    let newsletter = newsletter(&server, 60, 2).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "some mails", |row| {
            row.totals.sent == 6 && row.totals.sending == 2
        })
        .await;
    newsletter.store.pause(issue, &by_author()).await.unwrap();
    gate.open();
    newsletter
        .until(issue, "rest", |row| {
            is_paused(row) && row.totals.sending == 0
        })
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let counts = newsletter.agree(issue, &server).await;
    assert_eq!((counts[&State::Sent], counts[&State::Queued]), (8, 52));
    newsletter.resume(issue).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 60);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mixed_faults_lose_and_double_nobody_here_either() {
    let server = Server::start(mixed_faults).await;
    let newsletter = newsletter(&server, 120, 4).await;
    newsletter.survives_mixed_faults(&server).await;
}
