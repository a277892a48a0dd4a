//! What was taken of a measure for a mail that did not go is given back: by the relay's and by the provider's.

use jiff::tz::TimeZone;
use letterpress::model::delivery::State;
use letterpress::pace::{Limits, SendingHours, provider_name, relay_name};

use crate::fixture::{Newsletter, Shifted, says, until};
use crate::server::{At, Do, Server, refuse};

/// A newsletter of which relay and provider get one mail a minute.
async fn newsletter(server: &Server) -> Newsletter {
    let mut newsletter = Newsletter::new(server, 0).await;
    newsletter.settings.relays[0].messages_per_minute = 1;
    newsletter.settings.relays[0].connections = 1;
    let limits = Limits {
        messages_per_minute: 1,
        ..Limits::default()
    };
    newsletter.limit_provider("gmail.com", limits);
    newsletter
}

/// The measures by which the next mail must wait for one before it, as a stopped sender wrote them down.
async fn used(newsletter: &Newsletter) -> Vec<String> {
    let kept = newsletter.store.saved_rates().await.unwrap();
    kept.into_iter()
        .filter(|measure| measure.due_at.is_some_and(|due| due > measure.saved_at))
        .map(|measure| measure.name)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_end_of_the_hours_holds_back_uses_no_measure() {
    let clock = Shifted::new();
    clock.set("2026-11-25T17:00:00Z");
    let evening = clock.clone();
    // They end while the connection is made.
    let server = Server::start(move |at, _, _| {
        if at == At::Connect {
            evening.set("2026-11-25T20:00:00Z");
        }
        Do::Usual
    })
    .await;
    let mut newsletter = newsletter(&server).await;
    newsletter.clock = clock.clone();
    let hours = SendingHours::parse("08:00-20:00", Vec::new(), TimeZone::UTC).unwrap();
    newsletter
        .settings
        .pacing
        .windows
        .insert("weekly".into(), hours);
    newsletter.reader("reader@gmail.com", "Reader").await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "the hours' end", says("2026-11-26T08:00:00Z"))
        .await;
    assert_eq!(server.connections(), 1);
    sender.stop().await;
    assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 1);
    assert_eq!(used(&newsletter).await, Vec::<String>::new());

    clock.set("2026-11-26T08:00:00Z");
    let sender = newsletter.serve();
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 1);
    sender.stop().await;
    assert_eq!(
        used(&newsletter).await,
        [provider_name("gmail.com"), relay_name("main")]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_goes_back_uses_no_measure_and_one_that_goes_does() {
    let server = Server::start(refuse(At::Connect, "421 4.3.2 not now")).await;
    let newsletter = newsletter(&server).await;
    let sender = newsletter.serve();
    newsletter.sign_up("new@gmail.com").await;
    until("some tries", async || server.connections() >= 3).await;
    sender.stop().await;
    assert_eq!(
        newsletter.confirmation("new@gmail.com").await,
        (State::Queued, 0)
    );
    assert_eq!(used(&newsletter).await, Vec::<String>::new());

    server.script(|_, _, _| Do::Usual);
    let sender = newsletter.serve();
    newsletter.confirmed("new@gmail.com", &server).await;
    sender.stop().await;
    assert_eq!(
        used(&newsletter).await,
        [provider_name("gmail.com"), relay_name("main")]
    );
}
