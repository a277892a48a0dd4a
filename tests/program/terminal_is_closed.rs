//! SIGHUP: where the daemon's terminal is closed it stops in order, and elsewhere it reads its settings again. Under
//! `nohup` it goes on.

use std::process::{Child, Command, Stdio};

use crate::newsletter::{Newsletter, until};

/// A daemon with the process that started it.
struct Started {
    newsletter: Newsletter,
    parent: Child,
}

/// Starts a daemon by a shell, or by a program that gives it a terminal.
fn start(begin: &str, in_terminal: bool) -> Started {
    let newsletter = Newsletter::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"");
    let line = format!(
        "{begin} {} serve >daemon.log 2>&1",
        env!("CARGO_BIN_EXE_letterpress")
    );
    let mut command = if in_terminal {
        let mut command = Command::new("script");
        command.args(["-q", "-e", "-c", &line, "/dev/null"]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", &line]);
        command
    };
    let parent = command
        .current_dir(newsletter.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("the daemon to be ready", || {
        newsletter.log().contains("listening on")
    });
    Started { newsletter, parent }
}

impl Started {
    fn kill(&self, signal: &str) {
        let pid = self.parent.id().to_string();
        let status = Command::new("kill").args([signal, pid.as_str()]).status();
        assert!(status.unwrap().success());
    }

    fn says(&self, what: &str) {
        until(what, || self.newsletter.log().contains(what));
    }
}

#[test]
fn a_closed_terminal_stops_the_daemon_in_order() {
    let mut started = start("exec", true);
    // Whoever holds the terminal dies, and the system closes it.
    started.kill("-KILL");
    started.parent.wait().unwrap();
    started.says("stopping");
    started.says("stopped");
}

#[test]
fn without_a_terminal_the_daemon_reads_its_settings_again() {
    let mut started = start("exec", false);
    started.kill("-HUP");
    started.says("settings reloaded");
    started.kill("-TERM");
    assert_eq!(started.parent.wait().unwrap().code(), Some(0));
}

#[test]
fn under_nohup_the_daemon_goes_on() {
    let mut started = start("exec nohup", false);
    started.kill("-HUP");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let web = started.newsletter.web;
    assert_eq!(started.parent.try_wait().unwrap(), None);
    assert!(crate::web::get(web, "/healthz").is_some());
    started.kill("-KILL");
    started.parent.wait().unwrap();
}
