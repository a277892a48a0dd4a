//! The name that is given in EHLO, and a server that does not like it.

use letterpress::model::delivery::State;

use crate::fixture::{Newsletter, is_paused, says};
use crate::server::{At, Do, Server, say};

/// A newsletter that gives this name to a server.
async fn named(server: &Server, name: &str) -> Newsletter {
    let mut newsletter = Newsletter::new(server, 3).await;
    newsletter.settings.relays[0].endpoint.ehlo_name = Some(name.into());
    newsletter
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_name_of_the_settings_is_given() {
    let server = Server::usual().await;
    let newsletter = named(&server, "mail.letters.example").await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter.settle(issue, &server).await;
    let commands = server.commands();
    let greetings: Vec<_> = commands
        .iter()
        .filter(|line| line.starts_with("EHLO"))
        .collect();
    assert!(
        !greetings.is_empty()
            && greetings
                .iter()
                .all(|it| *it == "EHLO mail.letters.example"),
        "{greetings:?}"
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_refused_leads_to_the_setting() {
    for refusal in [
        "421-4.7.0 Try again later, closing connection. (EHLO)\r\n421 4.7.0 for more information",
        "450 4.7.1 Client host rejected",
    ] {
        let server = Server::start(move |at, _, _| match at {
            At::Ehlo => say(refusal),
            _ => Do::Usual,
        })
        .await;
        let newsletter = named(&server, "[192.0.2.1]").await;
        let sender = newsletter.serve();
        let issue = newsletter.send(1).await;
        let row = newsletter
            .until(issue, "the advice", says("set its ehlo_name"))
            .await;
        let reason = row.reason.unwrap().to_string();
        assert!(reason.contains("backs off"), "it passes: {reason}");
        newsletter
            .until(issue, "those in hand", |row| row.totals.sending == 0)
            .await;
        assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 3);
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_refused_for_good_pauses_the_issue() {
    let refusal = "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname";
    // Postfix says so only when somebody was named, unless it is told otherwise.
    for (name, late) in [
        ("[192.0.2.1]", false),
        ("half.local", false),
        ("[192.0.2.1]", true),
    ] {
        let server = Server::start(move |at, _, _| match at {
            At::Ehlo | At::Helo if !late => say(refusal),
            At::Rcpt if late => say(refusal),
            _ => Do::Usual,
        })
        .await;
        let newsletter = named(&server, name).await;
        let sender = newsletter.serve();
        let issue = newsletter.send(1).await;
        let row = newsletter.until(issue, "the pause", is_paused).await;
        let reason = row.reason.unwrap().to_string();
        assert!(
            reason.contains("fully-qualified") && reason.contains("set its ehlo_name"),
            "{reason}"
        );
        newsletter
            .until(issue, "those in hand", |row| row.totals.sending == 0)
            .await;
        assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 3);
        sender.stop().await;
    }
}
