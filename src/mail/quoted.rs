//! Quoted-printable (RFC 2045, 6.7), written so that nothing on the way has a reason to touch it.
//!
//! Beyond the standard's rules: no line begins with a dot, so nothing is ever dot-stuffed (RFC 5321, 4.5.2);
//! no line ends in a space and no two spaces stand side by side, so the text is its own relaxed canonical form
//! (RFC 6376, 3.4.4) and is signed as it stands; none begins with `From `, which mbox files would change.

/// The most characters of a line before its soft break (RFC 2045, 6.7, rule 5: 76 with the `=`).
const WIDTH: usize = 75;

/// Appends `text` to `out`, whose end must be the beginning of a line. Lines of the text end in LF; the end of
/// the last one is left open, for [`soft_break`] or more text.
///
/// A space at the very end of `text` is left as it is: close such a line by [`soft_break`] only.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut column = 0;
    for (i, &byte) in bytes.iter().enumerate() {
        let next = bytes.get(i + 1).copied();
        if byte == b'\n' || (byte == b'\r' && next != Some(b'\n')) {
            out.extend_from_slice(b"\r\n");
            column = 0;
            continue;
        }
        if byte == b'\r' {
            continue;
        }
        let mut plain = is_plain(byte, out.last().copied(), next);
        if column + if plain { 1 } else { 3 } > WIDTH {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if column == 0 && (byte == b'.' || bytes[i..].starts_with(b"From ")) {
            plain = false;
        }
        if plain {
            out.push(byte);
            column += 1;
        } else {
            out.extend_from_slice(&[
                b'=',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]);
            column += 3;
        }
    }
}

/// Ends the line in the encoding but not in the text, unless `out` is at the beginning of a line already.
pub(super) fn soft_break(out: &mut Vec<u8>) {
    if out.last().is_some_and(|&last| last != b'\n') {
        out.extend_from_slice(b"=\r\n");
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Whether a byte is written unencoded, given the byte written before it and the next one of the text.
fn is_plain(byte: u8, before: Option<u8>, next: Option<u8>) -> bool {
    match byte {
        b' ' => before != Some(b' ') && !matches!(next, Some(b'\n' | b'\r')),
        b'=' => false,
        _ => byte.is_ascii_graphic(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> String {
        let mut out = Vec::new();
        encode(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// A strict decoder: anything that RFC 2045 forbids is a failure.
    fn decoded(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'=' if rest.starts_with(b"\r\n") => rest = &rest[2..],
                b'=' => {
                    let digits = std::str::from_utf8(&rest[..2]).unwrap();
                    assert_eq!(digits, digits.to_uppercase());
                    out.push(u8::from_str_radix(digits, 16).unwrap());
                    rest = &rest[2..];
                }
                b'\r' => {
                    assert_eq!(rest.first(), Some(&b'\n'), "a bare CR");
                    out.push(b'\n');
                    rest = &rest[1..];
                }
                b'\n' => panic!("a bare LF"),
                b' '..=b'~' => out.push(byte),
                _ => panic!("the byte {byte} stands for itself"),
            }
        }
        out
    }

    #[test]
    fn what_would_be_changed_on_the_way_is_encoded() {
        assert_eq!(encoded("a = b"), "a =3D b");
        assert_eq!(encoded("end \nof line\t\n"), "end=20\r\nof line=09\r\n");
        assert_eq!(encoded("two  spaces"), "two =20spaces");
        assert_eq!(encoded(".\n..two\na.b"), "=2E\r\n=2E.two\r\na.b");
        assert_eq!(encoded("From me\nFrom: you"), "=46rom me\r\nFrom: you");
        assert_eq!(encoded("é"), "=C3=A9");
        assert_eq!(encoded("a\r\nb\rc"), "a\r\nb\r\nc");
    }

    #[test]
    fn a_soft_break_is_written_once() {
        let mut out = b"x".to_vec();
        soft_break(&mut out);
        soft_break(&mut out);
        assert_eq!(out, b"x=\r\n");
        let mut empty = Vec::new();
        soft_break(&mut empty);
        assert!(empty.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn every_text_comes_back_and_every_line_is_safe(text in "(?s).{0,400}", word in "[a-z. ]{0,200}") {
            for text in [text, format!("{word}\n{word}  \n.{word}"), "长".repeat(word.len())] {
                let mut out = Vec::new();
                encode(&text, &mut out);
                soft_break(&mut out);
                proptest::prop_assert_eq!(decoded(&out), text.replace("\r\n", "\n").replace('\r', "\n").into_bytes());
                for line in out.split(|&b| b == b'\n') {
                    proptest::prop_assert!(line.len() <= 77, "a line of {} bytes with its CR", line.len());
                    proptest::prop_assert!(!line.starts_with(b".") && !line.starts_with(b"From "));
                    proptest::prop_assert!(!line.ends_with(b" \r") && !line.ends_with(b"\t\r"));
                    proptest::prop_assert!(!line.windows(2).any(|two| two == b"  "));
                }
            }
        }
    }
}
