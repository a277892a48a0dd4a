//! Text set for a terminal: lines of at most eighty columns, and tables without boxes.
//!
//! What the words say is left to the commands; colours are put on afterwards, by `terminal`.

use textwrap::WordSeparator;
use textwrap::core::Word;
use unicode_width::UnicodeWidthStr as _;

/// Columns of a terminal that everything fits in.
pub(super) const COLUMNS: usize = 80;

/// A text in lines of a terminal; `first` stands before it, and `indent` blanks before each further line. Words are
/// never broken, so that what is to be copied stays whole.
pub(super) fn wrap(text: &str, first: &str, indent: usize) -> String {
    let rest = " ".repeat(indent);
    let options = textwrap::Options::new(COLUMNS)
        .initial_indent(first)
        .subsequent_indent(&rest)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::Custom(words))
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}

/// The parts between which a line may be broken: those of Unicode, but not within what is written in ASCII without a
/// space. A path or the name of a time zone may be broken after each slash, and would not be whole when it is copied.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut joined: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    for word in WordSeparator::UnicodeBreakProperties.find_words(line) {
        let end = at + word.word.len() + word.whitespace.len();
        let is_copied = line[..at].ends_with(|c: char| c.is_ascii_graphic())
            && line[at..].starts_with(|c: char| c.is_ascii_graphic());
        match joined.last_mut() {
            Some(last) if is_copied => last.1 = end,
            _ => joined.push((at, end)),
        }
        at = end;
    }
    let words = joined
        .into_iter()
        .map(|(start, end)| Word::from(&line[start..end]));
    Box::new(words)
}

/// Sets rows in columns two apart; a column whose head begins with `>` stands to the right.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let names: Vec<&str> = head.iter().map(|h| h.trim_start_matches('>')).collect();
    let widths: Vec<usize> = names
        .iter()
        .enumerate()
        .map(|(i, name)| {
            rows.iter()
                .map(|row| row[i].width())
                .max()
                .unwrap_or(0)
                .max(name.width())
        })
        .collect();
    let line = |cells: &[&str]| {
        let mut out = String::new();
        for (i, cell) in cells.iter().enumerate() {
            let gap = " ".repeat(widths[i].saturating_sub(cell.width()));
            let right = head[i].starts_with('>');
            out.push_str(if i == 0 { "" } else { "  " });
            out.push_str(if right { &gap } else { cell });
            out.push_str(if right { cell } else { &gap });
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    };
    let mut out = line(&names);
    for row in rows {
        out.push_str(&line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_to_be_copied_is_not_broken() {
        let zone =
            "Write the name of a place for the time zone of this list, as in America/Los_Angeles.";
        assert_eq!(
            super::wrap(zone, "", 2),
            "Write the name of a place for the time zone of this list, as in\n  America/Los_Angeles."
        );
        let path = format!("In {}", "/a-folder/of".repeat(10));
        assert!(super::wrap(&path, "", 0).ends_with(&path[3..]));
        let chinese = "第".repeat(50);
        assert_eq!(super::wrap(&chinese, "", 0).lines().count(), 2);
    }

    #[test]
    fn words_stand_left_and_figures_right() {
        let rows = [
            vec!["022".into(), "8,412".into(), "x".into()],
            vec!["第1期".into(), "2".into(), String::new()],
        ];
        assert_eq!(
            super::table(&["issue", ">sent", "why"], &rows),
            "issue   sent  why\n022    8,412  x\n第1期      2\n"
        );
    }
}
