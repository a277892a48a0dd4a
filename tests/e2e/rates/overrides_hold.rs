//! The author's word on a speed holds at once, while mails go, over what is set and over what was learnt before it.

use std::time::Duration;

use letterpress::pace::relay_name;

use crate::fixture::{Newsletter, says};
use crate::server::{At, Do, Server, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_learnt_under_the_authors_word_outlives_a_restart_and_no_newer_word() {
    let mut complains = true;
    let server = Server::start(move |at, _, _| {
        if at == At::Rcpt && std::mem::take(&mut complains) {
            say("421 4.7.28 unusual rate of mail from you")
        } else {
            Do::Usual
        }
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 60).await;
    newsletter.settings.relays[0].connections = 1;
    let name = relay_name("main");
    newsletter
        .store
        .override_rate(&name, Some(6000), newsletter.clock.now())
        .await
        .unwrap();
    let issue = newsletter.send(1).await;
    for _ in 0..2 {
        let sender = newsletter.serve();
        newsletter
            .until(issue, "what was learnt", says("complained"))
            .await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let sent = newsletter.row(issue).await.totals.sent;
        assert!(sent < 30, "{sent} went out");
        sender.stop().await;
        newsletter.agree(issue, &server).await;
        let kept = newsletter.store.saved_rates().await.unwrap();
        assert!(
            kept.iter()
                .any(|measure| measure.name == name && measure.learned.is_some()),
            "{kept:?}"
        );
    }
    let later = newsletter.clock.now() + jiff::SignedDuration::from_secs(60);
    newsletter
        .store
        .override_rate(&name, Some(3000), later)
        .await
        .unwrap();
    let kept = newsletter.store.saved_rates().await.unwrap();
    assert!(
        kept.iter()
            .all(|measure| measure.name != name || measure.learned.is_none()),
        "{kept:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_authors_word_holds_while_mails_go() {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 40).await;
    newsletter.settings.relays[0].messages_per_minute = 6;
    let name = relay_name("main");
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "the first mail", |row| row.totals.sent > 0)
        .await;
    newsletter
        .until(
            issue,
            "why it waits",
            says("no more than 6 messages a minute"),
        )
        .await;
    assert!(newsletter.row(issue).await.totals.sent < 10);
    newsletter
        .store
        .override_rate(&name, Some(6000), newsletter.clock.now())
        .await
        .unwrap();
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 40);
    newsletter
        .store
        .override_rate(&name, None, newsletter.clock.now())
        .await
        .unwrap();
    let second = newsletter.send(2).await;
    newsletter
        .until(second, "its first mail", |row| row.totals.sent > 0)
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(newsletter.row(second).await.totals.sent < 10);
    sender.stop().await;
    newsletter.agree(second, &server).await;
}
