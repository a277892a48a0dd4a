//! From a file to the store. `open` looks at the whole file, so that an author can be asked; the import then goes in two
//! passes: read, check and sort all of it; then merge, join doubles, and hand
//! over batches. So a file that can't be read to its end changes nothing, and memory stays bounded.
//!
//! A thread reads and merges while the store writes. Each batch is a transaction: an import that was
//! interrupted is completed by running it again.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc;

use super::rows::{Entry, Lists, Note};
use super::sort::{Merged, Sorter};
use super::source::{Options, Outlook, Row, Rows};
use crate::format;
use crate::model::ListId;
use crate::store::import::{BATCH_PEOPLE, ImportRow, ImportedSubscription};
use crate::store::{Store, StoreError};

/// How many notes of each kind are told row by row; of the rest there is a count.
const NOTES_TOLD: u64 = 3;

/// A file that was looked at and can be imported.
pub struct PeopleFile {
    path: PathBuf,
    rows: Rows,
}

impl PeopleFile {
    /// What was understood of it.
    pub fn outlook(&self) -> &Outlook {
        &self.rows.outlook
    }
}

/// Opens a CSV file and looks at all of it, without changing anything.
///
/// # Errors
/// [`ImportError::File`].
pub async fn open(path: PathBuf, options: Options) -> Result<PeopleFile, ImportError> {
    let looking = tokio::task::spawn_blocking(move || {
        let rows = Rows::open(path.clone(), &options)?;
        Ok(PeopleFile { path, rows })
    });
    looking.await.map_err(died)?.map_err(ImportError::File)
}

/// What is to be imported.
pub struct Plan {
    /// The CSV file.
    pub file: PeopleFile,
    /// The lists that rows may name.
    pub lists: Vec<(String, ListId)>,
    /// The list of rows that name none; `None`: each must.
    pub default: Option<String>,
    /// Refuse rows for other lists than the default.
    pub only_default: bool,
    /// The time of the import.
    pub now: Timestamp,
}

/// What became of the rows; the four last add up to the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The rows of the file.
    pub rows: u64,
    /// Rows of people who were not on the list.
    pub added: u64,
    /// Rows that changed a state, a name or tags.
    pub updated: u64,
    /// Rows that changed nothing.
    pub unchanged: u64,
    /// Rows that were not taken.
    pub rejected: u64,
}

/// What happens during an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A row that is not taken: the line on which it begins, and why.
    Rejected {
        /// Where the row begins, from 1.
        line: u64,
        /// Why, without a final stop.
        reason: String,
    },
    /// A row that was taken without one of its values, or that looks odd. Only the first of each kind are told.
    Noted {
        /// Where the row begins, from 1.
        line: u64,
        /// What could not be read.
        note: Note,
    },
    /// There were more notes of a kind than were told.
    NotedMore {
        /// One that was told.
        like: Note,
        /// How many rows were not told.
        rows: u64,
    },
    /// Rows were written to the database.
    Written {
        /// The rows that are in the database.
        rows: u64,
        /// All rows that are to be written.
        of: u64,
    },
}

/// Why an import did not come to its end; one paragraph.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file can't be read, or is no list of people. Nothing was imported.
    #[error("{0}")]
    File(String),
    /// The database can't be written. Batches before this one are kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the reading thread hands over.
enum Message {
    Tell(Event),
    Batch {
        people: Vec<ImportRow>,
        /// How many rows they came from.
        rows: u64,
        /// How many rows there are in all.
        of: u64,
    },
}

type Sender = mpsc::Sender<Message>;

/// Brings the people of a file into the database, and tells of progress and of rows that are not taken.
///
/// # Errors
/// [`ImportError`]. A row that is not taken is none, but an [`Event`] and a number in the [`Report`].
pub async fn import(
    store: &Store,
    plan: Plan,
    mut tell: impl FnMut(Event),
) -> Result<Report, ImportError> {
    let (sender, mut inbox) = mpsc::channel(4);
    let now = plan.now;
    let beside_database = store
        .path()
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = beside_database.unwrap_or(Path::new(".")).to_owned();
    let reading = tokio::task::spawn_blocking(move || read(plan, &folder, &sender));
    let mut report = Report::default();
    while let Some(message) = inbox.recv().await {
        match message {
            Message::Tell(event) => {
                report.rejected += u64::from(matches!(event, Event::Rejected { .. }));
                tell(event);
            }
            Message::Batch { people, rows, of } => {
                let subscriptions = people.iter().flat_map(|person| &person.subscriptions);
                let told: u64 = subscriptions.map(|s| 1 + s.further).sum();
                let imported = store.import(people, now).await?;
                report.added += imported.added;
                report.updated += imported.updated;
                // A row that says once more what another said is one that changes nothing.
                report.unchanged += imported.unchanged + rows - told;
                tell(Event::Written {
                    rows: report.added + report.updated + report.unchanged,
                    of,
                });
            }
        }
    }
    report.rows = report.added + report.updated + report.unchanged + report.rejected;
    match reading.await {
        Ok(Ok(())) => Ok(report),
        Ok(Err(why)) => Err(ImportError::File(why)),
        Err(error) => Err(died(error)),
    }
}

fn died(error: tokio::task::JoinError) -> ImportError {
    ImportError::File(format!("reading broke off, which is a defect: {error}"))
}

/// Both passes, as far as the file is concerned. Ends early, without an error, where nobody listens any more.
fn read(plan: Plan, folder: &Path, to: &Sender) -> Result<(), String> {
    let unsorted = |error: std::io::Error| {
        let why = format::io(&error);
        format!(
            "{}: {why}, for the sorted rows. An import needs room there as large as its file.",
            folder.display()
        )
    };
    let PeopleFile {
        path,
        rows: mut file,
    } = plan.file;
    let keys: Vec<String> = plan.lists.iter().map(|(key, _)| key.clone()).collect();
    let default = keys
        .iter()
        .position(|key| Some(key) == plan.default.as_ref())
        .map(|i| i as u16);
    let lists = Lists {
        keys: &keys,
        default,
        only_default: plan.only_default,
    };
    if default.is_none() && !file.header.names_lists() {
        return Err(format!(
            "{}: the file does not say for which list it is, and there are several: {}. Add --list, or a column \
             named list.",
            path.display(),
            keys.join(", ")
        ));
    }
    let mut sorter = Sorter::new(folder.to_owned());
    let mut notes = Notes::default();
    let mut good = 0;
    while let Some(row) = file.next(&lists)? {
        let Row { line, entry, .. } = row;
        match entry {
            Ok(entry) => {
                good += 1;
                for note in row.notes {
                    if let Some(event) = notes.take(line, note) {
                        let _ = to.blocking_send(Message::Tell(event));
                    }
                }
                sorter.push(entry).map_err(unsorted)?;
            }
            Err(reason) => {
                if to
                    .blocking_send(Message::Tell(Event::Rejected { line, reason }))
                    .is_err()
                {
                    return Ok(());
                }
            }
        }
    }
    drop(file);
    for event in notes.rest() {
        let _ = to.blocking_send(Message::Tell(event));
    }
    hand_over(sorter.merged().map_err(unsorted)?, &plan.lists, good, to).map_err(unsorted)
}

/// Counts notes by their kind.
#[derive(Default)]
struct Notes(Vec<(Note, u64)>);

impl Notes {
    /// What is to be told at once of a note.
    fn take(&mut self, line: u64, note: Note) -> Option<Event> {
        let kind = std::mem::discriminant(&note);
        let known = self
            .0
            .iter_mut()
            .find(|(like, _)| std::mem::discriminant(like) == kind);
        let count = match known {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.0.push((note.clone(), 1));
                1
            }
        };
        (count <= NOTES_TOLD).then_some(Event::Noted { line, note })
    }

    /// What is to be told in the end.
    fn rest(self) -> impl Iterator<Item = Event> {
        let more = self.0.into_iter().filter(|(_, count)| *count > NOTES_TOLD);
        more.map(|(like, count)| Event::NotedMore {
            like,
            rows: count - NOTES_TOLD,
        })
    }
}

/// Sends batches of people, each person once.
fn hand_over(
    merged: Merged,
    lists: &[(String, ListId)],
    of: u64,
    to: &Sender,
) -> std::io::Result<()> {
    let mut people: Vec<ImportRow> = Vec::with_capacity(BATCH_PEOPLE);
    let mut rows = 0;
    for entry in merged {
        let entry = entry?;
        let list = lists[usize::from(entry.list)].1;
        if let Some(last) = people.last_mut()
            && last
                .email
                .as_str()
                .eq_ignore_ascii_case(entry.email.as_str())
        {
            join(last, entry, list);
        } else {
            if people.len() == BATCH_PEOPLE {
                let people = std::mem::replace(&mut people, Vec::with_capacity(BATCH_PEOPLE));
                if to
                    .blocking_send(Message::Batch {
                        people,
                        rows: std::mem::take(&mut rows),
                        of,
                    })
                    .is_err()
                {
                    return Ok(());
                }
            }
            people.push(import_row(entry, list));
        }
        rows += 1;
    }
    if !people.is_empty() {
        let _ = to.blocking_send(Message::Batch { people, rows, of });
    }
    Ok(())
}

fn import_row(entry: Entry, list: ListId) -> ImportRow {
    ImportRow {
        email: entry.email,
        name: entry.name,
        tags: entry.tags,
        joined_at: entry.joined_at,
        subscriptions: vec![ImportedSubscription {
            list,
            state: entry.state,
            further: 0,
        }],
    }
}

/// Joins a further row of the same person: its texts win, the earliest time does, and leaving.
fn join(person: &mut ImportRow, entry: Entry, list: ListId) {
    let mut has_changed = replace(&mut person.name, entry.name);
    has_changed |= replace(&mut person.tags, entry.tags);
    person.joined_at = match (person.joined_at, entry.joined_at) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let known = person.subscriptions.iter_mut().find(|s| s.list == list);
    match known {
        Some(known) => {
            if entry.state.wins_over(known.state) {
                known.state = entry.state;
                has_changed = true;
            }
            known.further += u64::from(has_changed);
        }
        None => person.subscriptions.push(ImportedSubscription {
            list,
            state: entry.state,
            further: 0,
        }),
    }
}

/// Puts a text in place of another, unless there is none, and tells whether that changed it.
fn replace(old: &mut String, new: String) -> bool {
    let has_changed = !new.is_empty() && *old != new;
    if has_changed {
        *old = new;
    }
    has_changed
}
