//! What servers say of speed is learnt, and outlives a restart.

use letterpress::pace::{provider_name, relay_name};

use crate::fixture::{Newsletter, says, until};
use crate::server::{At, Do, Server, say};

fn is_gmail(who: &str) -> bool {
    who.ends_with("@gmail.com")
}

/// The names of all measures for which something was learnt.
async fn learnt(newsletter: &Newsletter) -> Vec<String> {
    let kept = newsletter.store.saved_rates().await.unwrap();
    assert!(kept.iter().all(|measure| measure.is_final));
    kept.into_iter()
        .filter(|measure| measure.learned.is_some())
        .map(|measure| measure.name)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complaint_slows_its_provider_and_nobody_else() {
    let mut complains = true;
    let server = Server::start(move |at, rcpt, _| {
        if at == At::Rcpt && is_gmail(rcpt) && std::mem::take(&mut complains) {
            say("450 4.7.28 unusual rate of mail from you")
        } else {
            Do::Usual
        }
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 0).await;
    for i in 0..60 {
        newsletter
            .reader(&format!("reader{i}@gmail.com"), "Reader")
            .await;
        newsletter
            .reader(&format!("reader{i}@readers.example"), "Reader")
            .await;
    }
    newsletter.settings.relays[0].connections = 1;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let others = async || {
        server
            .mails()
            .iter()
            .filter(|mail| !is_gmail(&mail.rcpt))
            .count()
    };
    until("all others", async || others().await == 60).await;
    newsletter
        .until(
            issue,
            "what was learnt",
            says("gmail.com gets no more than"),
        )
        .await;
    sender.stop().await;
    newsletter.agree(issue, &server).await;
    let gmail = server.mails().len() - 60;
    assert!(gmail < 30, "{gmail} went to Gmail");
    assert_eq!(learnt(&newsletter).await, [provider_name("gmail.com")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complaint_that_closes_the_connection_slows_the_relay_as_well() {
    let mut complaints = 3;
    let server = Server::start(move |at, _, _| {
        if at == At::Rcpt && complaints > 0 {
            complaints -= 1;
            say("421 4.7.28 unusual rate of mail from you")
        } else {
            Do::Usual
        }
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 0).await;
    newsletter.settings.relays[0].connections = 1;
    for i in 0..60 {
        newsletter
            .reader(&format!("reader{i}@gmail.com"), "Reader")
            .await;
    }
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(
            issue,
            "what was learnt",
            says("since it complained of more"),
        )
        .await;
    sender.stop().await;
    newsletter.agree(issue, &server).await;
    let names = learnt(&newsletter).await;
    assert!(
        names.contains(&provider_name("gmail.com")) && names.contains(&relay_name("main")),
        "{names:?}"
    );

    // The next sender goes on with it, until the author says otherwise.
    let sender = newsletter.serve();
    newsletter
        .until(issue, "what was learnt", |row| row.reason.is_some())
        .await;
    for name in names {
        newsletter
            .store
            .override_rate(&name, Some(0), newsletter.clock.now())
            .await
            .unwrap();
    }
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 60);
    sender.stop().await;
}
