//! Who is refused for now is tried again, and has failed when that has gone on for too long.

use std::time::Duration;

use crate::fixture::{Newsletter, Shifted};
use crate::server::{At, Do, Server, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_for_too_long_has_failed_with_the_last_words() {
    let clock = Shifted::new();
    let (meanwhile, mut tries) = (clock.clone(), 0);
    let server = Server::start(move |at, rcpt, _| {
        if at != At::Rcpt || !rcpt.starts_with("reader1@") {
            return Do::Usual;
        }
        tries += 1;
        if tries == 3 {
            meanwhile.forward(2);
        }
        say(&format!("451 4.7.1 greylisted for the {tries}. time"))
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 3).await;
    newsletter.clock = clock;
    newsletter.settings.give_up_after = Duration::from_secs(3600);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.settle(issue, &server).await;
    assert_eq!((row.totals.sent, row.totals.failed), (2, 1));
    let fate = newsletter.fate(issue, "reader1@readers.example").await;
    let words = Some("451 4.7.1 greylisted for the 3. time");
    assert_eq!(
        (fate.attempts, fate.code, fate.reply.as_deref()),
        (3, Some(451), words)
    );
    sender.stop().await;
}
