//! Several relays share the work: whoever is free takes a mail, or each its part by weight.

use crate::fixture::{Newsletter, relay};
use crate::scripts::held_after;
use crate::server::{At, Do, Gate, Server};

/// A newsletter by two servers with weights.
async fn newsletter(readers: usize, servers: [&Server; 2], weights: [u32; 2]) -> Newsletter {
    let mut newsletter = Newsletter::new(servers[0], readers).await;
    let mut second = relay(servers[1].address);
    second.name = "second".into();
    newsletter.settings.relays.push(second);
    for (relay, weight) in newsletter.settings.relays.iter_mut().zip(weights) {
        relay.weight = weight;
    }
    newsletter
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_serve() {
    let gate = Gate::new();
    let one = Server::start(held_after(0, &gate)).await;
    let two = Server::start(held_after(0, &gate)).await;
    let newsletter = newsletter(200, [&one, &two], [1, 1]).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    newsletter
        .until(issue, "a mail on each connection", |row| {
            row.totals.sending == 8
        })
        .await;
    assert_eq!((one.open(), two.open()), (4, 4));
    gate.open();
    assert_eq!(
        newsletter.settle(issue, &[&one, &two]).await.totals.sent,
        200
    );
    sender.stop().await;
}

/// What each of two servers with weights takes, the first of which follows a script.
async fn weighed(
    weights: [u32; 2],
    readers: usize,
    script: fn(At, &str, usize) -> Do,
) -> (usize, usize) {
    let (one, two) = (Server::start(script).await, Server::usual().await);
    let newsletter = newsletter(readers, [&one, &two], weights).await;
    let sender = newsletter.serve();
    let issue = newsletter.send(1).await;
    assert_eq!(
        newsletter.settle(issue, &[&one, &two]).await.totals.sent,
        readers as u64
    );
    sender.stop().await;
    (one.mails().len(), two.mails().len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_are_those_of_the_weights() {
    let (first, second) = weighed([3, 1], 200, |_, _, _| Do::Usual).await;
    assert!(first.abs_diff(150) <= 15, "{first} and {second}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_no_weight_takes_over_where_the_other_fails() {
    assert_eq!(weighed([1, 0], 40, |_, _, _| Do::Usual).await, (40, 0));
    let gone = |at, _: &str, _| {
        if at == At::Connect {
            Do::Drop
        } else {
            Do::Usual
        }
    };
    assert_eq!(weighed([1, 0], 40, gone).await, (0, 40));
}
