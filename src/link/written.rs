//! Finding a token in what is left of an address after it went through mail programs.
//!
//! They hang brackets, quotes, full stops and spaces on an address, break it over lines, and cut off what looks to them like
//! the end of a sentence. Each reading of such a text is tried; the signature alone decides which one is right.

/// What is longer holds no token of ours, however much hangs on it.
const TEXT_MAX_CHARS: usize = 1024;
/// How many `-` and `_` at a token's end may not belong to it.
const HANGING_MAX: usize = 4;

/// The tokens that a text may hold, the likeliest first.
pub(super) fn readings(text: &str) -> Vec<String> {
    let text: String = text.chars().take(TEXT_MAX_CHARS).collect();
    let text = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    // A break within the token: as it is, or with the sign of quoted-printable before it.
    let unbroken = text.replace("=\r\n", "").replace("=\n", "");
    let joined: String = unbroken.chars().filter(|c| !is_gap(*c)).collect();
    let mut readings = Vec::new();
    for text in [text, joined.as_str()] {
        let end = text.find(|c| !is_of_token(c)).unwrap_or(text.len());
        let run = &text[..end];
        for hanging in 0..=HANGING_MAX {
            let Some(token) = run.len().checked_sub(hanging).map(|end| run.split_at(end)) else {
                break;
            };
            let (token, tail) = token;
            if !tail.bytes().all(|b| matches!(b, b'-' | b'_')) {
                break;
            }
            add(&mut readings, token.to_owned());
        }
        // Tokens of earlier versions could end in such a character, and lose it.
        add(&mut readings, format!("{run}-"));
        add(&mut readings, format!("{run}_"));
    }
    readings
}

fn add(readings: &mut Vec<String>, token: String) {
    if !readings.contains(&token) {
        readings.push(token);
    }
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// Spaces, line breaks, and characters that are not seen.
fn is_gap(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_on_a_token_is_taken_off() {
        for text in [
            "AbC-9",
            "AbC-9/",
            "AbC-9.",
            "AbC-9)",
            "AbC-9>",
            "AbC-9,",
            "AbC-9;",
            "AbC-9\"",
            "AbC-9=",
            "AbC-9 ",
            "AbC-9\r\n",
            "AbC-9\u{200b}",
            "AbC-9#x",
            "AbC-9&amp;x=1",
            "<AbC-9>",
            "_AbC-9_",
            "AbC-9--",
            "AbC-9'].",
            "AbC-9 and more words",
            "\u{201c}AbC-9\u{201d}",
        ] {
            assert!(readings(text).contains(&"AbC-9".to_owned()), "{text:?}");
        }
    }

    #[test]
    fn a_token_that_was_cut_is_joined() {
        for text in [
            "AbC -9",
            "AbC\r\n-9",
            "AbC=\r\n-9.",
            "AbC\u{200b}-9",
            "A b C - 9>",
            "AbC\u{ad}-9",
        ] {
            assert!(readings(text).contains(&"AbC-9".to_owned()), "{text:?}");
        }
        assert!(
            readings("AbC9").contains(&"AbC9-".to_owned()),
            "an end that was lost"
        );
    }

    #[test]
    fn there_are_never_many_readings() {
        for text in [
            "",
            "-",
            &"-".repeat(5000),
            &"A-".repeat(5000),
            &"A \u{200b}".repeat(5000),
        ] {
            assert!(readings(text).len() <= 14, "{text:.20}");
        }
    }
}
