//! The daemon under a service manager, and on a machine without a journal.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::newsletter::{Newsletter, PATIENCE};

const NOWHERE: &str = "host = \"127.0.0.1\"\nport = 1\ntls = \"none\"";

#[test]
fn the_service_manager_is_told_when_it_is_ready() {
    let mut newsletter = Newsletter::new(NOWHERE);
    let place = newsletter.path().join("notify");
    let manager = UnixDatagram::bind(&place).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    newsletter.start(&[("NOTIFY_SOCKET", place.display().to_string())]);
    let mut said = [0; 512];
    let length = manager.recv(&mut said).unwrap();
    assert_eq!(
        std::str::from_utf8(&said[..length]).unwrap().trim(),
        "READY=1"
    );
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn without_a_journal_it_runs_and_says_where_its_log_goes() {
    let mut newsletter = Newsletter::new(NOWHERE);
    newsletter.edit("[sending]", "[log]\nformat = \"journald\"\n\n[sending]");
    newsletter.serve();
    // Where there is a journal, the words are in it.
    if !Path::new("/run/systemd/journal/socket").exists() {
        let log = newsletter.log();
        assert!(
            log.contains("journal can't be reached") && log.contains("stderr"),
            "{log}"
        );
    }
    assert_eq!(newsletter.stop(), 0);
}
