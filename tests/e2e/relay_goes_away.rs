//! A relay that can't be reached, or comes back, loses nobody; a stop leaves nobody in between.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::Letter;
use crate::server::{At, Do, OFFERS, Server, say};

/// A port where nobody listens.
async fn free() -> std::net::SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_wait_for_a_relay_that_is_not_there() {
    let address = free().await;
    let letter = Letter::at(address, 20).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    let named = |row: &letterpress::store::issues::IssueRow| {
        row.reason.as_ref().is_some_and(|reason| reason.contains(&address.to_string()))
    };
    let row = letter.until(issue, "the reason", named).await;
    assert_eq!(row.totals.queued, 20);
    let server = Server::with(OFFERS, &address.to_string(), |_, _, _| Do::Usual).await;
    letter.settle(issue).await;
    assert_eq!(letter.agree(issue, &server).await[&State::Sent], 20);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_busy_is_the_reason_of_the_wait() {
    let server =
        Server::start(|at, _, _| if at == At::Mail { say("451 4.3.2 system busy") } else { Do::Usual }).await;
    let letter = Letter::new(&server, 5).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    let busy = |row: &letterpress::store::issues::IssueRow| {
        row.reason.as_ref().is_some_and(|reason| reason.contains("system busy"))
    };
    letter.until(issue, "the reason", busy).await;
    assert_eq!(letter.row(issue).await.totals.failed, 0);
    letter.store.pause(issue, "paused by its author").await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(letter.row(issue).await.reason.as_deref(), Some("paused by its author"));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_mails_in_flight_and_the_next_start_goes_on() {
    let server =
        Server::start(|at, _, _| if at == At::Dot { Do::Wait(Duration::from_millis(30)) } else { Do::Usual })
            .await;
    let letter = Letter::new(&server, 60).await;
    let issue = letter.send(1).await;
    for part in [15, 35] {
        let sender = letter.serve();
        letter.until(issue, "some mails", |row| row.totals.sent >= part).await;
        sender.stop().await;
        let row = letter.row(issue).await;
        assert_eq!(row.totals.sending + row.totals.uncertain, 0);
        assert_eq!(row.totals.sent as usize, server.mails().len());
    }
    let sender = letter.serve();
    letter.settle(issue).await;
    assert_eq!(letter.agree(issue, &server).await[&State::Sent], 60);
    sender.stop().await;
}
