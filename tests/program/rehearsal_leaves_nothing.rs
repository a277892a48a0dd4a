//! However a rehearsal ends, nothing of it stays: neither in the database nor beside it.

use std::process::Child;

use letterpress::store::Store;

use crate::newsletter::{Newsletter, until};

/// Enough that the rehearsal is still going on when it has been noticed.
const READERS: usize = 2000;
const REHEARSE: [&str; 2] = ["rehearse", "issues/001.md"];

fn newsletter(readers: usize) -> Newsletter {
    let newsletter = Newsletter::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"");
    if readers > 0 {
        newsletter.people(readers);
    }
    newsletter
}

/// The copies that lie beside the database.
fn copies(newsletter: &Newsletter) -> Vec<String> {
    let folder = std::fs::read_dir(newsletter.path()).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with(".rehearsal-"))
        .collect()
}

/// A rehearsal that works on its copy, held there by a stop signal.
fn halted(newsletter: &Newsletter) -> (Child, String) {
    let before = copies(newsletter);
    let rehearsal = newsletter.begin(&REHEARSE);
    let mut own = None;
    until("the copy to be made", || {
        own = copies(newsletter)
            .into_iter()
            .find(|name| !before.contains(name));
        own.as_ref().is_some_and(|name| {
            newsletter
                .path()
                .join(name)
                .join("letterpress.db-wal")
                .exists()
        })
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
    let newsletter = newsletter(READERS);
    for which in ["-INT", "-TERM"] {
        let (rehearsal, _) = halted(&newsletter);
        signal(&rehearsal, which);
        signal(&rehearsal, "-CONT");
        assert_eq!(end(rehearsal), Some(130), "{which}: {}", newsletter.log());
        assert_eq!(copies(&newsletter), [""; 0], "{which}");
        assert!(
            newsletter.log().contains("was interrupted"),
            "{which}: {}",
            newsletter.log()
        );
    }
}

#[test]
fn what_a_killed_rehearsal_left_is_swept_and_a_running_one_is_not() {
    let mut newsletter = newsletter(READERS);
    let kill = |newsletter: &Newsletter| {
        let (mut rehearsal, copy) = halted(newsletter);
        signal(&rehearsal, "-KILL");
        rehearsal.wait().unwrap();
        assert!(copies(newsletter).contains(&copy), "a kill leaves it");
        copy
    };
    let (running, its_copy) = halted(&newsletter);
    kill(&newsletter);
    newsletter.ok(&REHEARSE);
    assert_eq!(
        copies(&newsletter),
        [its_copy.as_str()],
        "another rehearsal takes away the dead one's alone"
    );

    kill(&newsletter);
    newsletter.serve();
    assert_eq!(
        copies(&newsletter),
        [its_copy.as_str()],
        "and so does a daemon that starts"
    );
    signal(&running, "-CONT");
    assert_eq!(
        end(running),
        Some(0),
        "it went on unhindered: {}",
        newsletter.log()
    );
    assert_eq!(copies(&newsletter), [""; 0]);
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn a_rehearsal_in_a_fresh_folder_leaves_no_trace_in_the_database() {
    let newsletter = newsletter(0);
    newsletter.run(&REHEARSE);
    assert_eq!(copies(&newsletter), [""; 0]);
    let (lists, keys, issues) = rows(&newsletter);
    assert_eq!(
        (lists, keys, issues),
        (0, 0, 0),
        "rows of lists, keys and issues"
    );
}

/// How many lists, keys of links and issues the database holds.
#[tokio::main(flavor = "current_thread")]
async fn rows(newsletter: &Newsletter) -> (usize, usize, usize) {
    let store = Store::open(&newsletter.path().join("letterpress.db"))
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
    let newsletter = newsletter(READERS);
    let size = std::fs::metadata(newsletter.path().join("letterpress.db"))
        .unwrap()
        .len();
    let blocks = size / 512 + 100;
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" rehearse issues/001.md");
    let rehearsal = newsletter.begin_by("sh", &["-c", &limited, env!("CARGO_BIN_EXE_letterpress")]);
    assert_eq!(end(rehearsal), Some(2), "{}", newsletter.log());
    let said = newsletter.log();
    assert!(
        said.contains("the rehearsal can't go on") && said.contains("disk"),
        "{said}"
    );
    assert_eq!(copies(&newsletter), [""; 0]);
}
