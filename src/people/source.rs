//! A file of people, open for reading, row by row.

use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;

use csv::ByteRecord;

use super::lines::Lines;
use super::rows::{Entry, Header, Lists, Refusal};
use super::text;
use crate::{files, format};

/// The most columns that a file may have.
const COLUMNS_MAX: usize = 1000;

type Text = BufReader<Box<dyn Read + Send>>;

/// The rows of a file.
pub(super) struct Rows {
    path: PathBuf,
    pub header: Header,
    csv: csv::Reader<Lines<Text>>,
    record: ByteRecord,
}

/// A row of a file.
pub(super) struct Row {
    /// On which it begins, from 1.
    pub line: u64,
    /// What stands there, or why it can't be taken.
    pub entry: Result<Entry, String>,
}

impl Rows {
    /// Opens a file and reads its first line.
    ///
    /// # Errors
    /// One paragraph that names the file.
    pub(super) fn open(path: PathBuf) -> Result<Rows, String> {
        let failed = |error: std::io::Error| unreadable(&path, &error);
        if path.is_dir() {
            return Err(format!(
                "{}: this is a folder. Name a CSV file.",
                path.display()
            ));
        }
        let file = files::open(&path).map_err(failed)?;
        Rows::of(path, file)
    }

    /// Reads the first line of what stands, or might stand, in a file of that name.
    ///
    /// # Errors
    /// One paragraph that names the file.
    pub(super) fn of(path: PathBuf, raw: impl Read + Send + 'static) -> Result<Rows, String> {
        let failed = |error: std::io::Error| unreadable(&path, &error);
        let mut text = BufReader::with_capacity(1 << 16, text::decoded(raw).map_err(failed)?);
        let delimiter = delimiter(text.fill_buf().map_err(failed)?);
        let mut csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Lines::new(text));
        let mut record = ByteRecord::new();
        csv.read_byte_record(&mut record)
            .map_err(|e| broken(&path, e))?;
        if record.len() > COLUMNS_MAX {
            return Err(format!(
                "{}:1: this line has {} columns, and at most {COLUMNS_MAX} are read. Begin the file with a line such \
                 as: email,name",
                path.display(),
                format::count(record.len() as u64)
            ));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let header =
            Header::read(&record, &stem).map_err(|why| format!("{}:1: {why}", path.display()))?;
        Ok(Rows {
            path,
            header,
            csv,
            record,
        })
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// One paragraph: the file can't be read any further, or is refused.
    pub(super) fn next(&mut self, lists: &Lists<'_>) -> Result<Option<Row>, String> {
        let more = self
            .csv
            .read_byte_record(&mut self.record)
            .map_err(|e| broken(&self.path, e))?;
        if !more {
            return Ok(None);
        }
        let begin = self.record.position().map_or(0, csv::Position::byte);
        let bytes = begin..self.csv.position().byte();
        let line = self.csv.get_mut().of_row(bytes);
        let entry = match self.header.entry(&self.record, line, lists) {
            Ok(entry) => Ok(entry),
            Err(Refusal::Row(reason)) => Err(reason),
            Err(Refusal::File(why)) => {
                return Err(format!("{}:{line}: {why}", self.path.display()));
            }
        };
        Ok(Some(Row { line, entry }))
    }
}

/// What separates the columns: spreadsheets in many countries write semicolons.
fn delimiter(head: &[u8]) -> u8 {
    let first_line = head
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .find(|line| !line.is_empty());
    let count = |wanted: u8| {
        first_line
            .unwrap_or_default()
            .iter()
            .filter(|byte| **byte == wanted)
            .count()
    };
    [b';', b'\t']
        .into_iter()
        .find(|other| count(*other) > count(b','))
        .unwrap_or(b',')
}

fn unreadable(path: &std::path::Path, error: &std::io::Error) -> String {
    format!("{}: {}. Check its name.", path.display(), format::io(error))
}

fn broken(path: &std::path::Path, error: csv::Error) -> String {
    let why = match error.kind() {
        csv::ErrorKind::Io(error) => format::io(error),
        _ => error.to_string(),
    };
    format!("{}: {why}. Nothing was imported.", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_tells_what_separates() {
        assert_eq!(delimiter(b"email,name\na;b;c;d"), b',');
        assert_eq!(delimiter(b"\r\nemail;name;\"a,b\"\r\n"), b';');
        assert_eq!(delimiter(b"email\tname"), b'\t');
        assert_eq!(delimiter(b"email"), b',');
        assert_eq!(delimiter(b""), b',');
    }
}
