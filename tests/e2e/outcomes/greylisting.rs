//! A server that greylists asks everybody to come again: that pauses no issue, however many it asks.

use std::collections::HashSet;

use letterpress::pace::PauseAbove;

use crate::fixture::Newsletter;
use crate::server::{At, Do, Server, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_greylisted_and_gets_the_mail_at_the_next_try() {
    for answer in [
        "450 4.2.0 <x>: Recipient address rejected: Greylisted",
        "451 4.7.1 Please try again later",
    ] {
        let mut seen = HashSet::new();
        let server = Server::start(move |at, rcpt, _| {
            if at == At::Rcpt && seen.insert(rcpt.to_owned()) {
                say(answer)
            } else {
                Do::Usual
            }
        })
        .await;
        let mut newsletter = Newsletter::new(&server, 150).await;
        newsletter.settings.pacing.pause_above = PauseAbove {
            failed: 0.3,
            deferred: 0.7,
        };
        let sender = newsletter.serve();
        let issue = newsletter.send(1).await;
        let row = newsletter.settle(issue, &server).await;
        assert_eq!(row.totals.sent, 150, "{answer}");
        sender.stop().await;
    }
}
