//! A server that knows no EHLO is greeted by HELO, and uses no extension; not where the settings need one.

use letterpress::model::delivery::State;
use letterpress::smtp::{Login, Tls};

use crate::fixture::{Newsletter, is_paused};
use crate::server::{At, Do, Server, say};

/// A server that answers EHLO so, and HELO as servers do.
async fn old(refusal: &'static str) -> Server {
    Server::start(move |at, _, _| match at {
        At::Ehlo => say(refusal),
        At::Helo => say("250 old.example"),
        _ => Do::Usual,
    })
    .await
}

async fn is_mailed(refusal: &'static str) {
    let server = old(refusal).await;
    let newsletter = Newsletter::new(&server, 6).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter.settle(issue, &server).await;
    assert_eq!(
        newsletter.agree(issue, &server).await[&State::Sent],
        6,
        "{refusal}"
    );
    let commands = server.commands();
    assert!(
        commands
            .iter()
            .any(|line| line.starts_with("HELO [127.0.0.1]") || line.starts_with("HELO "))
    );
    assert!(
        commands.iter().all(|line| !line.contains("SIZE=")),
        "an extension was used: {commands:?}"
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_server_is_greeted_in_its_own_way() {
    for refusal in [
        "500 what?",
        "502 5.5.1 not implemented",
        "504 5.5.4 no such parameter",
        "550 not acceptable",
    ] {
        is_mailed(refusal).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_settings_need_an_extension_nobody_is_greeted_without() {
    for (needs_login, tls) in [(false, Tls::Starttls), (true, Tls::None)] {
        let server = old("502 5.5.1 not implemented").await;
        let mut newsletter = Newsletter::new(&server, 3).await;
        let relay = &mut newsletter.settings.relays[0].endpoint;
        relay.tls = tls;
        if needs_login {
            relay.login = Some(Login {
                username: "akira".into(),
                password: "open sesame".into(),
            });
        }
        let sender = newsletter.serve();
        let issue = newsletter.send(1).await;
        let row = newsletter.until(issue, "the pause", is_paused).await;
        assert!(row.reason.unwrap().to_string().contains("knows no EHLO"));
        assert!(
            server
                .commands()
                .iter()
                .all(|line| line.starts_with("EHLO") || line == "QUIT")
        );
        assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 3);
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_will_not_have_us_is_heard() {
    let server = Server::start(|at, _, _| match at {
        At::Ehlo => say("550 5.7.1 not from there"),
        At::Helo => Do::Drop,
        _ => Do::Usual,
    })
    .await;
    let newsletter = Newsletter::new(&server, 3).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let reason = newsletter
        .until(issue, "the pause", is_paused)
        .await
        .reason
        .unwrap()
        .to_string();
    assert!(
        reason.contains("EHLO with “550 5.7.1 not from there”"),
        "{reason}"
    );
    newsletter
        .until(issue, "those in hand", |row| row.totals.sending == 0)
        .await;
    assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 3);
    sender.stop().await;
}
