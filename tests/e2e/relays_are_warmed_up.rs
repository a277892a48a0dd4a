//! A relay that is warmed up gives what its day allows and no more, whatever the restarts; confirmations wait for no
//! day.

use std::time::Duration;

use letterpress::delivery::pace::warm::{Plan, day_of};
use letterpress::model::Address;
use letterpress::store::SignUp;

use crate::fixture::{Letter, Shifted, rendered};
use crate::server::{At, Do, OFFERS, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_allows_so_many_and_the_next_one_more() {
    let server = Server::usual().await;
    let mut letter = Letter::new(&server, 60).await;
    letter.settings.relays[0].warm_up = Some(Plan { per_day: 20, growth: 1.5 });
    // It sent on one day before: today allows half as many again.
    let today = day_of(letter.clock.now());
    letter.store.note_warm_up("main", today - 3, 20).await.unwrap();
    let issue = letter.send(1).await;
    for _ in 0..2 {
        let sender = letter.serve();
        letter.until(issue, "the day's mails", |row| row.totals.sent == 30).await;
        let row = letter.until(issue, "why it waits", |row| row.reason.is_some()).await;
        assert!(row.reason.unwrap().contains("warmed up"), "it says why");
        sender.stop().await;
    }
    assert_eq!(server.mails().len(), 30);
    assert_eq!(letter.store.warm_up("main", today).await.unwrap(), (1, 30));

    let who = Address::parse("new@readers.example").unwrap();
    let hour = Duration::from_secs(3600);
    let asked =
        letter.store.sign_up(letter.list, &who, "", letter.consent(), rendered("Confirm."), hour).await;
    assert_eq!(asked.unwrap(), SignUp::Asked);
    let sender = letter.serve();
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while server.count("new@readers.example") == 0 {
        assert!(std::time::Instant::now() < end, "the confirmation waits");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    sender.stop().await;
    assert_eq!(server.mails().len(), 31);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_meanwhile_uses_up_no_day() {
    // Long enough for somebody to leave before their turn.
    let slow = |at, _: &str, _| if at == At::Dot { Do::Wait(Duration::from_millis(400)) } else { Do::Usual };
    let server = Server::start(slow).await;
    let mut letter = Letter::new(&server, 6).await;
    letter.settings.relays[0].connections = 1;
    letter.settings.relays[0].warm_up = Some(Plan { per_day: 5, growth: 1.5 });
    let issue = letter.send(1).await;
    let sender = letter.serve();
    letter.until(issue, "the first mail", |row| row.totals.sent > 0).await;
    let who = Address::parse("reader4@readers.example").unwrap();
    letter.store.remove(Some(letter.list), &who, letter.consent()).await.unwrap();
    let row = letter.settle(issue).await;
    assert_eq!((row.totals.sent, row.totals.skipped), (5, 1));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_counts_with_what_went_on_it_and_not_at_all_where_nothing_did() {
    let server = Server::usual().await;
    let mut letter = Letter::new(&server, 3).await;
    let shifted = Shifted::new();
    letter.clock = shifted.clone();
    letter.settings.relays[0].warm_up = Some(Plan { per_day: 100, growth: 2.0 });
    shifted.set("2026-11-25T12:00:00Z");
    let day = day_of(letter.clock.now());
    let sender = letter.serve();
    let first = letter.send(1).await;
    letter.settle(first).await;
    // Nothing goes on the two days after it.
    for noon in ["2026-11-26T12:00:00Z", "2026-11-27T12:00:00Z", "2026-11-28T12:00:00Z"] {
        shifted.set(noon);
        letter.store.wake();
        // Some looks of the planner.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(
        letter.store.warm_up("main", day).await.unwrap(),
        (0, 3),
        "what went, and not the leave for it"
    );
    assert_eq!(
        letter.store.warm_up("main", day + 3).await.unwrap(),
        (1, 0),
        "one day on which something went"
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_not_there_uses_up_no_day() {
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut letter = Letter::at(address, 3).await;
    letter.settings.relays[0].warm_up = Some(Plan { per_day: 3, growth: 1.5 });
    let issue = letter.send(1).await;
    let sender = letter.serve();
    let named = |row: &letterpress::store::issues::IssueRow| {
        row.reason.as_ref().is_some_and(|reason| reason.contains(&address.to_string()))
    };
    letter.until(issue, "the reason", named).await;
    // Some more tries in vain.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let server = Server::with(OFFERS, &address.to_string(), |_, _, _| Do::Usual).await;
    letter.until(issue, "the day's mails", |row| row.totals.sent == 3).await;
    sender.stop().await;
    assert_eq!(server.mails().len(), 3);
    let today = day_of(letter.clock.now());
    assert_eq!(letter.store.warm_up("main", today).await.unwrap(), (0, 3));
}
