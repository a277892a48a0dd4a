//! Any sequence of what connections, authors and kills do, against a ledger in memory that knows nothing but
//! `model::delivery`'s table: a state changes only as the table says and under the attempt that owns the row, and
//! the totals are what counting gives, after each step.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::ledger::{ahead, claim, outcome, totals, under_way};
use crate::model::delivery::{Event, State, Totals, step};
use crate::model::{IssueId, SubscriberId};
use crate::store::Store;
use crate::store::commit_batch::{Batch, Grant, Outcome};
use crate::store::deliveries::Candidate;
use crate::store::testing::{by_author, open_with_list, t};

const PEOPLE: usize = 5;

/// What one of them does.
#[derive(Clone, Debug)]
enum Act {
    /// A connection reads ahead: these candidates may be stale when they are claimed.
    ReadAhead,
    /// It claims one of those who were read ahead, perhaps long ago.
    Claim {
        which: usize,
    },
    /// It tells what became of somebody; `late`: by an attempt that does not own the row any more.
    Tell {
        who: usize,
        event: Event,
        from: State,
        late: bool,
    },
    /// The daemon is killed, and the next one looks at what was in flight.
    Die,
    Retry(State),
    Pause,
    Resume,
}

fn act() -> impl Strategy<Value = Act> {
    let event = prop::sample::select(vec![
        Event::Accepted,
        Event::TempFail,
        Event::PermFail,
        Event::Unconfirmed,
        Event::Requeued,
    ]);
    let from =
        prop_oneof![8 => Just(State::Sending), 1 => Just(State::Failed), 1 => Just(State::Sent)];
    prop_oneof![
        3 => Just(Act::ReadAhead),
        8 => (0_usize..PEOPLE * 2).prop_map(|which| Act::Claim { which }),
        8 => (0..PEOPLE, event, from, prop::bool::weighted(0.2))
            .prop_map(|(who, event, from, late)| Act::Tell { who, event, from, late }),
        1 => Just(Act::Die),
        1 => prop_oneof![Just(State::Failed), Just(State::Uncertain)].prop_map(Act::Retry),
        1 => Just(Act::Pause),
        2 => Just(Act::Resume),
    ]
}

/// The ledger as it should be: state and attempt of each person.
struct Expected {
    rows: BTreeMap<SubscriberId, (State, u32)>,
    paused: bool,
}

impl Expected {
    /// Moves a row where it is in the state, under the attempt, that the move expects.
    fn step(&mut self, who: SubscriberId, from: State, attempt: u32, event: Event) -> bool {
        let Some(row) = self.rows.get_mut(&who) else {
            return false;
        };
        let to = step(from, event).filter(|_| *row == (from, attempt));
        if let Some(to) = to {
            row.0 = to;
        }
        to.is_some()
    }

    fn all(&mut self, from: State, event: Event) {
        for row in self.rows.values_mut().filter(|row| row.0 == from) {
            row.0 = step(from, event).unwrap();
        }
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.rows
            .values()
            .for_each(|(state, _)| *totals.of_mut(*state) += 1);
        totals
    }
}

/// Makes the acts on a store and on paper, and compares after each.
async fn play(acts: Vec<Act>) {
    let (_dir, store, list) = open_with_list().await;
    let issue = under_way(&store, list, PEOPLE).await;
    let mut read = ahead(&store, issue, 2).await;
    let people: Vec<Candidate> = read.clone();
    let rows = people
        .iter()
        .map(|person| (person.subscriber, (State::Queued, 0)))
        .collect();
    let mut expected = Expected {
        rows,
        paused: false,
    };
    for (second, act) in (3..).zip(acts) {
        make(
            &store,
            issue,
            &act,
            second,
            &mut read,
            &people,
            &mut expected,
        )
        .await;
        let stored: BTreeMap<SubscriberId, (State, u32)> = store
            .deliveries(issue, None, SubscriberId(0), PEOPLE + 1)
            .await
            .unwrap()
            .into_iter()
            .map(|row| (row.subscriber, (row.state, row.attempts)))
            .collect();
        assert_eq!(stored, expected.rows, "after {act:?}");
        // Which compares them with counting as well.
        let totals = totals(&store, issue).await;
        assert_eq!(
            (totals, totals.planned()),
            (expected.totals(), PEOPLE as u64),
            "after {act:?}"
        );
    }
}

async fn make(
    store: &Store,
    issue: IssueId,
    act: &Act,
    second: i64,
    read: &mut Vec<Candidate>,
    people: &[Candidate],
    expected: &mut Expected,
) {
    match act {
        // Far enough ahead that whoever is deferred is due.
        Act::ReadAhead => read.extend(ahead(store, issue, second + 1_000).await),
        Act::Claim { which } => {
            let Some(one) = read.len().checked_sub(1 + which).map(|i| read[i].clone()) else {
                return;
            };
            let granted = claim(store, vec![one.clone()], second).await;
            let moved = !expected.paused
                && expected.step(one.subscriber, one.from, one.attempt, Event::Claim);
            if moved {
                expected.rows.get_mut(&one.subscriber).unwrap().1 += 1;
            }
            let grant = Grant::Granted {
                attempt: one.attempt + 1,
            };
            assert_eq!(
                granted,
                [if moved { grant } else { Grant::Refused }],
                "{one:?}"
            );
        }
        Act::Tell {
            who,
            event,
            from,
            late,
        } => {
            let person = &people[*who];
            let attempt = expected.rows[&person.subscriber]
                .1
                .wrapping_sub(u32::from(*late));
            let told = Outcome {
                from: *from,
                ..outcome(person, attempt, *event, Some(second + 60))
            };
            store
                .commit_batch(
                    &Batch {
                        outcomes: vec![told],
                        ..Batch::default()
                    },
                    t(second),
                )
                .await
                .unwrap();
            expected.step(person.subscriber, *from, attempt, *event);
        }
        Act::Die => {
            store
                .recover(t(second), "the daemon was killed")
                .await
                .unwrap();
            expected.all(State::Sending, Event::Unconfirmed);
        }
        Act::Retry(which) => {
            store.retry(issue, *which, t(second)).await.unwrap();
            expected.all(*which, Event::Retry);
        }
        Act::Pause => {
            store.pause(issue, &by_author()).await.unwrap();
            expected.paused = true;
        }
        Act::Resume => {
            store.resume(issue, t(second)).await.unwrap();
            expected.paused = false;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_keeps_the_ledger_as_the_table_says(acts in prop::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(acts));
    }
}
