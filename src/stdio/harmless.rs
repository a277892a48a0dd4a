//! Text of others without what it would do to a terminal.

use std::borrow::Cow;
use std::io::{self, Write};

/// Stands before each escape sequence of our own; it has no width, and text of others seldom has it.
const MARK: char = '\u{2063}';
/// The styles that a mark lets through, as parameters of SGR (ECMA-48, 8.3.117): none of them hides text.
const STYLES: [&str; 9] = ["0", "1", "2", "4", "31", "32", "33", "1;31", "1;33"];

/// A text in a style, such as `1;31` for bold and red.
pub(crate) fn styled(style: &str, text: &str) -> String {
    format!("{MARK}\x1b[{style}m{text}{MARK}\x1b[0m")
}

/// A text that holds escape sequences of our own alone, such as clap's help, marked as such.
pub(crate) fn with_styles(text: &str) -> String {
    text.replace('\x1b', &format!("{MARK}\x1b"))
}

/// A value of others on one line: line breaks are escaped as control characters are.
pub(crate) fn one_line(value: &str) -> Cow<'_, str> {
    escaped(value, |c| is_harmful(c) || c == '\n')
}

/// A text with the control characters escaped that stand in it, but for line breaks, tabs, and marked styles where
/// there is colour.
pub(super) fn harmless(text: &str, has_colour: bool) -> Cow<'_, str> {
    let Some((before, mut rest)) = text.split_once(MARK) else {
        return escaped(text, is_harmful);
    };
    let mut out = escaped(before, is_harmful).into_owned();
    loop {
        if let Some((sequence, after)) = own_style(rest) {
            if has_colour {
                out.push_str(sequence);
            }
            rest = after;
        } else {
            out.push(MARK);
        }
        let (before, after) = match rest.split_once(MARK) {
            Some((before, after)) => (before, Some(after)),
            None => (rest, None),
        };
        out.push_str(&escaped(before, is_harmful));
        match after {
            Some(after) => rest = after,
            None => return Cow::Owned(out),
        }
    }
}

/// An event of the log. Its formatter has escaped what would begin a sequence in a value, so that what is left of
/// them are its own styles.
pub(super) fn event(text: &str, has_colour: bool) -> String {
    let (line, end) = match text.strip_suffix('\n') {
        Some(line) => (line, "\n"),
        None => (text, ""),
    };
    let harmful = |c| (is_harmful(c) && !(has_colour && c == '\x1b')) || c == '\n';
    escaped(line, harmful).into_owned() + end
}

/// The escape sequence of a style that a text begins with, and what follows.
fn own_style(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("\x1b[")?;
    let (style, after) = inner.split_once('m')?;
    STYLES
        .contains(&style)
        .then(|| (&text[..text.len() - after.len()], after))
}

fn escaped(text: &str, is_harmful: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters but for line breaks and tabs; separators that some terminals break a line at; controls of
/// bidirectional text (UAX #9), which show it in another order than it has.
fn is_harmful(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            true
        }
        c => c.is_control(),
    }
}

/// A writer of text that escapes on its way, or leaves everything as it is.
#[derive(Debug)]
pub(crate) struct Harmless<W> {
    inner: W,
    has_colour: bool,
    escapes: bool,
    /// The beginning of a character, or of a style, whose rest was not written yet.
    begun: Vec<u8>,
}

impl<W: Write> Harmless<W> {
    pub(super) fn new(inner: W, has_colour: bool, escapes: bool) -> Self {
        Self {
            inner,
            has_colour,
            escapes,
            begun: Vec::new(),
        }
    }
}

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.escapes {
            return self.inner.write(bytes);
        }
        self.begun.extend_from_slice(bytes);
        let whole = whole_bytes(&self.begun);
        let text = String::from_utf8_lossy(&self.begun[..whole]);
        self.inner
            .write_all(harmless(&text, self.has_colour).as_bytes())?;
        self.begun.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.begun);
        self.inner
            .write_all(harmless(&text, self.has_colour).as_bytes())?;
        self.begun.clear();
        self.inner.flush()
    }
}

/// How many bytes can be written before the rest is known: neither a character nor a style is cut in two.
fn whole_bytes(bytes: &[u8]) -> usize {
    let mut mark = [0; 4];
    let mark = MARK.encode_utf8(&mut mark).as_bytes();
    let mut end = bytes.len();
    if let Some(at) = bytes.windows(mark.len()).rposition(|window| window == mark)
        && bytes.len() - at < mark.len() + "\x1b[1;31m".len()
        && !bytes[at..].contains(&b'm')
    {
        end = at;
    }
    let from = end.saturating_sub(3);
    for at in (from..end).rev() {
        let width = match bytes[at] {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            0x80..=0xbf => continue,
            _ => return end,
        };
        return if end - at < width { at } else { end };
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &[&[u8]], has_colour: bool) -> String {
        let mut out = Vec::new();
        let mut writer = Harmless::new(&mut out, has_colour, true);
        for piece in pieces {
            writer.write_all(piece).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn control_characters_and_controls_of_direction_are_shown_and_not_obeyed() {
        for (text, shown) in [
            (
                "\x1b]0;pwned\x07\x1b[31m",
                "\\u001b]0;pwned\\u0007\\u001b[31m",
            ),
            (
                "a\u{9b}31m\u{7f}\x08\rb",
                "a\\u009b31m\\u007f\\u0008\\u000db",
            ),
            (
                "\u{202e}exe.\u{2066}\u{200f}\u{61c}",
                "\\u202eexe.\\u2066\\u200f\\u061c",
            ),
            ("line\n\ttab é 年 👩‍👩‍👧 שלום", "line\n\ttab é 年 👩‍👩‍👧 שלום"),
        ] {
            assert_eq!(harmless(text, true), shown);
            assert_eq!(harmless(text, false), shown);
            assert_eq!(written(&[text.as_bytes()], true), shown);
        }
        assert_eq!(one_line("a\nb\u{2028}c"), "a\\u000ab\\u2028c");
    }

    #[test]
    fn styles_of_our_own_stay_where_there_is_colour() {
        let text = format!("a {}\x1b[2m {MARK}\x1b[8mb {MARK}", styled("1;31", "error"));
        assert_eq!(
            harmless(&text, true),
            format!("a \x1b[1;31merror\x1b[0m\\u001b[2m {MARK}\\u001b[8mb {MARK}")
        );
        assert_eq!(
            harmless(&text, false),
            format!("a error\\u001b[2m {MARK}\\u001b[8mb {MARK}")
        );
    }

    #[test]
    fn json_means_the_same_when_it_is_escaped() {
        let value = "a\u{9b}\u{7f}\u{202e}\u{1}é";
        let json = serde_json::to_string(value).unwrap();
        let shown = harmless(&json, false);
        assert_eq!(shown, "\"a\\u009b\\u007f\\u202e\\u0001é\"");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), value);
    }

    #[test]
    fn an_event_of_the_log_stays_on_its_line() {
        assert_eq!(event("a\nb\u{202e}\n", false), "a\\u000ab\\u202e\n");
        assert_eq!(event("\x1b[2ma\x1b[0m\n", true), "\x1b[2ma\x1b[0m\n");
        assert_eq!(event("\x1b[2ma", false), "\\u001b[2ma");
    }

    proptest::proptest! {
        #[test]
        fn it_does_not_matter_where_a_text_is_cut(text in "[aé年😀\u{202e}\u{9b}\n\u{2063}m;1\\[\x1b]{0,20}", cuts in proptest::collection::vec(0usize..60, 0..6), colour: bool) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            proptest::prop_assert_eq!(written(&pieces, colour), harmless(&text, colour));
        }
    }
}
