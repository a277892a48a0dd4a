//! Confirmation mails go before issues and wait for no pause or batch of one.

use std::time::Duration;

use letterpress::model::Address;
use letterpress::model::delivery::State;
use letterpress::model::rendered::{Context, Piece, Spot};
use letterpress::store::SignUp;

use crate::fixture::{Letter, rendered};
use crate::server::{At, Do, Server, say};

async fn sign_up(letter: &Letter, who: &str) {
    let mut mail = rendered("Please confirm:");
    mail.text.push(Piece::Spot { spot: Spot::ConfirmUrl, context: Context::Text });
    let email = Address::parse(who).unwrap();
    let hour = Duration::from_secs(3600);
    let done = letter.store.sign_up(letter.list, &email, "New", letter.consent(), mail, hour).await.unwrap();
    assert_eq!(done, SignUp::Asked);
}

async fn fate(letter: &Letter, who: &str) -> (State, u32) {
    let person = letter.store.find_subscriber(&Address::parse(who).unwrap()).await.unwrap().unwrap();
    let mail = letter.store.system_mails_to(person.id).await.unwrap().remove(0);
    (mail.state, mail.attempts)
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..3000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain for {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_overtakes_an_issue() {
    let server =
        Server::start(|at, _, _| if at == At::Dot { Do::Wait(Duration::from_millis(20)) } else { Do::Usual })
            .await;
    let mut letter = Letter::new(&server, 60).await;
    letter.settings.batch_size = 20;
    letter.settings.pause_between_batches = Duration::from_secs(600);
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter.until(issue, "the first batch", |row| row.totals.sent == 20).await;
    sign_up(&letter, "new@readers.example").await;
    until("the confirmation", async || server.count("new@readers.example") == 1).await;
    until("its fate", async || fate(&letter, "new@readers.example").await == (State::Sent, 1)).await;
    let mail = server.mails().pop().unwrap();
    let text = String::from_utf8(mail.bytes).unwrap();
    assert!(text.replace("=\r\n", "").contains("https://letters.example/confirm/"), "{text}");
    assert_eq!(letter.row(issue).await.totals.sent, 20);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_is_refused_for_now_comes_back() {
    let mut left = 2;
    let server = Server::start(move |at, _, _| {
        if at == At::Rcpt && left > 0 {
            left -= 1;
            say("450 4.2.0 greylisted")
        } else {
            Do::Usual
        }
    })
    .await;
    let letter = Letter::new(&server, 0).await;
    let sender = letter.serve();
    sign_up(&letter, "new@readers.example").await;
    until("the third try", async || fate(&letter, "new@readers.example").await == (State::Sent, 3)).await;
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_waits_out_our_own_fault() {
    let server = Server::start(
        |at, _, _| if at == At::Mail { say("550 5.7.1 sender not allowed") } else { Do::Usual },
    )
    .await;
    let letter = Letter::new(&server, 0).await;
    let sender = letter.serve();
    sign_up(&letter, "new@readers.example").await;
    until("a try", async || fate(&letter, "new@readers.example").await.1 >= 1).await;
    server.script(|_, _, _| Do::Usual);
    until("its arrival", async || fate(&letter, "new@readers.example").await.0 == State::Sent).await;
    assert_eq!(server.count("new@readers.example"), 1);
    sender.stop().await;
}
