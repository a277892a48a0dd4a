//! A file of people, open for reading, row by row.

use std::io::{BufReader, Cursor, Read};
use std::path::PathBuf;

use csv::ByteRecord;

use super::lines::Lines;
use super::rows::{Entry, Header, Lists, Refusal};
use super::text;
use crate::{files, format};

/// How much of a file is looked at to learn what separates its columns.
const HEAD_BYTES: u64 = 64 * 1024;
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
        let (head, text) = with_head(text::decoded(raw).map_err(failed)?).map_err(failed)?;
        let delimiter = delimiter(&head);
        let mut csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Lines::new(text));
        let mut record = ByteRecord::new();
        csv.read_byte_record(&mut record)
            .map_err(|e| broken(&path, e))?;
        if named_delimiter(&head).is_some() {
            csv.read_byte_record(&mut record)
                .map_err(|e| broken(&path, e))?;
        }
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

/// The beginning of a text, in which its first line is looked for, and the whole text from its beginning.
fn with_head(mut text: Box<dyn Read + Send>) -> std::io::Result<(Vec<u8>, Text)> {
    let mut head = Vec::new();
    text.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    let whole: Box<dyn Read + Send> = Box::new(Cursor::new(head.clone()).chain(text));
    Ok((head, BufReader::with_capacity(1 << 16, whole)))
}

/// What separates the columns: what Excel's line `sep=;` names, else the character that the first line has most of
/// outside quotation marks. Spreadsheets in many countries write semicolons.
fn delimiter(head: &[u8]) -> u8 {
    if let Some(named) = named_delimiter(head) {
        return named;
    }
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in first_line(head) {
        quoted ^= *byte == b'"';
        for (candidate, count) in &mut counts {
            *count += u32::from(!quoted && byte == candidate);
        }
    }
    // Of several with the same number, the first.
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(candidate, _)| *candidate)
}

/// The character that a first line such as `sep=;` names, by which Excel tells itself how to read the file.
fn named_delimiter(head: &[u8]) -> Option<u8> {
    let line = first_line(head).trim_ascii_end();
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let named = line
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case(b"sep="));
    named.map(|_| line.get(4).copied().unwrap_or(b'\t'))
}

/// The first line that is not empty.
fn first_line(head: &[u8]) -> &[u8] {
    head.split(|byte| matches!(byte, b'\n' | b'\r'))
        .find(|line| !line.is_empty())
        .unwrap_or_default()
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
        assert_eq!(delimiter(b"email|name"), b'|');
        assert_eq!(delimiter(b"email;\"a, b, c\""), b';');
        assert_eq!(delimiter(b"sep=;\r\nemail;a,b,c"), b';');
        assert_eq!(delimiter(b"SEP=,\nemail"), b',');
    }
}
