//! Header fields: encoded words (RFC 2047), phrases and folding (RFC 5322, 2.2.3).
//!
//! No value can end its line or begin another field: control characters are removed first. Lines are folded at
//! 78 characters where possible, and are always shorter than 998.

use crate::model::Address;

/// Where lines are folded (RFC 5322, 2.1.1), in characters.
const WIDTH: usize = 78;
/// The longest encoded word (RFC 2047, section 2), in characters.
const WORD_MAX: usize = 75;
/// The longest display name, in characters; a longer one is cut.
const NAME_MAX: usize = 120;

/// Appends `Name: text`, an unstructured field such as Subject.
pub(super) fn unstructured(name: &str, text: &str, out: &mut Vec<u8>) {
    let text = one_line(text);
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let room = WIDTH.saturating_sub(name.len() + 2);
    if is_simple(&text) && text.split(' ').all(|word| word.len() <= room) {
        let mut column = name.len() + 1;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            put(&format!(" {word}"), &mut column, out);
        }
    } else {
        let mut column = name.len() + 1;
        for word in encoded_words(&text, room.min(WORD_MAX)) {
            put(&format!(" {word}"), &mut column, out);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends `Name: text`, a field that programs read: its words are never encoded where they are ASCII, however long
/// they are, and lines are folded between them only.
pub(super) fn machine(name: &str, text: &str, out: &mut Vec<u8>) {
    let text = one_line(text);
    if !text.is_ascii() {
        return unstructured(name, &text, out);
    }
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut column = name.len() + 1;
    for word in text.split(' ') {
        put(&format!(" {word}"), &mut column, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends `Name: display name <address>`, such as To. The address is written as it is: its characters were
/// checked at the door, and beyond ASCII they are allowed where SMTPUTF8 is used (RFC 6532).
pub(super) fn mailbox(name: &str, display: &str, address: &Address, out: &mut Vec<u8>) {
    if one_line(display).is_empty() {
        out.extend_from_slice(format!("{name}: {address}\r\n").as_bytes());
    } else {
        named(name, display, address.as_str(), out);
    }
}

/// Appends `Name: some words <what>`, such as List-Id. `what` is written as it is.
pub(super) fn named(name: &str, words: &str, what: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut column = name.len() + 1;
    for word in phrase(words) {
        put(&format!(" {word}"), &mut column, out);
    }
    put(&format!(" <{what}>"), &mut column, out);
    out.extend_from_slice(b"\r\n");
}

/// The words of a phrase (RFC 5322, 3.2.5): atoms, one quoted string, or encoded words.
fn phrase(text: &str) -> Vec<String> {
    let text: String = one_line(text).chars().take(NAME_MAX).collect();
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    if !is_simple(text) || text.split(' ').any(|word| word.len() > WIDTH / 2) {
        return encoded_words(text, WORD_MAX);
    }
    if text.split(' ').all(is_atom) {
        return text.split(' ').map(str::to_owned).collect();
    }
    // A quoted string can be folded at its spaces like anything else.
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted.split(' ').map(str::to_owned).collect()
}

/// A text without control characters and line breaks: each run of them, or of white space, is one space.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text
        .split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().filter(|c| !is_turning(*c)));
    }
    out
}

/// Characters that turn the direction of what follows them: embeddings, overrides and isolates (UAX 9). In a
/// personal value they would reach beyond their place.
pub(super) fn is_turning(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends a piece that begins with its space, on a line of its own where the present one is full.
fn put(piece: &str, column: &mut usize, out: &mut Vec<u8>) {
    // A line that holds nothing but white space would end the header for some readers: fold after a word only.
    if *column + piece.len() > WIDTH && *column > 0 && !out.ends_with(b":") {
        out.extend_from_slice(b"\r\n");
        *column = 0;
    }
    out.extend_from_slice(piece.as_bytes());
    *column += piece.len();
}

/// Whether a text can stand for itself: printable ASCII without what looks like an encoded word.
fn is_simple(text: &str) -> bool {
    text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) && !text.contains("=?")
}

/// Whether a word needs no quotes in a phrase (RFC 5322, 3.2.3, atext).
fn is_atom(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
}

/// Encoded words of at most `max` characters each; decoded and joined they are the text. Characters are never
/// split between two (RFC 2047, section 5).
fn encoded_words(text: &str, max: usize) -> Vec<String> {
    let ascii = text.bytes().filter(|b| b.is_ascii_alphanumeric()).count();
    if ascii * 3 >= text.len() {
        q_words(text, max)
    } else {
        b_words(text, max)
    }
}

/// The Q encoding, with the characters that are safe in a phrase as well (RFC 2047, section 5, rule 3).
fn q_words(text: &str, max: usize) -> Vec<String> {
    let room = max - "=?utf-8?Q??=".len();
    let (mut words, mut word) = (Vec::new(), String::new());
    for c in text.chars() {
        let mut one = String::new();
        for &b in c.encode_utf8(&mut [0; 4]).as_bytes() {
            match b {
                b' ' => one.push('_'),
                b'!' | b'*' | b'+' | b'-' | b'/' => one.push(char::from(b)),
                _ if b.is_ascii_alphanumeric() => one.push(char::from(b)),
                _ => one.push_str(&format!("={b:02X}")),
            }
        }
        if word.len() + one.len() > room {
            words.push(format!("=?utf-8?Q?{word}?="));
            word.clear();
        }
        word.push_str(&one);
    }
    words.push(format!("=?utf-8?Q?{word}?="));
    words
}

/// The B encoding.
fn b_words(text: &str, max: usize) -> Vec<String> {
    let room = (max - "=?utf-8?B??=".len()) / 4 * 3;
    let (mut words, mut start) = (Vec::new(), 0);
    for (i, c) in text.char_indices() {
        if i + c.len_utf8() - start > room {
            words.push(b_word(&text[start..i]));
            start = i;
        }
    }
    words.push(b_word(&text[start..]));
    words
}

fn b_word(text: &str) -> String {
    format!(
        "=?utf-8?B?{}?=",
        data_encoding::BASE64.encode(text.as_bytes())
    )
}

#[cfg(test)]
mod tests;
