//! A pause stops an issue while its mails go out, a resume lets it go on, a cancel ends it.

use std::time::Duration;

use letterpress::model::delivery::State;
use letterpress::model::sending::IssueState;

use crate::fixture::{Newsletter, by_author, is_paused};
use crate::scripts::held_after;
use crate::server::{Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_stops_and_a_resume_goes_on_and_a_cancel_ends() {
    let gate = Gate::new();
    let server = Server::start(held_after(20, &gate)).await;
    let newsletter = Newsletter::new(&server, 300).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    // One a connection is in flight at the pause.
    newsletter
        .until(issue, "twenty mails", |row| {
            row.totals.sent == 20 && row.totals.sending == 4
        })
        .await;
    newsletter.store.pause(issue, &by_author()).await.unwrap();
    gate.open();
    newsletter
        .until(issue, "those in flight", |row| row.totals.sending == 0)
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let counts = newsletter.agree(issue, &server).await;
    assert_eq!((counts[&State::Sent], counts[&State::Queued]), (24, 276));
    assert!(is_paused(&newsletter.row(issue).await));

    let gate = Gate::new();
    server.script(held_after(20, &gate));
    newsletter.resume(issue).await;
    newsletter
        .until(issue, "twenty more", |row| {
            row.totals.sent == 44 && row.totals.sending == 4
        })
        .await;
    newsletter.cancel(issue).await;
    gate.open();
    let row = newsletter.settle(issue, &server).await;
    assert_eq!(
        (row.state, row.totals.sent, row.totals.cancelled),
        (IssueState::Cancelled, 48, 252)
    );
    sender.stop().await;
}
