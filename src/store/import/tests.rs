//! What a batch means, person by person, and that it is quick to ask.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::store::testing::{address, column, open_with_list, plan, t};

fn subscription() -> impl Strategy<Value = ImportedSubscription> {
    (1i64..3, 0i64..5, 0u64..3).prop_map(|(list, state, further)| ImportedSubscription {
        list: ListId(list),
        state: SubscriptionState::from_number(state).unwrap(),
        further,
    })
}

/// A batch: by address, a name and subscriptions to different lists.
fn batch() -> impl Strategy<Value = Vec<ImportRow>> {
    let subscriptions = proptest::collection::vec(subscription(), 1..3).prop_map(|mut all| {
        all.dedup_by_key(|one| one.list);
        all
    });
    let person = ("(|A|B)", "(|x|x,y)", subscriptions);
    proptest::collection::btree_map("[a-cA-C]", person, 0..4).prop_map(|people| {
        let mut seen = BTreeSet::new();
        let fresh = people
            .into_iter()
            .filter(|(local, _)| seen.insert(local.to_lowercase()));
        let rows = fresh.map(|(local, (name, tags, subscriptions))| ImportRow {
            email: address(&format!("{local}@b.example")),
            name,
            tags,
            joined_at: None,
            subscriptions,
        });
        rows.collect()
    })
}

/// What an import means, said once more and one person at a time.
#[derive(Default)]
struct Meaning {
    texts: HashMap<String, (String, String)>,
    states: HashMap<(String, i64), SubscriptionState>,
}

impl Meaning {
    fn import(&mut self, people: &[ImportRow]) -> Imported {
        let mut imported = Imported::default();
        for person in people {
            let texts = self.texts.entry(person.email.key()).or_default();
            let before = texts.clone();
            if !person.name.is_empty() {
                texts.0 = person.name.clone();
            }
            if !person.tags.is_empty() {
                texts.1 = person.tags.clone();
            }
            let renamed = *texts != before;
            for new in &person.subscriptions {
                let key = (person.email.key(), new.list.0);
                let old = self.states.get(&key).copied();
                let moves = old.is_none_or(|old| match (old, new.state) {
                    (SubscriptionState::Pending, SubscriptionState::Pending) => false,
                    (SubscriptionState::Pending, _) => true,
                    (SubscriptionState::Active, new) => new.is_gone(),
                    _ => false,
                });
                if moves {
                    self.states.insert(key, new.state);
                }
                match old {
                    None => {
                        imported.added += 1;
                        imported.updated += new.further;
                    }
                    Some(_) if moves || renamed => imported.updated += 1 + new.further,
                    Some(_) => imported.unchanged += 1 + new.further,
                }
            }
        }
        imported
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn batches_mean_the_same_as_one_person_after_another(batches in proptest::collection::vec(batch(), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_dir, store, _) = open_with_list().await;
            store.ensure_lists(&["daily".to_owned()], t(0)).await.unwrap();
            let mut meaning = Meaning::default();
            for people in batches {
                let wanted = meaning.import(&people);
                assert_eq!(store.import(people.clone(), t(1)).await.unwrap(), wanted, "{people:?}");
            }
            let people: HashMap<String, (String, String)> = column(
                &store, "SELECT lower(email) || char(10) || name || char(10) || tags FROM subscriber",
            ).await.into_iter().map(|row| {
                let mut parts = row.split('\n').map(str::to_owned);
                let mut part = || parts.next().unwrap();
                (part(), (part(), part()))
            }).collect();
            assert_eq!(people, meaning.texts);
            let states: BTreeSet<String> = column(
                &store, "SELECT lower(email) || list_id || state FROM subscription
                         JOIN subscriber ON id = subscriber_id",
            ).await.into_iter().collect();
            let wanted = meaning.states.iter().map(|((who, list), state)| format!("{who}{list}{}", *state as u8));
            assert_eq!(states, wanted.collect::<BTreeSet<_>>());
        });
    }
}

#[tokio::test]
async fn somebody_who_becomes_active_has_no_open_question() {
    let (_dir, store, list) = open_with_list().await;
    let ann = |state| ImportRow {
        email: address("ann@readers.example"),
        name: String::new(),
        tags: String::new(),
        joined_at: Some(t(9)),
        subscriptions: vec![ImportedSubscription {
            list,
            state,
            further: 0,
        }],
    };
    store
        .import(vec![ann(SubscriptionState::Pending)], t(5))
        .await
        .unwrap();
    crate::store::testing::meddle(&store, "UPDATE subscription SET asked_at = 1").await;
    store
        .import(vec![ann(SubscriptionState::Active)], t(6))
        .await
        .unwrap();
    let place = "SELECT state || ' ' || (since / 1000) || ' ' || ifnull(asked_at, 'none') FROM subscription";
    assert_eq!(
        column(&store, place).await,
        [format!("1 {} none", t(6).as_second())]
    );
    let joined = column(&store, "SELECT (created_at / 1000) || '' FROM subscriber").await;
    assert_eq!(
        joined,
        [t(5).as_second().to_string()],
        "nobody joined in the future"
    );
    let events = column(
        &store,
        "SELECT event || ' ' || how FROM consent ORDER BY id",
    )
    .await;
    assert_eq!(events, ["asked import", "imported import"]);
}

#[tokio::test]
async fn each_person_is_looked_up_by_index() {
    let (_dir, store, list) = open_with_list().await;
    let people: Vec<ImportRow> = ["a", "b"]
        .map(|local| ImportRow {
            email: address(&format!("{local}@b.example")),
            name: String::new(),
            tags: String::new(),
            joined_at: None,
            subscriptions: vec![ImportedSubscription {
                list,
                state: SubscriptionState::Active,
                further: 0,
            }],
        })
        .into();
    let imported: Vec<(usize, ImportedSubscription)> = (0..)
        .zip(people.iter().map(|person| person.subscriptions[0]))
        .collect();
    let plan = plan(&store, look_up(&people, &imported).sql().as_str()).await;
    assert!(
        plan.contains("SEARCH s USING INDEX sqlite_autoindex_subscriber_1 (email=?)"),
        "{plan}"
    );
    assert!(
        plan.contains("SEARCH p USING PRIMARY KEY (list_id=? AND subscriber_id=?)"),
        "{plan}"
    );
    assert!(
        !plan.contains("SCAN s") && !plan.contains("SCAN p"),
        "{plan}"
    );
}

/// The statements against the table, pair by pair: each state that a person can be in, with each history, meets each
/// state that a file can name.
#[tokio::test]
async fn every_import_moves_as_the_table_of_subscriptions_says() {
    let (_dir, store, list) = open_with_list().await;
    let mut pairs = Vec::new();
    for from in std::iter::once(None).chain(SubscriptionState::ALL.map(Some)) {
        for history in History::ALL {
            pairs.extend(SubscriptionState::ALL.map(|to| (from, history, to)));
        }
    }
    // The first import makes all people known, so that both ways of a batch are walked.
    let row = |i: usize, list, state| ImportRow {
        email: address(&format!("reader{i}@b.example")),
        name: String::new(),
        tags: String::new(),
        joined_at: None,
        subscriptions: vec![ImportedSubscription {
            list,
            state,
            further: 0,
        }],
    };
    let other = store
        .ensure_lists(&["daily".to_owned()], t(0))
        .await
        .unwrap()["daily"];
    let known = (0..pairs.len()).filter(|i| i % 7 != 0 || pairs[*i].0.is_some());
    let known = known.map(|i| row(i, other, SubscriptionState::Pending));
    store.import(known.collect(), t(0)).await.unwrap();
    for (i, (from, history, _)) in pairs.iter().enumerate() {
        let events: &[&str] = match history {
            History::OnlyAsked => &["asked"],
            History::Left => &["asked", "left", "asked"],
            History::Agreed => &["asked", "confirmed", "left", "asked"],
        };
        put(&store, list, i, *from, events).await;
    }
    let rows = pairs
        .iter()
        .enumerate()
        .map(|(i, (.., to))| row(i, list, *to));
    let imported = store.import(rows.collect(), t(1)).await.unwrap();

    let mut wanted = Imported::default();
    for (i, (from, history, to)) in pairs.into_iter().enumerate() {
        let event = SubscriptionEvent::Import(to);
        let moved = step(from, history, event);
        match (from, moved) {
            (None, _) => wanted.added += 1,
            (Some(_), Some(_)) => wanted.updated += 1,
            (Some(_), None) => wanted.unchanged += 1,
        }
        let now = moved.or(from).unwrap();
        let of = format!(
            "FROM subscriber s JOIN {{}} x ON x.subscriber_id = s.id
             WHERE email = 'reader{i}@b.example' AND list_id = {list}"
        );
        let states = format!("SELECT state || '' {}", of.replace("{}", "subscription"));
        let what = format!("{from:?}, {history:?}, {to:?}");
        assert_eq!(
            column(&store, &states).await,
            [(now as u8).to_string()],
            "{what}"
        );
        let events = format!(
            "SELECT event {} AND how = 'import'",
            of.replace("{}", "consent")
        );
        let recorded: Vec<&str> = moved.map(|_| event.consent().word()).into_iter().collect();
        assert_eq!(column(&store, &events).await, recorded, "{what}");
    }
    assert_eq!(imported, wanted);
}

/// Puts a reader into a state with a history, behind the store's back.
async fn put(
    store: &Store,
    list: ListId,
    reader: usize,
    state: Option<SubscriptionState>,
    events: &[&'static str],
) {
    let Some(state) = state else { return };
    let email = format!("reader{reader}@b.example");
    let events: Vec<&str> = events.to_vec();
    store
        .write("putting a reader", move |c| {
            Box::pin(async move {
                let id: i64 = sqlx::query_scalar("SELECT id FROM subscriber WHERE email = ?")
                    .bind(email)
                    .fetch_one(&mut *c)
                    .await?;
                sqlx::query("INSERT INTO subscription (list_id, subscriber_id, state, since) VALUES (?, ?, ?, 0)")
                    .bind(list.0)
                    .bind(id)
                    .bind(state as u8)
                    .execute(&mut *c)
                    .await?;
                for event in events {
                    sqlx::query(
                        "INSERT INTO consent (list_id, subscriber_id, at, event, how) VALUES (?, ?, 0, ?, 'form')",
                    )
                    .bind(list.0)
                    .bind(id)
                    .bind(event)
                    .execute(&mut *c)
                    .await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}
