//! SIGHUP, which comes where a terminal is closed: the daemon stops in order, and goes on where `nohup` began it.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use crate::newsletter::{Newsletter, until};

/// Starts a daemon by a shell, hangs up, and gives how it ended; `None` where it goes on, until it is killed.
fn hang_up(begin: &str) -> Option<i32> {
    let newsletter = Newsletter::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"");
    let command = format!(
        "{begin} {} serve >daemon.log 2>&1",
        env!("CARGO_BIN_EXE_letterpress")
    );
    let mut daemon = Command::new("sh")
        .args(["-c", &command])
        .current_dir(newsletter.path())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let pid = daemon.id().to_string();
    until("the daemon to be ready", || {
        newsletter.log().contains("listening on")
    });
    let kill = |signal: &str| {
        assert!(
            Command::new("kill")
                .args([signal, pid.as_str()])
                .status()
                .unwrap()
                .success()
        );
    };
    kill("-HUP");
    let mut status = None;
    if begin.contains("nohup") {
        std::thread::sleep(std::time::Duration::from_secs(1));
        status = daemon.try_wait().unwrap();
        assert!(status.is_some() || crate::web::get(newsletter.web, "/healthz").is_some());
        kill("-KILL");
        daemon.wait().unwrap();
    } else {
        until("the daemon to end", || {
            status = daemon.try_wait().unwrap();
            status.is_some()
        });
        assert!(
            newsletter.log().contains("stopping"),
            "{}",
            newsletter.log()
        );
    }
    status.map(|status| status.code().unwrap_or_else(|| -status.signal().unwrap()))
}

#[test]
fn a_closed_terminal_stops_the_daemon_in_order() {
    assert_eq!(hang_up("exec"), Some(0));
}

#[test]
fn under_nohup_the_daemon_goes_on() {
    assert_eq!(hang_up("exec nohup"), None);
}
