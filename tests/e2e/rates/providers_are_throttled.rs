//! What one provider may get holds up nobody else: measure, connections, mails a connection.

use letterpress::model::Address;
use letterpress::pace::Limits;

use crate::fixture::{Newsletter, Shifted, by_author, says, until};
use crate::scripts::held_after;
use crate::server::{At, Do, Gate, Server, say};

/// A newsletter to so many at Gmail, under both of its names, and then so many elsewhere.
async fn newsletter(server: &Server, gmail: usize, others: usize, limits: Limits) -> Newsletter {
    let mut newsletter = Newsletter::new(server, 0).await;
    for i in 0..gmail {
        let domain = if i % 2 == 0 {
            "gmail.com"
        } else {
            "googlemail.com"
        };
        newsletter
            .reader(&format!("reader{i}@{domain}"), "Reader")
            .await;
    }
    for i in 0..others {
        newsletter
            .reader(&format!("other{i}@readers.example"), "Other")
            .await;
    }
    newsletter.limit_provider("gmail.com", limits);
    newsletter
}

fn is_gmail(rcpt: &str) -> bool {
    rcpt.ends_with("@gmail.com") || rcpt.ends_with("@googlemail.com")
}

/// How many mails went elsewhere.
fn others(server: &Server) -> usize {
    server
        .mails()
        .iter()
        .filter(|mail| !is_gmail(&mail.rcpt))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_provider_of_many_holds_up_nobody_behind_it() {
    let server = Server::usual().await;
    let limits = Limits {
        messages_per_minute: 120,
        ..Limits::default()
    };
    // More than its queue and a page of the read-ahead hold.
    let newsletter = newsletter(&server, 300, 40, limits).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    until("all others", async || others(&server) == 40).await;
    newsletter
        .until(
            issue,
            "why it waits",
            says("gmail.com gets no more than 120 a minute"),
        )
        .await;
    let mails = server.mails();
    let first = mails.iter().find(|mail| is_gmail(&mail.rcpt)).unwrap().at;
    let all = mails.iter().filter(|mail| is_gmail(&mail.rcpt)).count();
    let most = first.elapsed().as_secs_f64() * 2.0 + 3.0;
    assert!(
        all as f64 <= most,
        "{all} to Gmail where {most} are allowed"
    );
    newsletter.cancel(issue).await;
    let row = newsletter.settle(issue, &server).await;
    assert!(
        row.totals.cancelled > 0,
        "all others had it while Gmail still waited"
    );
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_send_comes_to_its_end_with_everybody() {
    let server = Server::usual().await;
    // More than its queue holds, so that some are read past and read again.
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    let newsletter = newsletter(&server, 700, 200, limits).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 900);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_mails_to_a_provider_are_under_way_than_set() {
    let gate = Gate::new();
    let held = gate.clone();
    // (mails to Gmail under way, the most at once)
    let seen = std::sync::Arc::new(std::sync::Mutex::new((0_i32, 0_i32)));
    let counted = seen.clone();
    let server = Server::start(move |at, rcpt, _| {
        let mut seen = counted.lock().unwrap();
        match at {
            At::Rcpt if is_gmail(rcpt) => {
                seen.0 += 1;
                seen.1 = seen.1.max(seen.0);
                Do::Usual
            }
            At::Dot if is_gmail(rcpt) => Do::Hold(held.clone()),
            At::Kept if is_gmail(rcpt) => {
                seen.0 -= 1;
                Do::Usual
            }
            _ => Do::Usual,
        }
    })
    .await;
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let newsletter = newsletter(&server, 60, 60, limits).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    // The others use the other connections.
    newsletter
        .until(issue, "all others", |row| {
            row.totals.sent == 60 && row.totals.sending == 1
        })
        .await;
    assert_eq!(others(&server), 60);
    gate.open();
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 120);
    assert_eq!(seen.lock().unwrap().1, 1);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_brings_a_provider_no_more_than_set() {
    let server = Server::usual().await;
    let limits = Limits {
        messages_per_connection: 2,
        ..Limits::default()
    };
    let mut newsletter = newsletter(&server, 20, 0, limits).await;
    newsletter.settings.relays[0].connections = 1;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(newsletter.settle(issue, &server).await.totals.sent, 20);
    assert_eq!((server.most_mails(), server.connections()), (2, 10));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_due_again_and_finds_no_room_waits_for_the_provider() {
    let server = Server::start(|at, rcpt, _| {
        let is_first = at == At::Rcpt && rcpt.starts_with("reader0@");
        if is_first {
            say("451 4.7.1 greylisted")
        } else {
            Do::Usual
        }
    })
    .await;
    // More than its queue holds.
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let mut newsletter = newsletter(&server, 520, 0, limits).await;
    let clock = Shifted::new();
    newsletter.clock = clock.clone();
    newsletter.settings.batch_size = 1_000;
    newsletter.settings.first_retry = std::time::Duration::from_secs(3600);
    newsletter.settings.longest_retry = newsletter.settings.first_retry;
    newsletter.settings.give_up_after = std::time::Duration::from_secs(48 * 3600);
    let one = newsletter.send(1).await;
    newsletter.store.pause(one, &by_author()).await.unwrap();
    let sender = newsletter.serve();
    let two = newsletter.send(2).await;
    newsletter
        .until(two, "all but one", |row| {
            row.totals.sent == 519 && row.totals.deferred == 1
        })
        .await;
    let gate = Gate::new();
    let held = gate.clone();
    server.script(move |at, _, _| {
        if at == At::Dot {
            Do::Hold(held.clone())
        } else {
            Do::Usual
        }
    });
    newsletter.resume(one).await;
    let limited = "gmail.com gets no more than 1 at once";
    newsletter.until(one, "a full queue", says(limited)).await;
    clock.forward(2);
    newsletter.until(two, "why it waits", says(limited)).await;
    gate.open();
    assert_eq!(newsletter.settle(one, &server).await.totals.sent, 520);
    assert_eq!(newsletter.settle(two, &server).await.totals.sent, 520);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_withdrawn_holds_nobody_up_in_words() {
    let server = Server::usual().await;
    let limits = Limits {
        messages_per_minute: 1,
        ..Limits::default()
    };
    let mut newsletter = newsletter(&server, 30, 20, limits).await;
    let sender = newsletter.serve();
    let one = newsletter.send(1).await;
    newsletter
        .until(one, "why it waits", says("gmail.com"))
        .await;
    newsletter.cancel(one).await;
    newsletter.settle(one, &server).await;
    let (gmail, others): (Vec<String>, _) = newsletter
        .readers
        .iter()
        .cloned()
        .partition(|email| is_gmail(email));
    newsletter.readers = others;
    for email in gmail {
        let email = Address::parse(&email).unwrap();
        newsletter
            .store
            .remove(None, &email, newsletter.consent())
            .await
            .unwrap();
    }
    let gate = Gate::new();
    server.script(held_after(10, &gate));
    let two = newsletter.send(2).await;
    let row = newsletter
        .until(two, "the first mails", |row| row.totals.sent == 10)
        .await;
    assert_eq!(row.reason, None);
    gate.open();
    assert_eq!(newsletter.settle(two, &server).await.totals.sent, 20);
    sender.stop().await;
}
