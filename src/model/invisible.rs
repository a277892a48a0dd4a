//! Characters that nobody sees: they come along when an address is copied from a page, a mail or a spreadsheet.
//!
//! What it leaves to others: whether such a character is taken off or refused.

/// Ranges of invisible characters with the names that people can look up (Unicode's own, shortened where a range
/// shares one). They are those of the property Default_Ignorable_Code_Point, and U+FFFD, which stands for text that was
/// damaged.
const INVISIBLE: &[(char, char, &str)] = &[
    ('\u{00AD}', '\u{00AD}', "soft hyphen"),
    ('\u{034F}', '\u{034F}', "combining grapheme joiner"),
    ('\u{061C}', '\u{061C}', "Arabic letter mark"),
    ('\u{115F}', '\u{1160}', "Hangul filler"),
    ('\u{17B4}', '\u{17B5}', "Khmer inherent vowel"),
    ('\u{180B}', '\u{180F}', "Mongolian variation selector"),
    ('\u{200B}', '\u{200B}', "zero width space"),
    ('\u{200C}', '\u{200C}', "zero width non-joiner"),
    ('\u{200D}', '\u{200D}', "zero width joiner"),
    ('\u{200E}', '\u{200E}', "left-to-right mark"),
    ('\u{200F}', '\u{200F}', "right-to-left mark"),
    ('\u{202A}', '\u{202A}', "left-to-right embedding"),
    ('\u{202B}', '\u{202B}', "right-to-left embedding"),
    ('\u{202C}', '\u{202C}', "pop directional formatting"),
    ('\u{202D}', '\u{202D}', "left-to-right override"),
    ('\u{202E}', '\u{202E}', "right-to-left override"),
    ('\u{2060}', '\u{2060}', "word joiner"),
    ('\u{2061}', '\u{2064}', "invisible operator"),
    ('\u{2065}', '\u{2065}', "unassigned invisible character"),
    ('\u{2066}', '\u{2069}', "directional isolate"),
    ('\u{206A}', '\u{206F}', "deprecated formatting character"),
    ('\u{3164}', '\u{3164}', "Hangul filler"),
    ('\u{FE00}', '\u{FE0F}', "variation selector"),
    ('\u{FEFF}', '\u{FEFF}', "byte order mark"),
    ('\u{FFA0}', '\u{FFA0}', "halfwidth Hangul filler"),
    ('\u{FFF0}', '\u{FFF8}', "unassigned invisible character"),
    ('\u{FFFD}', '\u{FFFD}', "replacement character"),
    ('\u{1BCA0}', '\u{1BCA3}', "shorthand format control"),
    ('\u{1D173}', '\u{1D17A}', "musical format control"),
    ('\u{E0000}', '\u{E0FFF}', "tag or variation selector"),
];

/// The name of a character that cannot be seen, or that stands for damaged text.
pub(crate) fn name(c: char) -> Option<&'static str> {
    if c < '\u{00AD}' {
        return None;
    }
    INVISIBLE
        .iter()
        .find(|(first, last, _)| (*first..=*last).contains(&c))
        .map(|(_, _, name)| *name)
}

/// A text without the white space and the invisible characters at its ends. U+FFFD stays: something was lost there.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || (c != '\u{FFFD}' && name(c).is_some()))
}
