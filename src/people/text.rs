//! Bytes of a file in any encoding to UTF-8, as they are read.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_8};

use super::encoding::Encoding;

/// Stands in the text where the file holds bytes that its encoding does not have. It occurs nowhere in UTF-8, so that
/// the value in which it stands is not read, as one that is not in UTF-8 is not.
const BROKEN: u8 = 0xff;

/// A reader of the same text in UTF-8. Text that claims to be UTF-8 passes as it is: what is none is found value by
/// value, and the rest comes in.
pub(super) fn decoded<'r>(
    raw: impl Read + Send + 'r,
    encoding: Encoding,
) -> Box<dyn Read + Send + 'r> {
    if encoding.0 == UTF_8 {
        return Box::new(raw);
    }
    Box::new(Decoded {
        raw,
        decoder: encoding.0.new_decoder_without_bom_handling(),
        input: vec![0; 1 << 14],
        unread: 0..0,
        is_at_end: false,
        ready: Vec::new(),
        given: 0,
    })
}

/// Turns text into UTF-8.
struct Decoded<R> {
    raw: R,
    decoder: Decoder,
    input: Vec<u8>,
    /// What of `input` was not decoded yet.
    unread: std::ops::Range<usize>,
    is_at_end: bool,
    ready: Vec<u8>,
    given: usize,
}

impl<R: Read> Decoded<R> {
    /// Decodes the next piece into `ready`; empty at the end.
    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() && !(self.is_at_end && self.unread.is_empty()) {
            if self.unread.is_empty() {
                let n = self.raw.read(&mut self.input)?;
                self.is_at_end = n == 0;
                self.unread = 0..n;
            }
            self.decode();
        }
        Ok(())
    }

    fn decode(&mut self) {
        loop {
            let start = self.ready.len();
            // Room enough for one byte that becomes the longest character, and then some.
            self.ready.resize(start + (1 << 14), 0);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.input[self.unread.clone()],
                &mut self.ready[start..],
                self.is_at_end,
            );
            self.ready.truncate(start + written);
            self.unread.start += read;
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.ready.push(BROKEN),
            }
        }
    }
}

impl<R: Read> Read for Decoded<R> {
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
    use encoding_rs::{SHIFT_JIS, UTF_16BE, UTF_16LE, WINDOWS_1252};

    use super::*;

    fn read(bytes: &[u8], encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
        let mut text = Vec::new();
        decoded(bytes, Encoding(encoding))
            .read_to_end(&mut text)
            .unwrap();
        text
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn text_becomes_utf_8() {
        let text = "email,name\na@b.example,Zoë 😀\n";
        assert_eq!(read(text.as_bytes(), UTF_8), text.as_bytes());
        assert_eq!(
            read(&utf16(text, u16::to_le_bytes), UTF_16LE),
            text.as_bytes()
        );
        assert_eq!(
            read(&utf16(text, u16::to_be_bytes), UTF_16BE),
            text.as_bytes()
        );
        assert_eq!(read(b"J\xfcrgen", WINDOWS_1252), "Jürgen".as_bytes());
        assert_eq!(read(b"\x8e\x52\x93\x63", SHIFT_JIS), "山田".as_bytes());
        assert_eq!(read(b"", UTF_16LE), b"");
    }

    #[test]
    fn what_is_broken_is_marked_and_the_rest_is_read() {
        let mut bytes = utf16("ab", u16::to_le_bytes);
        bytes.extend([0x00, 0xd8, b'c', 0x00, 0x7f]);
        assert_eq!(read(&bytes, UTF_16LE), b"ab\xffc\xff");
        assert_eq!(read(b"a\x80\n", SHIFT_JIS), b"a\xc2\x80\n");
        assert_eq!(read(b"a\xa0\nb\x81", SHIFT_JIS), b"a\xff\nb\xff");
    }

    proptest::proptest! {
        #[test]
        fn utf_16_of_any_length_comes_out_as_it_was(text in "[a-z😀é例]{0,9000}") {
            let read = read(&utf16(&text, u16::to_le_bytes), UTF_16LE);
            proptest::prop_assert_eq!(read, text.into_bytes());
        }
    }
}
