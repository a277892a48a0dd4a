//! What is wrong with us pauses the issue with the server's words, and fails nobody; `resume` goes on.

use std::collections::BTreeMap;

use letterpress::model::Address;
use letterpress::model::delivery::State;
use letterpress::smtp::{Endpoint, Login, Tls};

use crate::fixture::{Newsletter, is_paused};
use crate::server::{At, Do, OFFERS, Server, refuse};

/// A server refuses everybody at a step, then does not any more.
async fn refused_at(at: At, answer: &str, readers: usize) {
    let server = Server::start(refuse(at, answer)).await;
    let newsletter = Newsletter::new(&server, readers).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.until(issue, "the pause", is_paused).await;
    assert_eq!(row.totals.failed, 0, "{answer}");
    let reason = row.reason.unwrap().to_string();
    assert!(
        reason.contains(answer.split_once(' ').unwrap().1),
        "{reason}"
    );
    newsletter
        .until(issue, "those in flight", |row| row.totals.sending == 0)
        .await;
    assert_eq!(
        newsletter.agree(issue, &server).await,
        BTreeMap::from([(State::Queued, readers)]),
        "{answer}"
    );
    server.script(|_, _, _| Do::Usual);
    newsletter.resume(issue).await;
    assert_eq!(
        newsletter.settle(issue, &server).await.totals.sent,
        readers as u64
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sender_is_refused() {
    refused_at(At::Mail, "550 5.7.1 sender not allowed", 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sender_needs_what_the_relay_lacks() {
    let offers: Vec<_> = OFFERS
        .iter()
        .copied()
        .filter(|offer| *offer != "SMTPUTF8")
        .collect();
    let server = Server::with(&offers, "127.0.0.1:0", |_, _, _| Do::Usual).await;
    let mut newsletter = Newsletter::new(&server, 10).await;
    newsletter.listing.from.address = Address::parse("redaktörin@letters.example").unwrap();
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.until(issue, "the pause", is_paused).await;
    assert!(row.reason.unwrap().to_string().contains("SMTPUTF8"));
    newsletter
        .until(issue, "those in hand", |row| row.totals.sending == 0)
        .await;
    assert_eq!(
        newsletter.agree(issue, &server).await,
        BTreeMap::from([(State::Queued, 10)])
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_wanted() {
    refused_at(At::Mail, "530 5.7.0 authentication required", 40).await;
    refused_at(At::Rcpt, "530 5.7.0 authentication required", 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_is_refused() {
    refused_at(At::Connect, "554 5.7.1 not from there", 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_refused_alike() {
    refused_at(At::Rcpt, "550 5.7.1 blocked by our policy", 60).await;
    refused_at(At::Dot, "554 5.7.1 looks like spam", 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_old_addresses_is_not_our_fault() {
    let server = Server::start(refuse(At::Rcpt, "550 5.1.1 no such person")).await;
    let newsletter = Newsletter::new(&server, 60).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.failed, 60);
    // A refusal costs no connection.
    assert!(
        server.connections() <= 4,
        "{} connections",
        server.connections()
    );
    sender.stop().await;
}

/// A server that offers neither TLS nor a login gets none of this command: the issue pauses and says what is missing.
async fn never_says(command: &str, missing: &str, set: impl FnOnce(&mut Endpoint)) {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 5).await;
    set(&mut newsletter.settings.relays[0].endpoint);
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.until(issue, "the pause", is_paused).await;
    assert!(row.reason.unwrap().to_string().contains(missing));
    assert_eq!(
        newsletter.agree(issue, &server).await,
        BTreeMap::from([(State::Queued, 5)])
    );
    assert!(
        server
            .commands()
            .iter()
            .all(|line| !line.starts_with(command))
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_tls_nothing_leaves() {
    never_says("MAIL", "STARTTLS", |endpoint| endpoint.tls = Tls::Starttls).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_does_not_go_out_to_who_takes_no_login() {
    let login = Login {
        username: "akira".into(),
        password: "open sesame".into(),
    };
    never_says("AUTH", "no login", |endpoint| endpoint.login = Some(login)).await;
}
