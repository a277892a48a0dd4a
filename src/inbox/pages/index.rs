//! The list of mails in a Maildir. A file is read once.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use mail_parser::MessageParser;

use super::mail::{first_address, line};

/// The most bytes of a file that are read for the list; the headers of a mail of ours have far less.
const HEAD_MAX: u64 = 64 * 1024;

/// One mail as the list shows it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The file's name without its flags.
    pub(super) id: String,
    pub(super) path: PathBuf,
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) received_at: Timestamp,
    pub(super) bytes: u64,
}

/// What is known of a Maildir's files.
pub(super) struct Index {
    folder: PathBuf,
    known: Mutex<HashMap<String, Arc<Entry>>>,
}

impl Index {
    pub(super) fn new(folder: PathBuf) -> Index {
        Index {
            folder,
            known: Mutex::default(),
        }
    }

    /// Every mail, newest first.
    ///
    /// # Errors
    /// Where the folder is there and can't be read.
    pub(super) fn entries(&self) -> io::Result<Vec<Arc<Entry>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut present = HashMap::with_capacity(known.len());
        for sub in ["new", "cur"] {
            for (id, path) in files(&self.folder.join(sub))? {
                let entry = match known.remove(&id) {
                    Some(entry) if entry.path == path => entry,
                    Some(entry) => Arc::new(Entry {
                        path,
                        ..(*entry).clone()
                    }),
                    // A file that vanished meanwhile is left out; the next page sees where it went.
                    None => match look(&id, &path) {
                        Ok(entry) => Arc::new(entry),
                        Err(_) => continue,
                    },
                };
                present.insert(id, entry);
            }
        }
        *known = present;
        let mut all: Vec<Arc<Entry>> = known.values().cloned().collect();
        all.sort_by(|a, b| (b.received_at, &b.id).cmp(&(a.received_at, &a.id)));
        Ok(all)
    }
}

/// The files of a folder, by their names without flags (`:2,S`); none where the folder is not there yet.
fn files(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let dir = match std::fs::read_dir(folder) {
        Ok(dir) => dir,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut found = Vec::new();
    for file in dir {
        let file = file?;
        if let Some(name) = file.file_name().to_str() {
            let id = name.split(':').next().unwrap_or(name);
            if !id.is_empty() && !id.starts_with('.') {
                found.push((id.to_owned(), file.path()));
            }
        }
    }
    Ok(found)
}

/// Reads what the list shows of a file.
fn look(id: &str, path: &Path) -> io::Result<Entry> {
    let file = File::open(path)?;
    let facts = file.metadata()?;
    let mut head = Vec::new();
    file.take(HEAD_MAX).read_to_end(&mut head)?;
    let parsed = MessageParser::default().parse_headers(&head);
    let (to, subject) = parsed.map_or_else(Default::default, |message| {
        (
            first_address(message.to()),
            line(message.subject().unwrap_or_default()),
        )
    });
    let received_at = Timestamp::try_from(facts.modified()?).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Entry {
        id: id.to_owned(),
        path: path.to_owned(),
        to,
        subject,
        received_at,
        bytes: facts.len(),
    })
}
