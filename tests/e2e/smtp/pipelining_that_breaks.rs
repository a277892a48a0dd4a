//! A server that offers PIPELINING and can't do it is sent one command at a time, and nobody waits or fails for it.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::Newsletter;
use crate::server::{At, Do, Server, say};

const READERS: usize = 20;

/// A newsletter by one that defers whom it blames for longer than a test waits.
async fn newsletter(server: &Server, connections: usize) -> Newsletter {
    let mut newsletter = Newsletter::new(server, READERS).await;
    newsletter.settings.first_retry = Duration::from_secs(3600);
    newsletter.settings.longest_retry = Duration::from_secs(3600);
    newsletter.settings.relays[0].connections = connections;
    newsletter
}

/// Sends by a server that does so wherever MAIL comes; gives how many connections it took.
async fn is_mailed(fault: Do, command: Duration) -> usize {
    let met = fault.clone();
    let server = Server::start(move |at, _, _| {
        if at == At::Mail {
            met.clone()
        } else {
            Do::Usual
        }
    })
    .await;
    let mut newsletter = newsletter(&server, 2).await;
    newsletter.settings.relays[0].endpoint.timeouts.command = command;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter.settle(issue, &server).await;
    assert_eq!(
        newsletter.agree(issue, &server).await[&State::Sent],
        READERS,
        "{fault:?}"
    );
    for row in newsletter.rows(issue).await {
        assert!(
            row.attempts <= 2,
            "{} was tried {} times",
            row.email,
            row.attempts
        );
    }
    sender.stop().await;
    server.connections()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_up_on_groups_gets_one_command_at_a_time() {
    let connections = is_mailed(Do::DropIfMore, Duration::from_secs(60)).await;
    assert!(
        connections <= 4,
        "each of two connections breaks once, and there were {connections}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_throws_the_rest_of_a_group_away_gets_one_command_at_a_time() {
    let connections = is_mailed(Do::Forget, Duration::from_secs(5)).await;
    assert!(
        connections <= 4,
        "each of two connections breaks once, and there were {connections}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_a_group_with_nonsense_gets_one_command_at_a_time() {
    let mut together = true;
    let server = Server::start(move |at, _, _| {
        if at == At::Rcpt && std::mem::take(&mut together) {
            say("garbage")
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = newsletter(&server, 1).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter.settle(issue, &server).await;
    assert_eq!(
        newsletter.agree(issue, &server).await[&State::Sent],
        READERS
    );
    assert_eq!(server.connections(), 2);
    sender.stop().await;
}
