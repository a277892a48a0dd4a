//! Several relays share the work; one that fails is rested, and the others go on.

use letterpress::model::delivery::State;

use crate::fixture::{Letter, relay};
use crate::server::{At, Do, Server, say};

/// Two servers of which one is at fault; everybody gets the mail by the other.
async fn one_of_two_fails(at: At, fault: Do) {
    let bad = Server::start(move |step, _, _| if step == at { fault.clone() } else { Do::Usual }).await;
    let good = Server::usual().await;
    let mut letter = Letter::new(&good, 60).await;
    let mut second = relay(bad.address);
    second.name = "second".into();
    letter.settings.relays.push(second);
    let sender = letter.serve();
    let issue = letter.send(1).await;
    letter.settle(issue).await;
    assert_eq!(letter.agree(issue, &good).await[&State::Sent], 60);
    assert!(bad.mails().is_empty());
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_refuses_us_is_passed_over() {
    one_of_two_fails(At::Mail, say("550 5.7.1 sender not allowed")).await;
    one_of_two_fails(At::Connect, say("554 5.7.1 not from there")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_busy_or_gone_is_passed_over() {
    one_of_two_fails(At::Mail, say("451 4.3.2 busy")).await;
    one_of_two_fails(At::Connect, Do::Drop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_serve() {
    let (one, two) = (Server::usual().await, Server::usual().await);
    let mut letter = Letter::new(&one, 200).await;
    letter.settings.relays.push(relay(two.address));
    let sender = letter.serve();
    let issue = letter.send(1).await;
    assert_eq!(letter.settle(issue).await.totals.sent, 200);
    let (first, second) = (one.mails().len(), two.mails().len());
    assert!(first + second == 200 && first > 20 && second > 20, "{first} and {second}");
    sender.stop().await;
}

/// Two servers with weights; gives what each took.
async fn weighed(
    first: u32,
    second: u32,
    readers: usize,
    script: fn(At, &str, usize) -> Do,
) -> (usize, usize) {
    let (one, two) = (Server::start(script).await, Server::usual().await);
    let mut letter = Letter::new(&one, readers).await;
    let mut other = relay(two.address);
    other.name = "second".into();
    letter.settings.relays.push(other);
    letter.settings.relays[0].weight = first;
    letter.settings.relays[1].weight = second;
    let sender = letter.serve();
    let issue = letter.send(1).await;
    assert_eq!(letter.settle(issue).await.totals.sent, readers as u64);
    sender.stop().await;
    (one.mails().len(), two.mails().len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_are_those_of_the_weights() {
    let (first, second) = weighed(3, 1, 200, |_, _, _| Do::Usual).await;
    assert!(first.abs_diff(150) <= 15, "{first} and {second}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_no_weight_takes_over_where_the_other_fails() {
    assert_eq!(weighed(1, 0, 40, |_, _, _| Do::Usual).await, (40, 0));
    assert_eq!(
        weighed(1, 0, 40, |at, _, _| if at == At::Connect { Do::Drop } else { Do::Usual }).await,
        (0, 40)
    );
}
