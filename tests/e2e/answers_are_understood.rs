//! Growing waits, giving up, addresses beyond ASCII, envelope senders.

use std::time::Duration;

use letterpress::model::Address;

use crate::fixture::Letter;
use crate::server::{At, Do, OFFERS, Server, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_for_too_long_has_failed_with_the_last_words() {
    let server = Server::start(|at, rcpt, _| {
        if at == At::Rcpt && rcpt.starts_with("reader1@") {
            say("451 4.7.1 greylisted for ever")
        } else {
            Do::Usual
        }
    })
    .await;
    let mut letter = Letter::new(&server, 3).await;
    letter.settings.give_up_after = Duration::from_millis(800);
    let sender = letter.serve();
    let issue = letter.send(1).await;
    let row = letter.settle(issue).await;
    assert_eq!((row.totals.sent, row.totals.failed), (2, 1));
    let fate = letter.fate(issue, "reader1@readers.example").await;
    assert!(fate.attempts > 1, "{fate:?}");
    assert_eq!((fate.code, fate.reply.as_deref()), (Some(451), Some("451 4.7.1 greylisted for ever")));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_without_smtputf8_fails_only_those_who_need_it() {
    let plain: Vec<&'static str> = OFFERS.iter().copied().filter(|offer| *offer != "SMTPUTF8").collect();
    let server = Server::with(&plain, "127.0.0.1:0", |_, _, _| Do::Usual).await;
    let mut letter = Letter::new(&server, 3).await;
    letter.reader("用户@例子.广告", "用户").await;
    letter.reader("user@例子.广告", "A domain needs nothing").await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    let row = letter.settle(issue).await;
    assert_eq!((row.totals.sent, row.totals.failed), (4, 1));
    let fate = letter.fate(issue, "用户@xn--fsqu00a.xn--4rr70v").await;
    assert_eq!(fate.code, None);
    assert!(fate.reply.unwrap().contains("SMTPUTF8"));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_beyond_ascii_is_mailed_where_the_relay_can() {
    let server = Server::usual().await;
    let mut letter = Letter::new(&server, 1).await;
    letter.reader("用户@例子.广告", "用户").await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    assert_eq!(letter.settle(issue).await.totals.sent, 2);
    assert_eq!(server.count("用户@xn--fsqu00a.xn--4rr70v"), 1);
    let asked = server.commands().iter().filter(|line| line.contains("SMTPUTF8")).count();
    assert_eq!(asked, 1, "only who needs it asks for it");
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mail_has_an_envelope_sender_that_tells_who_bounced() {
    let server = Server::usual().await;
    let mut letter = Letter::new(&server, 3).await;
    letter.listing.bounce_address = Some(Address::parse("bounce@letters.example").unwrap());
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter.settle(issue).await;
    for mail in server.mails() {
        let local = mail.sender.strip_suffix("@letters.example").unwrap();
        assert!(local.len() <= 64 && local == local.to_ascii_lowercase(), "{local}");
        let token = local.strip_prefix("bounce+").unwrap();
        let who = letter.fate(issue, &mail.rcpt).await.subscriber;
        assert_eq!(letter.links.bounce_token(issue, who).as_deref(), Some(token));
    }
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_pipelining_is_served_step_by_step() {
    let server = Server::with(&["8BITMIME"], "127.0.0.1:0", |at, rcpt, _| {
        if at == At::Rcpt && rcpt.starts_with("reader1@") {
            say("550 5.1.1 no such person")
        } else {
            Do::Usual
        }
    })
    .await;
    let letter = Letter::new(&server, 10).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    let row = letter.settle(issue).await;
    assert_eq!((row.totals.sent, row.totals.failed), (9, 1));
    letter.agree(issue, &server).await;
    sender.stop().await;
}
