//! The daemon under the limits of `deploy/letterpress.service`: signed mails, confirmations, pages, an orderly stop.

use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use crate::newsletter::{Newsletter, PATIENCE, until};
use crate::received;
use crate::service_unit::{self, Service};
use crate::sink::{Sink, is_root};
use crate::web::{get, path_of, post};

const READERS: usize = 3;
/// What lets the signing threads lower their own priority.
const PRIORITY: &str = "SystemCallFilter=setpriority\n";
const ERROR_NUMBER: &str = "SystemCallErrorNumber=EPERM\n";
/// What the log says, at debug, where they may not.
const NOT_LOWERED: &str = "priority of a signing thread";

/// The unit without one of its lines.
fn unit_without(line: &str) -> String {
    let unit = service_unit::text();
    assert!(unit.contains(line), "the unit has no line {line}");
    unit.replace(line, "")
}

/// A daemon that has DKIM keys and readers, under the limits of a unit, and where its mails go.
struct Stage {
    sink: Sink,
    newsletter: Newsletter,
}

impl Stage {
    /// Starts the daemon, and waits until it says to the service manager that it is ready.
    fn start(unit: &str) -> Stage {
        let sink = Sink::start();
        let mut newsletter = Newsletter::new(&sink.relay());
        // By its name, so that the resolver runs under the filter as well.
        newsletter.edit("host = \"127.0.0.1\"", "host = \"localhost\"");
        newsletter.edit("[sending]", "[log]\nlevel = \"debug\"\n\n[sending]");
        newsletter.people(READERS);
        newsletter.ok(&["dkim", "new", "--domain", "letters.example"]);
        let folder = newsletter.path();
        let launcher = Service::read(unit).launcher(&folder);
        let place = folder.join("notify");
        let manager = UnixDatagram::bind(&place).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        if is_root() {
            let mut chown = Command::new("chown");
            let given = chown.args(["-R", "65534:65534"]).arg(&folder).status();
            assert!(given.unwrap().success());
        }
        newsletter.start_under(
            launcher.to_str().unwrap(),
            &[("NOTIFY_SOCKET", place.display().to_string())],
        );
        let mut said = [0; 512];
        let length = manager
            .recv(&mut said)
            .unwrap_or_else(|e| panic!("the daemon is not ready ({e}): {}", newsletter.log()));
        let said = std::str::from_utf8(&said[..length]).unwrap();
        assert_eq!(said.trim(), "READY=1");
        Stage { sink, newsletter }
    }

    /// Sends the issue, and sees that every mail has both signatures.
    fn send_signed(&self) {
        let sent = self
            .newsletter
            .run(&["send", "issues/001.md", "--wait", "--yes"]);
        assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
        until("the mails to be written", || {
            self.sink.mails().len() == READERS
        });
        self.each_mail_is_signed();
    }

    fn each_mail_is_signed(&self) {
        for (who, raw) in self.sink.mails() {
            let mail = received::parse(&raw);
            let signatures = mail
                .headers()
                .iter()
                .filter(|header| header.name() == "DKIM-Signature");
            assert_eq!(signatures.count(), 2, "the signatures of the mail to {who}");
        }
    }

    /// Signs somebody up by the page, and confirms by the link of the mail.
    fn sign_up(&self, email: &str) {
        let web = self.newsletter.web;
        let form = format!("email={}&list=weekly", email.replace('@', "%40"));
        assert_eq!(get(web, "/subscribe").unwrap().status, 200);
        assert_eq!(post(web, "/subscribe", &form).unwrap().status, 202);
        let mut confirmation = None;
        until("the confirmation mail", || {
            confirmation = self.sink.mails().into_iter().find(|(who, _)| who == email);
            confirmation.is_some()
        });
        self.each_mail_is_signed();
        let (_, raw) = confirmation.unwrap();
        let text = received::parse(&raw).body_text(0).unwrap().into_owned();
        let link = text
            .split_whitespace()
            .find(|word| word.contains("/confirm/"))
            .expect("a link that confirms")
            .trim_matches(['<', '>']);
        let path = path_of(link, web);
        assert_eq!(get(web, path).unwrap().status, 200);
        assert_eq!(post(web, path, "").unwrap().status, 200);
        let shown = self
            .newsletter
            .ok(&["subscribers", "show", email, "--json"]);
        assert_eq!(shown.json()[0]["state"], "active", "{}", shown.out);
    }

    /// A line of a file of the daemon's below `/proc`.
    fn proc_line(&self, file: &str, beginning: &str) -> String {
        let path = format!("/proc/{}/{file}", self.newsletter.pid());
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().find(|line| line.starts_with(beginning));
        line.unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[test]
fn signed_mails_confirmations_and_pages_work_under_the_unit() {
    let mut stage = Stage::start(&service_unit::text());
    assert_eq!(stage.proc_line("status", "Seccomp:"), "Seccomp: 2");
    assert_eq!(stage.proc_line("status", "NoNewPrivs:"), "NoNewPrivs: 1");
    assert_eq!(
        stage.proc_line("status", "CapEff:"),
        "CapEff: 0000000000000000"
    );
    assert_eq!(stage.proc_line("status", "Umask:"), "Umask: 0077");
    assert_eq!(get(stage.newsletter.web, "/healthz").unwrap().status, 200);
    stage.send_signed();
    stage.sign_up("mei@readers.example");
    assert!(stage.newsletter.ended().is_none());
    let log = stage.newsletter.log();
    assert!(!log.contains(NOT_LOWERED), "{log}");
    assert_eq!(stage.newsletter.stop(), 0);
}

#[test]
fn a_system_call_that_the_unit_refuses_ends_nothing() {
    let mut stage = Stage::start(&unit_without(PRIORITY));
    stage.send_signed();
    stage.sign_up("mei@readers.example");
    let log = stage.newsletter.log();
    assert!(log.contains(NOT_LOWERED), "{log}");
    assert_eq!(stage.newsletter.stop(), 0);
}

/// The filter of these tests bites: this is what happened to the first signed mail before the unit said otherwise.
#[test]
fn without_an_error_number_a_refused_system_call_kills_the_daemon() {
    let unit = unit_without(PRIORITY).replace(ERROR_NUMBER, "");
    let mut stage = Stage::start(&unit);
    stage.newsletter.ok(&["send", "issues/001.md", "--yes"]);
    let mut status = None;
    until("the daemon to be killed", || {
        status = stage.newsletter.ended();
        status.is_some()
    });
    const SIGSYS: i32 = 31;
    assert_eq!(
        status.unwrap().signal(),
        Some(SIGSYS),
        "{}",
        stage.newsletter.log()
    );
}
