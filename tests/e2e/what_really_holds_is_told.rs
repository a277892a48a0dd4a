//! Where a relay and a provider have limits, an issue says which of them its people wait for.

use letterpress::pace::{DomainLimits, Limits, Section};

use crate::fixture::{Letter, says};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_slower_than_the_relay_is_told() {
    let server = Server::usual().await;
    let mut letter = Letter::new(&server, 20).await;
    for i in 0..60 {
        letter
            .reader(&format!("reader{i}@gmail.com"), "Reader")
            .await;
    }
    letter.settings.relays[0].messages_per_minute = 1200;
    let limits = Limits {
        messages_per_minute: 6,
        ..Limits::default()
    };
    let section = Section {
        name: "gmail.com".into(),
        domains: Vec::new(),
        limits,
    };
    letter.settings.pacing.domains = DomainLimits::new(vec![section], Limits::default());
    let sender = letter.serve();
    let issue = letter.send(1).await;
    let told = "gmail.com gets no more than 6 a minute, until about ";
    letter.until(issue, "why it waits", says(told)).await;
    letter
        .store
        .cancel(issue, letter.clock.now())
        .await
        .unwrap();
    assert!(letter.settle(issue, &server).await.totals.sent >= 20);
    sender.stop().await;
}
