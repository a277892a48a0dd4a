//! Where one relay refuses us, the others take over; where one provider does, its people wait and the rest goes on. It
//! fails nobody, and `resume` reaches everybody once the cause is gone.

use std::collections::BTreeMap;

use letterpress::model::IssueId;
use letterpress::model::delivery::State;
use letterpress::store::deliveries::DeliveryRow;
use letterpress::store::issues::IssueRow;

use crate::fixture::{Newsletter, is_paused, relay, says};
use crate::server::{At, Do, Server, say};

/// Refuses at a step those whose address ends so.
fn refusing(
    at: At,
    whom: &'static str,
    answer: &str,
) -> impl FnMut(At, &str, usize) -> Do + Send + 'static {
    let answer = say(answer);
    move |step, rcpt, _| {
        if step == at && rcpt.ends_with(whom) {
            answer.clone()
        } else {
            Do::Usual
        }
    }
}

/// Waits for a pause, at which nobody is in flight.
async fn paused(newsletter: &Newsletter, issue: IssueId) -> IssueRow {
    newsletter
        .until(issue, "the pause", |row| {
            is_paused(row) && row.totals.sending == 0
        })
        .await
}

/// The cause is gone, and the author resumes: everybody has the mail once.
async fn resumed(newsletter: &Newsletter, issue: IssueId, server: &Server) {
    server.script(|_, _, _| Do::Usual);
    let now = newsletter.clock.now();
    newsletter.store.resume(issue, now).await.unwrap();
    let row = newsletter.settle(issue, server).await;
    assert_eq!(row.totals.sent, newsletter.readers.len() as u64);
}

/// One relay refuses everybody.
async fn everybody_is_refused(at: At, answer: &str, readers: usize) {
    let server = Server::start(refusing(at, "", answer)).await;
    let newsletter = Newsletter::new(&server, readers).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = paused(&newsletter, issue).await;
    let reason = row.reason.unwrap().to_string();
    assert!(
        reason.contains(answer.split_once(' ').unwrap().1),
        "{reason}"
    );
    let counts = newsletter.agree(issue, &server).await;
    let everybody = BTreeMap::from([(State::Queued, readers)]);
    assert_eq!(counts, everybody, "{answer} at {at:?} for {readers}");
    assert!(server.rcpts().len() <= 20, "{} tries", server.rcpts().len());
    resumed(&newsletter, issue, &server).await;
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_any_length_is_refused_for_its_sender() {
    let answer = "550 5.1.8 <editor@letters.example>: Sender address rejected: Domain not found";
    for readers in [1, 2, 20, 90] {
        everybody_is_refused(At::Rcpt, answer, readers).await;
    }
    everybody_is_refused(At::Dot, "550 5.1.7 sender address not allowed", 90).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_wrong_with_us_is_told_at_every_step() {
    for (at, answer) in [
        (At::Rcpt, "550 5.1.0 <editor@letters.example> refused"),
        (
            At::Rcpt,
            "554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org",
        ),
        (
            At::Data,
            "554 Message rejected: Sending paused for this account",
        ),
        (
            At::Dot,
            "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
        ),
        (At::Dot, "552 5.3.4 Message size exceeds fixed limit"),
        (At::Rcpt, "554 5.7.1 <x>: Relay access denied"),
    ] {
        everybody_is_refused(at, answer, 40).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_are_refused_and_nobody_fails() {
    everybody_is_refused(At::Rcpt, "550 5.1.8 Sender address rejected", 2_000).await;
}

/// Forty providers, of which one refuses us.
async fn one_of_forty(at: At, answer: &str) {
    let server = Server::start(refusing(at, "@p7.example", answer)).await;
    let mut newsletter = Newsletter::new(&server, 0).await;
    for n in 0..400 {
        let email = format!("reader{n}@p{}.example", n % 40);
        newsletter.reader(&email, "Reader").await;
    }
    for n in 400..450 {
        newsletter
            .reader(&format!("reader{n}@p7.example"), "Reader")
            .await;
    }
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = paused(&newsletter, issue).await;
    let reason = row.reason.unwrap().to_string();
    let words = answer.split_once(' ').unwrap().1;
    assert!(
        reason.starts_with("p7.example refuses your mails, so 60 people must wait")
            && reason.contains(words),
        "{reason}"
    );
    let counts = newsletter.agree(issue, &server).await;
    assert_eq!(
        counts,
        BTreeMap::from([(State::Queued, 60), (State::Sent, 390)]),
        "{answer} at {at:?}"
    );
    // Each of them says why, those who met it and those who were spared.
    let rows = newsletter.rows(issue).await;
    let waiting: Vec<_> = rows.iter().filter(|r| r.state == State::Queued).collect();
    let says = |row: &&&DeliveryRow| row.reply.as_deref().is_some_and(|it| it.contains(words));
    assert_eq!(waiting.iter().filter(says).count(), 60);
    let met_it = waiting.iter().filter(|row| row.code.is_some());
    assert!(met_it.count() >= 3);
    resumed(&newsletter, issue, &server).await;
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_provider_of_forty_refuses_us() {
    let answer = "550 5.7.26 This mail has been blocked because the sender is unauthenticated.";
    one_of_forty(At::Dot, answer).await;
    // Words that name nobody need twenty in a row.
    one_of_forty(At::Rcpt, "554 5.7.1 not today").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_a_provider_waits_after_a_restart_too() {
    let answer = "550 5.7.26 unauthenticated";
    let server = Server::start(refusing(At::Dot, "@p7.example", answer)).await;
    let mut newsletter = Newsletter::new(&server, 60).await;
    for n in 0..40 {
        newsletter
            .reader(&format!("other{n}@p7.example"), "Reader")
            .await;
    }
    // The rest takes its time.
    newsletter.settings.relays[0].messages_per_minute = 1_200;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "the reason", says("p7.example refuses"))
        .await;
    sender.stop().await;
    let sender = newsletter.serve();
    paused(&newsletter, issue).await;
    let counts = newsletter.agree(issue, &server).await;
    assert_eq!(
        counts,
        BTreeMap::from([(State::Queued, 40), (State::Sent, 60)])
    );
    resumed(&newsletter, issue, &server).await;
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_go_on_while_a_provider_refuses_us() {
    let server = Server::start(refusing(At::Rcpt, "@p7.example", "550 5.7.26 no")).await;
    let mut newsletter = Newsletter::new(&server, 0).await;
    for n in 0..60 {
        let provider = if n % 2 == 0 {
            "p7.example"
        } else {
            "q.example"
        };
        newsletter
            .reader(&format!("reader{n}@{provider}"), "Reader")
            .await;
    }
    newsletter.settings.batch_size = 10;
    newsletter.settings.pause_between_batches = std::time::Duration::from_millis(50);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    paused(&newsletter, issue).await;
    let counts = newsletter.agree(issue, &server).await;
    assert_eq!(
        counts,
        BTreeMap::from([(State::Queued, 30), (State::Sent, 30)])
    );
    resumed(&newsletter, issue, &server).await;
    sender.stop().await;
}

/// Of two relays with these weights the second refuses everybody.
async fn one_of_two_refuses(at: At, answer: &str, weights: (u32, u32), readers: usize) {
    let good = Server::usual().await;
    let bad = Server::start(refusing(at, "", answer)).await;
    let mut newsletter = Newsletter::new(&good, readers).await;
    let mut second = relay(bad.address);
    second.name = "second".into();
    newsletter.settings.relays[0].weight = weights.0;
    second.weight = weights.1;
    newsletter.settings.relays.push(second);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.settle(issue, &[&good, &bad]).await;
    assert_eq!(
        (row.totals.sent, row.totals.failed),
        (readers as u64, 0),
        "{answer} at {at:?}, {weights:?}"
    );
    assert!(bad.mails().is_empty());
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_relay_of_two_is_on_a_block_list() {
    let answer =
        "554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org";
    for at in [At::Rcpt, At::Data, At::Dot] {
        for weights in [(9, 1), (1, 1), (0, 1)] {
            one_of_two_refuses(at, answer, weights, 90).await;
        }
    }
    one_of_two_refuses(At::Dot, "554 5.7.1 message refused as spam", (1, 1), 300).await;
    one_of_two_refuses(At::Rcpt, answer, (9, 1), 1).await;
    one_of_two_refuses(At::Rcpt, answer, (1, 9), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_relay_of_two_refuses_in_words_that_name_nobody() {
    for weights in [(9, 1), (1, 1)] {
        one_of_two_refuses(At::Rcpt, "554 5.7.1 not today", weights, 400).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_relays_refuse_us() {
    let answer = "550 5.1.8 Sender address rejected";
    let one = Server::start(refusing(At::Rcpt, "", answer)).await;
    let two = Server::start(refusing(At::Rcpt, "", answer)).await;
    let mut newsletter = Newsletter::new(&one, 90).await;
    let mut second = relay(two.address);
    second.name = "second".into();
    newsletter.settings.relays.push(second);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    paused(&newsletter, issue).await;
    let counts = newsletter.agree(issue, &[&one, &two]).await;
    assert_eq!(counts, BTreeMap::from([(State::Queued, 90)]));
    one.script(|_, _, _| Do::Usual);
    let now = newsletter.clock.now();
    newsletter.store.resume(issue, now).await.unwrap();
    let row = newsletter.settle(issue, &[&one, &two]).await;
    assert_eq!(row.totals.sent, 90, "by the one that takes them");
    sender.stop().await;
}

/// Mails of whom a few are refused for what they say go to all others of the same provider.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_refusals_of_a_provider_hold_nobody_else_up() {
    let mut n = 0;
    let server = Server::start(move |at, _, _| {
        n += usize::from(at == At::Dot);
        if at == At::Dot && n.is_multiple_of(10) {
            say("554 5.7.1 looks like spam")
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = Newsletter::new(&server, 100).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    paused(&newsletter, issue).await;
    let counts = newsletter.agree(issue, &server).await;
    assert_eq!(
        counts,
        BTreeMap::from([(State::Queued, 10), (State::Sent, 90)])
    );
    resumed(&newsletter, issue, &server).await;
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fewer_than_twenty_that_name_nobody_have_failed() {
    let server = Server::start(refusing(At::Rcpt, "@p7.example", "550 not you")).await;
    let mut newsletter = Newsletter::new(&server, 30).await;
    for n in 0..19 {
        newsletter
            .reader(&format!("other{n}@p7.example"), "Reader")
            .await;
    }
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.settle(issue, &server).await;
    assert_eq!((row.totals.sent, row.totals.failed), (30, 19));
    sender.stop().await;
}
