//! A reply in another alphabet is a reply, and is shown without what moves a terminal's cursor.

use letterpress::model::delivery::State;

use crate::fixture::Newsletter;
use crate::server::{At, Do, Server, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_in_another_alphabet_is_a_reply() {
    let server = Server::start(|at, rcpt, _| match (at, rcpt) {
        // Latin-1, and what paints a terminal red.
        (At::Rcpt, "reader0@readers.example") => {
            Do::SayBytes(b"550 5.1.1 Bo\xeete inconnue \x07\x1b[31m")
        }
        // GBK.
        (At::Rcpt, "reader1@readers.example") => Do::SayBytes(b"550 5.1.1 \xc3\xbb\xd3\xd0 nobody"),
        (At::Rcpt, _) => say("550 5.1.1 Bo\u{ee}te inconnue"),
        _ => Do::Usual,
    })
    .await;
    let newsletter = Newsletter::new(&server, 3).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.failed, 3);
    for (row, words) in
        newsletter
            .rows(issue)
            .await
            .iter()
            .zip(["inconnue", "nobody", "Bo\u{ee}te inconnue"])
    {
        let reply = row.reply.as_ref().unwrap();
        let is_shown = reply.starts_with("550 5.1.1 ") && reply.contains(words);
        assert!(
            is_shown && !reply.chars().any(char::is_control),
            "{reply:?}"
        );
        assert_eq!((row.state, row.code), (State::Failed, Some(550)));
    }
    assert!(
        server.connections() <= 3,
        "a reply that was read costs no connection"
    );
    sender.stop().await;
}
