//! A reply in another alphabet is a reply, and is shown without what moves a terminal's cursor.

use letterpress::model::delivery::State;

use crate::fixture::Letter;
use crate::server::{At, Do, Server, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_in_another_alphabet_is_a_reply() {
    let server = Server::start(|at, _, _| {
        if at == At::Rcpt { say("550 5.1.1 Bo\u{ee}te inconnue \u{7}\u{1b}[31m") } else { Do::Usual }
    })
    .await;
    let letter = Letter::new(&server, 2).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    assert_eq!(letter.settle(issue, &server).await.totals.failed, 2);
    for row in letter.rows(issue).await {
        let reply = row.reply.unwrap();
        assert!(!reply.chars().any(char::is_control) && reply.contains("Bo\u{ee}te inconnue"), "{reply:?}");
        assert_eq!((row.state, row.code), (State::Failed, Some(550)));
    }
    sender.stop().await;
}
