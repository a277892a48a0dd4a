//! The file as a whole: how it is made, by whom it can be read, and what is said where something is wrong.

mod audit;
mod clock;
mod copies;
mod ledger;
mod plans;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::lock::{OpeningLock, beside};
use super::testing::{open, open_with_list, set_pragma, t};
use super::*;

/// A user without rights, on every Linux.
const NOBODY: u32 = 65534;
/// Tells [`many_processes_can_make_a_new_one_at_once`] that it is one of them, and which database to open.
const DATABASE: &str = "LETTERPRESS_TEST_DATABASE";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Runs SQL behind the store's back, as another program would.
async fn meddle(path: &Path, sql: &'static str) {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn add_picture(store: &Store, hash: String, bytes: usize) -> Result<()> {
    let add = store.write("adding a picture", move |connection| {
        Box::pin(async move { media::keep(connection, &hash, "png", &vec![7; bytes]).await })
    });
    add.await
}

/// The error of opening, as people read it: one paragraph that begins with the file.
async fn refusal(path: &Path) -> String {
    match Store::open(path).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

/// What opening says in a process of its own, as a user without rights: root may write everything.
fn refusal_without_rights(path: &Path) -> String {
    let mut child = another_process(path);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        child.uid(NOBODY).gid(NOBODY);
    }
    let done = child.output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let line = said.lines().find_map(|line| line.split_once("said: "));
    line.unwrap_or_else(|| panic!("the other process opened it: {said}"))
        .1
        .to_owned()
}

/// A process that opens a database and does nothing else: this program again, in the one test that looks at
/// [`DATABASE`].
fn another_process(path: &Path) -> Command {
    let mut child = Command::new("/proc/self/exe");
    child.args([
        "--exact",
        "store::tests::many_processes_can_make_a_new_one_at_once",
        "--nocapture",
    ]);
    child.env(DATABASE, path);
    child
}

/// Opens it, and prints why that failed.
#[allow(
    clippy::disallowed_macros,
    reason = "the parent process reads what this test prints"
)]
async fn open_and_say(path: &Path) {
    if let Err(error) = Store::open(path).await {
        println!("said: {error}");
    }
}

fn paragraph(said: &str, path: &Path, wanted: &str) {
    assert!(
        said.starts_with(&path.display().to_string()),
        "not named first: {said}"
    );
    assert!(said.contains(wanted), "“{wanted}” is not said: {said}");
    assert!(
        !said.contains('\n') && said.ends_with('.'),
        "no paragraph: {said}"
    );
}

#[tokio::test]
async fn nobody_else_can_read_it() {
    let (_dir, store, _) = open_with_list().await;
    for ending in ["", "-wal", "-shm"] {
        assert_eq!(
            mode(&beside(store.path(), ending)),
            0o600,
            "letterpress.db{ending}"
        );
    }
    assert!(!OpeningLock::path(store.path()).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_can_open_a_new_one_at_once() {
    for _ in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("letterpress.db");
        let opening: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                tokio::spawn(async move { Store::open(&path).await })
            })
            .collect();
        for one in opening {
            one.await
                .unwrap()
                .unwrap()
                .ensure_lists(&["weekly".into()], t(0))
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn many_processes_can_make_a_new_one_at_once() {
    if let Some(path) = std::env::var_os(DATABASE) {
        return open_and_say(Path::new(&path)).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letterpress.db");
    let children: Vec<_> = (0..6)
        .map(|_| {
            another_process(&path)
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        assert!(
            said.contains("1 passed") && !said.contains("said: "),
            "{said}"
        );
    }
    assert!(path.exists() && !OpeningLock::path(&path).exists());
}

#[tokio::test]
async fn what_a_killed_process_left_is_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letterpress.db");
    fs::write(OpeningLock::path(&path), "").unwrap();
    fs::write(&path, "").unwrap();
    Store::open(&path)
        .await
        .unwrap()
        .ensure_lists(&["weekly".into()], t(0))
        .await
        .unwrap();
    assert!(!OpeningLock::path(&path).exists());
}

#[tokio::test]
async fn a_missing_folder_and_a_folder_in_its_place_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none/letterpress.db");
    paragraph(
        &refusal(&path).await,
        &path,
        "its folder does not exist. Make the folder, or change [store] path",
    );
    paragraph(
        &refusal(dir.path()).await,
        dir.path(),
        "this is a folder, not a database",
    );
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letterpress.db");
    fs::write(
        &path,
        "This is no database, but a text of some length. ".repeat(100),
    )
    .unwrap();
    paragraph(
        &refusal(&path).await,
        &path,
        "this file is no SQLite database",
    );
    fs::remove_file(&path).unwrap();
    let other = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    other.close().await.unwrap();
    meddle(&path, "CREATE TABLE song (title TEXT)").await;
    paragraph(
        &refusal(&path).await,
        &path,
        "this is another program's database",
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_dir, store) = open().await;
    let path = store.path().to_owned();
    store.close().await;
    meddle(
        &path,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99, 'later', TRUE, x'00', 0)",
    )
    .await;
    paragraph(&refusal(&path).await, &path, "its schema is number 99");
}

#[tokio::test]
async fn a_cut_file_and_lost_pages_are_called_damaged() {
    let (_dir, store, _) = open_with_list().await;
    let path = store.path().to_owned();
    add_picture(&store, "a".into(), 400_000).await.unwrap();
    store.close().await;
    let whole = fs::read(&path).unwrap();

    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    paragraph(&refusal(&path).await, &path, "the database is damaged");

    let mut holes = whole.clone();
    holes[8192..].fill(0xee);
    fs::write(&path, &holes).unwrap();
    let said = match Store::open(&path).await {
        Err(error) => error.to_string(),
        Ok(store) => {
            let said = store.lists().await.unwrap_err().to_string();
            let copy = path.with_file_name("copy.db");
            store.backup(&copy, t(9)).await.unwrap_err();
            assert!(!copy.exists(), "a damaged backup was kept");
            store.close().await;
            said
        }
    };
    paragraph(&said, &path, "the database is damaged");
}

#[tokio::test]
async fn a_log_without_its_database_is_not_thrown_away() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letterpress.db");
    fs::write(&path, "").unwrap();
    fs::write(beside(&path, "-wal"), "not empty").unwrap();
    paragraph(
        &refusal(&path).await,
        &path,
        "the database is empty or missing, though its log (-wal) is not",
    );
}

#[tokio::test]
async fn what_cannot_be_written_is_named() {
    let (dir, store, _) = open_with_list().await;
    let path = store.path().to_owned();
    store.close().await;
    let open_to_all =
        |mode| fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();

    open_to_all(0o777);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    paragraph(
        &refusal_without_rights(&path),
        &path,
        "the database can't be written",
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    paragraph(
        &refusal_without_rights(&path),
        &path,
        "the database can't be opened",
    );

    open_to_all(0o555);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    paragraph(&refusal_without_rights(&path), &path, "folder");
    let new = dir.path().join("new.db");
    paragraph(
        &refusal_without_rights(&new),
        &new,
        "Make the folder writable for this user",
    );
    open_to_all(0o755);
}

#[tokio::test]
async fn a_lock_that_lasts_is_told_and_passes() {
    let (_dir, store) = open().await;
    set_pragma(&store, "busy_timeout = 50").await;
    let mut other = SqliteConnectOptions::new()
        .filename(store.path())
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let error = store
        .ensure_lists(&["weekly".into()], t(0))
        .await
        .unwrap_err();
    paragraph(
        &error.to_string(),
        store.path(),
        "the database is locked by another process",
    );
    assert!(error.is_passing());
    let reader = Store::open(store.path())
        .await
        .expect("a lock keeps nobody from reading");
    assert!(reader.lists().await.unwrap().is_empty());
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(
        store
            .ensure_lists(&["weekly".into()], t(0))
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_full_disk_keeps_nothing_and_passes() {
    let (_dir, store) = open().await;
    set_pragma(&store, "max_page_count = 100").await;
    let error = add_picture(&store, "a".into(), 1_000_000)
        .await
        .unwrap_err();
    paragraph(&error.to_string(), store.path(), "the disk is full");
    assert!(error.is_passing());
    assert_eq!(store.media("a").await.unwrap(), None);
    set_pragma(&store, "max_page_count = 100000").await;
    add_picture(&store, "a".into(), 1_000_000).await.unwrap();
    assert_eq!(store.media("a").await.unwrap().unwrap().1.len(), 1_000_000);
}

#[tokio::test]
async fn the_log_stays_small_and_is_folded_in_at_the_end() {
    let (_dir, store) = open().await;
    let path = store.path().to_owned();
    for n in 0..60 {
        add_picture(&store, n.to_string(), 500_000).await.unwrap();
    }
    let log = fs::metadata(beside(&path, "-wal")).unwrap().len();
    assert!(
        log < 8_000_000,
        "30 MB were written, and the log holds {log} bytes"
    );
    store.close().await;
    assert!(!beside(&path, "-wal").exists());
    assert_eq!(
        Store::open(&path)
            .await
            .unwrap()
            .media("59")
            .await
            .unwrap()
            .unwrap()
            .1
            .len(),
        500_000
    );
}

#[tokio::test]
async fn a_job_that_dies_leaves_nothing_and_the_store_alive() {
    let (_dir, store) = open().await;
    let died = store.write("trying something", |connection| {
        Box::pin(async move {
            sqlx::query("INSERT INTO list (key, created_at) VALUES ('x', 0)")
                .execute(connection)
                .await?;
            panic!("a defect")
        })
    });
    let died: Result<()> = died.await;
    assert!(
        died.unwrap_err()
            .to_string()
            .contains("a defect of Letterpress")
    );
    assert!(store.lists().await.unwrap().is_empty());
    store.ensure_lists(&["weekly".into()], t(0)).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing_half_done() {
    let (_dir, store) = open().await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go_on, may_go_on) = tokio::sync::oneshot::channel();
    let caller = {
        let store = store.clone();
        tokio::spawn(async move {
            let job = store.write("adding two", |connection| {
                Box::pin(async move {
                    let insert = "INSERT INTO list (key, created_at) VALUES (?, 0)";
                    sqlx::query(insert)
                        .bind("one")
                        .execute(&mut *connection)
                        .await?;
                    let _ = begun.send(());
                    let _ = may_go_on.await;
                    sqlx::query(insert).bind("two").execute(connection).await?;
                    Ok(())
                })
            });
            job.await
        })
    };
    has_begun.await.unwrap();
    caller.abort();
    let _ = caller.await;
    let _ = go_on.send(());
    store.ensure_lists(&["three".into()], t(0)).await.unwrap();
    assert_eq!(
        store.lists().await.unwrap().len(),
        3,
        "the job ran to its end"
    );
}

#[tokio::test]
async fn who_begins_to_watch_wakes_those_who_may_have_missed_something() {
    let (_dir, store) = open().await;
    let mut changes = store.changes();
    let woken = async {
        tokio::select! {
            ended = store.watch_others(Duration::from_secs(3600)) => panic!("{ended:?}"),
            woken = changes.changed() => woken.unwrap(),
        }
    };
    tokio::time::timeout(Duration::from_secs(60), woken)
        .await
        .expect("nobody was woken");
}

#[tokio::test]
async fn another_process_s_write_wakes_who_waits() {
    let (_dir, store) = open().await;
    let other = Store::open(store.path()).await.unwrap();
    let mut changes = store.changes();
    let watching = {
        let store = store.clone();
        tokio::spawn(async move { store.watch_others(Duration::from_millis(5)).await })
    };
    // The first look is only for comparison: write until one is noticed.
    let noticed = async {
        for n in 0.. {
            other
                .ensure_lists(&[format!("list-{n}")], t(0))
                .await
                .unwrap();
            if tokio::time::timeout(Duration::from_millis(50), changes.changed())
                .await
                .is_ok()
            {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), noticed)
        .await
        .expect("nobody was woken");
    watching.abort();
}
