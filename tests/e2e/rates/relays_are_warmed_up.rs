//! A relay that is warmed up gives what its day allows and no more, whatever the restarts; confirmations wait for no
//! day.

use std::sync::Arc;
use std::time::Duration;

use letterpress::model::delivery::State;
use letterpress::pace::warmup::{Plan, day_of};

use crate::fixture::{Newsletter, Shifted, says, silent_port, until};
use crate::scripts::held_after;
use crate::server::{Do, Gate, OFFERS, Server};

/// A clock that strikes midnight in twelve hours, however late it is.
fn noon() -> Arc<Shifted> {
    let clock = Shifted::new();
    clock.set("2026-11-25T12:00:00Z");
    clock
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_allows_so_many_and_the_next_one_more() {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 60).await;
    newsletter.clock = noon();
    newsletter.settings.relays[0].warm_up = Some(Plan {
        per_day: 20,
        growth: 1.5,
    });
    // It sent on one day before: today allows half as many again.
    let today = day_of(newsletter.clock.now());
    newsletter
        .store
        .save_warmup_day("main", today - 3, 20)
        .await
        .unwrap();
    let issue = newsletter.send(1).await;
    for _ in 0..2 {
        let sender = newsletter.serve();
        newsletter
            .until(issue, "the day's mails", |row| row.totals.sent == 30)
            .await;
        newsletter
            .until(issue, "why it waits", says("warmed up"))
            .await;
        sender.stop().await;
    }
    let counts = newsletter.agree(issue, &server).await;
    assert_eq!((counts[&State::Sent], counts[&State::Queued]), (30, 30));
    assert_eq!(
        newsletter.store.warmup_days("main", today).await.unwrap(),
        (1, 30)
    );

    newsletter.sign_up("new@readers.example").await;
    let sender = newsletter.serve();
    newsletter.confirmed("new@readers.example", &server).await;
    sender.stop().await;
    assert_eq!(newsletter.agree(issue, &server).await, counts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_meanwhile_uses_up_no_day() {
    let gate = Gate::new();
    let server = Server::start(held_after(1, &gate)).await;
    let mut newsletter = Newsletter::new(&server, 6).await;
    newsletter.clock = noon();
    newsletter.settings.relays[0].connections = 1;
    newsletter.settings.relays[0].warm_up = Some(Plan {
        per_day: 5,
        growth: 1.5,
    });
    let issue = newsletter.send(1).await;
    let sender = newsletter.serve();
    newsletter
        .until(issue, "the second mail", |row| {
            row.totals.sent == 1 && row.totals.sending == 1
        })
        .await;
    newsletter.leave("reader4@readers.example").await;
    gate.open();
    let row = newsletter.settle(issue, &server).await;
    assert_eq!((row.totals.sent, row.totals.skipped), (5, 1));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_counts_with_what_went_on_it_and_not_at_all_where_nothing_did() {
    let server = Server::usual().await;
    let mut newsletter = Newsletter::new(&server, 3).await;
    let clock = noon();
    newsletter.clock = clock.clone();
    newsletter.settings.relays[0].warm_up = Some(Plan {
        per_day: 100,
        growth: 2.0,
    });
    let day = day_of(newsletter.clock.now());
    let sender = newsletter.serve();
    let first = newsletter.send(1).await;
    newsletter.settle(first, &server).await;
    // Nothing goes on the two days after it.
    for _ in 0..3 {
        clock.forward(24);
        newsletter.store.wake();
        until("what went, and not the leave for it", async || {
            newsletter.store.warmup_days("main", day).await.unwrap() == (0, 3)
        })
        .await;
        // Some rounds of the scheduler.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(
        newsletter.store.warmup_days("main", day + 3).await.unwrap(),
        (1, 0),
        "one day on which something went"
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_not_there_uses_up_no_day() {
    let (_port, address) = silent_port();
    let mut newsletter = Newsletter::at(address, 3).await;
    newsletter.clock = noon();
    newsletter.settings.relays[0].warm_up = Some(Plan {
        per_day: 3,
        growth: 1.5,
    });
    let issue = newsletter.send(1).await;
    let sender = newsletter.serve();
    newsletter
        .until(issue, "the reason", says(&address.to_string()))
        .await;
    // Some more tries in vain.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let server = Server::with(OFFERS, &address.to_string(), |_, _, _| Do::Usual).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 3);
    sender.stop().await;
    let today = day_of(newsletter.clock.now());
    assert_eq!(
        newsletter.store.warmup_days("main", today).await.unwrap(),
        (0, 3)
    );
}
