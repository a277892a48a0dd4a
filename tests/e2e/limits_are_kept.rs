//! Batches, connections, mails a connection, mails a minute.

use std::time::{Duration, Instant};

use crate::fixture::Letter;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_wait_and_connections_serve_no_more_than_set() {
    let server = Server::usual().await;
    let mut letter = Letter::new(&server, 30).await;
    letter.settings.batch_size = 10;
    letter.settings.pause_between_batches = Duration::from_millis(500);
    letter.settings.relays[0].messages_per_connection = 3;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    assert_eq!(letter.settle(issue).await.totals.sent, 30);
    let times: Vec<_> = server.mails().iter().map(|mail| mail.at).collect();
    for i in [9, 19] {
        assert!(times[i + 1] - times[i] >= Duration::from_millis(450), "batch after {i}");
    }
    assert!(server.most_mails() <= 3, "{} on one connection", server.most_mails());
    assert!(server.most_open() <= 4, "{} connections", server.most_open());
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_measure_spreads_the_mails() {
    let server = Server::usual().await;
    let mut letter = Letter::new(&server, 30).await;
    // Ten a second; a second's worth may go at once.
    letter.settings.relays[0].messages_per_minute = 600;
    let start = Instant::now();
    let sender = letter.serve();
    let issue = letter.send(1).await;
    let row = letter.until(issue, "the middle", |row| row.totals.sent > 12).await;
    assert!(row.reason.is_none_or(|reason| reason.contains("600 messages a minute")));
    letter.settle(issue).await;
    let times: Vec<_> = server.mails().iter().map(|mail| mail.at).collect();
    let took = times[29] - start;
    assert!(took >= Duration::from_millis(1900), "30 mails in {took:?}");
    sender.stop().await;
}
