//! Where a relay and a provider have limits, an issue says which of them its people wait for.

use letterpress::pace::Limits;

use crate::fixture::{Newsletter, says};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_slower_than_the_relay_is_told() {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 20).await;
    for i in 0..60 {
        newsletter
            .reader(&format!("reader{i}@gmail.com"), "Reader")
            .await;
    }
    newsletter.settings.relays[0].messages_per_minute = 1200;
    let limits = Limits {
        messages_per_minute: 6,
        ..Limits::default()
    };
    newsletter.limit_provider("gmail.com", limits);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let told = "gmail.com gets no more than 6 a minute, until about ";
    newsletter.until(issue, "why it waits", says(told)).await;
    newsletter.cancel(issue).await;
    assert!(newsletter.settle(issue, &server).await.totals.sent >= 20);
    sender.stop().await;
}
