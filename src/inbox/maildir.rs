//! A Maildir: one file a mail, written in `tmp/` and then moved to `new/`, so that no reader sees half of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::SharedClock;

use super::{Mailbox, Received};

/// A folder with `tmp`, `new` and `cur`.
pub struct Maildir {
    path: PathBuf,
    clock: SharedClock,
    count: AtomicU64,
}

impl Maildir {
    /// Opens a Maildir, and creates it if it is missing.
    ///
    /// # Errors
    /// If a folder can't be created.
    pub fn open(path: &Path, clock: SharedClock) -> std::io::Result<Maildir> {
        for sub in ["tmp", "new", "cur"] {
            std::fs::create_dir_all(path.join(sub))?;
        }
        Ok(Maildir {
            path: path.to_owned(),
            clock,
            count: AtomicU64::new(0),
        })
    }
}

impl Mailbox for Maildir {
    fn keep(&self, mail: Received) -> std::io::Result<()> {
        // Unique by time, process and count, as Maildir's own rules have it; sorted by name they are by age.
        let name = format!(
            "{}.{}_{:06}.letterpress",
            self.clock.now().as_millisecond(),
            std::process::id(),
            self.count.fetch_add(1, Ordering::Relaxed)
        );
        let (whole, half) = (
            self.path.join("new").join(&name),
            self.path.join("tmp").join(&name),
        );
        std::fs::write(&half, &mail.bytes)?;
        std::fs::rename(half, whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_are_kept_byte_for_byte_under_names_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let maildir =
            Maildir::open(&folder.path().join("inbox"), crate::app::clock::machine()).unwrap();
        for bytes in [&b"A: 1\r\n\r\n.x\r\n"[..], b"A: 2\r\n\r\n\xff\r\n"] {
            let mail = Received {
                sender: String::new(),
                recipients: vec![],
                bytes: bytes.to_vec(),
            };
            maildir.keep(mail).unwrap();
        }
        let mut kept: Vec<Vec<u8>> = std::fs::read_dir(folder.path().join("inbox/new"))
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect();
        kept.sort();
        assert_eq!(
            kept,
            [
                b"A: 1\r\n\r\n.x\r\n".to_vec(),
                b"A: 2\r\n\r\n\xff\r\n".to_vec()
            ]
        );
        assert_eq!(
            std::fs::read_dir(folder.path().join("inbox/tmp"))
                .unwrap()
                .count(),
            0
        );
    }
}
