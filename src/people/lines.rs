//! Where rows begin: the CSV reader tells the byte after the row before, which is not yet the row's own line
//! where an empty line or the rest of CR LF lies between.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

/// The longest row that is taken, in bytes. A quotation mark that is never closed makes one row of all that
/// follows; it shall not be held in memory.
const ROW_MAX_BYTES: u64 = 1 << 20;

/// Notes while bytes pass on which line each row may begin.
pub(super) struct Lines<R> {
    raw: R,
    /// How many bytes have passed.
    passed: u64,
    /// The line of the next byte, from 1.
    line: u64,
    /// Whether the last byte was CR or LF, or there was none yet.
    after_break: bool,
    /// Byte and line of each line that is not empty, from the first row on that was not asked for.
    starts: VecDeque<(u64, u64)>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(raw: R) -> Self {
        Self {
            raw,
            passed: 0,
            line: 1,
            after_break: true,
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

    /// Drops what lies before a byte.
    fn forget(&mut self, byte: u64) {
        while self.starts.front().is_some_and(|(start, _)| *start < byte) {
            self.starts.pop_front();
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some((start, line)) = self.starts.front()
            && self.passed - start > ROW_MAX_BYTES
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the row that begins on line {line} never ends; a quotation mark is not closed, it seems"
                ),
            ));
        }
        let n = self.raw.read(out)?;
        for byte in &out[..n] {
            let is_break = matches!(byte, b'\n' | b'\r');
            if self.after_break && !is_break {
                self.starts.push_back((self.passed, self.line));
            }
            self.after_break = is_break;
            self.line += u64::from(*byte == b'\n');
            self.passed += 1;
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            .from_reader(Lines::new(text.as_bytes()));
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
    fn a_quotation_mark_that_is_never_closed_is_told_and_not_held_in_memory() {
        let endless = io::repeat(b'x').take(100 << 20);
        let raw = Lines::new(io::Cursor::new("a\nb\n\"c\n").chain(endless));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(raw);
        assert_eq!(
            (next(&mut reader).unwrap(), next(&mut reader).unwrap()),
            (Some(1), Some(2))
        );
        let error = next(&mut reader).unwrap_err().to_string();
        assert!(error.contains("begins on line 3"), "{error}");
    }

    proptest::proptest! {
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
