//! What reads foreign bytes, given the corpus of the fuzz targets (`tests/fuzz`) and, from it, inputs that are
//! damaged by chance: the same properties as there.
//!
//! `LETTERPRESS_FAULTS=full` damages for longer, `LETTERPRESS_SEED` as before.

#![allow(
    clippy::disallowed_macros,
    reason = "tests print what helps to read a failure"
)]

#[path = "support/effort.rs"]
mod effort;
#[path = "fuzz/properties.rs"]
mod properties;

use std::path::Path;

use effort::{Dice, is_full};

/// Every input of a target, by the name of its file.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 5, "{} holds no corpus", folder.display());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files
        .iter()
        .map(|path| (name(path), std::fs::read(path).unwrap()))
        .collect()
}

/// Pieces that parsers stumble over.
const PIECES: [&[u8]; 18] = [
    b"\r\n",
    b"\n",
    b"\r",
    b".",
    b"\r\n.\r\n",
    b"\0",
    b"\"",
    b"'",
    b",",
    b";",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    "\u{202e}\u{2028}".as_bytes(),
    b"250-",
    b"{{",
    b"+++\n",
    b"---\n",
    b"MAIL FROM:<a@b.example>\r\n",
];

/// Cuts, doubles, replaces and puts in, a few times.
fn damaged(input: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let place =
        |dice: &mut Dice, length: usize| usize::try_from(dice.below(length as u64 + 1)).unwrap();
    for _ in 0..=dice.below(4) {
        let (a, b) = (place(dice, bytes.len()), place(dice, bytes.len()));
        let range = a.min(b)..a.max(b);
        match dice.below(5) {
            0 => drop(bytes.drain(range)),
            1 => {
                let part = bytes[range].to_vec();
                bytes.splice(a..a, part);
            }
            2 => {
                let piece = PIECES[place(dice, PIECES.len() - 1)];
                bytes.splice(a..a, piece.iter().copied());
            }
            3 => bytes
                .iter_mut()
                .skip(a)
                .take(1)
                .for_each(|byte| *byte ^= 1 << dice.below(8)),
            _ => {
                let from = place(dice, other.len());
                bytes.splice(range, other[from..].iter().copied());
            }
        }
    }
    bytes.truncate(100_000);
    bytes
}

fn hold(target: &str, property: fn(&[u8])) {
    let inputs = corpus(target);
    for (name, bytes) in &inputs {
        println!("{target}/{name}");
        property(bytes);
    }
    let mut dice = Dice::new();
    let rounds = if is_full() { 200_000 } else { 1_500 };
    for _ in 0..rounds {
        let mut any = || &inputs[usize::try_from(dice.below(inputs.len() as u64)).unwrap()].1;
        let (one, other) = (any(), any());
        property(&damaged(one, other, &mut dice));
    }
}

#[test]
fn any_reply_of_a_server_is_bounded_and_judged() {
    hold("replies", properties::replies);
}

#[test]
fn extensions_are_read_whatever_their_order() {
    hold("ehlo", properties::ehlo);
}

#[test]
fn any_file_of_people_is_taken_or_refused_row_by_row() {
    hold("csv", properties::csv);
}

#[test]
fn any_file_of_an_author_is_read_or_refused_by_its_line() {
    hold("issue", properties::issue);
}

#[test]
fn the_inbox_keeps_only_what_was_said_to_a_dot_of_its_own() {
    hold("inbox", properties::inbox);
}
