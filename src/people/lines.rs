//! Where rows begin, and whether each quotation mark is closed. The CSV reader tells neither: it knows the byte after
//! the row before, which is not yet the row's own line where an empty line or the rest of CR LF lies between, and it
//! takes a mark that is never closed for one that ends with the file, so that everybody behind it would vanish into one
//! value.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr3;

/// The longest row that is taken, in bytes. A row that never ends shall not be held in memory.
const ROW_MAX_BYTES: u64 = 1 << 20;

/// What is wrong with a file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error(
        "a quotation mark is opened on this line and never closed, so that everything after it would be one value. Close it \
         or delete it"
    )]
    Unclosed {
        /// Where the mark stands, from 1.
        line: u64,
    },
    #[error(
        "a quotation mark is opened on this line and closed within a value on line {closed}, so that the rows between would \
         be one value. Close it or delete it"
    )]
    ClosedWithin {
        /// Where the opening mark stands, from 1.
        line: u64,
        /// Where the next mark stands.
        closed: u64,
    },
    #[error("the row that begins on this line is longer than 1 MiB. Check its quotation marks")]
    TooLong {
        /// Where the row begins, from 1.
        line: u64,
    },
}

impl Damage {
    /// Where to look, from 1.
    pub(super) fn line(self) -> u64 {
        match self {
            Damage::Unclosed { line }
            | Damage::ClosedWithin { line, .. }
            | Damage::TooLong { line } => line,
        }
    }
}

impl From<Damage> for io::Error {
    fn from(damage: Damage) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, damage)
    }
}

/// Where a byte stands with regard to quotation marks, as the CSV reader sees it (RFC 4180, section 2): a mark opens a
/// value only where one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quoting {
    /// A value may begin here.
    Start,
    /// Within a value that has no marks.
    Plain,
    /// Behind an opening mark.
    Quoted,
    /// Behind a mark within such a value: it closes the value, or is the first of two that stand for one.
    Closing,
}

/// How the text of a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// What separates the columns.
    pub separator: u8,
    /// Whether lines end with CR alone, as on old Macs.
    pub has_cr_lines: bool,
}

/// Notes while bytes pass on which line each row may begin.
pub(super) struct Lines<R> {
    raw: R,
    layout: Layout,
    /// How many bytes have passed.
    passed: u64,
    /// The line of the next byte, from 1.
    line: u64,
    /// Whether the last byte was CR or LF, or there was none yet.
    after_break: bool,
    quoting: Quoting,
    /// The line of the last opening mark.
    opened: u64,
    /// How many rows have begun.
    rows: u64,
    /// Byte and line of each line that is not empty, from the first row on that was not asked for.
    starts: VecDeque<(u64, u64)>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(raw: R, layout: Layout) -> Self {
        Self {
            raw,
            layout,
            passed: 0,
            line: 1,
            after_break: true,
            quoting: Quoting::Start,
            opened: 1,
            rows: 0,
            starts: VecDeque::new(),
        }
    }

    /// The line on which the row begins that was read between these bytes. Rows must be asked for in order.
    pub(super) fn of_row(&mut self, bytes: Range<u64>) -> u64 {
        self.forget(bytes.start);
        let line = self.starts.front().map_or(self.line, |(_, line)| *line);
        self.forget(bytes.end);
        line
    }

    /// Reads to the end and gives the number of rows, the one that names the columns included.
    ///
    /// # Errors
    /// [`Damage`], or the file can't be read.
    pub(super) fn count_rows(mut self) -> io::Result<u64> {
        let mut buffer = vec![0; 1 << 16];
        while self.read(&mut buffer)? > 0 {
            self.starts.clear();
        }
        Ok(self.rows)
    }

    /// Drops what lies before a byte.
    fn forget(&mut self, byte: u64) {
        while self.starts.front().is_some_and(|(start, _)| *start < byte) {
            self.starts.pop_front();
        }
    }

    /// Refuses a row that is held in memory and does not end.
    fn limit_row(&self) -> Result<(), Damage> {
        match self.starts.front() {
            Some((start, line)) if self.passed - start > ROW_MAX_BYTES => {
                Err(Damage::TooLong { line: *line })
            }
            _ => Ok(()),
        }
    }

    fn pass_all(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[self.skip(rest)..];
            if let Some((byte, after)) = rest.split_first() {
                self.pass(*byte)?;
                rest = after;
            }
        }
        Ok(())
    }

    /// Passes what neither ends a line nor is a quotation mark, and gives its length. Large files consist of that.
    fn skip(&mut self, bytes: &[u8]) -> usize {
        if self.after_break || self.quoting == Quoting::Closing {
            return 0;
        }
        let n = memchr3(b'"', b'\n', b'\r', bytes).unwrap_or(bytes.len());
        if let Some(last) = bytes[..n].last() {
            self.passed += n as u64;
            self.quoting = match self.quoting {
                Quoting::Quoted => Quoting::Quoted,
                _ if *last == self.layout.separator => Quoting::Start,
                _ => Quoting::Plain,
            };
        }
        n
    }

    fn pass(&mut self, byte: u8) -> Result<(), Damage> {
        let is_break = matches!(byte, b'\n' | b'\r');
        if self.after_break && !is_break {
            self.starts.push_back((self.passed, self.line));
            self.rows += u64::from(self.quoting != Quoting::Quoted);
        }
        self.quoting = match (self.quoting, byte) {
            (Quoting::Start, b'"') => {
                self.opened = self.line;
                Quoting::Quoted
            }
            (Quoting::Quoted, b'"') => Quoting::Closing,
            (Quoting::Closing, b'"') | (Quoting::Quoted, _) => Quoting::Quoted,
            _ if is_break || byte == self.layout.separator => Quoting::Start,
            (Quoting::Closing, _) if self.opened < self.line => {
                return Err(Damage::ClosedWithin {
                    line: self.opened,
                    closed: self.line,
                });
            }
            _ => Quoting::Plain,
        };
        self.after_break = is_break;
        self.line += u64::from(byte == b'\n' || (is_break && self.layout.has_cr_lines));
        self.passed += 1;
        Ok(())
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.limit_row()?;
        let n = self.raw.read(out)?;
        if n == 0 && !out.is_empty() && self.quoting == Quoting::Quoted {
            return Err(Damage::Unclosed { line: self.opened }.into());
        }
        self.pass_all(&out[..n])?;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAS: Layout = Layout {
        separator: b',',
        has_cr_lines: false,
    };

    /// The next row's line; `None` at the end.
    fn next<R: Read>(reader: &mut csv::Reader<Lines<R>>) -> csv::Result<Option<u64>> {
        let mut record = csv::ByteRecord::new();
        if !reader.read_byte_record(&mut record)? {
            return Ok(None);
        }
        let bytes = record.position().unwrap().byte()..reader.position().byte();
        Ok(Some(reader.get_mut().of_row(bytes)))
    }

    /// The line of each row, header included.
    fn lines(text: &str) -> Vec<u64> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(Lines::new(text.as_bytes(), COMMAS));
        std::iter::from_fn(|| next(&mut reader).unwrap()).collect()
    }

    #[test]
    fn a_row_begins_where_its_first_byte_stands() {
        assert_eq!(lines("a\nb\nc"), [1, 2, 3]);
        assert_eq!(lines("a\r\nb\r\nc\r\n"), [1, 2, 3]);
        assert_eq!(lines("a\n\n\nb\n\"x\ny\",z\nc\n"), [1, 4, 5, 7]);
        assert_eq!(lines("\r\n\r\na\r\n\r\n\"x\r\n\r\ny\"\r\nc"), [3, 5, 8]);
        assert_eq!(lines(""), [0; 0]);
    }

    #[test]
    fn a_row_that_does_not_end_is_told_and_not_held_in_memory() {
        let endless = io::repeat(b'x').take(100 << 20);
        let raw = Lines::new(io::Cursor::new("a\nb\n\"c\n").chain(endless), COMMAS);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(raw);
        assert_eq!(
            (next(&mut reader).unwrap(), next(&mut reader).unwrap()),
            (Some(1), Some(2))
        );
        let csv::ErrorKind::Io(error) = next(&mut reader).unwrap_err().into_kind() else {
            panic!("it is not about reading");
        };
        let damage = error.get_ref().unwrap().downcast_ref::<Damage>();
        assert_eq!(damage, Some(&Damage::TooLong { line: 3 }));
    }

    /// The number of rows, or what is wrong.
    fn count(text: &str) -> Result<u64, Damage> {
        let counted = Lines::new(text.as_bytes(), COMMAS).count_rows();
        counted.map_err(|error| *error.get_ref().unwrap().downcast_ref().unwrap())
    }

    #[test]
    fn each_mark_that_opens_a_value_must_be_closed() {
        for (text, wanted) in [
            ("", Ok(0)),
            ("a\r\n\r\nb", Ok(2)),
            ("a,b\n\"x\ny\",z\n", Ok(2)),
            ("a,b\n\"say \"\"hi\"\"\",\"\"\n", Ok(2)),
            ("a,b\n5\" pipe,6\"\n", Ok(2)),
            ("a,b\n\"Ann\" Lee,\"B\"\n", Ok(2)),
            (
                "a,b\nx,\"Ann\ny,R\nz,R\n",
                Err(Damage::Unclosed { line: 2 }),
            ),
            (
                "a,b\n\"q\nr\",\"Ann\ny,R",
                Err(Damage::Unclosed { line: 3 }),
            ),
            ("a,b\nx,\"", Err(Damage::Unclosed { line: 2 })),
            (
                "a,b\nx,\"Ann\ny,\"\"\nz,R",
                Err(Damage::Unclosed { line: 2 }),
            ),
            (
                "a,b\nx,\"Ann\ny,\"Bob\"\n",
                Err(Damage::ClosedWithin { line: 2, closed: 3 }),
            ),
        ] {
            assert_eq!(count(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn lines_of_old_macs_end_with_cr() {
        let layout = Layout {
            has_cr_lines: true,
            ..COMMAS
        };
        let raw = Lines::new("a,b\rc,d\r\re,\"f\rg\"\rh,\"i".as_bytes(), layout);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(raw);
        let mut lines = Vec::new();
        while let Ok(Some(line)) = next(&mut reader) {
            lines.push(line);
        }
        assert_eq!(lines, [1, 2, 4]);
    }

    proptest::proptest! {
        /// The CSV reader is right about where values begin and end.
        #[test]
        fn rows_are_counted_as_the_reader_reads_them(text in "[a\",\n]{0,40}") {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes());
            let rows: Vec<_> = reader.byte_records().map(Result::unwrap).collect();
            if let Ok(counted) = count(&text) {
                proptest::prop_assert_eq!(counted, rows.len() as u64);
            }
        }

        #[test]
        fn lines_agree_with_counting(rows in proptest::collection::vec("[a-z]{1,3}(\n[a-z]{0,2}){0,3}", 1..20),
                                     end in "\r?\n", gap in 0usize..3) {
            let mut text = String::new();
            let mut want = Vec::new();
            for row in &rows {
                want.push(1 + text.matches('\n').count() as u64);
                text.push_str(&format!("\"{row}\"{}", end.repeat(gap + 1)));
            }
            proptest::prop_assert_eq!(lines(&text), want);
        }
    }
}
