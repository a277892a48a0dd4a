//! Cells of a CSV file that a spreadsheet would take for a formula.
//!
//! Names come from strangers: `=HYPERLINK(…)` in a sign-up form must stay text when the author opens an export. A
//! leading apostrophe says "this is text" to spreadsheets (OWASP, "CSV Injection"). Our own import takes it off again.

use std::borrow::Cow;

/// What begins a formula in a spreadsheet, also in the full-width form that some turn into the ordinary one.
const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A cell as it can be opened in a spreadsheet: an apostrophe goes before what would be a formula.
///
/// A cell that already reads like one that was made harmless gets another apostrophe, so that [`original`] gives back
/// every text.
pub(crate) fn harmless(cell: &str) -> Cow<'_, str> {
    if is_formula(cell.trim_start_matches('\'')) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// What a cell was before [`harmless`].
pub(crate) fn original(cell: &str) -> &str {
    cell.strip_prefix('\'')
        .filter(|rest| is_formula(rest.trim_start_matches('\'')))
        .unwrap_or(cell)
}

fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches([' ', '\u{A0}', '\u{FEFF}'])
        .starts_with(STARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_get_an_apostrophe_and_words_do_not() {
        for (cell, wanted) in [
            ("=1+1", "'=1+1"),
            ("+49 30 1", "'+49 30 1"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("Ann", "Ann"),
            ("'t Hart", "'t Hart"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell), wanted);
            assert_eq!(original(wanted), cell);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_cell_comes_back(cell in "['=+@ \t\r\na-]{0,6}") {
            let written = harmless(&cell);
            proptest::prop_assert!(!is_formula(&written));
            proptest::prop_assert_eq!(original(&written), cell.as_str());
        }
    }
}
