//! People by the file: CSV comes in (`open`, `import`) and goes out (`export`), streamed in bounded memory.
//!
//! Reading a file is split along what can be tested alone: `encoding` and `text` (bytes to UTF-8), `lines` (where a row
//! begins, and whether quotation marks are closed), `columns` (what a column's name means), `header` (the first line of a
//! file), `consent` (what its words say about mailing somebody), `mailbox` and `dates` (addresses and dates as people
//! write them), `rows` (values to `rows::Entry`), `source` (all of that for one file), `sort` (runs on disk, merged), and
//! `import`, which joins them and hands batches to the store. What it leaves to others: rules of joining and leaving
//! (`store`), and how an import is asked for and told (`cli`).

mod columns;
mod consent;
mod dates;
mod encoding;
mod export;
#[doc(hidden)]
pub mod foreign;
mod header;
mod import;
mod lines;
mod mailbox;
mod rows;
mod sort;
mod source;
pub(crate) mod spreadsheet;
mod text;

pub use encoding::{Encoding, Sample, UnknownEncoding};
pub use export::{ExportError, export};
pub use header::{BadMapping, Field, Mapping};
pub use import::{Event, ImportError, PeopleFile, Plan, Report, import, open};
pub use rows::Note;
pub use source::{BadSeparator, Options, Outlook, Separator};

#[cfg(test)]
mod consent_tests;
#[cfg(test)]
mod tests;
