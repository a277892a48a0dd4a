//! A confirmation that the relay refuses for our own fault waits alone: it fails nobody, and holds up no issue.

use std::time::Duration;

use letterpress::model::Address;
use letterpress::model::delivery::State;

use crate::fixture::{Newsletter, until};
use crate::server::{At, Do, Gate, Server, say};

const NEW: &str = "new@readers.example";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_is_refused_for_our_own_fault_holds_up_no_issue() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |at, who, _| match at {
        // Mails of the issue have a sender each.
        At::Mail if who == "editor@letters.example" => say("550 5.7.1 sender not allowed"),
        At::Dot => Do::Hold(held.clone()),
        _ => Do::Usual,
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 20).await;
    newsletter.listing.bounce_address = Some(Address::parse("bounce@letters.example").unwrap());
    newsletter.settings.relays[0].connections = 1;
    // Whatever rests or is put off now is not tried again here.
    newsletter.settings.first_retry = Duration::from_secs(3600);
    newsletter.settings.longest_retry = Duration::from_secs(7200);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "the first mail", |row| row.totals.sending == 1)
        .await;
    newsletter.sign_up(NEW).await;
    newsletter.store.wake();
    tokio::time::sleep(Duration::from_millis(500)).await;
    gate.open();
    until("the confirmation's try", async || {
        newsletter.confirmation(NEW).await.1 == 1
    })
    .await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 20);
    assert_eq!(newsletter.confirmation(NEW).await, (State::Deferred, 1));
    sender.stop().await;
}
