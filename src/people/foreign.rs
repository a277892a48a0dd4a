//! What reads a file of people, opened to those who throw any bytes at it: `tests/foreign_bytes.rs` and the fuzz
//! targets of `tests/fuzz`. Nothing of the program uses it.

use std::io::Cursor;
use std::path::PathBuf;

use super::rows::Lists;
use super::source::{Options, Rows};

/// A row that was taken, as it would be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The normalised address.
    pub email: String,
    /// The name on one line; empty where the row has none.
    pub name: String,
    /// Separated by commas.
    pub tags: String,
}

/// The line on which a row begins, and who stands there or why nobody does.
pub type Row = (u64, Result<Person, String>);

/// The rows of a file by their lines, each taken or refused with a reason, for one list.
///
/// # Errors
/// One paragraph: it is no file of people, or can't be read to its end.
pub fn read_rows(bytes: Vec<u8>) -> Result<Vec<Row>, String> {
    let mut rows = Rows::of(
        PathBuf::from("people.csv"),
        Cursor::new(bytes),
        &Options::default(),
    )?;
    let keys = ["weekly".to_owned()];
    let lists = Lists {
        keys: &keys,
        default: Some(0),
        only_default: false,
    };
    let mut all = Vec::new();
    while let Some(row) = rows.next(&lists)? {
        let person = row.entry.map(|entry| Person {
            email: entry.email.to_string(),
            name: entry.name,
            tags: entry.tags,
        });
        all.push((row.line, person));
    }
    Ok(all)
}

/// A value as an export writes it: what a spreadsheet would take for a formula begins with an apostrophe.
pub fn exported(value: &str) -> String {
    super::spreadsheet::harmless(value).into_owned()
}
