//! Many rows in the order of their addresses, with little memory: sorted runs go to files that have no name
//! (nothing stays behind, even after a kill), and come back merged.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};
use std::path::PathBuf;

use jiff::Timestamp;

use super::rows::Entry;
use crate::model::Address;
use crate::model::subscription::SubscriptionState;

/// How many rows are sorted in memory at once.
const RUN_ROWS: usize = 25_000;

/// A row with what it is sorted by: its address without regard to case, then its line.
#[derive(Debug)]
struct Keyed {
    /// [`Address::key`], where it is another than the address itself.
    key: Option<String>,
    entry: Entry,
}

impl Keyed {
    fn new(entry: Entry) -> Self {
        let has_capitals = entry.email.as_str().bytes().any(|b| b.is_ascii_uppercase());
        Self {
            key: has_capitals.then(|| entry.email.key()),
            entry,
        }
    }

    fn order(&self) -> (&str, u64) {
        (
            self.key.as_deref().unwrap_or(self.entry.email.as_str()),
            self.entry.line,
        )
    }
}

/// Takes rows in any order.
pub(super) struct Sorter {
    folder: PathBuf,
    run_rows: usize,
    rows: Vec<Keyed>,
    runs: Vec<File>,
}

impl Sorter {
    /// `folder` must have room for as much again as the file that is read.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            run_rows: RUN_ROWS,
            rows: Vec::new(),
            runs: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, entry: Entry) -> io::Result<()> {
        if self.rows.len() == self.run_rows {
            self.spill()?;
        }
        self.rows.push(Keyed::new(entry));
        Ok(())
    }

    fn sort(&mut self) {
        self.rows.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let mut out = BufWriter::with_capacity(1 << 16, tempfile::tempfile_in(&self.folder)?);
        for row in self.rows.drain(..) {
            write_entry(&mut out, &row.entry)?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        Ok(())
    }

    /// All rows in order.
    pub(super) fn merged(mut self) -> io::Result<Merged> {
        self.sort();
        let mut sources: Vec<Source> = self
            .runs
            .into_iter()
            .map(|file| Source::File(BufReader::with_capacity(1 << 15, file)))
            .collect();
        sources.push(Source::Memory(self.rows.into_iter()));
        let mut heads = BinaryHeap::new();
        for (source, rows) in sources.iter_mut().enumerate() {
            if let Some(row) = rows.next()? {
                heads.push(Head { row, source });
            }
        }
        Ok(Merged { sources, heads })
    }
}

/// A sorted run.
enum Source {
    File(BufReader<File>),
    Memory(std::vec::IntoIter<Keyed>),
}

impl Source {
    fn next(&mut self) -> io::Result<Option<Keyed>> {
        match self {
            Source::Memory(rows) => Ok(rows.next()),
            Source::File(file) => Ok(read_entry(file)?.map(Keyed::new)),
        }
    }
}

/// The first row of a run that was not given out yet; the heap's greatest is the least row.
struct Head {
    row: Keyed,
    source: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        other.row.order().cmp(&self.row.order())
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

/// Gives all rows in order.
pub(super) struct Merged {
    sources: Vec<Source>,
    heads: BinaryHeap<Head>,
}

impl Iterator for Merged {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut least = self.heads.peek_mut()?;
        match self.sources[least.source].next() {
            Err(error) => Some(Err(error)),
            Ok(Some(row)) => Some(Ok(std::mem::replace(&mut least.row, row).entry)),
            Ok(None) => Some(Ok(PeekMut::pop(least).row.entry)),
        }
    }
}

const NO_TIME: i64 = i64::MIN;

/// Writes a row: lengths and numbers in little-endian, then the texts.
fn write_entry(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    let joined_at = entry.joined_at.map_or(NO_TIME, Timestamp::as_millisecond);
    let texts = [entry.email.as_str(), &entry.name, &entry.tags];
    out.write_all(&entry.line.to_le_bytes())?;
    out.write_all(&joined_at.to_le_bytes())?;
    out.write_all(&entry.list.to_le_bytes())?;
    out.write_all(&[entry.state as u8])?;
    for text in texts {
        out.write_all(&(text.len() as u32).to_le_bytes())?;
    }
    texts
        .iter()
        .try_for_each(|text| out.write_all(text.as_bytes()))
}

/// Reads the next row; `None` at the end of the run.
fn read_entry(file: &mut impl Read) -> io::Result<Option<Entry>> {
    let mut line = [0; 8];
    match file.read_exact(&mut line) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let joined_at = i64::from_le_bytes(array(file)?);
    let list = u16::from_le_bytes(array(file)?);
    let [state] = array(file)?;
    let lengths: [[u8; 4]; 3] = [array(file)?, array(file)?, array(file)?];
    let mut text = |length: [u8; 4]| {
        let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
        file.read_exact(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| damaged())
    };
    Ok(Some(Entry {
        email: Address::trusted(text(lengths[0])?),
        name: text(lengths[1])?,
        tags: text(lengths[2])?,
        joined_at: if joined_at == NO_TIME {
            None
        } else {
            Some(Timestamp::from_millisecond(joined_at).map_err(|_| damaged())?)
        },
        list,
        state: SubscriptionState::from_number(state.into()).ok_or_else(damaged)?,
        line: u64::from_le_bytes(line),
    }))
}

fn array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a temporary file came back otherwise than it was written",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some_entry() -> impl Strategy<Value = Entry> {
        let time = proptest::option::of(-1_000_000_000_000i64..4_000_000_000_000);
        (
            "[a-dA-D]{1,2}",
            "\\PC{0,8}",
            "[a-z,]{0,5}",
            time,
            0u16..3,
            0i64..5,
            1u64..1000,
        )
            .prop_map(|(local, name, tags, joined_at, list, state, line)| Entry {
                email: Address::parse(&format!("{local}@b.example")).unwrap(),
                name,
                tags,
                joined_at: joined_at.map(|ms| Timestamp::from_millisecond(ms).unwrap()),
                list,
                state: SubscriptionState::from_number(state).unwrap(),
                line,
            })
    }

    proptest! {
        #[test]
        fn runs_on_disk_come_back_whole_and_in_order(
            entries in proptest::collection::vec(some_entry(), 0..60),
            run_rows in 1usize..20,
        ) {
            let order = |e: &Entry| (e.email.key(), e.line, e.name.clone(), e.list, e.state as u8);
            let dir = tempfile::tempdir().unwrap();
            let mut sorter = Sorter { run_rows, ..Sorter::new(dir.path().to_owned()) };
            for entry in &entries {
                sorter.push(entry.clone()).unwrap();
            }
            let mut merged: Vec<Entry> = sorter.merged().unwrap().collect::<io::Result<_>>().unwrap();
            prop_assert!(merged.is_sorted_by_key(|e| (e.email.key(), e.line)));
            let mut wanted = entries;
            wanted.sort_by_key(order);
            merged.sort_by_key(order);
            prop_assert_eq!(merged, wanted);
        }
    }
}
