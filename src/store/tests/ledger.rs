//! The ledger's promises, looked at from above: queueing, fixing the audience, committing, steering.

use std::path::Path;

use crate::model::delivery::{Event, MailKey, State, Totals};
use crate::model::reply::Diagnostic;
use crate::model::sending::IssueState;
use crate::model::subscription::{Consent, SignUp};
use crate::model::{IssueId, ListId, Rendered, SubscriberId};
use crate::store::Store;
use crate::store::commit_batch::{Batch, Claim, Grant, Outcome};
use crate::store::deliveries::{Candidate, QueuePosition};
use crate::store::fanout::FanOut;
use crate::store::issues::{Firing, NewIssue, Queueing};
use crate::store::steering::{Steered, retry_some};
use crate::store::testing::{address, by_author, consent, hours, new_issue, open_with_list, t};

fn id(queueing: Queueing) -> IssueId {
    match queueing {
        Queueing::Queued(id) | Queueing::Replaced(id) => id,
        other => panic!("{other:?}"),
    }
}

async fn people(store: &Store, list: ListId, n: usize) {
    for i in 0..n {
        store
            .add(
                list,
                &address(&format!("r{i}@readers.example")),
                "",
                consent(),
            )
            .await
            .unwrap();
    }
}

/// An issue whose audience of `n` is whole.
pub(super) async fn under_way(store: &Store, list: ListId, n: usize) -> IssueId {
    people(store, list, n).await;
    let issue = id(store.queue_issue(new_issue(list, "001", 1)).await.unwrap());
    assert_eq!(
        store.start_due(t(1), hours(6)).await.unwrap().started,
        [issue]
    );
    while store.fan_out(issue).await.unwrap() == FanOut::Partial {}
    issue
}

pub(super) async fn ahead(store: &Store, issue: IssueId, now: i64) -> Vec<Candidate> {
    store
        .read_ahead(
            issue,
            QueuePosition::default(),
            t(now),
            t(now + 90_000),
            100,
        )
        .await
        .unwrap()
        .people
}

pub(super) async fn claim(store: &Store, claims: Vec<Candidate>, now: i64) -> Vec<Grant> {
    let claims = claims.iter().map(Claim::from).collect();
    store
        .commit_batch(
            &Batch {
                claims,
                ..Batch::default()
            },
            t(now),
        )
        .await
        .unwrap()
        .grants
}

pub(super) fn outcome(
    candidate: &Candidate,
    attempt: u32,
    event: Event,
    next_at: Option<i64>,
) -> Outcome {
    Outcome {
        key: candidate.key,
        from: State::Sending,
        attempt,
        event,
        next_at: next_at.map(t),
        reply: Diagnostic {
            enhanced: None,
            code: Some(250),
            text: "250 2.0.0 ok".into(),
        },
        relay: "main".into(),
    }
}

pub(super) async fn record(store: &Store, outcomes: Vec<Outcome>, now: i64) {
    store
        .commit_batch(
            &Batch {
                outcomes,
                ..Batch::default()
            },
            t(now),
        )
        .await
        .unwrap();
}

/// The totals, after a look that they are what the rows say.
pub(super) async fn totals(store: &Store, issue: IssueId) -> Totals {
    let row = store.issue(issue).await.unwrap().unwrap();
    assert_eq!(
        row.totals,
        store.audit(issue).await.unwrap(),
        "totals and rows differ"
    );
    row.totals
}

#[tokio::test]
async fn what_is_read_ahead_knows_since_when_somebody_is_subscribed() {
    let (_dir, store, list) = open_with_list().await;
    let late = Consent {
        at: t(40),
        ..consent()
    };
    store
        .add(list, &address("late@readers.example"), "", late)
        .await
        .unwrap();
    let issue = under_way(&store, list, 1).await;
    let since: Vec<_> = ahead(&store, issue, 50)
        .await
        .into_iter()
        .map(|c| c.since)
        .collect();
    assert_eq!(since, [t(40), t(0)]);
}

#[tokio::test]
async fn an_issue_that_was_sent_is_refused_and_one_that_was_not_makes_room() {
    let (_dir, store, list) = open_with_list().await;
    let first = id(store.queue_issue(new_issue(list, "001", 1)).await.unwrap());
    let twin = store.queue_issue(new_issue(list, "001", 1)).await.unwrap();
    assert_eq!(twin, Queueing::StillScheduled { due_at: t(0) });
    let replaced = store
        .queue_issue(NewIssue {
            replace: true,
            ..new_issue(list, "001", 1)
        })
        .await
        .unwrap();
    assert!(matches!(replaced, Queueing::Replaced(id) if id != first));
    // The number alone is an identity as well.
    let renamed = store
        .queue_issue(new_issue(list, "renamed", 1))
        .await
        .unwrap();
    assert!(matches!(renamed, Queueing::StillScheduled { .. }));
    store.start_due(t(5), hours(6)).await.unwrap();
    let again = store
        .queue_issue(NewIssue {
            replace: true,
            ..new_issue(list, "001", 1)
        })
        .await
        .unwrap();
    assert_eq!(
        again,
        Queueing::AlreadySent {
            state: IssueState::Sending,
            when: t(5)
        }
    );
    store.cancel(id(replaced), t(6)).await.unwrap();
    let requeued = store.queue_issue(new_issue(list, "001", 1)).await.unwrap();
    assert!(matches!(requeued, Queueing::Queued(id) if id > first));
    assert_eq!(store.issues().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_issue_is_found_by_number_slug_and_file() {
    let (_dir, store, list) = open_with_list().await;
    let issue = id(store.queue_issue(new_issue(list, "022", 22)).await.unwrap());
    let find = async |text: &str, file: &str| {
        store
            .find_issues(None, text, Path::new(file))
            .await
            .unwrap()
            .iter()
            .map(|row| row.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(find("22", "/letter/22").await, [issue]);
    assert_eq!(find("022", "/letter/022").await, [issue]);
    assert_eq!(
        find("issues/022.md", "/letter/issues/022.md").await,
        [issue]
    );
    assert_eq!(find("../moved/022.md", "/moved/022.md").await, [issue]);
    assert_eq!(find("23", "/letter/23").await, []);
}

#[tokio::test]
async fn a_time_of_the_schedule_is_acted_upon_once() {
    let (_dir, store, list) = open_with_list().await;
    let firing = Firing {
        before: None,
        at: t(10),
    };
    let first = store
        .queue_issue(NewIssue {
            firing: Some(firing),
            ..new_issue(list, "001", 1)
        })
        .await
        .unwrap();
    assert!(matches!(first, Queueing::Queued(_)));
    let second = store
        .queue_issue(NewIssue {
            firing: Some(firing),
            ..new_issue(list, "002", 2)
        })
        .await
        .unwrap();
    assert_eq!(second, Queueing::AlreadyFired);
    assert!(!store.fire(list, firing).await.unwrap());
    assert_eq!(store.last_fired(list).await.unwrap(), Some(t(10)));
    assert_eq!(
        store.last_queued(list).await.unwrap(),
        Some(("001".into(), Some(1)))
    );
}

#[tokio::test]
async fn what_is_due_too_long_is_held() {
    let (_dir, store, list) = open_with_list().await;
    let issue = id(store.queue_issue(new_issue(list, "001", 1)).await.unwrap());
    assert_eq!(
        store
            .start_due(t(6 * 3600 + 1), hours(6))
            .await
            .unwrap()
            .held,
        [issue]
    );
    let row = store.issue(issue).await.unwrap().unwrap();
    assert_eq!(row.state, IssueState::Held);
    assert!(row.reason.unwrap().to_string().contains("resume"));
    assert_eq!(
        store.resume(issue, t(30_000)).await.unwrap(),
        Steered::Now(IssueState::Sending)
    );
    people(&store, list, 2).await;
    assert_eq!(store.fan_out(issue).await.unwrap(), FanOut::Whole(2));
}

#[tokio::test]
async fn a_resume_of_what_is_sent_already_tries_what_waits_and_nothing_else() {
    let (_dir, store, list) = open_with_list().await;
    let issue = id(store.queue_issue(new_issue(list, "001", 1)).await.unwrap());
    store.start_due(t(1), hours(6)).await.unwrap();
    let rescans = async || store.issue(issue).await.unwrap().unwrap().rescans;
    let before = rescans().await;
    assert_eq!(
        store.resume(issue, t(2)).await.unwrap(),
        Steered::Not(IssueState::Sending)
    );
    assert_eq!(rescans().await, before);
    store.explain(issue, Some(by_author())).await.unwrap();
    assert_eq!(
        store.resume(issue, t(3)).await.unwrap(),
        Steered::Now(IssueState::Sending)
    );
    assert_eq!(rescans().await, before + 1);
}

#[tokio::test]
async fn people_who_wait_say_why_unless_a_server_said_more() {
    let (_dir, store, list) = open_with_list().await;
    people(&store, list, 3).await;
    let issue = id(store.queue_issue(new_issue(list, "001", 1)).await.unwrap());
    store.start_due(t(1), hours(6)).await.unwrap();
    store.fan_out(issue).await.unwrap();
    crate::store::testing::meddle(
        &store,
        "UPDATE delivery SET reply = '550 5.7.26 no', code = 550 WHERE subscriber_id = 1",
    )
    .await;
    let two = [SubscriberId(1), SubscriberId(2)];
    let why = "waits: gmail.com refuses your mails".to_owned();
    store.note_waiting(issue, &two, why).await.unwrap();
    let rows = store
        .deliveries(issue, None, SubscriberId(0), 10)
        .await
        .unwrap();
    let replies: Vec<_> = rows.iter().map(|row| row.reply.as_deref()).collect();
    assert_eq!(
        replies,
        [
            Some("550 5.7.26 no"),
            Some("waits: gmail.com refuses your mails"),
            None
        ]
    );
    assert_eq!(rows[1].code, None);
}

#[tokio::test]
async fn the_audience_is_of_those_who_are_there_and_shows_when_it_is_whole() {
    let (_dir, store, list) = open_with_list().await;
    people(&store, list, 3).await;
    store
        .remove(Some(list), &address("r1@readers.example"), consent())
        .await
        .unwrap();
    let issue = id(store.queue_issue(new_issue(list, "001", 1)).await.unwrap());
    assert_eq!(
        store.fan_out(issue).await.unwrap(),
        FanOut::Nothing,
        "it is not due"
    );
    store.start_due(t(1), hours(6)).await.unwrap();
    assert_eq!(
        store.issue(issue).await.unwrap().unwrap().totals.planned(),
        0
    );
    assert_eq!(store.fan_out(issue).await.unwrap(), FanOut::Whole(2));
    assert_eq!(store.fan_out(issue).await.unwrap(), FanOut::Nothing);
    assert_eq!(
        totals(&store, issue).await,
        Totals {
            queued: 2,
            ..Totals::default()
        }
    );
}

#[tokio::test]
async fn a_mail_is_claimed_once_and_answered_by_the_attempt_that_owns_it() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 2).await;
    let people = ahead(&store, issue, 2).await;
    assert_eq!(people.len(), 2);
    let twice = vec![people[0].clone(), people[0].clone()];
    assert_eq!(
        claim(&store, twice, 2).await,
        [Grant::Granted { attempt: 1 }, Grant::Refused]
    );
    assert_eq!(
        claim(&store, vec![people[0].clone()], 2).await,
        [Grant::Refused]
    );
    assert_eq!(
        totals(&store, issue).await,
        Totals {
            queued: 1,
            sending: 1,
            ..Totals::default()
        }
    );
    // An outcome of another attempt changes nothing.
    record(
        &store,
        vec![outcome(&people[0], 2, Event::Accepted, None)],
        3,
    )
    .await;
    assert_eq!(totals(&store, issue).await.sending, 1);
    record(
        &store,
        vec![outcome(&people[0], 1, Event::Accepted, None)],
        3,
    )
    .await;
    record(
        &store,
        vec![outcome(&people[0], 1, Event::PermFail, None)],
        4,
    )
    .await;
    assert_eq!(
        totals(&store, issue).await,
        Totals {
            queued: 1,
            sent: 1,
            ..Totals::default()
        }
    );
    let rows = store
        .deliveries(issue, Some(State::Sent), SubscriberId(0), 10)
        .await
        .unwrap();
    assert_eq!(
        (rows.len(), rows[0].attempts, rows[0].code),
        (1, 1, Some(250))
    );
}

#[tokio::test]
async fn who_is_deferred_comes_back_when_due_or_when_the_clock_was_set_back() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 1).await;
    let person = ahead(&store, issue, 2).await.remove(0);
    claim(&store, vec![person.clone()], 2).await;
    record(
        &store,
        vec![outcome(&person, 1, Event::TempFail, Some(100))],
        3,
    )
    .await;
    assert_eq!(ahead(&store, issue, 99).await, []);
    assert_eq!(store.next_deferred(issue).await.unwrap(), Some(t(100)));
    let due = ahead(&store, issue, 100).await;
    assert_eq!(
        (due[0].from, due[0].attempt, due[0].first_at),
        (State::Deferred, 1, Some(t(2)))
    );
    assert_eq!(
        ahead(&store, issue, -1_000_000).await.len(),
        1,
        "the clock was set back"
    );
    assert_eq!(
        claim(&store, due, 100).await,
        [Grant::Granted { attempt: 2 }]
    );
    assert_eq!(
        totals(&store, issue).await,
        Totals {
            sending: 1,
            ..Totals::default()
        }
    );
}

#[tokio::test]
async fn reading_goes_on_where_it_ended_and_finds_those_who_were_read_past() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 5).await;
    let people = ahead(&store, issue, 2).await;
    for (person, due) in people[..3].iter().zip([50, 50, 60]) {
        claim(&store, vec![person.clone()], 2).await;
        record(
            &store,
            vec![outcome(person, 1, Event::TempFail, Some(due))],
            3,
        )
        .await;
    }
    let (mut place, mut read) = (QueuePosition::default(), Vec::new());
    loop {
        let ahead = store
            .read_ahead(issue, place, t(60), t(90_000), 2)
            .await
            .unwrap();
        read.extend(ahead.people.iter().map(|person| person.subscriber));
        place = ahead.next;
        if ahead.is_last {
            break;
        }
    }
    assert_eq!(
        read,
        people
            .iter()
            .map(|person| person.subscriber)
            .collect::<Vec<_>>()
    );
    let place = place.without_deferred();
    let again = store
        .read_ahead(issue, place, t(60), t(90_000), 9)
        .await
        .unwrap();
    assert_eq!(again.people.len(), 3, "the deferred alone");
    claim(&store, vec![people[4].clone()], 4).await;
    let among = store
        .waiting_among(issue, &read, t(55), t(90_000))
        .await
        .unwrap();
    let who: Vec<_> = among
        .iter()
        .map(|person| (person.subscriber, person.from))
        .collect();
    let states = [State::Deferred, State::Deferred, State::Queued];
    let expected = [0, 1, 3]
        .map(|i| people[i].subscriber)
        .into_iter()
        .zip(states);
    assert_eq!(
        who,
        expected.collect::<Vec<_>>(),
        "one is not due yet, one is being mailed"
    );
    assert_eq!(
        store
            .waiting_among(issue, &read, t(1), t(55))
            .await
            .unwrap()
            .len(),
        2,
        "the clock was set back"
    );
}

#[tokio::test]
async fn who_left_is_skipped_by_the_claim_itself() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 2).await;
    let people = ahead(&store, issue, 2).await;
    store
        .remove(Some(list), &people[1].email, consent())
        .await
        .unwrap();
    assert_eq!(
        claim(&store, people, 3).await,
        [Grant::Granted { attempt: 1 }, Grant::Gone]
    );
    assert_eq!(
        totals(&store, issue).await,
        Totals {
            sending: 1,
            skipped: 1,
            ..Totals::default()
        }
    );
}

#[tokio::test]
async fn a_pause_stops_claims_in_its_own_group_and_takes_back_what_was_refused() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 3).await;
    let people = ahead(&store, issue, 2).await;
    claim(&store, people[..2].to_vec(), 2).await;
    record(
        &store,
        vec![outcome(&people[0], 1, Event::PermFail, None)],
        3,
    )
    .await;
    let batch = Batch {
        outcomes: vec![
            outcome(&people[1], 1, Event::Requeued, None),
            Outcome {
                from: State::Failed,
                ..outcome(&people[0], 1, Event::Requeued, None)
            },
        ],
        pauses: vec![(issue, by_author())],
        claims: vec![Claim::from(&people[2])],
    };
    let done = store.commit_batch(&batch, t(4)).await.unwrap();
    assert_eq!(
        (done.grants, done.paused),
        (vec![Grant::Refused], vec![issue])
    );
    assert_eq!(
        totals(&store, issue).await,
        Totals {
            queued: 3,
            ..Totals::default()
        }
    );
    let row = store.issue(issue).await.unwrap().unwrap();
    assert_eq!(
        (row.state, row.reason),
        (IssueState::Paused, Some(by_author()))
    );
    store.resume(issue, t(5)).await.unwrap();
    assert_eq!(ahead(&store, issue, 5).await.len(), 3);
}

#[tokio::test]
async fn cancelling_withdraws_those_who_wait_and_only_them() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 4).await;
    let people = ahead(&store, issue, 2).await;
    claim(&store, people[..3].to_vec(), 2).await;
    record(
        &store,
        vec![outcome(&people[0], 1, Event::Accepted, None)],
        3,
    )
    .await;
    record(
        &store,
        vec![outcome(&people[1], 1, Event::TempFail, Some(50))],
        3,
    )
    .await;
    assert_eq!(
        store.cancel(issue, t(4)).await.unwrap(),
        Steered::Now(IssueState::Cancelled)
    );
    let expected = Totals {
        sending: 1,
        sent: 1,
        cancelled: 2,
        ..Totals::default()
    };
    assert_eq!(totals(&store, issue).await, expected);
    // What was in flight comes back to the queue of an issue that is cancelled: it is withdrawn as well.
    record(
        &store,
        vec![outcome(&people[2], 1, Event::Requeued, None)],
        5,
    )
    .await;
    assert_eq!(store.open_issues().await.unwrap()[0].id, issue);
    store.complete_cancel(issue, t(6)).await.unwrap();
    assert_eq!(
        totals(&store, issue).await,
        Totals {
            sent: 1,
            cancelled: 3,
            ..Totals::default()
        }
    );
    assert_eq!(store.open_issues().await.unwrap(), []);
    assert_eq!(
        store.resume(issue, t(7)).await.unwrap(),
        Steered::Not(IssueState::Cancelled)
    );
}

#[tokio::test]
async fn a_dead_daemons_mails_are_uncertain_and_go_again_only_when_asked() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 3).await;
    let people = ahead(&store, issue, 2).await;
    claim(&store, people[..2].to_vec(), 2).await;
    assert_eq!(
        store.recover(t(3), "the daemon was killed").await.unwrap(),
        2
    );
    assert_eq!(
        totals(&store, issue).await,
        Totals {
            queued: 1,
            uncertain: 2,
            ..Totals::default()
        }
    );
    // The dead daemon's answer comes too late to change anything.
    record(
        &store,
        vec![outcome(&people[0], 1, Event::Accepted, None)],
        4,
    )
    .await;
    assert_eq!(totals(&store, issue).await.uncertain, 2);
    claim(&store, vec![people[2].clone()], 4).await;
    record(
        &store,
        vec![outcome(&people[2], 1, Event::Accepted, None)],
        4,
    )
    .await;
    assert!(store.finish(issue, t(5)).await.unwrap());
    assert_eq!(
        store.retry(issue, State::Failed, t(6)).await.unwrap(),
        (Steered::Now(IssueState::Sending), 0)
    );
    assert_eq!(
        store.issue(issue).await.unwrap().unwrap().state,
        IssueState::Done
    );
    assert_eq!(
        store.retry(issue, State::Uncertain, t(6)).await.unwrap().1,
        2
    );
    assert_eq!(
        store.issue(issue).await.unwrap().unwrap().state,
        IssueState::Sending
    );
    assert_eq!(
        totals(&store, issue).await,
        Totals {
            queued: 2,
            sent: 1,
            ..Totals::default()
        }
    );
    let again = ahead(&store, issue, 7).await;
    assert_eq!(
        (again.len(), again[0].attempt, again[0].first_at),
        (2, 1, None)
    );
}

#[tokio::test]
async fn an_issue_ends_when_nobody_is_open() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 1).await;
    assert!(!store.finish(issue, t(2)).await.unwrap());
    let person = ahead(&store, issue, 2).await.remove(0);
    claim(&store, vec![person.clone()], 2).await;
    assert!(!store.finish(issue, t(2)).await.unwrap());
    record(
        &store,
        vec![outcome(&person, 1, Event::Unconfirmed, None)],
        3,
    )
    .await;
    assert!(store.finish(issue, t(4)).await.unwrap());
    let row = store.issue(issue).await.unwrap().unwrap();
    assert_eq!((row.state, row.ended_at), (IssueState::Done, Some(t(4))));
}

#[tokio::test]
async fn a_confirmation_is_claimed_while_it_is_wanted() {
    let (_dir, store, list) = open_with_list().await;
    let who = address("new@readers.example");
    assert_eq!(
        store
            .sign_up(list, &who, "", consent(), Rendered::empty(), hours(1))
            .await
            .unwrap(),
        SignUp::Asked
    );
    let candidate = store
        .waiting_system_mails(t(1), t(9), &[list], 10)
        .await
        .unwrap()
        .0
        .remove(0)
        .candidate;
    assert!(matches!(candidate.key, MailKey::System(_)));
    assert_eq!(
        claim(&store, vec![candidate.clone()], 1).await,
        [Grant::Granted { attempt: 1 }]
    );
    record(
        &store,
        vec![outcome(&candidate, 1, Event::TempFail, Some(60))],
        2,
    )
    .await;
    assert_eq!(store.next_system_mail(t(59)).await.unwrap(), Some(t(60)));
    assert_eq!(
        store.next_system_mail(t(60)).await.unwrap(),
        None,
        "it is due, and nobody need be woken for it"
    );
    let (others, _) = store
        .waiting_system_mails(t(60), t(90), &[ListId(list.0 + 1)], 10)
        .await
        .unwrap();
    assert!(others.is_empty(), "it is of another list");
    let due = store
        .waiting_system_mails(t(60), t(90), &[list], 10)
        .await
        .unwrap()
        .0
        .remove(0)
        .candidate;
    store
        .confirm(list, due.subscriber, consent(), hours(1))
        .await
        .unwrap();
    assert_eq!(claim(&store, vec![due.clone()], 61).await, [Grant::Gone]);
    let fate = store.system_mails_to(due.subscriber).await.unwrap();
    assert_eq!((fate[0].state, fate[0].attempts), (State::Skipped, 1));
}

#[tokio::test]
async fn confirmations_that_cannot_be_read_hide_none_behind_them() {
    let (_dir, store, list) = open_with_list().await;
    for name in ["text", "attempt", "fine"] {
        let who = address(&format!("{name}@readers.example"));
        assert_eq!(
            store
                .sign_up(list, &who, "", consent(), Rendered::empty(), hours(1))
                .await
                .unwrap(),
            SignUp::Asked
        );
    }
    let (before, _) = store
        .waiting_system_mails(t(1), t(9), &[list], 9)
        .await
        .unwrap();
    let [text, attempt, fine] = [0, 1, 2].map(|at: usize| before[at].candidate.subscriber);
    let spoil = [
        (
            "UPDATE system_mail SET rendered = 'torn' WHERE subscriber_id = ?",
            text,
        ),
        (
            "UPDATE system_mail SET attempt = 4294967296 WHERE subscriber_id = ?",
            attempt,
        ),
    ];
    for (statement, who) in spoil {
        let done = store.write("spoiling a mail", move |c| {
            Box::pin(async move {
                Ok(sqlx::query(statement)
                    .bind(who.0)
                    .execute(c)
                    .await?
                    .rows_affected())
            })
        });
        assert_eq!(done.await.unwrap(), 1);
    }
    let (waiting, unreadable) = store
        .waiting_system_mails(t(1), t(9), &[list], 1)
        .await
        .unwrap();
    assert_eq!(
        waiting
            .iter()
            .map(|mail| mail.candidate.subscriber)
            .collect::<Vec<_>>(),
        [fine]
    );
    assert!(
        unreadable.is_some_and(|mails| mails.count == 2),
        "those who are passed over are told of"
    );
}

#[tokio::test]
async fn a_chunk_of_a_retry_moves_nobody_of_a_cancelled_issue() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 3).await;
    let person = ahead(&store, issue, 2).await.remove(0);
    claim(&store, vec![person.clone()], 2).await;
    record(
        &store,
        vec![outcome(&person, 1, Event::Unconfirmed, None)],
        3,
    )
    .await;
    store.cancel(issue, t(4)).await.unwrap();
    let chunk = store.write("retrying", move |c| {
        Box::pin(retry_some(
            c,
            issue,
            State::Uncertain,
            SubscriberId(0),
            t(5).as_millisecond(),
        ))
    });
    assert_eq!(
        chunk.await.unwrap(),
        (Steered::Not(IssueState::Cancelled), 0, None)
    );
    assert_eq!(totals(&store, issue).await.uncertain, 1);
}

#[tokio::test]
async fn a_cancel_is_taken_back_for_those_who_certainly_have_not_got_it() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 4).await;
    let mut waiting = ahead(&store, issue, 2).await;
    let last = waiting.split_off(3);
    claim(&store, waiting.clone(), 2).await;
    let events = [Event::Accepted, Event::Unconfirmed, Event::TempFail];
    let outcomes = waiting.iter().zip(events).map(|(mail, event)| {
        let next_at = (event == Event::TempFail).then_some(500);
        outcome(mail, 1, event, next_at)
    });
    record(&store, outcomes.collect(), 3).await;
    // Once it was uncertain, it may have arrived, whatever becomes of it later.
    store.retry(issue, State::Uncertain, t(4)).await.unwrap();
    store.cancel(issue, t(5)).await.unwrap();
    assert_eq!(totals(&store, issue).await.cancelled, 3);
    assert_eq!(
        store.retry(issue, State::Failed, t(6)).await.unwrap().0,
        Steered::Not(IssueState::Cancelled),
        "only the cancel itself is taken back"
    );
    let (steered, queued) = store.retry(issue, State::Cancelled, t(6)).await.unwrap();
    assert_eq!((steered, queued), (Steered::Now(IssueState::Sending), 2));
    let now = totals(&store, issue).await;
    assert_eq!((now.sent, now.queued, now.cancelled), (1, 2, 1));
    let again = ahead(&store, issue, 7).await;
    let keys = |mails: &[Candidate]| mails.iter().map(|mail| mail.key).collect::<Vec<_>>();
    assert_eq!(keys(&again), [waiting[2].key, last[0].key]);
    // Once more moves nobody, and one that was pruned can't be retried.
    assert_eq!(
        store.retry(issue, State::Cancelled, t(8)).await.unwrap().1,
        0
    );
}

#[tokio::test]
async fn a_prune_keeps_the_totals_and_drops_only_what_ended_long_ago() {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, 3).await;
    assert!(
        store.prunable(t(1_000)).await.unwrap().is_empty(),
        "it goes on"
    );
    assert_eq!(store.prune_some(issue, t(1_000)).await.unwrap(), 0);
    store.cancel(issue, t(10)).await.unwrap();
    assert!(
        store.prunable(t(10)).await.unwrap().is_empty(),
        "it has just ended"
    );
    let found = store.prunable(t(11)).await.unwrap();
    assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [issue]);
    let before = store.issue(issue).await.unwrap().unwrap().totals;
    assert_eq!(store.prune_some(issue, t(1_000)).await.unwrap(), 3);
    assert_eq!(store.prune_some(issue, t(2_000)).await.unwrap(), 0);
    assert!(store.prunable(t(11)).await.unwrap().is_empty());
    let row = store.issue(issue).await.unwrap().unwrap();
    assert_eq!(row.totals, before);
    assert_eq!(row.pruned_at, Some(t(1_000)));
    let retried = store
        .retry(issue, State::Cancelled, t(2_000))
        .await
        .unwrap();
    assert_eq!(retried, (Steered::Not(IssueState::Cancelled), 0));
}
