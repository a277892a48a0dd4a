//! What was taken of a measure for a mail that did not go is given back: by the relay's and by the provider's.

use jiff::tz::TimeZone;
use letterpress::model::delivery::State;
use letterpress::pace::{DomainLimits, Limits, Section, Window, provider_name, relay_name};

use crate::fixture::{Letter, Shifted, says, until};
use crate::server::{At, Do, Server, say};

/// A letter of which relay and provider get one mail a minute.
async fn letter(server: &Server) -> Letter {
    let mut letter = Letter::new(server, 0).await;
    letter.settings.relays[0].messages_per_minute = 1;
    letter.settings.relays[0].connections = 1;
    let limits = Limits {
        messages_per_minute: 1,
        ..Limits::default()
    };
    let section = Section {
        name: "gmail.com".into(),
        domains: Vec::new(),
        limits,
    };
    letter.settings.pacing.domains = DomainLimits::new(vec![section], Limits::default());
    letter
}

/// The measures by which the next mail must wait for one before it, as a stopped sender wrote them down.
async fn used(letter: &Letter) -> Vec<String> {
    let kept = letter.store.measures().await.unwrap();
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
    let mut letter = letter(&server).await;
    letter.clock = clock.clone();
    let hours = Window::parse("08:00-20:00", Vec::new(), TimeZone::UTC).unwrap();
    letter
        .settings
        .pacing
        .windows
        .insert("weekly".into(), hours);
    letter.reader("reader@gmail.com", "Reader").await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter
        .until(issue, "the hours' end", says("2026-11-26T08:00:00Z"))
        .await;
    assert_eq!(server.connections(), 1);
    sender.stop().await;
    assert_eq!(letter.agree(issue, &server).await[&State::Queued], 1);
    assert_eq!(used(&letter).await, Vec::<String>::new());

    clock.set("2026-11-26T08:00:00Z");
    let sender = letter.serve();
    assert_eq!(letter.settle(issue, &server).await.totals.sent, 1);
    sender.stop().await;
    assert_eq!(
        used(&letter).await,
        [provider_name("gmail.com"), relay_name("main")]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_goes_back_uses_no_measure_and_one_that_goes_does() {
    let server = Server::start(|at, _, _| {
        if at == At::Connect {
            say("421 4.3.2 not now")
        } else {
            Do::Usual
        }
    })
    .await;
    let letter = letter(&server).await;
    let sender = letter.serve();
    letter.sign_up("new@gmail.com").await;
    until("some tries", async || server.connections() >= 3).await;
    sender.stop().await;
    assert_eq!(
        letter.confirmation("new@gmail.com").await,
        (State::Queued, 0)
    );
    assert_eq!(used(&letter).await, Vec::<String>::new());

    server.script(|_, _, _| Do::Usual);
    let sender = letter.serve();
    letter.confirmed("new@gmail.com", &server).await;
    sender.stop().await;
    assert_eq!(
        used(&letter).await,
        [provider_name("gmail.com"), relay_name("main")]
    );
}
