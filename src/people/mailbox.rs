//! An address as people and programs write it in a cell: `Ann Lee <ann@example.org>`, `mailto:ann@example.org`, within
//! quotation marks, or with the comma that followed it in a list.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::model::Address;
use crate::model::address::BadAddress;
use crate::model::invisible;
use crate::model::subscriber::tidy;

/// Quotation marks that may surround an address or a name.
const QUOTES: [(char, char); 8] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('“', '”'),
    ('„', '“'),
    ('‘', '’'),
    ('«', '»'),
    ('<', '>'),
];

/// An address, with the name that stands beside it or an empty one.
///
/// # Errors
/// Why it is not an address.
pub(super) fn read(cell: &str) -> Result<(Address, String), BadAddress> {
    let plain = match Address::parse(cell) {
        Ok(address) => return Ok((address, String::new())),
        Err(why) => why,
    };
    let (name, address) = parts(cell);
    // Several lines or several addresses in one cell: nobody knows which is meant.
    if address == cell || name.contains(['<', '>', '\r', '\n']) {
        return Err(plain);
    }
    let address = Address::parse(&address)?;
    let name = tidy(bare(name));
    match Address::parse(&name) {
        Ok(other) if other != address => Err(plain),
        Ok(_) => Ok((address, String::new())),
        Err(_) => Ok((address, name)),
    }
}

/// The name and the address of a cell.
fn parts(cell: &str) -> (&str, Cow<'_, str>) {
    let cell = bare(cell);
    let (name, address) = if let Some((name, rest)) = cell.rsplit_once('<') {
        (name, rest.trim_end_matches('>'))
    } else if let Some((address, name)) = cell.strip_suffix(')').and_then(|c| c.split_once(" (")) {
        (name, address)
    } else {
        ("", cell)
    };
    (name, without_scheme(bare(address)))
}

/// A text without the quotation marks and the punctuation around it.
fn bare(text: &str) -> &str {
    let mut text = text;
    loop {
        let before = text.len();
        text = invisible::trim(text)
            .trim_end_matches(['.', ',', ';', ':'])
            .trim_start_matches([',', ';', ':']);
        for (open, close) in QUOTES {
            text = text
                .strip_prefix(open)
                .and_then(|rest| rest.strip_suffix(close))
                .unwrap_or(text);
        }
        if text.len() == before {
            return text;
        }
    }
}

/// What a `mailto:` link leads to (RFC 6068), or the text itself.
fn without_scheme(text: &str) -> Cow<'_, str> {
    const SCHEME: &str = "mailto:";
    let is_link = text
        .get(..SCHEME.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
    if !is_link {
        return Cow::Borrowed(text);
    }
    let address = text[SCHEME.len()..].split('?').next().unwrap_or_default();
    percent_decode_str(address.trim()).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (cell, name) in [
            ("ann@readers.example", ""),
            ("<ann@readers.example>", ""),
            ("<ann@readers.example", ""),
            ("mailto:ann@readers.example", ""),
            ("MAILTO:ann@readers.example?subject=Hello%20there", ""),
            ("<mailto:ann@readers.example>", ""),
            ("Ann Lee <ann@readers.example>", "Ann Lee"),
            ("Ann Lee <mailto:ann@readers.example>", "Ann Lee"),
            ("\"Lee, Ann\" <ann@readers.example>", "Lee, Ann"),
            ("'Ann Lee' <ann@readers.example>;", "Ann Lee"),
            ("Ann Lee<ann@readers.example>,", "Ann Lee"),
            ("“Ann” <ann@readers.example>", "Ann"),
            ("ann@readers.example (Ann Lee)", "Ann Lee"),
            ("ann@readers.example <ann@readers.example>", ""),
            ("  ann@readers.example.  ", ""),
            ("ann@readers.example,", ""),
            ("ann@readers.example; ", ""),
            ("'ann@readers.example'", ""),
            ("\"ann@readers.example\"", ""),
            ("«ann@readers.example».", ""),
            ("\u{200B}<\u{200B}ann@readers.example\u{A0}>", ""),
        ] {
            let read = read(cell).map(|(address, name)| (address.to_string(), name));
            assert_eq!(
                read,
                Ok(("ann@readers.example".to_owned(), name.to_owned())),
                "{cell}"
            );
        }
        let (address, _) = read("mailto:ann%2Bnews@readers.example").unwrap();
        assert_eq!(address.as_str(), "ann+news@readers.example");
    }

    #[test]
    fn what_is_not_one_address_is_refused_with_its_reason() {
        for (cell, why) in [
            ("", "there is no address"),
            ("<>", "there is no address"),
            ("Ann Lee", "an address can't hold a space"),
            ("Ann <no-at-sign>", "this address has no @"),
            ("a@b.example, c@d.example", "an address can't hold a space"),
            ("a@b.example;c@d.example", "more than one @"),
            ("a@b.example <c@d.example>", "an address can't hold a space"),
            (
                "<a@b.example> <c@d.example>",
                "an address can't hold a space",
            ),
            ("a@b.example>\r\nTO:<c@d.example", "an address can't hold"),
            (
                "Ann Lee ann@readers.example",
                "an address can't hold a space",
            ),
        ] {
            let said = read(cell).unwrap_err().to_string();
            assert!(said.contains(why), "{cell}: {said}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_cell_is_read_or_refused(cell in "[a@.<>\"',;: (b)mailto%-]{0,24}") {
            if let Ok((address, _)) = read(&cell) {
                proptest::prop_assert_eq!(read(address.as_str()), Ok((address.clone(), String::new())));
            }
        }
    }
}
