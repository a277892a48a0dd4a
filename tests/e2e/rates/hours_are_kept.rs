//! Nothing new is claimed outside the hours in which a list's mails may go; confirmations go at any time.

use std::time::Duration;

use jiff::tz::TimeZone;
use letterpress::model::delivery::State;
use letterpress::pace::SendingHours;

use crate::fixture::{Newsletter, Shifted, says};
use crate::server::{At, Do, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_go_within_the_hours_and_confirmations_at_any_time() {
    let clock = Shifted::new();
    let (evening, mut mails) = (clock.clone(), 0);
    let server = Server::start(move |at, rcpt, _| {
        mails += usize::from(at == At::Dot && rcpt.starts_with("reader"));
        if at == At::Dot && mails == 20 {
            evening.set("2026-11-25T19:00:00Z");
        }
        Do::Usual
    })
    .await;
    let mut newsletter = Newsletter::new(&server, 200).await;
    newsletter.clock = clock.clone();
    let hours = SendingHours::parse(
        "08:00-20:00",
        Vec::new(),
        TimeZone::get("Europe/Berlin").unwrap(),
    )
    .unwrap();
    newsletter
        .settings
        .pacing
        .windows
        .insert("weekly".into(), hours);

    clock.set("2026-11-25T05:00:00Z");
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "why it waits", says("2026-11-25T07:00:00Z"))
        .await;
    newsletter.sign_up("new@readers.example").await;
    newsletter.confirmed("new@readers.example", &server).await;
    assert_eq!(newsletter.agree(issue, &server).await[&State::Queued], 200);

    clock.set("2026-11-25T17:00:00Z");
    newsletter.store.wake();
    let next_morning = says("2026-11-26T07:00:00Z");
    newsletter
        .until(issue, "the hours' end", |row| {
            row.totals.sending == 0 && next_morning(row)
        })
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let counts = newsletter.agree(issue, &server).await;
    let sent = counts[&State::Sent];
    assert!(
        (20..24).contains(&sent),
        "{sent}: twenty, and what three more connections had in flight"
    );
    assert_eq!(counts[&State::Queued], 200 - sent);

    clock.set("2026-11-26T07:00:00Z");
    newsletter.store.wake();
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 200);
    sender.stop().await;
}
