//! An address beyond ASCII is mailed where the relay can (SMTPUTF8), and fails nobody else where it can't.

use crate::fixture::Newsletter;
use crate::server::{Do, OFFERS, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_without_smtputf8_fails_only_those_who_need_it() {
    let plain: Vec<&'static str> = OFFERS
        .iter()
        .copied()
        .filter(|offer| *offer != "SMTPUTF8")
        .collect();
    let server = Server::with(&plain, "127.0.0.1:0", |_, _, _| Do::Usual).await;
    let mut newsletter = Newsletter::new(&server, 3).await;
    newsletter.reader("用户@例子.广告", "用户").await;
    newsletter
        .reader("user@例子.广告", "A domain needs nothing")
        .await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.settle(issue, &server).await;
    assert_eq!((row.totals.sent, row.totals.failed), (4, 1));
    let fate = newsletter.fate(issue, "用户@xn--fsqu00a.xn--4rr70v").await;
    assert_eq!(fate.code, None);
    assert!(fate.reply.unwrap().contains("SMTPUTF8"));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_beyond_ascii_is_mailed_where_the_relay_can() {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 1).await;
    newsletter.reader("用户@例子.广告", "用户").await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 2);
    assert_eq!(server.count("用户@xn--fsqu00a.xn--4rr70v"), 1);
    let asked = server
        .commands()
        .iter()
        .filter(|line| line.contains("SMTPUTF8"))
        .count();
    assert_eq!(asked, 1, "only who needs it asks for it");
    sender.stop().await;
}
