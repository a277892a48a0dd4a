//! What can be wrong around the program: each gives one paragraph and its exit status, and changes nothing.

use std::net::TcpListener;

use crate::newsletter::{Newsletter, run};

const NOWHERE: &str = "host = \"127.0.0.1\"\nport = 1\ntls = \"none\"";

/// One paragraph on stderr that names everything in `named`, exit 2.
fn refused(newsletter: &Newsletter, args: &[&str], named: &[&str]) {
    let ended = newsletter.run(args);
    assert_eq!(ended.code, 2, "{args:?}: {}{}", ended.out, ended.err);
    for word in named {
        assert!(
            ended.err.contains(word),
            "{args:?} does not name {word}: {}",
            ended.err
        );
    }
    assert!(
        !ended.err.trim().contains("\n\n"),
        "more than one paragraph: {}",
        ended.err
    );
}

#[test]
fn a_damaged_database_is_named() {
    let newsletter = Newsletter::new(NOWHERE);
    std::fs::write(
        newsletter.path().join("letterpress.db"),
        "This is no database, but a text. ".repeat(100),
    )
    .unwrap();
    refused(
        &newsletter,
        &["deliveries"],
        &["letterpress.db", "no SQLite database"],
    );
    refused(&newsletter, &["serve"], &["letterpress.db"]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let newsletter = Newsletter::new(NOWHERE);
    newsletter.edit(
        "[sending]",
        "[store]\npath = \"nowhere/letterpress.db\"\n\n[sending]",
    );
    refused(&newsletter, &["deliveries"], &["nowhere/letterpress.db"]);
    refused(&newsletter, &["serve"], &["nowhere/letterpress.db"]);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let newsletter = Newsletter::new(NOWHERE);
    let _taken = TcpListener::bind(("127.0.0.1", newsletter.web)).unwrap();
    refused(
        &newsletter,
        &["serve"],
        &[&format!("127.0.0.1:{}", newsletter.web), "already in use"],
    );
}

#[test]
fn a_second_daemon_names_the_first() {
    let mut newsletter = Newsletter::new(NOWHERE);
    newsletter.serve();
    refused(&newsletter, &["serve"], &["letterpress.db", "pid "]);
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn waiting_without_a_daemon_is_refused_before_anything_is_queued() {
    let newsletter = Newsletter::new(NOWHERE);
    newsletter.people(2);
    refused(
        &newsletter,
        &["send", "issues/001.md", "--wait", "--yes"],
        &["no daemon"],
    );
    refused(&newsletter, &["send", "issues/001.md"], &["--yes"]);
    refused(
        &newsletter,
        &["send", "issues/001.md", "--at", "2020-01-01 07:00", "--yes"],
        &["2020-01-01", "passed"],
    );
    refused(
        &newsletter,
        &["send", "issues/nowhere.md", "--yes"],
        &["nowhere.md"],
    );
    refused(
        &newsletter,
        &["send", "issues/001.md", "--list", "wekly", "--yes"],
        &["wekly", "weekly"],
    );
    assert!(newsletter.ok(&["deliveries", "--json"]).json().is_empty());
}

#[test]
fn a_folder_without_settings_is_told_how_to_begin() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["deliveries"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("letterpress.toml") && ended.err.contains("letterpress init"),
        "{}",
        ended.err
    );
}

#[test]
fn a_damaged_signing_key_stops_what_would_need_it_and_is_named() {
    let newsletter = Newsletter::new(NOWHERE);
    newsletter.people(2);
    newsletter.ok(&["dkim", "new", "--domain", "letters.example"]);
    std::fs::write(
        newsletter.path().join("dkim/letters.example/lp1e.pem"),
        "no key",
    )
    .unwrap();
    for args in [
        &["test", "issues/001.md", "--to", "editor@letters.example"][..],
        &["rehearse", "issues/001.md"],
    ] {
        let ended = newsletter.run(args);
        assert_eq!(ended.code, 1, "{args:?}: {}{}", ended.out, ended.err);
        assert!(
            ended.err.contains("lp1e.pem") && ended.err.contains("replace it"),
            "{args:?}: {}",
            ended.err
        );
        assert!(!ended.err.contains("no answer"), "{args:?}: {}", ended.err);
    }
}

#[test]
fn a_file_that_could_not_be_written_whole_is_not_left_there() {
    let newsletter = Newsletter::new(NOWHERE);
    // No file may grow: a write fails in the middle, as it does where the disk is full.
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; exec {} new",
        env!("CARGO_BIN_EXE_letterpress")
    );
    let mut shell = std::process::Command::new("sh");
    let ended = shell
        .args(["-c", &script])
        .current_dir(newsletter.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains("issues/002.md"), "{said}");
    assert!(!newsletter.path().join("issues/002.md").exists());
    newsletter.ok(&["new"]);
}
