//! Stdout and stderr that can't be written: a full disk, a stream that is closed, a pipe whose reader has left.
//!
//! What goes to stderr may be lost, and nothing else changes. What can't be written to stdout is never lost silently,
//! unless its reader has left.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::newsletter::{Ended, Newsletter, finish, until};
use crate::sink::Sink;

const NOWHERE: &str = "host = \"127.0.0.1\"\nport = 1\ntls = \"none\"";
/// People in the file; each comes with a row that is rejected.
const PEOPLE: usize = 1500;

/// What is wrong with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Every write fails with ENOSPC.
    Full,
    /// The stream is closed from the start.
    Closed,
    /// Every write fails with EPIPE.
    ReaderLeft,
}

const FAULTS: [Fault; 3] = [Fault::Full, Fault::Closed, Fault::ReaderLeft];

/// A stream of a process that has a fault. A closed one is closed by the shell of [`command`].
fn stream(fault: Fault) -> Stdio {
    match fault {
        Fault::Full => File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
            .into(),
        Fault::Closed => Stdio::null(),
        Fault::ReaderLeft => std::io::pipe().unwrap().1.into(),
    }
}

/// The program in the newsletter's folder, with a fault on stderr.
fn command(newsletter: &Newsletter, args: &[&str], fault: Fault) -> Command {
    let mut command = newsletter.command(args);
    if fault == Fault::Closed {
        let program = command.get_program().to_owned();
        command = newsletter.command_of("sh", &["-c", "exec \"$0\" \"$@\" 2>&-"]);
        command.arg(program).args(args);
    }
    command.stdout(Stdio::piped()).stderr(stream(fault));
    command
}

fn run(newsletter: &Newsletter, args: &[&str], fault: Fault) -> Ended {
    finish(command(newsletter, args, fault))
}

/// A newsletter with a file of people of whom every other row is rejected, and an issue whose picture is missing.
fn newsletter(relay: &str) -> Newsletter {
    let newsletter = Newsletter::new(relay);
    let rows: String = (0..PEOPLE)
        .map(|n| format!("no-at-sign{n}\nreader{n}@readers.example\n"))
        .collect();
    std::fs::write(
        newsletter.path().join("mixed.csv"),
        format!("email\n{rows}"),
    )
    .unwrap();
    std::fs::write(
        newsletter.path().join("issues/002.md"),
        "# Two\n\n![a picture](missing.png)\n",
    )
    .unwrap();
    newsletter
}

const IMPORT: [&str; 4] = ["subscribers", "import", "mixed.csv", "--yes"];

fn people(newsletter: &Newsletter) -> usize {
    newsletter
        .ok(&["subscribers", "list", "--json"])
        .json()
        .len()
}

#[test]
fn a_stderr_that_fails_changes_no_import_and_no_send() {
    for fault in FAULTS {
        let newsletter = newsletter(NOWHERE);
        let ended = run(&newsletter, &IMPORT, fault);
        assert_eq!(ended.code, 1, "{fault:?}: {}", ended.out);
        assert!(
            ended.out.contains("1,500 added"),
            "{fault:?}: {}",
            ended.out
        );
        assert_eq!(people(&newsletter), PEOPLE, "{fault:?}");
        let ended = run(&newsletter, &["send", "issues/002.md", "--yes"], fault);
        assert_eq!(ended.code, 1, "{fault:?}: {}", ended.out);
        let ended = run(&newsletter, &["send", "issues/001.md", "--yes"], fault);
        assert_eq!(ended.code, 0, "{fault:?}: {}", ended.out);
        assert_eq!(newsletter.totals()["state"], "scheduled", "{fault:?}");
    }
}

#[test]
fn a_stderr_that_fails_changes_no_output_and_no_status() {
    let newsletter = newsletter(NOWHERE);
    newsletter.run(&IMPORT);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    let commands: &[&[&str]] = &[
        &["deliveries"],
        &["deliveries", "7"],
        &["check", "issues/001.md"],
        &["check", "issues/002.md"],
        &["check", "issues/nowhere.md"],
        &["render", "issues/002.md", "--out", "out"],
        &["subscribers", "export"],
        &["subscribers", "lst"],
        &["config", "check"],
        &["dkim", "show"],
        &["cancel", "1"],
        &["--help"],
    ];
    for args in commands {
        let usual = newsletter.run(args);
        for fault in FAULTS {
            let ended = run(&newsletter, args, fault);
            assert_eq!(ended.code, usual.code, "{args:?}, {fault:?}");
            assert_eq!(ended.out, usual.out, "{args:?}, {fault:?}");
        }
    }
}

#[test]
fn a_log_that_cannot_be_written_stops_no_daemon() {
    for (fault, format) in [
        (Fault::Full, "text"),
        (Fault::Closed, "text"),
        (Fault::ReaderLeft, "json"),
    ] {
        let sink = Sink::start();
        let mut newsletter = Newsletter::new(&sink.relay());
        newsletter.edit(
            "[sending]",
            &format!("[log]\nlevel = \"debug\"\nformat = \"{format}\"\n\n[sending]"),
        );
        newsletter.people(5);
        let daemon = command(&newsletter, &["serve"], fault).spawn().unwrap();
        newsletter.adopt(daemon);
        newsletter.until_it_answers();
        newsletter.ok(&["send", "issues/001.md", "--wait", "--yes"]);
        until("the mails to be written", || sink.mails().len() == 5);
        assert_eq!(newsletter.stop(), 0, "{fault:?}");
    }
}

#[test]
fn a_full_stdout_is_an_error() {
    let newsletter = newsletter(NOWHERE);
    let with_full_stdout = |args: &[&str]| {
        let mut command = newsletter.command(args);
        command.stdout(stream(Fault::Full)).stderr(Stdio::piped());
        finish(command)
    };
    let refused = |args: &[&str]| {
        let ended = with_full_stdout(args);
        assert_eq!(ended.code, 2, "{args:?}: {}", ended.err);
        assert!(
            ended.err.contains("stdout") && ended.err.contains("no space"),
            "{args:?}: {}",
            ended.err
        );
        assert!(!ended.err.contains("panicked"), "{args:?}: {}", ended.err);
    };
    refused(&IMPORT);
    assert_eq!(people(&newsletter), PEOPLE);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    for args in [
        &["subscribers", "export"][..],
        &["subscribers", "list"],
        &["subscribers", "list", "--json"],
        &["deliveries"],
        &["deliveries", "1"],
        &["deliveries", "--json"],
        &["check", "issues/002.md"],
        &["render", "issues/001.md", "--out", "out"],
        &["config", "show"],
        &["--help"],
        &["--version"],
    ] {
        refused(args);
    }
}

#[test]
fn a_reader_that_leaves_ends_the_output_quietly() {
    let newsletter = newsletter(NOWHERE);
    let unread = |args: &[&str]| {
        let mut command = newsletter.command(args);
        command
            .stdout(stream(Fault::ReaderLeft))
            .stderr(Stdio::piped());
        let ended = finish(command);
        (ended.code, ended.err)
    };
    assert_eq!(unread(&IMPORT).0, 1);
    assert_eq!(people(&newsletter), PEOPLE);
    let quiet = (0, String::new());
    assert_eq!(unread(&["send", "issues/001.md", "--yes"]), quiet);
    assert_eq!(newsletter.totals()["state"], "scheduled");
    for args in [
        &["subscribers", "list"][..],
        &["subscribers", "export"],
        &["deliveries"],
        &["deliveries", "1", "--csv"],
        &["config", "show"],
        &["--help"],
    ] {
        assert_eq!(unread(args), quiet, "{args:?}");
    }
    assert_eq!(unread(&["check", "issues/002.md"]), (1, String::new()));
}
