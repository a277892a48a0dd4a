//! What a batch means, person by person, and that it is quick to ask.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::store::testing::{address, column, open_with_list, plan, t};

fn wish() -> impl Strategy<Value = Wish> {
    (1i64..3, 0i64..5).prop_map(|(list, state)| Wish {
        list: ListId(list),
        state: SubscriptionState::from_number(state).unwrap(),
    })
}

/// A batch: by address, a name and wishes for different lists.
fn batch() -> impl Strategy<Value = Vec<Incoming>> {
    let wishes = proptest::collection::vec(wish(), 1..3).prop_map(|mut wishes| {
        wishes.dedup_by_key(|wish| wish.list);
        wishes
    });
    let person = ("(|A|B)", "(|x|x,y)", wishes);
    proptest::collection::btree_map("[a-cA-C]", person, 0..4).prop_map(|people| {
        let mut seen = BTreeSet::new();
        let fresh = people
            .into_iter()
            .filter(|(local, _)| seen.insert(local.to_lowercase()));
        let incoming = fresh.map(|(local, (name, tags, wishes))| Incoming {
            email: address(&format!("{local}@b.example")),
            name,
            tags,
            joined_at: None,
            wishes,
        });
        incoming.collect()
    })
}

/// What an import means, said once more and one person at a time.
#[derive(Default)]
struct Meaning {
    texts: HashMap<String, (String, String)>,
    places: HashMap<(String, i64), SubscriptionState>,
}

impl Meaning {
    fn import(&mut self, people: &[Incoming]) -> Imported {
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
            for wish in &person.wishes {
                let place = (person.email.key(), wish.list.0);
                let old = self.places.get(&place).copied();
                let moves = old.is_none_or(|old| match (old, wish.state) {
                    (SubscriptionState::Pending, SubscriptionState::Pending) => false,
                    (SubscriptionState::Pending, _) => true,
                    (SubscriptionState::Active, new) => new.is_gone(),
                    _ => false,
                });
                if moves {
                    self.places.insert(place, wish.state);
                }
                match old {
                    None => imported.added += 1,
                    Some(_) if moves || renamed => imported.updated += 1,
                    Some(_) => imported.unchanged += 1,
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
            let places: BTreeSet<String> = column(
                &store, "SELECT lower(email) || list_id || state FROM subscription
                         JOIN subscriber ON id = subscriber_id",
            ).await.into_iter().collect();
            let wanted = meaning.places.iter().map(|((who, list), state)| format!("{who}{list}{}", *state as u8));
            assert_eq!(places, wanted.collect::<BTreeSet<_>>());
        });
    }
}

#[tokio::test]
async fn somebody_who_becomes_active_has_no_open_question() {
    let (_dir, store, list) = open_with_list().await;
    let ann = |state| Incoming {
        email: address("ann@readers.example"),
        name: String::new(),
        tags: String::new(),
        joined_at: Some(t(9)),
        wishes: vec![Wish { list, state }],
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
    let people: Vec<Incoming> = ["a", "b"]
        .map(|local| Incoming {
            email: address(&format!("{local}@b.example")),
            name: String::new(),
            tags: String::new(),
            joined_at: None,
            wishes: vec![Wish {
                list,
                state: SubscriptionState::Active,
            }],
        })
        .into();
    let wishes: Vec<(usize, Wish)> = (0..)
        .zip(people.iter().map(|person| person.wishes[0]))
        .collect();
    let plan = plan(&store, look_up(&people, &wishes).sql().as_str()).await;
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
