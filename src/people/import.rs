//! From a file to the store, in two passes: read, check and sort all of it; then merge, join doubles, and hand
//! over batches. So a file that can't be read to its end changes nothing, and memory stays bounded.
//!
//! A thread reads and merges while the store writes. Each batch is a transaction: an import that was
//! interrupted is completed by running it again.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc;

use super::rows::{Entry, Lists};
use super::sort::{Merged, Sorter};
use super::source::{Row, Rows};
use crate::format;
use crate::model::ListId;
use crate::model::subscription::SubscriptionState;
use crate::store::import::{BATCH_PEOPLE, ImportRow, ImportedSubscription};
use crate::store::{Store, StoreError};

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The CSV file.
    pub file: PathBuf,
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
    /// Columns that nobody reads.
    Ignored(Vec<String>),
    /// Columns of another product that say who must not be mailed.
    ConsentRead(Vec<String>),
    /// The file's name says how all in it are gone.
    Everybody(SubscriptionState),
    /// A row that is not taken: the line on which it begins, and why.
    Rejected {
        /// Where the row begins, from 1.
        line: u64,
        /// Why, without a final stop.
        reason: String,
    },
    /// Rows were written to the database.
    Written {
        /// The rows that are in the database.
        rows: u64,
        /// All rows that are to be written.
        of: u64,
    },
}

impl Event {
    /// Whether it is about columns, and there are none.
    fn names_nothing(&self) -> bool {
        matches!(self, Event::Ignored(names) | Event::ConsentRead(names) if names.is_empty())
    }
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
    let reading = tokio::task::spawn_blocking(move || read(&plan, &folder, &sender));
    let mut report = Report::default();
    while let Some(message) = inbox.recv().await {
        match message {
            Message::Tell(event) => {
                report.rejected += u64::from(matches!(event, Event::Rejected { .. }));
                tell(event);
            }
            Message::Batch { people, rows, of } => {
                let subscriptions = people
                    .iter()
                    .map(|person| person.subscriptions.len() as u64);
                let subscriptions: u64 = subscriptions.sum();
                let imported = store.import(people, now).await?;
                report.added += imported.added;
                report.updated += imported.updated;
                // A row that says once more what another said is one that changes nothing.
                report.unchanged += imported.unchanged + rows - subscriptions;
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
        Err(died) => Err(ImportError::File(format!(
            "reading broke off, which is a defect: {died}"
        ))),
    }
}

/// Both passes, as far as the file is concerned. Ends early, without an error, where nobody listens any more.
fn read(plan: &Plan, folder: &Path, to: &Sender) -> Result<(), String> {
    let unsorted = |error: std::io::Error| {
        let why = format::io(&error);
        format!(
            "{}: {why}, for the sorted rows. An import needs room there as large as its file.",
            folder.display()
        )
    };
    let mut file = Rows::open(plan.file.clone())?;
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
    for event in [
        Event::Ignored(file.header.ignored()),
        Event::ConsentRead(file.header.consent_columns()),
    ] {
        if !event.names_nothing() {
            let _ = to.blocking_send(Message::Tell(event));
        }
    }
    if let Some(state) = file.header.everybody() {
        let _ = to.blocking_send(Message::Tell(Event::Everybody(state)));
    }
    if default.is_none() && !file.header.names_lists() {
        return Err(format!(
            "{}: the file does not say for which list it is, and there are several: {}. Add --list, or a column \
             named list.",
            plan.file.display(),
            keys.join(", ")
        ));
    }
    let mut sorter = Sorter::new(folder.to_owned());
    let mut good = 0;
    while let Some(Row { line, entry }) = file.next(&lists)? {
        match entry {
            Ok(entry) => {
                good += 1;
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
    hand_over(sorter.merged().map_err(unsorted)?, &plan.lists, good, to).map_err(unsorted)
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
        }],
    }
}

/// Joins a further row of the same person: its texts win, the earliest time does, and leaving.
fn join(person: &mut ImportRow, entry: Entry, list: ListId) {
    if !entry.name.is_empty() {
        person.name = entry.name;
    }
    if !entry.tags.is_empty() {
        person.tags = entry.tags;
    }
    person.joined_at = match (person.joined_at, entry.joined_at) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let known = person.subscriptions.iter_mut().find(|s| s.list == list);
    match known {
        Some(wish) if entry.state.wins_over(wish.state) => wish.state = entry.state,
        Some(_) => {}
        None => person.subscriptions.push(ImportedSubscription {
            list,
            state: entry.state,
        }),
    }
}
