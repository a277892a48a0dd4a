//! What a restore takes over, what it keeps, and what it refuses.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::model::delivery::{Event, MailKey, State};
use crate::model::reply::Diagnostic;
use crate::model::subscription::SubscriptionState;
use crate::model::{IssueId, ListId, SubscriberId};
use crate::store::commit_batch::{Batch, Claim, Outcome};
use crate::store::fanout::FanOut;
use crate::store::issues::Queueing;
use crate::store::testing::{
    address, column, consent, hours, meddle, new_issue, open_with_list, t,
};
use crate::store::{DaemonLock, Store};

async fn queued(store: &Store, list: ListId, slug: &str, number: u32) -> IssueId {
    let Queueing::Queued(id) = store
        .queue_issue(new_issue(list, slug, number))
        .await
        .unwrap()
    else {
        panic!("it is new")
    };
    store.start_due(t(1), hours(6)).await.unwrap();
    while store.fan_out(id).await.unwrap() == FanOut::Partial {}
    id
}

/// Claims mails, and has those accepted that are to be.
async fn send(store: &Store, issue: IssueId, people: &[i64], is_answered: bool) {
    let key = |person: &i64| MailKey::Issue(issue, SubscriberId(*person));
    let claims = people.iter().map(|person| Claim {
        key: key(person),
        from: State::Queued,
        attempt: 0,
    });
    let batch = Batch {
        claims: claims.collect(),
        ..Batch::default()
    };
    store.commit_batch(&batch, t(2)).await.unwrap();
    if !is_answered {
        return;
    }
    let outcomes = people.iter().map(|person| Outcome {
        key: key(person),
        from: State::Sending,
        attempt: 1,
        event: Event::Accepted,
        next_at: None,
        reply: Diagnostic::without_reply("taken"),
        relay: "main".into(),
    });
    let batch = Batch {
        outcomes: outcomes.collect(),
        ..Batch::default()
    };
    store.commit_batch(&batch, t(3)).await.unwrap();
}

async fn people(store: &Store, list: ListId, names: &[&str]) {
    for name in names {
        let email = address(&format!("{name}@readers.example"));
        store.add(list, &email, "", consent()).await.unwrap();
    }
}

/// A backup in mid-send; since then the send went on, somebody left, somebody came, and another issue went out.
async fn since_a_backup() -> (tempfile::TempDir, PathBuf, PathBuf, ListId) {
    let (dir, store, list) = open_with_list().await;
    people(&store, list, &["a", "b", "c", "d"]).await;
    let first = queued(&store, list, "001", 1).await;
    send(&store, first, &[1], true).await;
    let copy = dir.path().join("copy.db");
    store.backup(&copy, t(10)).await.unwrap();

    send(&store, first, &[2], true).await;
    send(&store, first, &[3], false).await;
    store
        .unsubscribe(list, SubscriberId(4), consent())
        .await
        .unwrap();
    people(&store, list, &["e"]).await;
    let second = queued(&store, list, "002", 2).await;
    send(&store, second, &[1, 5], true).await;
    meddle(
        &store,
        "INSERT INTO suppression (email, reason, at) VALUES ('x@readers.example', 'manual', 1);
         INSERT INTO link_key (id, secret, created_at) VALUES (7, x'0102', 1)",
    )
    .await;
    let path = store.path().to_owned();
    store.close().await;
    (dir, copy, path, list)
}

async fn states(store: &Store, issue: IssueId) -> Vec<(String, State)> {
    let rows = store
        .deliveries(issue, None, SubscriberId(0), 100)
        .await
        .unwrap();
    rows.into_iter().map(|row| (row.email, row.state)).collect()
}

#[tokio::test]
async fn a_restore_mails_nobody_twice_and_nobody_who_left() {
    let (_dir, copy, path, list) = since_a_backup().await;
    let done = restore(&copy, &path, t(100)).await.unwrap();
    let carried = done.carried.unwrap();
    assert_eq!(
        (carried.left, carried.left_emails, carried.suppressed),
        (1, vec!["d@readers.example".into()], 1)
    );
    let issues: Vec<(String, u64)> = carried
        .issues
        .into_iter()
        .map(|issue| (issue.slug, issue.people))
        .collect();
    assert_eq!(issues, [("001".into(), 3), ("002".into(), 2)]);
    assert_eq!(done.restoration.held, ["001", "002"]);
    assert_eq!(done.restoration.as_of, Some(t(10)));
    assert!(done.kept.unwrap().exists());

    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.restored(), None, "it was held already");
    let rows = store.issues().await.unwrap();
    let email = |name: &str| format!("{name}@readers.example");
    assert_eq!(
        states(&store, rows[0].id).await,
        [
            (email("a"), State::Sent),
            (email("b"), State::Sent),
            (email("c"), State::Uncertain),
            (email("d"), State::Queued)
        ]
    );
    assert_eq!(
        states(&store, rows[1].id).await,
        [
            (email("a"), State::Sent),
            (email("b"), State::Queued),
            (email("c"), State::Queued),
            (email("e"), State::Sent)
        ]
    );
    for row in &rows {
        let sum: u64 = states(&store, row.id).await.len() as u64;
        assert_eq!(row.totals.planned(), sum, "{}", row.slug);
    }
    let d = store
        .find_subscriber(&address("d@readers.example"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        d.state(Some("weekly")),
        Some(SubscriptionState::Unsubscribed)
    );
    let (how, _) = store.last_consent("left").await;
    assert_eq!(how, "command");
    // Who came since then has a row for the ledger's sake, and no subscription.
    let e = store
        .find_subscriber(&address("e@readers.example"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((e.id, e.subscriptions.len()), (SubscriberId(5), 0));
    assert_eq!(store.link_keys().await.unwrap().last().unwrap().0, 7);
    // Nobody gets the number of somebody who may have come since then.
    people(&store, list, &["f"]).await;
    let f = store
        .find_subscriber(&address("f@readers.example"))
        .await
        .unwrap()
        .unwrap();
    assert!(f.id.0 > 1_000_000, "{}", f.id);
}

#[tokio::test]
async fn without_a_database_everything_that_was_not_over_is_held() {
    let (dir, copy, ..) = since_a_backup().await;
    let place = dir.path().join("new/letterpress.db");
    fs::create_dir(place.parent().unwrap()).unwrap();
    let done = restore(&copy, &place, t(100)).await.unwrap();
    assert_eq!(
        (done.kept, done.carried, done.unreadable),
        (None, None, None)
    );
    assert_eq!(done.restoration.held, ["001"]);
    let store = Store::open(&place).await.unwrap();
    assert_eq!(store.restored(), None);
}

#[tokio::test]
async fn a_damaged_database_is_replaced_and_kept() {
    let (_dir, copy, path, _) = since_a_backup().await;
    fs::write(&path, b"no database at all".repeat(1000)).unwrap();
    let done = restore(&copy, &path, t(100)).await.unwrap();
    assert!(done.carried.is_none() && done.unreadable.is_some());
    assert!(
        fs::read(done.kept.unwrap())
            .unwrap()
            .starts_with(b"no database")
    );
    assert_eq!(done.restoration.held, ["001"]);
    Store::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_damaged_ledger_costs_nobody_who_left() {
    let (_dir, copy, path, _) = since_a_backup().await;
    let options = SqliteConnectOptions::new().filename(&path);
    let mut other = options.connect().await.unwrap();
    let root: i64 =
        sqlx::query_scalar("SELECT rootpage FROM sqlite_master WHERE name = 'delivery'")
            .fetch_one(&mut other)
            .await
            .unwrap();
    other.close().await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = (usize::try_from(root).unwrap() - 1) * 4096;
    bytes[at..at + 4096].fill(0xee);
    fs::write(&path, bytes).unwrap();
    let done = restore(&copy, &path, t(100)).await.unwrap();
    assert!(done.unreadable.is_some_and(|why| why.contains("damaged")));
    let carried = done.carried.unwrap();
    assert_eq!((carried.left, carried.issues), (1, Vec::new()));
    assert_eq!(done.restoration.held, ["001"]);
}

#[tokio::test]
async fn what_is_no_backup_of_ours_is_refused_and_changes_nothing() {
    let (dir, copy, path, _) = since_a_backup().await;
    let before = fs::read(&path).unwrap();
    let file = |name: &str| dir.path().join(name);
    fs::write(file("text.db"), "a text ".repeat(1000)).unwrap();
    fs::write(file("empty.db"), "").unwrap();
    let whole = fs::read(&copy).unwrap();
    fs::write(file("cut.db"), &whole[..whole.len() / 2]).unwrap();
    fs::copy(&copy, file("newer.db")).unwrap();
    fs::copy(&copy, file("other.db")).unwrap();
    for (name, sql) in [
        (
            "newer.db",
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (99, 'later', TRUE, x'00', 0)",
        ),
        ("other.db", "DROP TABLE _sqlx_migrations"),
    ] {
        let options = SqliteConnectOptions::new().filename(file(name));
        let mut other = options.connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut other).await.unwrap();
        other.close().await.unwrap();
    }
    let mut refused: Vec<PathBuf> = [
        "text.db", "empty.db", "cut.db", "newer.db", "other.db", "none.db",
    ]
    .map(file)
    .into();
    refused.extend([path.clone(), dir.path().to_owned()]);
    for wrong in refused {
        let error = restore(&wrong, &path, t(100)).await.unwrap_err();
        assert!(!error.what.is_empty(), "{}", wrong.display());
        assert_eq!(fs::read(&path).unwrap(), before, "{}", wrong.display());
    }
    let left = fs::read_dir(dir.path()).unwrap().flatten();
    let names: Vec<String> = left
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        names.iter().all(|name| !name.contains("restore")),
        "{names:?}"
    );
}

#[tokio::test]
async fn what_a_killed_restore_left_is_taken_away_by_the_next() {
    let (dir, copy, path, _) = since_a_backup().await;
    let left = dir.path().join(format!("{UNFINISHED}abc"));
    fs::write(&left, "half a copy").unwrap();
    restore(&copy, &path, t(100)).await.unwrap();
    assert!(!left.exists());
    // Once more, as after a kill before it was told: the one that was restored is kept as well.
    let again = restore(&copy, &path, t(100)).await.unwrap();
    assert!(again.kept.unwrap().to_string_lossy().ends_with("-2"));
    assert_eq!(again.restoration.held, ["001", "002"]);
}

#[tokio::test]
async fn killed_before_its_companion_is_written_everything_is_held_all_the_same() {
    let (_dir, copy, path, _) = since_a_backup().await;
    let before = fs::read(companion::path(&path)).unwrap();
    restore(&copy, &path, t(100)).await.unwrap();
    fs::write(companion::path(&path), before).unwrap();
    let store = Store::open(&path).await.unwrap();
    let origin = store.restored().map(|restored| restored.origin);
    assert_eq!(origin, Some(Origin::Another));
    for row in store.issues().await.unwrap() {
        assert_eq!(row.state.word(), "held", "{}", row.slug);
    }
}

#[tokio::test]
async fn the_lock_is_the_daemons() {
    let (_dir, _, path, _) = since_a_backup().await;
    let lock = DaemonLock::take(&path, "pid 1, letterpress restore").unwrap();
    assert!(DaemonLock::take(&path, "pid 2").is_err());
    drop(lock);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(
        column(&store, "SELECT count(*) || '' FROM issue").await,
        ["2"]
    );
}
