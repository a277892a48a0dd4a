//! A file of people, open for reading, row by row. It is looked at as a whole before the first row is read: its encoding,
//! its separator, what its columns mean, how many rows it has, and whether each quotation mark is closed.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use csv::ByteRecord;

use super::encoding::{self, Detected, Encoding, Sample};
use super::header::{Field, Header, Mapping};
use super::lines::{Damage, Layout, Lines};
use super::rows::{Entry, Lists, Note, Refusal};
use super::text;
use crate::model::subscription::SubscriptionState;
use crate::{files, format};

/// How much of a file is looked at to learn what separates its columns and how its values are written.
const HEAD_BYTES: u64 = 64 * 1024;
/// The most columns that a file may have.
const COLUMNS_MAX: usize = 1000;
/// The separators that are looked for; of several with the same number, the first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

type Text = BufReader<Box<dyn Read + Send>>;

/// What an author says about a file; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which columns hold what, where their names do not tell.
    pub mappings: Vec<Mapping>,
    /// What separates the columns; `None`: found by looking.
    pub separator: Option<Separator>,
    /// The encoding of a file without a byte order mark; `None`: found by looking.
    pub encoding: Option<Encoding>,
}

/// What separates the columns of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Separator(u8);

/// A text that can't separate columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a separator is one character, such as \";\", or the word tab")]
pub struct BadSeparator;

impl std::str::FromStr for Separator {
    type Err = BadSeparator;

    fn from_str(text: &str) -> Result<Self, BadSeparator> {
        match text.as_bytes() {
            b"tab" | b"\\t" => Ok(Separator(b'\t')),
            [b'"' | b'\n' | b'\r' | b'\0'] => Err(BadSeparator),
            [byte] if byte.is_ascii() => Ok(Separator(*byte)),
            _ => Err(BadSeparator),
        }
    }
}

impl Separator {
    /// The character.
    pub fn as_char(self) -> char {
        char::from(self.0)
    }
}

/// What was understood of a file before any row is stored.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// How many rows it has; empty ones may be among them.
    pub rows: u64,
    /// What separates its columns.
    pub separator: Separator,
    /// Its encoding.
    pub encoding: Encoding,
    /// A line that shows its encoding, where nothing but its bytes tells it.
    pub encoding_guessed_by: Option<Sample>,
    /// The line on which the columns are named, from 1; `None`: they have no names.
    pub header_line: Option<u64>,
    /// What each column holds that is read, by the name that the file gives it.
    pub columns: Vec<(Field, String)>,
    /// Columns that nobody reads.
    pub ignored: Vec<String>,
    /// Columns of another product that say who must not be mailed.
    pub consent: Vec<String>,
    /// The state of everybody, by the file's name.
    pub everybody: Option<SubscriptionState>,
}

/// The rows of a file.
pub(super) struct Rows {
    path: PathBuf,
    pub header: Header,
    pub outlook: Outlook,
    csv: csv::Reader<Lines<Text>>,
    record: ByteRecord,
    /// Whether `record` is a row that was not given yet.
    is_pending: bool,
}

/// A row of a file.
pub(super) struct Row {
    /// On which it begins, from 1.
    pub line: u64,
    /// What stands there, or why it can't be taken.
    pub entry: Result<Entry, String>,
    /// What of it could not be read.
    pub notes: Vec<Note>,
}

impl Rows {
    /// Opens a file, looks at all of it, and reads its first line.
    ///
    /// # Errors
    /// One paragraph that names the file.
    pub(super) fn open(path: PathBuf, options: &Options) -> Result<Rows, String> {
        let failed = |error: io::Error| unreadable(&path, &error);
        if path.is_dir() {
            return Err(format!(
                "{}: this is a folder. Name a CSV file.",
                path.display()
            ));
        }
        let file = files::open(&path).map_err(failed)?;
        let file = rereadable(file).map_err(failed)?;
        Rows::of(path, file, options)
    }

    /// Reads the first line of what stands, or might stand, in a file of that name.
    ///
    /// # Errors
    /// One paragraph that names the file.
    pub(super) fn of(
        path: PathBuf,
        mut raw: impl Read + Seek + Send + 'static,
        options: &Options,
    ) -> Result<Rows, String> {
        let failed = |error: io::Error| unreadable(&path, &error);
        let detected = encoding::detect(&mut raw, options.encoding).map_err(|why| match why {
            encoding::Undetected::Io(error) => failed(error),
            why => at(&path, why.line().unwrap_or(1), &why),
        })?;
        let encoding = detected.encoding;
        let head = head(&mut raw, &detected).map_err(failed)?;
        let layout = layout(&head, options.separator);
        let names_separator = named_separator(&head).is_some();

        // Once for the columns, once for the rows, and then to stay.
        rewind(&mut raw, &detected).map_err(failed)?;
        let mut csv = reader(text::decoded(&mut raw, encoding), layout);
        let first = First::read(&mut csv, names_separator).map_err(|e| broken(&path, e))?;
        drop(csv);
        let (mut header, header_line) = first.header(&path, &options.mappings)?;
        rewind(&mut raw, &detected).map_err(failed)?;
        let counted = Lines::new(text::decoded(&mut raw, encoding), layout).count_rows();
        let all_rows = counted.map_err(|e| broken(&path, e.into()))?;
        rewind(&mut raw, &detected).map_err(failed)?;
        let text: Box<dyn Read + Send> = text::decoded(raw, encoding);
        let mut csv = reader(text, layout);
        let first = First::read(&mut csv, names_separator).map_err(|e| broken(&path, e))?;

        let is_pending = header_line.is_none();
        header.learn(&sample(&head, layout, &first));
        let outlook = Outlook {
            rows: all_rows.saturating_sub(first.read - u64::from(is_pending)),
            separator: Separator(layout.separator),
            encoding,
            encoding_guessed_by: detected.guessed_by,
            header_line,
            columns: header.understood(),
            ignored: header.ignored(),
            consent: header.consent_columns(),
            everybody: header.everybody,
        };
        Ok(Rows {
            path,
            header,
            outlook,
            csv,
            record: first.record,
            is_pending,
        })
    }

    /// The next row; `None` at the end. Rows without any value are passed over.
    ///
    /// # Errors
    /// One paragraph: the file can't be read any further, or is refused.
    pub(super) fn next(&mut self, lists: &Lists<'_>) -> Result<Option<Row>, String> {
        while std::mem::take(&mut self.is_pending) || self.read_record()? {
            let begin = self.record.position().map_or(0, csv::Position::byte);
            let bytes = begin..self.csv.position().byte();
            let line = self.csv.get_mut().of_row(bytes);
            if is_blank(&self.record) {
                continue;
            }
            let mut notes = Vec::new();
            let entry = match self.header.entry(&self.record, line, lists, &mut notes) {
                Ok(entry) => Ok(entry),
                Err(Refusal::Row(reason)) => Err(reason),
                Err(Refusal::File(why)) => {
                    return Err(format!("{}:{line}: {why}", self.path.display()));
                }
            };
            return Ok(Some(Row { line, entry, notes }));
        }
        Ok(None)
    }

    fn read_record(&mut self) -> Result<bool, String> {
        self.csv
            .read_byte_record(&mut self.record)
            .map_err(|e| broken(&self.path, e))
    }
}

/// The first row of a file that holds anything.
struct First {
    record: ByteRecord,
    /// Where it begins, from 1.
    line: u64,
    /// How many rows were read until then, it included.
    read: u64,
}

impl First {
    /// Reads up to it. A line that names the separator holds nothing.
    fn read<R: Read>(csv: &mut csv::Reader<Lines<R>>, names_separator: bool) -> csv::Result<First> {
        let mut record = ByteRecord::new();
        let mut read = 0;
        let mut to_skip = u64::from(names_separator);
        while csv.read_byte_record(&mut record)? {
            read += 1;
            let begin = record.position().map_or(0, csv::Position::byte);
            let bytes = begin..csv.position().byte();
            let line = csv.get_mut().of_row(bytes);
            if is_blank(&record) {
                continue;
            }
            if to_skip == 0 {
                return Ok(First { record, line, read });
            }
            to_skip -= 1;
        }
        Ok(First {
            record,
            line: 1,
            read,
        })
    }

    /// What it says about the columns, and its line; no line where it is the first row of a file without names.
    fn header(&self, path: &Path, mappings: &[Mapping]) -> Result<(Header, Option<u64>), String> {
        if self.record.len() > COLUMNS_MAX {
            return Err(format!(
                "{}:{}: this line has {} columns, and at most {COLUMNS_MAX} are read. Begin the file with a line such \
                 as: email,name",
                path.display(),
                self.line,
                format::count(self.record.len() as u64)
            ));
        }
        let at = |why| format!("{}:{}: {why}", path.display(), self.line);
        if let Some(header) = Header::of_no_names(&self.record, mappings) {
            return Ok((header.map_err(at)?, None));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let header = Header::read(&self.record, &stem, mappings).map_err(at)?;
        Ok((header, Some(self.line)))
    }
}

/// A file that can be read several times: what comes through a pipe is kept in a temporary file.
fn rereadable(mut file: File) -> io::Result<File> {
    if file.stream_position().is_ok() {
        return Ok(file);
    }
    let mut kept = tempfile::tempfile()?;
    io::copy(&mut file, &mut kept)?;
    Ok(kept)
}

fn rewind(raw: &mut impl Seek, detected: &Detected) -> io::Result<()> {
    raw.seek(SeekFrom::Start(detected.mark_bytes)).map(drop)
}

fn reader<R: Read>(text: R, layout: Layout) -> csv::Reader<Lines<BufReader<R>>> {
    let text = BufReader::with_capacity(1 << 16, text);
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(layout.separator)
        .from_reader(Lines::new(text, layout))
}

/// The beginning of a text.
fn head(raw: &mut (impl Read + Seek + Send), detected: &Detected) -> io::Result<Vec<u8>> {
    rewind(raw, detected)?;
    let mut head = Vec::new();
    text::decoded(raw, detected.encoding)
        .take(HEAD_BYTES)
        .read_to_end(&mut head)?;
    Ok(head)
}

/// How a text is laid out, by its beginning and by what its author says.
fn layout(head: &[u8], told: Option<Separator>) -> Layout {
    Layout {
        separator: told.map_or_else(|| separator(head), |told| told.0),
        has_cr_lines: head.contains(&b'\r') && !head.contains(&b'\n'),
    }
}

/// What separates the columns: what Excel's line `sep=;` names, else the character that the first line has most of
/// outside quotation marks, if the line names a column of addresses then. Spreadsheets in many countries write
/// semicolons.
fn separator(head: &[u8]) -> u8 {
    if let Some(named) = named_separator(head) {
        return named;
    }
    let mut quoted = false;
    let mut counts = SEPARATORS.map(|separator| (separator, 0));
    for byte in first_line(head) {
        quoted ^= *byte == b'"';
        for (candidate, count) in &mut counts {
            *count += u32::from(!quoted && byte == candidate);
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let names_address = |(separator, count): &&(u8, u32)| {
        let mut csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(*separator)
            .from_reader(first_line(head));
        let mut record = ByteRecord::new();
        *count > 0
            && csv.read_byte_record(&mut record).unwrap_or(false)
            && record.len() <= COLUMNS_MAX
            && Header::names_address(&record)
    };
    let found = counts.iter().find(names_address);
    found.map_or(counts[0].0, |(separator, _)| *separator)
}

/// The character that a first line such as `sep=;` names, by which Excel tells itself how to read the file.
fn named_separator(head: &[u8]) -> Option<u8> {
    let line = first_line(head).trim_ascii_end();
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let named = line
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case(b"sep="));
    let separator = named.map(|_| line.get(4).copied().unwrap_or(b'\t'))?;
    (separator.is_ascii() && separator != b'"').then_some(separator)
}

/// The first line that is not blank.
fn first_line(head: &[u8]) -> &[u8] {
    head.split(|byte| matches!(byte, b'\n' | b'\r'))
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default()
}

/// The first rows below the one that names the columns.
fn sample(head: &[u8], layout: Layout, first: &First) -> Vec<ByteRecord> {
    let mut csv = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(layout.separator)
        .from_reader(head);
    let mut rows: Vec<ByteRecord> = csv
        .byte_records()
        .skip(usize::try_from(first.read).unwrap_or(usize::MAX))
        .map_while(Result::ok)
        .take(1000)
        .collect();
    // The head may end in the middle of a row.
    if head.len() as u64 == HEAD_BYTES {
        rows.pop();
    }
    rows
}

fn is_blank(record: &ByteRecord) -> bool {
    record.iter().all(|value| value.trim_ascii().is_empty())
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{}: {}. Check its name.", path.display(), format::io(error))
}

fn at(path: &Path, line: u64, why: &dyn std::fmt::Display) -> String {
    format!("{}:{line}: {why}. Nothing was imported.", path.display())
}

fn broken(path: &Path, error: csv::Error) -> String {
    let why = match error.kind() {
        csv::ErrorKind::Io(error) => {
            let damage = error.get_ref().and_then(|e| e.downcast_ref::<Damage>());
            if let Some(damage) = damage {
                return at(path, damage.line(), damage);
            }
            format::io(error)
        }
        _ => error.to_string(),
    };
    format!("{}: {why}. Nothing was imported.", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_tells_what_separates() {
        assert_eq!(separator(b"email,name\na;b;c;d"), b',');
        assert_eq!(separator(b"\r\nemail;name;\"a,b\"\r\n"), b';');
        assert_eq!(separator(b" \t \nemail;name"), b';');
        assert_eq!(separator(b"email\tname"), b'\t');
        assert_eq!(separator(b"email"), b',');
        assert_eq!(separator(b""), b',');
        assert_eq!(separator(b"email|name"), b'|');
        assert_eq!(separator(b"email;\"a, b, c\""), b';');
        assert_eq!(separator(b"E-Mail;Name, Vorname, Titel"), b';');
        assert_eq!(separator(b"sep=;\r\nemail;a,b,c"), b';');
        assert_eq!(separator(b"SEP=,\nemail"), b',');
    }

    #[test]
    fn a_separator_is_one_character() {
        let parse = |text: &str| text.parse::<Separator>().map(Separator::as_char);
        assert_eq!(parse(";"), Ok(';'));
        assert_eq!(
            (parse("tab"), parse("\\t"), parse("\t")),
            (Ok('\t'), Ok('\t'), Ok('\t'))
        );
        for text in ["", ";;", "\"", "\n", "；"] {
            assert_eq!(parse(text), Err(BadSeparator), "{text:?}");
        }
    }
}
