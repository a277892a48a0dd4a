//! However a rehearsal ends, nothing of it stays: neither in the database nor beside it.

use std::process::Child;

use letterpress::store::Store;

use crate::letter::{Letter, until};

/// Enough that the rehearsal is still going on when it has been noticed.
const READERS: usize = 2000;
const REHEARSE: [&str; 2] = ["rehearse", "issues/001.md"];

fn letter(readers: usize) -> Letter {
    let letter = Letter::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"");
    if readers > 0 {
        letter.people(readers);
    }
    letter
}

/// The copies that lie beside the database.
fn copies(letter: &Letter) -> Vec<String> {
    let folder = std::fs::read_dir(letter.path()).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with(".rehearsal-"))
        .collect()
}

/// A rehearsal that works on its copy, held there by a stop signal.
fn halted(letter: &Letter) -> (Child, String) {
    let before = copies(letter);
    let rehearsal = letter.begin(&REHEARSE);
    let mut own = None;
    until("the copy to be made", || {
        own = copies(letter)
            .into_iter()
            .find(|name| !before.contains(name));
        own.as_ref()
            .is_some_and(|name| letter.path().join(name).join("letterpress.db-wal").exists())
    });
    signal(&rehearsal, "-STOP");
    (rehearsal, own.unwrap())
}

fn signal(process: &Child, which: &str) {
    let pid = process.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args([which, &pid])
            .status()
            .unwrap()
            .success()
    );
}

/// Waits for its end, and gives its exit status.
fn end(mut rehearsal: Child) -> Option<i32> {
    let mut ended = None;
    until("the rehearsal to end", || {
        ended = rehearsal.try_wait().unwrap();
        ended.is_some()
    });
    ended.unwrap().code()
}

#[test]
fn an_interrupted_rehearsal_deletes_its_copy() {
    let letter = letter(READERS);
    for which in ["-INT", "-TERM"] {
        let (rehearsal, _) = halted(&letter);
        signal(&rehearsal, which);
        signal(&rehearsal, "-CONT");
        assert_eq!(end(rehearsal), Some(130), "{which}: {}", letter.log());
        assert_eq!(copies(&letter), [""; 0], "{which}");
        assert!(
            letter.log().contains("was interrupted"),
            "{which}: {}",
            letter.log()
        );
    }
}

#[test]
fn what_a_killed_rehearsal_left_is_swept_and_a_running_one_is_not() {
    let mut letter = letter(READERS);
    let kill = |letter: &Letter| {
        let (mut rehearsal, copy) = halted(letter);
        signal(&rehearsal, "-KILL");
        rehearsal.wait().unwrap();
        assert!(copies(letter).contains(&copy), "a kill leaves it");
        copy
    };
    let (running, its_copy) = halted(&letter);
    kill(&letter);
    letter.ok(&REHEARSE);
    assert_eq!(
        copies(&letter),
        [its_copy.as_str()],
        "another rehearsal takes away the dead one's alone"
    );

    kill(&letter);
    letter.serve();
    assert_eq!(
        copies(&letter),
        [its_copy.as_str()],
        "and so does a daemon that starts"
    );
    signal(&running, "-CONT");
    assert_eq!(
        end(running),
        Some(0),
        "it went on unhindered: {}",
        letter.log()
    );
    assert_eq!(copies(&letter), [""; 0]);
    assert_eq!(letter.stop(), 0);
}

#[test]
fn a_rehearsal_in_a_fresh_folder_leaves_no_trace_in_the_database() {
    let letter = letter(0);
    letter.run(&REHEARSE);
    assert_eq!(copies(&letter), [""; 0]);
    let (lists, keys, issues) = rows(&letter);
    assert_eq!(
        (lists, keys, issues),
        (0, 0, 0),
        "rows of lists, keys and issues"
    );
}

/// How many lists, keys of links and issues the database holds.
#[tokio::main(flavor = "current_thread")]
async fn rows(letter: &Letter) -> (usize, usize, usize) {
    let store = Store::open(&letter.path().join("letterpress.db"))
        .await
        .unwrap();
    let lists = store.lists().await.unwrap().len();
    let keys = store.link_keys().await.unwrap().len();
    let issues = store.issues().await.unwrap().len();
    store.close().await;
    (lists, keys, issues)
}

/// A limit on the size of files takes the place of a disk without room: the copy can be made, its log can't grow.
#[test]
fn a_rehearsal_that_can_not_go_on_says_why_and_ends() {
    let letter = letter(READERS);
    let size = std::fs::metadata(letter.path().join("letterpress.db"))
        .unwrap()
        .len();
    let blocks = size / 512 + 100;
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" rehearse issues/001.md");
    let rehearsal = letter.begin_by("sh", &["-c", &limited, env!("CARGO_BIN_EXE_letterpress")]);
    assert_eq!(end(rehearsal), Some(2), "{}", letter.log());
    let said = letter.log();
    assert!(
        said.contains("the rehearsal can't go on") && said.contains("disk"),
        "{said}"
    );
    assert_eq!(copies(&letter), [""; 0]);
}
