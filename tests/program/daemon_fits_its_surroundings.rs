//! The daemon under a service manager, and on a machine without a journal.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::letter::{Letter, PATIENCE};

const NOWHERE: &str = "host = \"127.0.0.1\"\nport = 1\ntls = \"none\"";

#[test]
fn the_service_manager_is_told_when_it_is_ready() {
    let mut letter = Letter::new(NOWHERE);
    let place = letter.path().join("notify");
    let manager = UnixDatagram::bind(&place).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    letter.start(&[("NOTIFY_SOCKET", place.display().to_string())]);
    let mut said = [0; 512];
    let length = manager.recv(&mut said).unwrap();
    assert_eq!(
        std::str::from_utf8(&said[..length]).unwrap().trim(),
        "READY=1"
    );
    assert_eq!(letter.stop(), 0);
}

#[test]
fn without_a_journal_it_runs_and_says_where_its_log_goes() {
    let mut letter = Letter::new(NOWHERE);
    letter.edit("[sending]", "[log]\nformat = \"journald\"\n\n[sending]");
    letter.serve();
    // Where there is a journal, the words are in it.
    if !Path::new("/run/systemd/journal/socket").exists() {
        let log = letter.log();
        assert!(
            log.contains("journal can't be reached") && log.contains("stderr"),
            "{log}"
        );
    }
    assert_eq!(letter.stop(), 0);
}
