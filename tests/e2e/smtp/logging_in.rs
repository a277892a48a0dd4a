//! Logins as servers want them, and passwords that are wrong.

use letterpress::model::delivery::State;
use letterpress::smtp::{Login, Password};

use crate::fixture::{Newsletter, is_paused};
use crate::server::{At, Do, Server, say};

const OFFERS: &[&str] = &["PIPELINING", "AUTH PLAIN LOGIN"];

/// A server that answers the lines of a login so.
async fn server(answer: impl Fn(&str) -> &'static str + Send + 'static) -> Server {
    Server::with(OFFERS, "127.0.0.1:0", move |at, line, _| match at {
        At::Auth => say(answer(line)),
        _ => Do::Usual,
    })
    .await
}

async fn newsletter(server: &Server, password: Password) -> Newsletter {
    let mut newsletter = Newsletter::new(server, 20).await;
    newsletter.settings.relays[0].endpoint.login = Some(Login {
        username: "akira".into(),
        password,
    });
    newsletter
}

fn count(server: &Server, is_counted: impl Fn(&str) -> bool) -> usize {
    let commands = server.commands();
    commands.iter().filter(|line| is_counted(line)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_takes_over_where_plain_is_not_known() {
    let server = server(|line| match line {
        "AUTH LOGIN" => "334 Who?",
        "YWtpcmE=" => "334 And the word?",
        "b3BlbiBzZXNhbWU=" => "235 2.7.0 welcome",
        _ => "504 5.7.4 Unrecognized authentication type",
    })
    .await;
    let newsletter = newsletter(&server, "open sesame".into()).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter.settle(issue, &server).await;
    assert_eq!(newsletter.agree(issue, &server).await[&State::Sent], 20);
    sender.stop().await;
}

/// However many connections a relay has, one of them finds out that a password is wrong; a file is read again when the
/// author resumes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_tried_once_and_a_corrected_file_is_read() {
    let right = "AUTH PLAIN AGFraXJhAG9wZW4gc2VzYW1l";
    let server = server(move |line| {
        if line == right {
            "235 2.7.0 welcome"
        } else {
            "535 5.7.8 Error: authentication failed"
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("smtp-password");
    std::fs::write(&file, "open sesam\n").unwrap();
    let newsletter = newsletter(&server, Password::File(file.clone())).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.until(issue, "the pause", is_paused).await;
    let reason = row.reason.unwrap().to_string();
    assert!(
        reason.contains("535 5.7.8 Error: authentication failed") && reason.contains("password"),
        "{reason}"
    );
    newsletter
        .until(issue, "those in hand", |row| row.totals.sending == 0)
        .await;
    assert_eq!(count(&server, |line| line.starts_with("AUTH")), 1);

    std::fs::write(&file, "\u{feff}open sesame\r\n").unwrap();
    newsletter
        .store
        .resume(issue, newsletter.clock.now())
        .await
        .unwrap();
    newsletter.settle(issue, &server).await;
    assert_eq!(newsletter.agree(issue, &server).await[&State::Sent], 20);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_file_that_is_gone_pauses_the_issue() {
    let server = server(|_| "235 2.7.0 welcome").await;
    let newsletter = newsletter(&server, Password::File("/nowhere/smtp-password".into())).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    let row = newsletter.until(issue, "the pause", is_paused).await;
    let reason = row.reason.unwrap().to_string();
    assert!(
        reason.contains("password_file /nowhere/smtp-password can't be read"),
        "{reason}"
    );
    newsletter
        .until(issue, "those in hand", |row| row.totals.sending == 0)
        .await;
    assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 20);
    sender.stop().await;
}
