//! People by the file: CSV comes in (`import`) and goes out (`export`), streamed in bounded memory.
//!
//! Reading a file is split along what can be tested alone: `text` (bytes to UTF-8), `lines` (where a row
//! begins), `columns` (what a column's name means), `consent` (what its words say about
//! mailing somebody), `rows` (values to `rows::Entry`), `source` (all of that for one file), `sort` (runs
//! on disk, merged), and `import`, which joins them and hands batches to the store. What it leaves to others: rules of joining and leaving (`store`).

mod columns;
mod consent;
mod export;
#[doc(hidden)]
pub mod foreign;
mod import;
mod lines;
mod rows;
mod sort;
mod source;
pub(crate) mod spreadsheet;
mod text;

pub use export::{ExportError, export};
pub use import::{Event, ImportError, Plan, Report, import};

#[cfg(test)]
mod consent_tests;
#[cfg(test)]
mod tests;
