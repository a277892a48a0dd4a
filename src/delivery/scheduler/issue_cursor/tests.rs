use super::*;
use crate::delivery::testing::{mailing, under_way};
use crate::pace::{DomainLimits, Limits, Section};
use crate::store::testing::{meddle, open_with_list, t};

/// Thirty people of a provider that takes its time, deferred to a moment after `t(0)`, and five of others. They are read
/// at `now`, by pages of ten; gives how many are out, and how many lie where all share.
async fn beside_a_slow_provider(limits: Limits, now: Timestamp) -> (usize, usize) {
    let (_dir, store, list) = open_with_list().await;
    let slow = (0..30).map(|i| format!("r{i}@slow.example"));
    let people = slow
        .chain((0..5).map(|i| format!("r{i}@free.example")))
        .collect();
    let issue = under_way(&store, list, people).await;
    meddle(
        &store,
        "UPDATE delivery SET state = 3, attempt = 1, next_at = 1800000000000 + subscriber_id
         WHERE subscriber_id <= 30",
    )
    .await;
    let settings = Settings {
        batch_size: 10,
        ..crate::config::defaults().sending
    };
    let section = Section {
        name: "slow.example".into(),
        domains: Vec::new(),
        limits,
    };
    let queue = ReadyQueue::new(
        4,
        std::sync::Arc::new(DomainLimits::new(vec![section], Limits::default())),
        std::sync::Arc::default(),
    );
    let mut cursor = IssueCursor::new(mailing(), now);
    for _ in 0..10 {
        cursor
            .read((&store, &queue, &settings), issue, now)
            .await
            .unwrap();
    }
    (queue.held(issue), queue.queued_unlimited())
}

/// Three pages of them are due at once, and all lie in a queue that takes its time.
#[tokio::test]
async fn deferred_people_of_a_slow_provider_hide_nobody_behind_them() {
    let one_by_one = Limits {
        connections: 1,
        ..Limits::default()
    };
    assert_eq!(beside_a_slow_provider(one_by_one, t(100)).await, (35, 5));
}

/// The clock was set back by months, and the queue has room for ten of the thirty.
#[tokio::test]
async fn times_that_are_not_believed_hide_nobody_either() {
    let slow = Limits {
        messages_per_minute: 1,
        ..Limits::default()
    };
    assert_eq!(beside_a_slow_provider(slow, t(-10_000_000)).await.1, 5);
}
