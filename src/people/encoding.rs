//! Which encoding a file of people is in: what its byte order mark says, what its author says, or what its bytes show
//! beyond doubt. Any other file is refused, since a guess would store names that nobody can repair.
//!
//! Without a mark, bytes that are valid UTF-8 are UTF-8. Of the one-byte encodings, windows-1252 is taken where the
//! other encodings of Latin letters would read the same, or where many words speak for it. Turning bytes into text is
//! left to `text`.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::str::FromStr;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    ISO_8859_2, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250, WINDOWS_1252, WINDOWS_1254, WINDOWS_1257,
};

use crate::model::subscriber::tidy;

/// How many words with letters outside ASCII must speak for windows-1252 where other encodings would read them
/// differently.
const MANY_WORDS: u64 = 10;
/// What spreadsheets write Latin letters in where they do not write windows-1252: central Europe, Turkey, the Baltic.
static OTHER_LATIN: [&encoding_rs::Encoding; 4] =
    [WINDOWS_1250, ISO_8859_2, WINDOWS_1254, WINDOWS_1257];
/// How much of a line is shown as a sample, in characters.
const SAMPLE_CHARS: usize = 60;

/// An encoding of text, by its name in the WHATWG Encoding Standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(pub(super) &'static encoding_rs::Encoding);

/// A name that the WHATWG Encoding Standard does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a known encoding; use a name such as utf-8, windows-1252, utf-16le, gb18030 or shift_jis"
)]
pub struct UnknownEncoding;

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        encoding_rs::Encoding::for_label_no_replacement(name.as_bytes())
            .map(Encoding)
            .ok_or(UnknownEncoding)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name().to_ascii_lowercase())
    }
}

/// A line that shows what an encoding makes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The line, from 1.
    pub line: u64,
    /// What it reads in that encoding; shortened.
    pub text: String,
}

/// The encoding of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Detected {
    pub encoding: Encoding,
    /// How many bytes the byte order mark takes.
    pub mark_bytes: u64,
    /// A line that shows it, where nothing but the bytes tells the encoding.
    pub guessed_by: Option<Sample>,
}

impl Detected {
    fn certain(encoding: &'static encoding_rs::Encoding, mark_bytes: usize) -> Self {
        Self {
            encoding: Encoding(encoding),
            mark_bytes: mark_bytes as u64,
            guessed_by: None,
        }
    }
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undetected {
    #[error(
        "this is a ZIP archive or a spreadsheet such as .xlsx, not CSV. Save it as “CSV UTF-8” and import that"
    )]
    Workbook,
    #[error(
        "this line is not in UTF-8, and nothing in the file says which encoding it is in. In {looks_like} it reads: {}. If \
         that is right, add --encoding {looks_like}. If not, save the file as “CSV UTF-8” and import that",
        sample.text
    )]
    Unclear {
        looks_like: Encoding,
        sample: Sample,
    },
    #[error("the file can't be read: {0}")]
    Io(#[from] io::Error),
}

impl Undetected {
    /// The line that shows it, from 1.
    pub(super) fn line(&self) -> Option<u64> {
        match self {
            Undetected::Unclear { sample, .. } => Some(sample.line),
            Undetected::Workbook | Undetected::Io(_) => None,
        }
    }
}

/// Finds out the encoding of a file and leaves the file at any place. A byte order mark goes before what was `told`.
pub(super) fn detect(
    file: &mut (impl Read + Seek),
    told: Option<Encoding>,
) -> Result<Detected, Undetected> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(1024).read_to_end(&mut head)?;
    if let Some((encoding, mark_bytes)) = encoding_rs::Encoding::for_bom(&head) {
        return Ok(Detected::certain(encoding, mark_bytes));
    }
    if let Some(told) = told {
        return Ok(Detected::certain(told.0, 0));
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(Undetected::Workbook);
    }
    if let Some(utf16) = utf16_without_mark(&head) {
        return Ok(Detected::certain(utf16, 0));
    }
    if is_utf8(file)? {
        return Ok(Detected::certain(UTF_8, 0));
    }
    one_byte(file)
}

/// UTF-16 as its zeros show it: nearly every second byte of a line that names columns is one.
fn utf16_without_mark(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let pairs = head.as_chunks::<2>().0;
    let pairs = &pairs[..pairs.len().min(64)];
    let count = |is: fn(&[u8; 2]) -> bool| pairs.iter().filter(|pair| is(pair)).count();
    let (little, big) = (
        count(|pair| pair[0] != 0 && pair[1] == 0),
        count(|pair| pair[0] == 0 && pair[1] != 0),
    );
    let is_most = |n: usize| n >= 2 && n * 10 >= pairs.len() * 6;
    match (is_most(little), is_most(big)) {
        (true, false) => Some(UTF_16LE),
        (false, true) => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether a file is in UTF-8, a few damaged places aside: bytes of another encoding seldom look like UTF-8.
fn is_utf8(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let (mut valid, mut invalid) = (0u64, 0u64);
    let mut buffer = vec![0; 1 << 16];
    let mut kept = 0;
    loop {
        let n = file.read(&mut buffer[kept..])?;
        let end = kept + n;
        let mut rest = &buffer[..end];
        loop {
            let (good, skip) = match std::str::from_utf8(rest) {
                Ok(_) => (rest.len(), 0),
                Err(e) => (e.valid_up_to(), e.error_len().unwrap_or(0)),
            };
            if !rest[..good].is_ascii() {
                valid += rest[..good].iter().filter(|b| **b >= 0xc0).count() as u64;
            }
            invalid += u64::from(skip > 0);
            rest = &rest[good + skip..];
            if skip == 0 {
                break;
            }
        }
        if n == 0 {
            invalid += u64::from(!rest.is_empty());
            return Ok(invalid == 0 || valid >= invalid);
        }
        kept = rest.len();
        buffer.copy_within(end - kept..end, 0);
    }
}

/// Reads a file that is not in UTF-8 as windows-1252 where that is certain.
fn one_byte(file: &mut (impl Read + Seek)) -> Result<Detected, Undetected> {
    file.seek(SeekFrom::Start(0))?;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut words = Words::default();
    let mut sample = FirstLine::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut buffer)?;
        let piece = &buffer[..n];
        detector.feed(piece, n == 0);
        piece.iter().for_each(|byte| words.take(*byte));
        sample.take(piece);
        if n == 0 {
            break;
        }
    }
    words.end_word();
    let looks_like = detector.guess(None, Utf8Detection::Deny);
    let is_certain = words.are_western(looks_like);
    let sample = sample.read_as(if is_certain { WINDOWS_1252 } else { looks_like });
    if is_certain {
        return Ok(Detected {
            guessed_by: Some(sample),
            ..Detected::certain(WINDOWS_1252, 0)
        });
    }
    Err(Undetected::Unclear {
        looks_like: Encoding(looks_like),
        sample,
    })
}

/// The first line with a byte outside ASCII.
#[derive(Default)]
struct FirstLine {
    bytes: Vec<u8>,
    line: u64,
    has_high: bool,
    is_whole: bool,
}

impl FirstLine {
    fn take(&mut self, piece: &[u8]) {
        for byte in piece {
            if self.is_whole {
                return;
            }
            if matches!(byte, b'\n' | b'\r') {
                self.is_whole = self.has_high;
                self.line += u64::from(*byte == b'\n' && !self.is_whole);
                if !self.is_whole {
                    self.bytes.clear();
                }
            } else {
                self.has_high |= !byte.is_ascii();
                // Enough for the sample in any encoding, with what surrounds the first letter that counts.
                if self.bytes.len() == 4 * SAMPLE_CHARS && !self.has_high {
                    self.bytes.drain(..2 * SAMPLE_CHARS);
                }
                if self.bytes.len() < 8 * SAMPLE_CHARS {
                    self.bytes.push(*byte);
                }
            }
        }
    }

    fn read_as(&self, encoding: &'static encoding_rs::Encoding) -> Sample {
        let (text, _) = encoding.decode_without_bom_handling(&self.bytes);
        let text: String = tidy(&text).chars().take(SAMPLE_CHARS).collect();
        Sample {
            line: self.line + 1,
            text,
        }
    }
}

/// What the words of a file look like if they are in a one-byte encoding of Latin letters.
#[derive(Default)]
struct Words {
    /// Of the word that is being read: letters of ASCII, and bytes outside.
    ascii: u64,
    high: u64,
    last: u8,
    /// Words with bytes outside ASCII.
    count: u64,
    /// One of them is not what a Latin word looks like.
    has_odd: bool,
    /// One of them has a letter that other encodings of Latin letters read differently.
    has_disputed: bool,
}

impl Words {
    fn take(&mut self, byte: u8) {
        if byte.is_ascii_alphabetic() {
            self.ascii += 1;
        } else if byte >= 0x80 {
            self.high += 1;
            let c = decoded(WINDOWS_1252, byte);
            let is_letter = byte >= 0xc0 && c.is_alphabetic() && !"ÐðÞþÝý".contains(c);
            // An encoding that is not this one puts capitals within words.
            let is_capital_within = c.is_uppercase() && self.last.is_ascii_lowercase();
            self.has_odd |= !is_letter || is_capital_within;
            self.has_disputed |= OTHER_LATIN.iter().any(|other| decoded(other, byte) != c);
        } else {
            self.end_word();
        }
        self.last = byte;
    }

    fn end_word(&mut self) {
        if self.high > 0 {
            self.count += 1;
            self.has_odd |= self.high > self.ascii;
        }
        (self.ascii, self.high) = (0, 0);
    }

    /// Whether they are certainly in windows-1252, given what their frequencies speak for.
    fn are_western(&self, looks_like: &'static encoding_rs::Encoding) -> bool {
        let is_latin = looks_like == WINDOWS_1252 || OTHER_LATIN.contains(&looks_like);
        let is_undisputed = is_latin && !self.has_disputed;
        let has_many = looks_like == WINDOWS_1252 && self.count >= MANY_WORDS;
        !self.has_odd && (is_undisputed || has_many)
    }
}

/// A byte in a one-byte encoding.
fn decoded(encoding: &'static encoding_rs::Encoding, byte: u8) -> char {
    let bytes = [byte];
    let (text, _) = encoding.decode_without_bom_handling(&bytes);
    text.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use encoding_rs::{GBK, SHIFT_JIS, WINDOWS_1251};

    use super::*;

    fn of(bytes: impl Into<Vec<u8>>) -> Result<String, Undetected> {
        detect(&mut Cursor::new(bytes.into()), None).map(|found| found.encoding.to_string())
    }

    fn encoded(text: &str, encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
        let (bytes, _, has_lost) = encoding.encode(text);
        assert!(!has_lost);
        bytes.into_owned()
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn a_mark_tells_the_encoding_whatever_was_told() {
        let told = Some(Encoding(WINDOWS_1252));
        let marked = detect(&mut Cursor::new("\u{feff}email\n"), told).unwrap();
        assert_eq!((marked.encoding.0, marked.mark_bytes), (UTF_8, 3));
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend(utf16("email\n", u16::to_le_bytes));
        let marked = detect(&mut Cursor::new(bytes), told).unwrap();
        assert_eq!((marked.encoding.0, marked.mark_bytes), (UTF_16LE, 2));
        let told = detect(&mut Cursor::new("email\n"), told).unwrap();
        assert_eq!((told.encoding.0, told.mark_bytes), (WINDOWS_1252, 0));
    }

    #[test]
    fn utf_16_without_a_mark_is_known_by_its_zeros() {
        let text = "email,name\r\nann@readers.example,Zoë\r\n";
        assert_eq!(of(utf16(text, u16::to_le_bytes)).unwrap(), "utf-16le");
        assert_eq!(of(utf16(text, u16::to_be_bytes)).unwrap(), "utf-16be");
        assert_eq!(of("email\n").unwrap(), "utf-8");
        assert_eq!(of("").unwrap(), "utf-8");
        assert_eq!(of("e").unwrap(), "utf-8");
        assert_eq!(
            of("email\0,name\0\nann@readers.example,A").unwrap(),
            "utf-8"
        );
    }

    #[test]
    fn utf_8_stays_utf_8_where_a_row_of_it_is_damaged() {
        assert_eq!(of("email,name\na@b.example,Zoë 例\n").unwrap(), "utf-8");
        let mut mixed = "email,name\na@b.example,Zoë\nb@b.example,"
            .as_bytes()
            .to_vec();
        mixed.extend(b"J\xfcrgen\n");
        assert_eq!(of(mixed).unwrap(), "utf-8");
        // A letter may lie across the pieces in which a file is read.
        for shift in 0..4 {
            let long = format!("{}{}", "x".repeat(shift), "例".repeat(50_000));
            assert_eq!(of(long).unwrap(), "utf-8");
        }
    }

    #[test]
    fn windows_1252_is_read_where_no_other_encoding_would_read_anything_else() {
        for text in [
            "email,name\na@b.example,Jürgen\n",
            "Vorname;Nachname;E-Mail\nEva;Groß;a@b.example\nÖzil;Ägir;b@b.example\n",
            "email,name\na@b.example,José Ramón\n",
            "Prénom;Email\nAmélie;a@b.example\nJosé;b@b.example\n",
        ] {
            assert_eq!(
                of(encoded(text, WINDOWS_1252)).unwrap(),
                "windows-1252",
                "{text}"
            );
        }
        let found = detect(
            &mut Cursor::new(&b"email,name\na@b.example,J\xfcrgen\n"[..]),
            None,
        );
        let sample = found.unwrap().guessed_by.unwrap();
        assert_eq!(
            (sample.line, sample.text.as_str()),
            (2, "a@b.example,Jürgen")
        );
    }

    #[test]
    fn many_words_speak_for_windows_1252_too() {
        let names = "Hélène Søren Åse Muñoz Nuñez Jørgen Zoè Gaëlle Bjørn Håkon Frédéric Niccolò Hervé Noëlle";
        let text = format!("email,name\n{}\n", names.replace(' ', "\n"));
        assert_eq!(of(encoded(&text, WINDOWS_1252)).unwrap(), "windows-1252");
    }

    #[test]
    fn what_is_not_certain_is_refused_with_what_it_looks_like() {
        for (text, encoding) in [
            (
                "email,name\na@b.example,Иван Петров\nb@b.example,Ольга\n",
                WINDOWS_1251,
            ),
            ("email,name\na@b.example,Wałęsa\n", WINDOWS_1250),
            ("email,name\na@b.example,Dvořák\n", WINDOWS_1250),
            ("email,name\na@b.example,王小明\nb@b.example,李娜\n", GBK),
            (
                "email,name\na@b.example,山田太郎\nb@b.example,鈴木一郎\n",
                SHIFT_JIS,
            ),
            ("email,name\na@b.example,Ayşe Yılmaz\n", WINDOWS_1254),
            ("email,name\na@b.example,Hélène\n", WINDOWS_1252),
            ("email,name\na@b.example,Jānis\n", WINDOWS_1257),
            ("email,name\na@b.example,Rasa Petraitytė\n", WINDOWS_1257),
        ] {
            let why = of(encoded(text, encoding)).unwrap_err();
            assert!(matches!(why, Undetected::Unclear { .. }), "{text}: {why}");
        }
        // As old Macs and DOS wrote ü, é and ö.
        for bytes in [
            &b"J\x9frgen"[..],
            b"Ren\x8e",
            b"J\x81rgen",
            b"Ren\x82",
            b"S\x94ren",
        ] {
            let file = [&b"email,name\na@b.example,"[..], bytes].concat();
            assert!(of(file).is_err(), "{bytes:?}");
        }
        let said = of(encoded(
            "email,name\na@b.example,Иван Петров\n",
            WINDOWS_1251,
        ));
        let said = said.unwrap_err().to_string();
        assert!(
            said.contains("add --encoding ") && said.contains("CSV UTF-8"),
            "{said}"
        );
        assert!(matches!(of("PK\u{3}\u{4}xyz"), Err(Undetected::Workbook)));
    }

    #[test]
    fn names_of_encodings_are_those_of_the_web() {
        for (name, wanted) in [
            ("UTF-8", "utf-8"),
            ("latin1", "windows-1252"),
            ("ISO-8859-1", "windows-1252"),
            ("cp1251", "windows-1251"),
            ("sjis", "shift_jis"),
        ] {
            assert_eq!(name.parse::<Encoding>().unwrap().to_string(), wanted);
        }
        assert_eq!("klingon".parse::<Encoding>(), Err(UnknownEncoding));
        assert_eq!("replacement".parse::<Encoding>(), Err(UnknownEncoding));
    }
}
