//! Tables in running text, set so that a phone shows them without scrolling sideways.

use unicode_width::UnicodeWidthStr as _;

use super::{Html, Writer};
use crate::model::issue::{Align, Inlines, plain};

/// The longest word, in columns of display, that a narrow table does not break.
const WORD_COLUMNS_MAX: usize = 12;
/// How many columns of display a phone shows side by side in the type of tables.
const PHONE_COLUMNS: usize = 42;
/// What a column of the table takes beside its longest word: the padding, in columns of display.
const PADDING_COLUMNS: usize = 2;
/// What a column takes whose words may break anywhere.
const BROKEN_COLUMNS: usize = 6;

impl Writer<'_> {
    /// Writes a table; `first` says that no block stands above it.
    pub(super) fn table(
        &self,
        out: &mut Html,
        align: &[Align],
        head: &[Inlines],
        rows: &[Vec<Inlines>],
        first: bool,
    ) {
        let whole = whole_words(head, rows);
        let whole = |column: usize| whole.get(column).copied().unwrap_or_default();
        out.open("table", &self.styles().block("table", first));
        if head.iter().any(|cell| !cell.is_empty()) {
            out.raw("<tr>");
            for (i, cell) in head.iter().enumerate() {
                self.cell(out, "th", align.get(i), whole(i), cell);
            }
            out.raw("</tr>");
        }
        for row in rows {
            out.raw("<tr>");
            for (i, cell) in row.iter().enumerate() {
                self.cell(out, "td", align.get(i), whole(i), cell);
            }
            out.raw("</tr>");
        }
        out.close("table");
    }

    fn cell(
        &self,
        out: &mut Html,
        name: &str,
        align: Option<&Align>,
        whole: bool,
        inlines: &Inlines,
    ) {
        let rtl = self.is_right_to_left();
        let side = match (align, rtl) {
            (Some(Align::Center), _) => "center",
            (Some(Align::End), false) | (Some(Align::Start | Align::None) | None, true) => "right",
            (Some(Align::End), true) | (Some(Align::Start | Align::None) | None, false) => "left",
        };
        let mut style = self.styles().get(name).to_owned();
        // An empty cell above a column of labels is not a heading, but looks like one: the line below goes on.
        let name = if name == "th" && plain(inlines).trim().is_empty() {
            "td"
        } else {
            name
        };
        let scope = if name == "th" { " scope=\"col\"" } else { "" };
        if !whole {
            // Where words must break, better between syllables.
            style.push_str(";-webkit-hyphens:auto;hyphens:auto");
        } else {
            style.push_str(";overflow-wrap:normal;word-break:normal");
        }
        self.open_text(
            out,
            &format!("{name}{scope} align=\"{side}\""),
            &style,
            inlines,
        );
        let writer = if whole { self.in_cell() } else { *self };
        writer.inlines(out, inlines);
        out.close(name);
    }
}

/// For each column, whether its words stay whole, but for a slash, behind which they may break. Elsewhere in a mail words break anywhere, so that no
/// address widens it; in a table that would tear numbers apart wherever another column is wordy. Where the
/// words do not fit a phone side by side, all may break.
fn whole_words(head: &[Inlines], rows: &[Vec<Inlines>]) -> Vec<bool> {
    let mut longest: Vec<usize> = Vec::new();
    for row in std::iter::once(head).chain(rows.iter().map(Vec::as_slice)) {
        longest.resize(longest.len().max(row.len()), 0);
        for (column, cell) in longest.iter_mut().zip(row) {
            let word = plain(cell)
                .split_whitespace()
                .flat_map(|word| word.split_inclusive('/'))
                .map(|word| word.width())
                .max()
                .unwrap_or_default();
            *column = (*column).max(word);
        }
    }
    let stays = |word: &usize| *word <= WORD_COLUMNS_MAX;
    let takes = |word: &usize| PADDING_COLUMNS + if stays(word) { *word } else { BROKEN_COLUMNS };
    let fits = longest.iter().map(takes).sum::<usize>() <= PHONE_COLUMNS;
    longest.iter().map(|word| fits && stays(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::issue::Inline;

    fn row(cells: &[&str]) -> Vec<Inlines> {
        cells
            .iter()
            .map(|cell| vec![Inline::Text((*cell).to_owned())])
            .collect()
    }

    #[test]
    fn numbers_stay_whole_beside_prose() {
        let rows = [row(&["base", "21,200,000", "a_name_that_goes_on_and_on"])];
        assert_eq!(
            whole_words(&row(&["Model", "Parameters", "Notes"]), &rows),
            [true, true, false]
        );
    }

    #[test]
    fn words_may_break_behind_a_slash() {
        let rows = [row(&["racket", "99", "31/28/361", "30/25/104"])];
        let head = row(&[
            "",
            "commits",
            "Issues (new/closed/open)",
            "PRs (new/closed/open)",
        ]);
        assert_eq!(whole_words(&head, &rows), [true; 4]);
    }

    #[test]
    fn a_table_wider_than_a_phone_breaks_its_words() {
        let rows = [row(&["10000"; 10])];
        assert_eq!(whole_words(&[], &rows), [false; 10]);
    }
}
