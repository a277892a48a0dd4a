//! Copies that are put in the place of a database are known for what they are, and kills and power cuts never make one
//! look like a copy.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::super::commit_batch::{Batch, Claim, Grant};
use super::super::companion;
use super::super::fanout::FanOut;
use super::super::issues::{Firing, Queueing};
use super::super::lock::beside;
use super::super::testing::{
    address, column, consent, hours, meddle, new_issue, open_with_list, t,
};
use super::super::{DaemonLock, Store};
use crate::model::delivery::{MailKey, State};
use crate::model::restored::Origin;
use crate::model::sending::IssueState;
use crate::model::waiting::Reason;
use crate::model::{IssueId, ListId, SubscriberId};

/// A database in which issue 1 goes out to three people, and issue 2 is scheduled.
async fn mid_send() -> (TempDir, Store, ListId, IssueId) {
    let (dir, store, list) = open_with_list().await;
    for n in 0..3 {
        let who = address(&format!("reader{n}@readers.example"));
        store.add(list, &who, "", consent()).await.unwrap();
    }
    let mut queued = Vec::new();
    for (slug, number) in [("001", 1), ("002", 2)] {
        let issue = super::super::issues::NewIssue {
            due_at: t(if number == 1 { 0 } else { 100_000 }),
            ..new_issue(list, slug, number)
        };
        let Queueing::Queued(id) = store.queue_issue(issue).await.unwrap() else {
            panic!("it is new")
        };
        queued.push(id);
    }
    store.start_due(t(1), hours(6)).await.unwrap();
    while store.fan_out(queued[0]).await.unwrap() == FanOut::Partial {}
    (dir, store, list, queued[0])
}

async fn claim(store: &Store, issue: IssueId, person: i64) {
    let claim = Claim {
        key: MailKey::Issue(issue, SubscriberId(person)),
        from: State::Queued,
        attempt: 0,
    };
    let batch = Batch {
        claims: vec![claim],
        ..Batch::default()
    };
    let done = store.commit_batch(&batch, t(2)).await.unwrap();
    assert_eq!(done.grants, [Grant::Granted { attempt: 1 }]);
}

/// The database and its log as they are on the disk now.
fn snapshot(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    ["", "-wal"]
        .map(|ending| beside(path, ending))
        .into_iter()
        .filter_map(|file| Some((file.clone(), fs::read(file).ok()?)))
        .collect()
}

fn put_back(path: &Path, files: &[(PathBuf, Vec<u8>)]) {
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(beside(path, ending));
    }
    for (file, bytes) in files {
        fs::write(file, bytes).unwrap();
    }
}

fn origin(store: &Store) -> Option<Origin> {
    store.restored().map(|restored| restored.origin)
}

#[tokio::test]
async fn a_database_that_is_as_it_was_left_is_no_copy() {
    let (dir, store, _, issue) = mid_send().await;
    let path = store.path().to_owned();
    claim(&store, issue, 1).await;
    // As a kill leaves it: everything that was committed, and nothing was closed.
    let killed = snapshot(&path);
    let state = fs::read(companion::path(&path)).unwrap();
    store.close().await;
    put_back(&path, &killed);
    fs::write(companion::path(&path), state).unwrap();
    let store = Store::open(&path).await.unwrap();
    assert_eq!(origin(&store), None);
    store.close().await;
    // By another name of its folder, and moved with what stands beside it.
    let link = dir.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let store = Store::open(&link).await.unwrap();
    assert_eq!(origin(&store), None);
    store.close().await;
    let moved = dir.path().join("moved");
    fs::create_dir(&moved).unwrap();
    for ending in ["", companion::ENDING] {
        fs::rename(
            beside(&path, ending),
            moved.join(format!("letterpress.db{ending}")),
        )
        .unwrap();
    }
    let store = Store::open(&moved.join("letterpress.db")).await.unwrap();
    assert_eq!(origin(&store), None);
}

#[tokio::test]
async fn a_count_that_lags_behind_the_database_is_no_copy() {
    let (_dir, store, _, issue) = mid_send().await;
    let path = store.path().to_owned();
    let before = fs::read(companion::path(&path)).unwrap();
    claim(&store, issue, 1).await;
    store.close().await;
    // A power cut may leave an older companion, and never a newer one.
    fs::write(companion::path(&path), before).unwrap();
    assert_eq!(origin(&Store::open(&path).await.unwrap()), None);
}

#[tokio::test]
async fn what_goes_out_after_an_older_copy_was_put_back_is_held() {
    let (_dir, store, list, issue) = mid_send().await;
    let path = store.path().to_owned();
    let firing = Firing {
        before: None,
        at: t(5),
    };
    assert!(store.fire(list, firing).await.unwrap());
    claim(&store, issue, 1).await;
    let copy = snapshot(&path);
    claim(&store, issue, 2).await;
    store.close().await;
    put_back(&path, &copy);

    let store = Store::open(&path).await.unwrap();
    let restored = store.restored().unwrap().clone();
    assert_eq!(restored.origin, Origin::Older);
    assert_eq!(restored.held, ["001", "002"]);
    assert_eq!(restored.schedules, ["weekly"]);
    for row in store.issues().await.unwrap() {
        assert_eq!(row.state, IssueState::Held, "{}", row.slug);
        assert!(matches!(
            row.reason,
            Some(Reason::Restored { as_of: Some(_) })
        ));
    }
    let totals = store.issue(issue).await.unwrap().unwrap().totals;
    assert_eq!((totals.queued, totals.uncertain, totals.sending), (2, 1, 0));
    assert!(store.is_schedule_held(list).await.unwrap());
    // Nothing starts by itself, and what is not due yet waits for its time after a resume.
    store.start_due(t(200_000), hours(600)).await.unwrap();
    let second = store.issues().await.unwrap()[1].id;
    assert_eq!(
        store.issue(second).await.unwrap().unwrap().state,
        IssueState::Held
    );
    store.resume(second, t(50)).await.unwrap();
    assert_eq!(
        store.issue(second).await.unwrap().unwrap().state,
        IssueState::Scheduled
    );
    store.close().await;
    // The author has spoken: it is the database from now on.
    assert_eq!(origin(&Store::open(&path).await.unwrap()), None);
}

#[tokio::test]
async fn a_copy_with_everything_beside_it_is_known_by_its_file() {
    let (_dir, store, ..) = mid_send().await;
    let path = store.path().to_owned();
    store.close().await;
    let whole = fs::read(&path).unwrap();
    // Where file systems keep no time of making, nothing can be said.
    if fs::metadata(&path).unwrap().created().is_err() {
        return;
    }
    std::thread::sleep(std::time::Duration::from_millis(20));
    let kept = path.with_extension("kept");
    fs::rename(&path, &kept).unwrap();
    fs::write(&path, whole).unwrap();
    assert_eq!(
        origin(&Store::open(&path).await.unwrap()),
        Some(Origin::Copied)
    );
}

#[tokio::test]
async fn one_that_was_moved_alone_or_stands_in_anothers_place_is_known() {
    let (dir, store, ..) = mid_send().await;
    let path = store.path().to_owned();
    store.close().await;
    let alone = dir.path().join("alone.db");
    fs::copy(&path, &alone).unwrap();
    let store = Store::open(&alone).await.unwrap();
    assert_eq!(origin(&store), Some(Origin::Alone));
    store.close().await;
    // That goes on by itself now, and is not the one that it came from.
    fs::remove_file(&path).unwrap();
    fs::rename(&alone, &path).unwrap();
    assert_eq!(
        origin(&Store::open(&path).await.unwrap()),
        Some(Origin::Another)
    );
}

#[tokio::test]
async fn a_backup_that_is_put_in_place_by_hand_is_known_by_its_mark() {
    let (dir, store, _, issue) = mid_send().await;
    let copy = dir.path().join("copy.db");
    store.backup(&copy, t(7)).await.unwrap();
    let path = store.path().to_owned();
    // The database itself goes on as before.
    claim(&store, issue, 1).await;
    store.close().await;
    let store = Store::open(&path).await.unwrap();
    assert_eq!(origin(&store), None);
    store.close().await;
    fs::rename(&copy, &path).unwrap();
    let store = Store::open(&path).await.unwrap();
    let restored = store.restored().unwrap();
    assert_eq!(restored.origin, Origin::Backup);
    assert_eq!(restored.as_of, Some(t(7)));
    store.close().await;
    assert_eq!(origin(&Store::open(&path).await.unwrap()), None);
}

#[tokio::test]
async fn a_log_that_was_deleted_is_missed_after_a_kill() {
    let (_dir, store, _, issue) = mid_send().await;
    let path = store.path().to_owned();
    meddle(&store, "PRAGMA wal_checkpoint").await;
    claim(&store, issue, 1).await;
    // What a kill leaves without the log.
    let database = fs::read(&path).unwrap();
    let state = fs::read(companion::path(&path)).unwrap();
    store.close().await;
    put_back(&path, &[(path.clone(), database)]);
    fs::write(companion::path(&path), state).unwrap();
    assert_eq!(
        origin(&Store::open(&path).await.unwrap()),
        Some(Origin::Older)
    );
}

#[tokio::test]
async fn a_database_of_an_earlier_version_is_taken_as_it_is() {
    let (_dir, store, _, issue) = mid_send().await;
    let path = store.path().to_owned();
    meddle(&store, "DELETE FROM origin").await;
    store.close().await;
    fs::remove_file(companion::path(&path)).unwrap();
    let store = Store::open(&path).await.unwrap();
    assert_eq!(origin(&store), None);
    claim(&store, issue, 1).await;
    // Killed after its identity was announced, and before it had it.
    meddle(&store, "DELETE FROM origin").await;
    store.close().await;
    let text = fs::read_to_string(companion::path(&path)).unwrap();
    fs::write(
        companion::path(&path),
        text.replace("\"is_settled\":true", "\"is_settled\":false"),
    )
    .unwrap();
    assert_eq!(origin(&Store::open(&path).await.unwrap()), None);
    // One of an earlier version in the place of this one.
    let store = Store::open(&path).await.unwrap();
    meddle(&store, "DELETE FROM origin").await;
    store.close().await;
    assert_eq!(
        origin(&Store::open(&path).await.unwrap()),
        Some(Origin::Older)
    );
}

#[tokio::test]
async fn confirmations_that_wait_in_a_copy_are_dropped() {
    let (_dir, store, list, _) = mid_send().await;
    let path = store.path().to_owned();
    store
        .sign_up(
            list,
            &address("new@readers.example"),
            "",
            consent(),
            crate::model::Rendered::empty(),
            hours(1),
        )
        .await
        .unwrap();
    let copy = snapshot(&path);
    store.ensure_lists(&["later".into()], t(9)).await.unwrap();
    store.close().await;
    put_back(&path, &copy);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(
        column(&store, "SELECT state || reply FROM system_mail")
            .await
            .len(),
        1
    );
    assert_eq!(
        column(&store, "SELECT cast(state AS TEXT) FROM system_mail").await,
        ["6"]
    );
}

#[tokio::test]
async fn a_copy_is_refused_while_a_daemon_works_with_the_database() {
    let (_dir, store, _, issue) = mid_send().await;
    let path = store.path().to_owned();
    let copy = snapshot(&path);
    claim(&store, issue, 1).await;
    store.close().await;
    put_back(&path, &copy);
    // A lock that this process took without `DaemonLock` looks like another process's.
    let theirs = fs::File::create(beside(&path, ".lock")).unwrap();
    theirs.lock().unwrap();
    fs::write(beside(&path, ".lock"), "pid 812").unwrap();
    let Err(error) = Store::open(&path).await else {
        panic!("it was opened")
    };
    assert!(error.to_string().contains("pid 812"), "{error}");
    drop(theirs);
    assert_eq!(
        origin(&Store::open(&path).await.unwrap()),
        Some(Origin::Older)
    );
}

#[tokio::test]
async fn the_lock_of_a_daemon_holds_under_every_name() {
    let (dir, store) = super::super::testing::open().await;
    let path = store.path().to_owned();
    let link = dir.path().join("link.db");
    std::os::unix::fs::symlink("letterpress.db", &link).unwrap();
    let folder = dir.path().join("folder");
    std::os::unix::fs::symlink(dir.path(), &folder).unwrap();
    let _lock = DaemonLock::take(&path, "pid 1").unwrap();
    for name in [
        &link,
        &folder.join("letterpress.db"),
        &folder.join("link.db"),
    ] {
        let said = DaemonLock::take(name, "pid 2").unwrap_err().to_string();
        assert!(said.contains("pid 1"), "{}: {said}", name.display());
        assert_eq!(DaemonLock::holder(name).as_deref(), Some("pid 1"));
    }
}

#[tokio::test]
async fn a_hard_link_is_no_second_name_to_work_under() {
    let (dir, store, ..) = mid_send().await;
    let path = store.path().to_owned();
    let other = dir.path().join("hard.db");
    fs::hard_link(&path, &other).unwrap();
    let Err(error) = Store::open(&other).await else {
        panic!("it was opened under its second name")
    };
    assert!(error.to_string().contains("2 names"), "{error}");
    assert!(
        !beside(&other, "-wal").exists(),
        "nothing was made beside it"
    );
    store.close().await;
    assert_eq!(origin(&Store::open(&path).await.unwrap()), None);
    fs::remove_file(&path).unwrap();
    assert_eq!(
        origin(&Store::open(&other).await.unwrap()),
        Some(Origin::Alone)
    );
}
