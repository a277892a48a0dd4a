//! A pause stops an issue while its mails go out, a resume lets it go on, a cancel ends it.

use std::time::Duration;

use letterpress::model::delivery::State;
use letterpress::model::sending::IssueState;

use crate::fixture::{Letter, is_paused};
use crate::scripts::held_after;
use crate::server::{Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_stops_and_a_resume_goes_on_and_a_cancel_ends() {
    let gate = Gate::new();
    let server = Server::start(held_after(20, &gate)).await;
    let letter = Letter::new(&server, 300).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    // One a connection is in flight at the pause.
    letter
        .until(issue, "twenty mails", |row| {
            row.totals.sent == 20 && row.totals.sending == 4
        })
        .await;
    letter
        .store
        .pause(issue, "paused by its author")
        .await
        .unwrap();
    gate.open();
    letter
        .until(issue, "those in flight", |row| row.totals.sending == 0)
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let counts = letter.agree(issue, &server).await;
    assert_eq!((counts[&State::Sent], counts[&State::Queued]), (24, 276));
    assert!(is_paused(&letter.row(issue).await));

    let gate = Gate::new();
    server.script(held_after(20, &gate));
    letter
        .store
        .resume(issue, letter.clock.now())
        .await
        .unwrap();
    letter
        .until(issue, "twenty more", |row| {
            row.totals.sent == 44 && row.totals.sending == 4
        })
        .await;
    letter
        .store
        .cancel(issue, letter.clock.now())
        .await
        .unwrap();
    gate.open();
    let row = letter.settle(issue, &server).await;
    assert_eq!(
        (row.state, row.totals.sent, row.totals.cancelled),
        (IssueState::Cancelled, 48, 252)
    );
    sender.stop().await;
}
