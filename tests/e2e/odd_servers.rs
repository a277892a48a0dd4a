//! Servers that answer in ways that no standard knows.

use std::time::Duration;

use letterpress::model::delivery::State;

use crate::fixture::Letter;
use crate::server::{At, Do, Server, say};

/// A script with every kind of fault, by a number that looks like chance, so that no fault follows another.
pub fn mixed_faults(at: At, _: &str, n: usize) -> Do {
    match (at, n.wrapping_mul(2_654_435_761) >> 7 & 31) {
        (At::Rcpt, 3) => say("450 4.2.0 later"),
        (At::Mail, 5) => Do::Drop,
        (At::Dot, 7) => say("421 4.3.2 closing"),
        (At::Content, 4) => Do::Drop,
        (At::Kept, 9) => Do::Drop,
        (At::Data, 2) => say("garbage"),
        (At::Connect, 6) => say("421 4.3.2 busy"),
        (At::Rcpt, 8) => say("550 5.1.1 gone"),
        _ => Do::Usual,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_and_many_lines_are_read_to_their_end() {
    let long = "x".repeat(9_000);
    let many: String =
        (0..100).map(|i| format!("250-2.1.5 line {i}\r\n")).collect::<String>() + "250 2.1.5 ok";
    let server = Server::start(move |at, _, _| match at {
        At::Rcpt => say(&many),
        At::Dot => say(&format!("452 4.2.2 {long}")),
        _ => Do::Usual,
    })
    .await;
    let letter = Letter::new(&server, 1).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    // The recipient's answer was no usual one for the server, so it wants no DATA.
    letter.until(issue, "an answer", |row| row.totals.failed + row.totals.deferred == 1).await;
    assert!(server.connections() <= 4);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_in_another_alphabet_is_a_reply() {
    // GBK, which is not UTF-8; the script writes text, so its Latin-1 form stands in for it.
    let server = Server::start(|at, _, _| {
        if at == At::Rcpt { say("550 5.1.1 Bo\u{ee}te inconnue \u{7}\u{1b}[31m") } else { Do::Usual }
    })
    .await;
    let letter = Letter::new(&server, 2).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    assert_eq!(letter.settle(issue).await.totals.failed, 2);
    for row in letter.rows(issue).await {
        let reply = row.reply.unwrap();
        assert!(!reply.chars().any(char::is_control) && reply.contains("inconnue"), "{reply:?}");
    }
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_is_waited_for_no_longer_than_set() {
    let server =
        Server::start(
            |at, _, n| {
                if at == At::Rcpt && n < 8 { Do::Wait(Duration::from_secs(3)) } else { Do::Usual }
            },
        )
        .await;
    let mut letter = Letter::new(&server, 6).await;
    letter.settings.timeouts.command = Duration::from_millis(400);
    let sender = letter.serve();
    let issue = letter.send(1).await;
    assert_eq!(letter.settle(issue).await.totals.sent, 6);
    letter.agree(issue, &server).await;
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_after_the_dot_leaves_it_uncertain() {
    let server = Server::start(|at, rcpt, _| {
        if at == At::Kept && rcpt.starts_with("reader0@") {
            Do::Wait(Duration::from_secs(5))
        } else {
            Do::Usual
        }
    })
    .await;
    let mut letter = Letter::new(&server, 3).await;
    letter.settings.timeouts.dot = Duration::from_millis(400);
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter.settle(issue).await;
    let counts = letter.agree(issue, &server).await;
    assert_eq!((counts[&State::Sent], counts[&State::Uncertain]), (2, 1));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_faults_mixed_lose_and_double_nobody() {
    let server = Server::start(mixed_faults).await;
    let letter = Letter::new(&server, 120).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter.settle(issue).await;
    let counts = letter.agree(issue, &server).await;
    assert!(counts[&State::Sent] > 60 && counts.len() > 2, "{counts:?}");
    sender.stop().await;
}
