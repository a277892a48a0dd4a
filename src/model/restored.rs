//! What a database that turned out to be a copy means: why it was taken for one, and what was held because of that.
//!
//! Whether a database is a copy is found out by `store`; making sentences of it is left to `format::restored`.

use jiff::Timestamp;

/// Why a database is not the one that was in its place last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `backup` made it.
    Backup,
    /// It knows less than the one that was in its place last: an older copy, or its log (`-wal`) was deleted.
    Older,
    /// Another database was in its place last.
    Another,
    /// Its file was copied, together with what stands beside it.
    Copied,
    /// What stands beside every database was not there: its file was moved or copied alone.
    Alone,
}

/// A database that turned out to be a copy, and what was held in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restoration {
    /// Why it was taken for a copy.
    pub origin: Origin,
    /// When the copy was made, or the last time that it knows of; `None` where it knows of none.
    pub as_of: Option<Timestamp>,
    /// The slugs of the issues that are held now.
    pub held: Vec<String>,
    /// The keys of the lists whose schedule waits for the author.
    pub schedules: Vec<String>,
}
