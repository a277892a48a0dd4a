use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::delivery::desk::testing::job;
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

fn lanes(sections: Vec<Section>) -> Lanes {
    Lanes::new(Arc::new(DomainLimits::new(sections, Limits::default())))
}

/// Lays jobs to a domain, and gives its lane.
fn put(lanes: &mut Lanes, domain: &str, people: std::ops::Range<i64>) -> LaneId {
    let id = lanes.of(domain);
    for person in people {
        let _ = lanes.put(id, job(person, domain));
    }
    id
}

#[test]
fn a_slow_provider_holds_nobody_up() {
    let mut lanes = lanes(vec![section("gmail.com", 60, 0)]);
    let gmail = put(&mut lanes, "googlemail.com", 0..10);
    put(&mut lanes, "readers.example", 10..15);
    let now = Instant::now();
    let mut to_gmail = 0;
    for _ in 0..6 {
        let (id, _) = lanes
            .pick(now)
            .unwrap_or_else(|_| panic!("somebody may go"));
        to_gmail += usize::from(id == gmail);
    }
    assert_eq!(to_gmail, 1);
    assert_eq!(
        lanes.pick(now).err(),
        Some(Some(now + Duration::from_secs(1)))
    );
    assert_eq!(
        lanes
            .pick(now + Duration::from_secs(1))
            .map(|(id, _)| id)
            .ok(),
        Some(gmail)
    );
}

#[test]
fn no_more_are_under_way_than_a_provider_allows() {
    let mut lanes = lanes(vec![section("gmail.com", 0, 2)]);
    let gmail = put(&mut lanes, "gmail.com", 0..5);
    let now = Instant::now();
    assert!(lanes.pick(now).is_ok() && lanes.pick(now).is_ok());
    assert_eq!(lanes.pick(now).err(), Some(None));
    assert!(lanes.done(gmail), "who waits must be told");
    let (id, job) = lanes.pick(now).unwrap_or_else(|_| panic!("one has ended"));
    lanes.give_back(id, job);
    assert!(lanes.pick(now).is_ok() && lanes.pick(now).is_err());
}

#[test]
fn a_leave_that_is_given_back_lets_a_lane_go_that_waits() {
    let mut lanes = lanes(vec![section("gmail.com", 1, 0)]);
    let gmail = put(&mut lanes, "gmail.com", 0..5);
    let now = Instant::now();
    let (id, job) = lanes
        .pick(now)
        .unwrap_or_else(|_| panic!("the first may go"));
    assert!(lanes.pick(now).is_err(), "one a minute");
    lanes.give_back(id, job);
    assert!(lanes.pick(now).is_ok() && lanes.pick(now).is_err());
    lanes.refund(gmail);
    lanes.done(gmail);
    assert!(lanes.pick(now).is_ok() && lanes.pick(now).is_err());
}

#[test]
fn a_lane_keeps_few_and_says_when_it_has_room() {
    let mut lanes = lanes(vec![section("gmail.com", 60, 0)]);
    let gmail = lanes.of("gmail.com");
    let fits = (0..100)
        .take_while(|i| lanes.put(gmail, job(*i, "gmail.com")).is_none())
        .count();
    assert_eq!(fits, 30, "half a minute's worth");
    let mut now = Instant::now();
    let mut told = 0;
    for _ in 0..30 {
        assert!(lanes.pick(now).is_ok());
        told += usize::from(lanes.is_low(gmail, 0));
        now += Duration::from_secs(1);
    }
    assert_eq!(told, 1, "once, until the planner has looked");
    assert_eq!(lanes.room(gmail), 30);
}

#[test]
fn no_lane_is_shut_out_by_others_that_are_full() {
    let limits = Limits {
        messages_per_minute: 1,
        ..Limits::default()
    };
    let mut lanes = Lanes::new(Arc::new(DomainLimits::new(Vec::new(), limits)));
    for provider in 0..LIMITED_MAX / ROOM.0 {
        put(&mut lanes, &format!("p{provider}.example"), 0..20);
    }
    assert_eq!(lanes.lying(), (0, LIMITED_MAX));
    let one = put(&mut lanes, "another.example", 0..20);
    assert_eq!(lanes.lying().1, LIMITED_MAX + 1);
    assert_eq!(lanes.room(one), 0);
}

proptest! {
    /// Whatever the order of things, every job comes out once, and no limit is passed.
    #[test]
    fn every_job_comes_out_once_and_limits_hold(
        laid in proptest::collection::vec((0_usize..4, 1_usize..30), 1..10),
        steps in proptest::collection::vec((0_u64..400, 0_u8..4), 100..400),
    ) {
        let domains = ["gmail.com", "outlook.com", "a.example", "b.example"];
        let mut lanes = lanes(vec![section("gmail.com", 600, 0), section("outlook.com", 0, 2)]);
        let mut person = 0;
        for (domain, count) in laid {
            let from = person;
            let id = lanes.of(domains[domain]);
            for _ in 0..count {
                person += i64::from(lanes.put(id, job(person, domains[domain])).is_none());
            }
            prop_assert!(person > from || lanes.room(id) == 0);
        }
        let (start, mut now) = (Instant::now(), Instant::now());
        let mut hands: Vec<(LaneId, i64)> = Vec::new();
        let mut seen: HashMap<i64, usize> = HashMap::new();
        let (gmail, outlook) = (lanes.of("gmail.com"), lanes.of("outlook.com"));
        let mut to_gmail = 0;
        let many = std::iter::repeat_n((1000, 0), 400);
        for (wait, what) in steps.into_iter().chain(many) {
            now += Duration::from_millis(wait);
            match lanes.pick(now) {
                Ok((id, job)) if what == 3 => lanes.give_back(id, job),
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
                lanes.done(id);
            }
        }
        prop_assert_eq!(seen.len() as i64, person);
        prop_assert!(seen.values().all(|times| *times == 1));
        prop_assert_eq!(lanes.lying(), (0, 0));
    }
}

#[test]
fn whether_all_wait_for_providers_is_known() {
    let mut lanes = lanes(vec![
        section("gmail.com", 60, 0),
        section("hotmail.com", 0, 1),
    ]);
    let gmail = put(&mut lanes, "gmail.com", 0..5);
    let now = Instant::now();
    assert!(!lanes.are_held(now), "one may go");
    put(&mut lanes, "hotmail.com", 10..13);
    put(&mut lanes, "readers.example", 20..21);
    assert!((0..3).all(|_| lanes.pick(now).is_ok()));
    assert!(lanes.are_held(now));
    let held = lanes.held(now).map(|(held, others)| (held.lane, others));
    assert_eq!(
        held,
        Some((gmail, 1)),
        "though nobody has asked for more since"
    );
    assert!(!lanes.are_held(now + Duration::from_secs(1)));
    put(&mut lanes, "readers.example", 22..23);
    assert!(!lanes.are_held(now));
}
