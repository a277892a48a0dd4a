//! Who leaves while an issue goes out, before it is their turn, gets nothing of it.

use letterpress::model::delivery::State;

use crate::fixture::Newsletter;
use crate::scripts::held_after;
use crate::server::{Gate, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_meanwhile_is_skipped() {
    let gate = Gate::new();
    let server = Server::start(held_after(6, &gate)).await;
    let newsletter = Newsletter::new(&server, 60).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "some mails", |row| {
            row.totals.sent == 6 && row.totals.sending == 4
        })
        .await;
    let leave = ["reader50@readers.example", "reader59@readers.example"];
    for who in leave {
        newsletter.leave(who).await;
    }
    gate.open();
    let row = newsletter.settle(issue, &server).await;
    assert_eq!((row.totals.sent, row.totals.skipped), (58, 2));
    for who in leave {
        assert_eq!(newsletter.fate(issue, who).await.state, State::Skipped);
    }
    sender.stop().await;
}
