//! Nothing new is claimed outside the hours in which a list's mails may go; confirmations go at any time.

use std::time::Duration;

use jiff::tz::TimeZone;
use letterpress::delivery::pace::Window;
use letterpress::model::Address;

use crate::fixture::{Letter, Shifted, rendered};
use crate::server::{At, Do, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_go_within_the_hours_and_confirmations_at_any_time() {
    let server =
        Server::start(|at, _, _| if at == At::Dot { Do::Wait(Duration::from_millis(30)) } else { Do::Usual })
            .await;
    let mut letter = Letter::new(&server, 200).await;
    let shifted = Shifted::new();
    letter.clock = shifted.clone();
    let hours = Window::parse("08:00-20:00", Vec::new(), TimeZone::get("Europe/Berlin").unwrap()).unwrap();
    letter.settings.pacing.windows.insert("weekly".into(), hours);

    shifted.set("2026-11-25T05:00:00Z");
    let sender = letter.serve();
    let issue = letter.send(1).await;
    let row = letter.until(issue, "why it waits", |row| row.reason.is_some()).await;
    assert!(row.reason.unwrap().contains("2026-11-25T07:00:00Z"));
    let who = Address::parse("new@readers.example").unwrap();
    let hour = Duration::from_secs(3600);
    letter.store.sign_up(letter.list, &who, "", letter.consent(), rendered("Confirm."), hour).await.unwrap();
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while server.count("new@readers.example") == 0 {
        assert!(std::time::Instant::now() < end, "the confirmation waits");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.mails().len(), 1, "nothing else goes");

    shifted.set("2026-11-25T18:59:59Z");
    letter.store.wake();
    letter.until(issue, "the evening", |row| row.totals.sent > 0).await;
    letter
        .until(issue, "the hours' end", |row| {
            row.totals.sending == 0 && row.reason.as_ref().is_some_and(|r| r.contains("2026-11-26T07:00:00Z"))
        })
        .await;
    let evening = letter.row(issue).await.totals.sent;
    assert!(evening < 200, "all went within a second");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(letter.row(issue).await.totals.sent, evening);

    shifted.set("2026-11-26T07:00:00Z");
    letter.store.wake();
    assert_eq!(letter.settle(issue).await.totals.sent, 200);
    sender.stop().await;
}
