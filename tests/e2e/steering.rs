//! Pause, resume, cancel while mails go out, and people who leave meanwhile.

use std::time::Duration;

use letterpress::model::Address;
use letterpress::model::delivery::State;
use letterpress::model::sending::IssueState;

use crate::fixture::Letter;
use crate::server::{At, Do, Server};

fn slow() -> impl FnMut(At, &str, usize) -> Do + Send + 'static {
    |at, _, _| if at == At::Dot { Do::Wait(Duration::from_millis(20)) } else { Do::Usual }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_stops_and_a_resume_goes_on_and_a_cancel_ends() {
    let server = Server::start(slow()).await;
    let letter = Letter::new(&server, 300).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter.until(issue, "some mails", |row| row.totals.sent > 20).await;
    letter.store.pause(issue, "paused by its author").await.unwrap();
    letter.until(issue, "those in flight", |row| row.totals.sending == 0).await;
    let held = server.mails().len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let row = letter.row(issue).await;
    assert_eq!((server.mails().len(), row.totals.sent as usize, row.state), (held, held, IssueState::Paused));
    letter.store.resume(issue, letter.clock.now()).await.unwrap();
    letter.until(issue, "more mails", |row| row.totals.sent as usize > held + 20).await;
    letter.store.cancel(issue, letter.clock.now()).await.unwrap();
    let row = letter.settle(issue).await;
    assert_eq!(row.state, IssueState::Cancelled);
    let counts = letter.agree(issue, &server).await;
    assert!(counts[&State::Cancelled] > 100 && counts.len() == 2, "{counts:?}");
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issue_that_was_paused_before_the_start_waits() {
    let server = Server::usual().await;
    let letter = Letter::new(&server, 10).await;
    let issue = letter.send(1).await;
    letter.store.pause(issue, "paused by its author").await.unwrap();
    let sender = letter.serve();
    letter.until(issue, "the audience", |row| row.totals.queued == 10).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(server.mails().len(), 0);
    letter.store.resume(issue, letter.clock.now()).await.unwrap();
    assert_eq!(letter.settle(issue).await.totals.sent, 10);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_meanwhile_is_skipped() {
    let server = Server::start(slow()).await;
    let letter = Letter::new(&server, 60).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter.until(issue, "some mails", |row| row.totals.sent > 5).await;
    for who in ["reader50@readers.example", "reader59@readers.example"] {
        let who = Address::parse(who).unwrap();
        letter.store.remove(Some(letter.list), &who, letter.consent()).await.unwrap();
    }
    let row = letter.settle(issue).await;
    assert_eq!((row.totals.sent, row.totals.skipped), (58, 2));
    letter.agree(issue, &server).await;
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_issues_go_out_side_by_side() {
    let server = Server::usual().await;
    let letter = Letter::new(&server, 40).await;
    let sender = letter.serve();
    let (one, two) = (letter.send(1).await, letter.send(2).await);
    letter.settle(one).await;
    letter.settle(two).await;
    assert!(letter.readers.iter().all(|who| server.count(who) == 2));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issue_to_nobody_is_done() {
    let server = Server::usual().await;
    let letter = Letter::new(&server, 0).await;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    let row = letter.settle(issue).await;
    assert_eq!((row.state, row.totals.planned()), (IssueState::Done, 0));
    sender.stop().await;
}
