//! What servers say of speed is learnt, outlives a restart, and gives way to the author's word.

use std::time::{Duration, Instant};

use letterpress::delivery::pace::{provider_name, relay_name};

use crate::fixture::Letter;
use crate::server::{At, Do, Server, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complaint_slows_its_provider_and_nobody_else() {
    // One complaint, to the first of each at Gmail.
    let mut complaints = 3;
    let server = Server::start(move |at, rcpt, _| {
        if at == At::Rcpt && rcpt.ends_with("@gmail.com") && complaints > 0 {
            complaints -= 1;
            return say("421 4.7.28 unusual rate of mail from you");
        }
        if at == At::Rcpt { Do::Wait(Duration::from_millis(10)) } else { Do::Usual }
    })
    .await;
    let mut letter = Letter::new(&server, 0).await;
    letter.settings.relays[0].connections = 1;
    for i in 0..60 {
        letter.reader(&format!("reader{i}@gmail.com"), "Reader").await;
    }
    let sender = letter.serve();
    let issue = letter.send(1).await;
    let told = letter
        .until(issue, "what was learnt", |row| {
            row.reason.as_ref().is_some_and(|reason| reason.contains("complained"))
        })
        .await;
    assert!(told.reason.unwrap().contains("a minute"));
    sender.stop().await;
    let kept = letter.store.measures().await.unwrap();
    let names: Vec<_> = kept.iter().filter(|m| m.learnt.is_some()).map(|m| m.name.clone()).collect();
    assert!(names.contains(&provider_name("gmail.com")) && names.contains(&relay_name("main")), "{names:?}");
    assert!(kept.iter().all(|measure| measure.is_final));

    // The next sender goes on with it, until the author says otherwise.
    let sender = letter.serve();
    letter.until(issue, "what was learnt", |row| row.reason.is_some()).await;
    for name in names {
        letter.store.set_speed(&name, Some(0), letter.clock.now()).await.unwrap();
    }
    assert_eq!(letter.settle(issue).await.totals.sent, 60);
    letter.agree(issue, &server).await;
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_learnt_under_the_authors_word_outlives_a_restart_and_no_newer_word() {
    let mut complains = true;
    let server = Server::start(move |at, _, _| {
        if at == At::Rcpt && std::mem::take(&mut complains) {
            return say("421 4.7.28 unusual rate of mail from you");
        }
        if at == At::Rcpt { Do::Wait(Duration::from_millis(10)) } else { Do::Usual }
    })
    .await;
    let mut letter = Letter::new(&server, 60).await;
    letter.settings.relays[0].connections = 1;
    let name = relay_name("main");
    letter.store.set_speed(&name, Some(6000), letter.clock.now()).await.unwrap();
    let issue = letter.send(1).await;
    for _ in 0..2 {
        let sender = letter.serve();
        letter
            .until(issue, "what was learnt", |row| {
                row.reason.as_ref().is_some_and(|reason| reason.contains("complained"))
            })
            .await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let sent = letter.row(issue).await.totals.sent;
        assert!(sent < 30, "{sent} went out");
        sender.stop().await;
        let kept = letter.store.measures().await.unwrap();
        assert!(kept.iter().any(|measure| measure.name == name && measure.learnt.is_some()), "{kept:?}");
    }
    let later = letter.clock.now() + jiff::SignedDuration::from_secs(60);
    letter.store.set_speed(&name, Some(3000), later).await.unwrap();
    let kept = letter.store.measures().await.unwrap();
    assert!(kept.iter().all(|measure| measure.name != name || measure.learnt.is_none()), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_authors_word_holds_while_mails_go() {
    let server = Server::usual().await;
    let mut letter = Letter::new(&server, 40).await;
    letter.settings.relays[0].messages_per_minute = 30;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter.until(issue, "the first mail", |row| row.totals.sent > 0).await;
    assert!(letter.row(issue).await.totals.sent < 10);
    letter.store.set_speed(&relay_name("main"), Some(6000), letter.clock.now()).await.unwrap();
    assert_eq!(letter.settle(issue).await.totals.sent, 40);
    letter.store.set_speed(&relay_name("main"), None, letter.clock.now()).await.unwrap();
    let second = letter.send(2).await;
    letter.until(second, "its first mail", |row| row.totals.sent > 0).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(letter.row(second).await.totals.sent < 10);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_measure_outlives_restarts() {
    let server = Server::usual().await;
    let mut letter = Letter::new(&server, 20).await;
    letter.settings.relays[0].messages_per_minute = 6;
    let issue = letter.send(1).await;
    let begun = Instant::now();
    for _ in 0..4 {
        let sender = letter.serve();
        tokio::time::sleep(Duration::from_millis(300)).await;
        sender.stop().await;
    }
    let most = begun.elapsed().as_secs() / 10 + 1;
    let sent = letter.row(issue).await.totals.sent;
    assert!((1..=most).contains(&sent), "{sent} of {most}: one in ten seconds, whatever the restarts");
}
