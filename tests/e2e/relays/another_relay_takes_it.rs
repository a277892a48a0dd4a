//! Who has an address beyond ASCII is mailed by a relay that takes it (SMTPUTF8) where another does not, and has failed
//! only where none can.

use letterpress::model::IssueId;
use letterpress::model::delivery::State;

use crate::fixture::{Newsletter, relay};
use crate::server::{At, Do, OFFERS, Server};

const READERS: usize = 20;
const BEYOND: [&str; 3] = [
    "用户@readers.example",
    "ñandú@readers.example",
    "δοκιμή@readers.example",
];

/// A server without SMTPUTF8.
async fn plain() -> Server {
    let offers: Vec<_> = OFFERS
        .iter()
        .copied()
        .filter(|offer| *offer != "SMTPUTF8")
        .collect();
    Server::with(&offers, "127.0.0.1:0", |_, _, _| Do::Usual).await
}

/// A newsletter to readers of whom three have an address beyond ASCII, by two servers.
async fn newsletter(one: &Server, two: &Server) -> Newsletter {
    let mut newsletter = Newsletter::new(one, READERS).await;
    for email in BEYOND {
        newsletter.reader(email, "Somebody").await;
    }
    let mut second = relay(two.address);
    second.name = "second".into();
    newsletter.settings.relays.push(second);
    newsletter
}

/// Everybody got it once, those beyond ASCII by the second server.
async fn everybody_has_it(newsletter: &Newsletter, issue: IssueId, one: &Server, two: &Server) {
    newsletter.settle(issue, &[one, two]).await;
    for row in newsletter.rows(issue).await {
        assert_eq!((row.state, row.attempts), (State::Sent, 1), "{row:?}");
    }
    for email in BEYOND {
        assert_eq!((one.count(email), two.count(email)), (0, 1), "{email}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_relay_that_can_mails_those_whom_the_other_can_not() {
    let (one, two) = (plain().await, Server::usual().await);
    let newsletter = newsletter(&one, &two).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    everybody_has_it(&newsletter, issue, &one, &two).await;
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_only_stands_by_takes_them_out_of_its_turn() {
    let (one, two) = (plain().await, Server::usual().await);
    let mut newsletter = newsletter(&one, &two).await;
    newsletter.settings.relays[1].weight = 0;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    everybody_has_it(&newsletter, issue, &one, &two).await;
    assert_eq!(two.mails().len(), BEYOND.len(), "it took nobody else");
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_relay_can_they_have_failed() {
    let (one, two) = (plain().await, plain().await);
    let newsletter = newsletter(&one, &two).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    only_they_have_failed(&newsletter, issue, &one, &two).await;
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_never_reached_is_not_waited_for() {
    let (one, two) = (
        plain().await,
        Server::start(|at, _, _| {
            if at == At::Connect {
                Do::Drop
            } else {
                Do::Usual
            }
        })
        .await,
    );
    let mut newsletter = newsletter(&one, &two).await;
    newsletter.settings.first_retry = std::time::Duration::from_secs(3600);
    newsletter.settings.longest_retry = newsletter.settings.first_retry;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    only_they_have_failed(&newsletter, issue, &one, &two).await;
    sender.stop().await;
}

async fn only_they_have_failed(
    newsletter: &Newsletter,
    issue: IssueId,
    one: &Server,
    two: &Server,
) {
    newsletter.settle(issue, &[one, two]).await;
    for row in newsletter.rows(issue).await {
        let is_beyond = BEYOND.contains(&row.email.as_str());
        assert_eq!(
            row.state,
            if is_beyond {
                State::Failed
            } else {
                State::Sent
            },
            "{row:?}"
        );
        if is_beyond {
            assert_eq!(row.code, None);
            assert!(
                row.reply
                    .as_deref()
                    .is_some_and(|reply| reply.contains("SMTPUTF8")),
                "{row:?}"
            );
        }
    }
}
