//! What can be wrong around the program: each gives one paragraph and its exit status, and changes nothing.

use std::net::TcpListener;

use crate::letter::{Letter, run};

const NOWHERE: &str = "host = \"127.0.0.1\"\nport = 1\ntls = \"none\"";

/// One paragraph on stderr that names everything in `named`, exit 2.
fn refused(letter: &Letter, args: &[&str], named: &[&str]) {
    let ended = letter.run(args);
    assert_eq!(ended.code, 2, "{args:?}: {}{}", ended.out, ended.err);
    for word in named {
        assert!(ended.err.contains(word), "{args:?} does not name {word}: {}", ended.err);
    }
    assert!(!ended.err.trim().contains("\n\n"), "more than one paragraph: {}", ended.err);
}

#[test]
fn a_damaged_database_is_named() {
    let letter = Letter::new(NOWHERE);
    std::fs::write(letter.path().join("letterpress.db"), "This is no database, but a text. ".repeat(100))
        .unwrap();
    refused(&letter, &["deliveries"], &["letterpress.db", "no SQLite database"]);
    refused(&letter, &["serve"], &["letterpress.db"]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let letter = Letter::new(NOWHERE);
    letter.edit("[sending]", "[store]\npath = \"nowhere/letterpress.db\"\n\n[sending]");
    refused(&letter, &["deliveries"], &["nowhere/letterpress.db"]);
    refused(&letter, &["serve"], &["nowhere/letterpress.db"]);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let letter = Letter::new(NOWHERE);
    let _taken = TcpListener::bind(("127.0.0.1", letter.web)).unwrap();
    refused(&letter, &["serve"], &[&format!("127.0.0.1:{}", letter.web), "already in use"]);
}

#[test]
fn a_second_daemon_names_the_first() {
    let mut letter = Letter::new(NOWHERE);
    letter.serve();
    refused(&letter, &["serve"], &["letterpress.db", "pid "]);
    assert_eq!(letter.stop(), 0);
}

#[test]
fn waiting_without_a_daemon_is_refused_before_anything_is_queued() {
    let letter = Letter::new(NOWHERE);
    letter.people(2);
    refused(&letter, &["send", "issues/001.md", "--wait", "--yes"], &["no daemon"]);
    refused(&letter, &["send", "issues/001.md"], &["--yes"]);
    refused(
        &letter,
        &["send", "issues/001.md", "--at", "2020-01-01 07:00", "--yes"],
        &["2020-01-01", "passed"],
    );
    refused(&letter, &["send", "issues/nowhere.md", "--yes"], &["nowhere.md"]);
    refused(&letter, &["send", "issues/001.md", "--list", "wekly", "--yes"], &["wekly", "weekly"]);
    assert!(letter.ok(&["deliveries", "--json"]).json().is_empty());
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
