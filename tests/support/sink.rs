//! Postfix's `smtp-sink`: takes any number of mails and writes each to a file.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::newsletter::{free_port, until};

pub(crate) struct Sink {
    folder: TempDir,
    process: Child,
    pub port: u16,
}

impl Sink {
    pub(crate) fn start() -> Sink {
        let folder = tempfile::tempdir().unwrap();
        let mails = folder.path().join("mails");
        std::fs::create_dir(&mails).unwrap();
        open_to_all(folder.path());
        open_to_all(&mails);
        let port = free_port();
        let mut command = Command::new("smtp-sink");
        // It leaves root where it was started by root.
        if is_root() {
            command.args(["-u", "nobody"]);
        }
        let process = command
            .arg("-d")
            .arg(mails.join("%s."))
            .arg(format!("127.0.0.1:{port}"))
            .arg("128")
            .stdin(Stdio::null())
            .spawn()
            .expect("smtp-sink of Debian's package postfix; ./tests/run installs it");
        until("smtp-sink to listen", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Sink {
            folder,
            process,
            port,
        }
    }

    /// The lines below `[relay.main]`.
    pub(crate) fn relay(&self) -> String {
        format!("host = \"127.0.0.1\"\nport = {}\ntls = \"none\"", self.port)
    }

    fn files(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.folder.path().join("mails")).unwrap();
        folder.map(|entry| entry.unwrap().path()).collect()
    }

    /// Every mail with the recipient of its envelope. One whose end never came has an empty envelope or none.
    pub(crate) fn mails(&self) -> Vec<(String, Vec<u8>)> {
        self.files()
            .iter()
            .filter_map(|file| read(&std::fs::read(file).unwrap()))
            .collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.files().len()
    }
}

/// Takes off what smtp-sink wrote above the mail: `X-…-Args:` lines and its own Received.
fn read(dump: &[u8]) -> Option<(String, Vec<u8>)> {
    let text = String::from_utf8_lossy(dump);
    let rcpt = text
        .lines()
        .find_map(|line| line.strip_prefix("X-Rcpt-Args: <"))?;
    let rcpt = rcpt.split('>').next()?.to_owned();
    let received = text.find("\nReceived: ")? + 1;
    let (mut mail, mut is_above) = (String::new(), true);
    for (i, line) in text[received..].lines().enumerate() {
        is_above &= i == 0 || line.starts_with(['\t', ' ']);
        if !is_above {
            mail.push_str(line);
            mail.push_str("\r\n");
        }
    }
    (!mail.is_empty()).then(|| (rcpt, mail.into_bytes()))
}

fn open_to_all(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
