//! Addresses as people read them: `剩` in place of `%E5%89%A9`. What a link leads to keeps its bytes.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// An address with its letters decoded, to be shown as text. Whatever could make it look like another address stays
/// encoded: delimiters, spaces, controls, and characters that are invisible or change the direction of text. The host
/// stays as it is.
pub(super) fn readable(url: &str) -> Cow<'_, str> {
    if !url.contains('%') {
        return Cow::Borrowed(url);
    }
    let start = url.find("://").map_or(0, |at| {
        let rest = &url[at + 3..];
        at + 3 + rest.find(['/', '?', '#']).unwrap_or(rest.len())
    });
    let mut out = url[..start].to_owned();
    let mut rest = &url[start..];
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let run = encoded_run(&rest[at..]);
        out.push_str(&decoded(run));
        // A percent sign that encodes nothing stays.
        let taken = run.len().max(1);
        if run.is_empty() {
            out.push('%');
        }
        rest = &rest[at + taken..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The encoded bytes at the beginning of a text.
fn encoded_run(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut end = 0;
    while let [b'%', high, low, ..] = bytes[end..]
        && high.is_ascii_hexdigit()
        && low.is_ascii_hexdigit()
    {
        end += 3;
    }
    &text[..end]
}

/// A run of encoded bytes with its letters decoded.
fn decoded(run: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(run).collect();
    let mut out = String::new();
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let encoded = &run[at * 3..(at + c.len_utf8()) * 3];
            if is_plain(c) {
                out.push(c);
            } else {
                out.push_str(encoded);
            }
            at += c.len_utf8();
        }
        let broken = chunk.invalid().len();
        out.push_str(&run[at * 3..(at + broken) * 3]);
        at += broken;
    }
    out
}

/// Whether a character can be taken for nothing else in an address: letters, digits and the marks that belong to them,
/// beyond ASCII. (ASCII letters are never encoded without a purpose.)
fn is_plain(c: char) -> bool {
    !c.is_ascii()
        && (c.is_alphanumeric()
            || unicode_normalization::char::is_combining_mark(c)
            || is_pictograph(c))
}

/// Emoji, and the punctuation of East Asian texts, of which titles are full.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{1F300}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}'
        | '\u{FF01}' | '\u{FF08}' | '\u{FF09}' | '\u{FF1F}' | '・')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_shown_and_what_deceives_stays_encoded() {
        for (url, shown) in [
            (
                "https://a.example/%E5%89%A9?q=%C3%A9t%C3%A9",
                "https://a.example/剩?q=été",
            ),
            (
                "https://zh.wikipedia.org/wiki/%E9%93%BE%E6%8E%A5",
                "https://zh.wikipedia.org/wiki/链接",
            ),
            (
                "https://a.example/x%2Fy%3Fz%23%26%20%25",
                "https://a.example/x%2Fy%3Fz%23%26%20%25",
            ),
            ("https://a.example/%0D%0A%00", "https://a.example/%0D%0A%00"),
            (
                "https://a.example/%E2%80%AEgpj.exe",
                "https://a.example/%E2%80%AEgpj.exe",
            ),
            (
                "https://a.example/%E2%80%8B%C2%A0%E3%80%80",
                "https://a.example/%E2%80%8B%C2%A0%E3%80%80",
            ),
            // Letters that look like delimiters of an address.
            (
                "https://a.example%E2%81%84evil.example/",
                "https://a.example%E2%81%84evil.example/",
            ),
            (
                "https://a.example/%E2%88%95%EF%BC%8F",
                "https://a.example/%E2%88%95%EF%BC%8F",
            ),
            (
                "https://a.example/100%/%E5%89/%zz%",
                "https://a.example/100%/%E5%89/%zz%",
            ),
            ("https://a.example/%41", "https://a.example/%41"),
            ("https://a.example/plain", "https://a.example/plain"),
        ] {
            assert_eq!(readable(url), shown);
        }
    }

    proptest::proptest! {
        #[test]
        fn encoding_it_again_gives_the_same_address(path in "(%[0-9A-F]{2}|[a-z/%é]){0,30}") {
            let url = format!("https://a.example/{path}");
            let bytes = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
            proptest::prop_assert_eq!(bytes(&readable(&url)), bytes(&url));
        }
    }
}
