use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::delivery::testing::job;
use crate::pace::Section;

fn section(name: &str, messages_per_minute: u32, connections: u32) -> Section {
    let limits = Limits {
        messages_per_minute,
        connections,
        messages_per_connection: 0,
    };
    Section {
        name: name.into(),
        domains: Vec::new(),
        limits,
    }
}

fn queues(sections: Vec<Section>) -> ProviderQueues {
    ProviderQueues::new(Arc::new(DomainLimits::new(sections, Limits::default())))
}

/// Queues mails to a domain, and returns their queue.
fn put(queues: &mut ProviderQueues, domain: &str, people: std::ops::Range<i64>) -> QueueId {
    let id = queues.of(domain);
    for person in people {
        let _ = queues.push(id, Arc::new(job(person, domain)));
    }
    id
}

#[test]
fn however_many_providers_there_are_their_queues_are_limited() {
    let limits = Limits {
        messages_per_minute: 60,
        connections: 0,
        messages_per_connection: 0,
    };
    let mut queues = ProviderQueues::new(Arc::new(DomainLimits::new(Vec::new(), limits)));
    let first = queues.of("first.example");
    for n in 0..PROVIDERS_MAX + 500 {
        queues.of(&format!("d{n}.example"));
    }
    assert_eq!(queues.queues.len(), PROVIDERS_MAX + 1);
    assert_eq!(queues.of("first.example"), first);
    // It shares a queue with limits, and always the same one.
    let late = queues.of("late.example");
    assert!(late != COMMON && late == queues.of("late.example"));
    assert!(queues.queues[late.0 as usize].limits.is_some());
}

#[test]
fn a_slow_provider_holds_nobody_up() {
    let mut queues = queues(vec![section("gmail.com", 60, 0)]);
    let gmail = put(&mut queues, "googlemail.com", 0..10);
    put(&mut queues, "readers.example", 10..15);
    let now = Instant::now();
    let mut to_gmail = 0;
    for _ in 0..6 {
        let (id, _) = queues
            .take(Taker::default(), now)
            .unwrap_or_else(|_| panic!("somebody may go"));
        to_gmail += usize::from(id == gmail);
    }
    assert_eq!(to_gmail, 1);
    assert_eq!(
        queues.take(Taker::default(), now).err(),
        Some(Some(now + Duration::from_secs(1)))
    );
    assert_eq!(
        queues
            .take(Taker::default(), now + Duration::from_secs(1))
            .map(|(id, _)| id)
            .ok(),
        Some(gmail)
    );
}

#[test]
fn no_more_are_under_way_than_a_provider_allows() {
    let mut queues = queues(vec![section("gmail.com", 0, 2)]);
    let gmail = put(&mut queues, "gmail.com", 0..5);
    let now = Instant::now();
    assert!(
        queues.take(Taker::default(), now).is_ok() && queues.take(Taker::default(), now).is_ok()
    );
    assert_eq!(queues.take(Taker::default(), now).err(), Some(None));
    assert!(queues.finish(gmail), "who waits must be told");
    let (id, job) = queues
        .take(Taker::default(), now)
        .unwrap_or_else(|_| panic!("one has ended"));
    queues.requeue(id, job);
    assert!(
        queues.take(Taker::default(), now).is_ok() && queues.take(Taker::default(), now).is_err()
    );
}

#[test]
fn what_is_given_back_lets_a_queue_go_that_waits() {
    let mut queues = queues(vec![section("gmail.com", 1, 0)]);
    let gmail = put(&mut queues, "gmail.com", 0..5);
    let now = Instant::now();
    let (id, job) = queues
        .take(Taker::default(), now)
        .unwrap_or_else(|_| panic!("the first may go"));
    assert!(queues.take(Taker::default(), now).is_err(), "one a minute");
    queues.requeue(id, job);
    assert!(
        queues.take(Taker::default(), now).is_ok() && queues.take(Taker::default(), now).is_err()
    );
    queues.put_back(gmail);
    assert!(
        queues.take(Taker::default(), now).is_ok() && queues.take(Taker::default(), now).is_err()
    );
}

#[test]
fn a_provider_s_queue_keeps_few_and_says_when_it_has_room() {
    let mut queues = queues(vec![section("gmail.com", 60, 0)]);
    let gmail = queues.of("gmail.com");
    let fits = (0..100)
        .take_while(|i| queues.push(gmail, Arc::new(job(*i, "gmail.com"))))
        .count();
    assert_eq!(fits, 30, "half a minute's worth");
    let mut now = Instant::now();
    let mut told = 0;
    for _ in 0..30 {
        assert!(queues.take(Taker::default(), now).is_ok());
        told += usize::from(queues.is_low(gmail, 0));
        now += Duration::from_secs(1);
    }
    assert_eq!(told, 1, "once, until the scheduler has looked");
    assert_eq!(queues.room(gmail), 30);
}

#[test]
fn no_provider_is_shut_out_by_others_whose_queues_are_full() {
    let limits = Limits {
        messages_per_minute: 1,
        ..Limits::default()
    };
    let mut queues = ProviderQueues::new(Arc::new(DomainLimits::new(Vec::new(), limits)));
    for provider in 0..LIMITED_MAX / ROOM.0 {
        put(&mut queues, &format!("p{provider}.example"), 0..20);
    }
    assert_eq!(queues.queued(), (0, LIMITED_MAX));
    let one = put(&mut queues, "another.example", 0..20);
    assert_eq!(queues.queued().1, LIMITED_MAX + 1);
    assert_eq!(queues.room(one), 0);
}

proptest! {
    /// Whatever the order of things, every job comes out once, and no limit is passed.
    #[test]
    fn every_job_comes_out_once_and_limits_hold(
        laid in proptest::collection::vec((0_usize..4, 1_usize..30), 1..10),
        steps in proptest::collection::vec((0_u64..400, 0_u8..4), 100..400),
    ) {
        let domains = ["gmail.com", "outlook.com", "a.example", "b.example"];
        let mut queues = queues(vec![section("gmail.com", 600, 0), section("outlook.com", 0, 2)]);
        let mut person = 0;
        for (domain, count) in laid {
            let from = person;
            let id = queues.of(domains[domain]);
            for _ in 0..count {
                person += i64::from(queues.push(id, Arc::new(job(person, domains[domain]))));
            }
            prop_assert!(person > from || queues.room(id) == 0);
        }
        let (start, mut now) = (Instant::now(), Instant::now());
        let mut hands: Vec<(QueueId, i64)> = Vec::new();
        let mut seen: HashMap<i64, usize> = HashMap::new();
        let (gmail, outlook) = (queues.of("gmail.com"), queues.of("outlook.com"));
        let mut to_gmail = 0;
        let many = std::iter::repeat_n((1000, 0), 400);
        for (wait, what) in steps.into_iter().chain(many) {
            now += Duration::from_millis(wait);
            match queues.take(Taker::default(), now) {
                Ok((id, job)) if what == 3 => queues.requeue(id, job),
                Ok((id, job)) => {
                    *seen.entry(job.candidate.subscriber.0).or_default() += 1;
                    to_gmail += u64::from(id == gmail);
                    hands.push((id, job.candidate.subscriber.0));
                }
                Err(_) => {}
            }
            let most = 10 * (now - start).as_millis() as u64 / 1000 + 11;
            prop_assert!(to_gmail <= most);
            prop_assert!(hands.iter().filter(|(id, _)| *id == outlook).count() <= 2);
            if what != 1 && !hands.is_empty() {
                let (id, _) = hands.remove(0);
                queues.finish(id);
            }
        }
        prop_assert_eq!(seen.len() as i64, person);
        prop_assert!(seen.values().all(|times| *times == 1));
        prop_assert_eq!(queues.queued(), (0, 0));
    }
}

#[test]
fn whether_all_wait_for_providers_is_known() {
    let mut queues = queues(vec![
        section("gmail.com", 60, 0),
        section("hotmail.com", 0, 1),
    ]);
    let gmail = put(&mut queues, "gmail.com", 0..5);
    let now = Instant::now();
    assert!(!queues.are_throttled(now), "one may go");
    put(&mut queues, "hotmail.com", 10..13);
    put(&mut queues, "readers.example", 20..21);
    assert!((0..3).all(|_| queues.take(Taker::default(), now).is_ok()));
    assert!(queues.are_throttled(now));
    let held = queues
        .throttled(now)
        .map(|(first, others)| (first.queue, others));
    assert_eq!(
        held,
        Some((gmail, 1)),
        "though nobody has asked for more since"
    );
    assert!(!queues.are_throttled(now + Duration::from_secs(1)));
    put(&mut queues, "readers.example", 22..23);
    assert!(!queues.are_throttled(now));
}

fn fault() -> RelayFault {
    RelayFault {
        at: "smtp.example:25".into(),
        problem: crate::model::waiting::RelayProblem::NoStarttls,
    }
}

/// The domains of what a relay takes, one mail after the other.
fn taken_by(queues: &mut ProviderQueues, taker: Taker) -> Vec<String> {
    let mut domains = Vec::new();
    while let Ok((_, job)) = queues.take(taker, Instant::now()) {
        domains.push(job.domain().to_owned());
    }
    domains
}

#[test]
fn a_provider_that_is_closed_to_a_relay_waits_for_the_others_alone() {
    let mut queues = queues(Vec::new());
    put(&mut queues, "closed.example", 0..2);
    put(&mut queues, "open.example", 2..4);
    queues.close("closed.example", 1, RelaySet::all(2), fault());
    let second = Taker {
        relay: 1,
        ..Taker::default()
    };
    assert_eq!(taken_by(&mut queues, second), ["open.example"; 2]);
    // The first relay is ahead of its share: only what the second may not take is for it.
    put(&mut queues, "open.example", 4..5);
    let ahead = Taker {
        relay: 0,
        refused_elsewhere_only: true,
    };
    assert_eq!(taken_by(&mut queues, ahead), ["closed.example"; 2]);
    assert_eq!(taken_by(&mut queues, second), ["open.example"]);
    assert!(queues.take_dropped().is_empty());
}

#[test]
fn a_provider_that_is_closed_to_all_keeps_no_mail_until_it_is_opened() {
    let mut queues = queues(vec![section("closed.example", 0, 1)]);
    let id = put(&mut queues, "closed.example", 0..3);
    put(&mut queues, "open.example", 3..4);
    let Ok((_, in_hand)) = queues.take(Taker::default(), Instant::now()) else {
        panic!("one may go")
    };
    queues.close("closed.example", 0, RelaySet::all(1), fault());
    assert_eq!((queues.take_dropped().len(), queues.room(id)), (2, 0));
    assert!(!queues.push(id, in_hand.clone()));
    // What a connection gives back leaves as well.
    queues.requeue(id, in_hand.clone());
    assert_eq!(queues.take_dropped().len(), 1);
    assert_eq!(taken_by(&mut queues, Taker::default()), ["open.example"]);
    let refusing: Vec<QueueId> = queues.closed_to_all().map(|(id, ..)| id).collect();
    assert_eq!(refusing, [id]);
    queues.reopen(Some(0));
    assert!(queues.push(id, in_hand));
    assert_eq!(taken_by(&mut queues, Taker::default()), ["closed.example"]);
    assert_eq!(queues.queued(), (0, 0));
}

#[test]
fn mails_that_all_share_a_queue_leave_it_when_their_provider_is_closed() {
    let mut queues = queues(Vec::new());
    put(&mut queues, "closed.example", 0..5);
    put(&mut queues, "open.example", 5..6);
    queues.close("closed.example", 0, RelaySet::all(1), fault());
    assert_eq!(taken_by(&mut queues, Taker::default()), ["open.example"]);
    assert_eq!(queues.take_dropped().len(), 5);
    queues.reopen(None);
    put(&mut queues, "closed.example", 0..5);
    assert_eq!(taken_by(&mut queues, Taker::default()).len(), 5);
}
