//! A measure of mails a minute holds over restarts of the sender.

use std::time::{Duration, Instant};

use crate::fixture::Newsletter;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_measure_outlives_restarts() {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 20).await;
    newsletter.settings.relays[0].messages_per_minute = 6;
    let issue = newsletter.send(1).await;
    let begun = Instant::now();
    let sender = newsletter.serve();
    newsletter
        .until(issue, "the first mail", |row| row.totals.sent == 1)
        .await;
    sender.stop().await;
    for _ in 0..3 {
        let sender = newsletter.serve();
        tokio::time::sleep(Duration::from_millis(300)).await;
        sender.stop().await;
    }
    let most = begun.elapsed().as_secs() / 10 + 1;
    newsletter.agree(issue, &server).await;
    let sent = newsletter.row(issue).await.totals.sent;
    assert!(
        (1..=most).contains(&sent),
        "{sent} of {most}: one in ten seconds, whatever the restarts"
    );
}
