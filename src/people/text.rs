//! Bytes of a file to UTF-8: a byte order mark tells UTF-16, and is no part of the text.

use std::io::{self, Read};

/// A reader of the same text in UTF-8, without its byte order mark. Without a mark bytes pass as they are:
/// a row that is no UTF-8 is named later, the rest comes in.
pub(super) fn decoded(mut raw: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::with_capacity(3);
    raw.by_ref().take(3).read_to_end(&mut head)?;
    let read_unit: fn([u8; 2]) -> u16 = match head.as_slice() {
        [0xef, 0xbb, 0xbf] => return Ok(Box::new(raw)),
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Ok(Box::new(io::Cursor::new(head).chain(raw))),
    };
    let rest = io::Cursor::new(head[2..].to_vec()).chain(raw);
    Ok(Box::new(Utf16 {
        raw: io::BufReader::new(rest),
        read_unit,
        high: None,
        ready: Vec::new(),
        given: 0,
    }))
}

/// Turns UTF-16 into UTF-8 as it is read; a lone surrogate, and half a unit at the end, become U+FFFD.
struct Utf16<R> {
    raw: R,
    read_unit: fn([u8; 2]) -> u16,
    /// The first unit of a pair whose second was not read yet.
    high: Option<u16>,
    ready: Vec<u8>,
    given: usize,
}

impl<R: Read> Utf16<R> {
    /// Decodes the next piece into `ready`; empty at the end.
    fn refill(&mut self) -> io::Result<()> {
        let mut raw = Vec::with_capacity(4096);
        self.raw.by_ref().take(4096).read_to_end(&mut raw)?;
        let (pairs, half) = raw.as_chunks::<2>();
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        units.extend(pairs.iter().map(|pair| (self.read_unit)(*pair)));
        let at_end = raw.len() < 4096;
        if !at_end
            && units
                .last()
                .is_some_and(|unit| (0xd800..0xdc00).contains(unit))
        {
            self.high = units.pop();
        }
        if !half.is_empty() {
            units.push(0xfffd);
        }
        let text: String = char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        (self.ready, self.given) = (text.into_bytes(), 0);
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.refill()?;
        }
        let n = (self.ready.len() - self.given).min(out.len());
        out[..n].copy_from_slice(&self.ready[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: Vec<u8>) -> String {
        let mut text = String::new();
        decoded(io::Cursor::new(bytes))
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once(0xfeff)
            .chain(text.encode_utf16())
            .flat_map(to_bytes)
            .collect()
    }

    #[test]
    fn a_mark_tells_the_encoding_and_is_left_out() {
        let text = "email,name\na@b.example,Zoë 😀\n";
        assert_eq!(read(text.into()), text);
        assert_eq!(read(format!("\u{feff}{text}").into()), text);
        assert_eq!(read(utf16(text, u16::to_le_bytes)), text);
        assert_eq!(read(utf16(text, u16::to_be_bytes)), text);
        assert_eq!(read(Vec::new()), "");
        assert_eq!(read(vec![b'a']), "a");
    }

    #[test]
    fn broken_utf_16_loses_only_what_is_broken() {
        let mut bytes = utf16("ab", u16::to_le_bytes);
        bytes.extend([0x00, 0xd8, b'c', 0x00, 0x7f]);
        assert_eq!(read(bytes), "ab\u{fffd}c\u{fffd}");
        assert_eq!(read(vec![0xff, 0xfe, b'a']), "\u{fffd}");
    }

    proptest::proptest! {
        #[test]
        fn utf_16_of_any_length_comes_out_as_it_was(text in "[a-z😀é例]{0,6000}") {
            proptest::prop_assert_eq!(&read(utf16(&text, u16::to_le_bytes)), &text);
        }
    }
}
