//! Findings about the text alone: markers that were left, headings with nothing below them, subjects that no inbox
//! shows in full.

use std::collections::HashMap;

use comrak::nodes::NodeValue;
use unicode_width::UnicodeWidthStr as _;

use crate::model::issue::{Block, Meta, plain};
use crate::model::{Finding, Severity};

use super::reader::Reader;
use super::tidy::TopBlock;

/// Columns of a subject that an inbox on a large screen shows.
const SUBJECT_COLUMNS: usize = 70;
/// Columns of a preheader that inboxes show at most.
const PREHEADER_COLUMNS: usize = 130;

/// Markers that authors leave for themselves.
const MARKERS: [&str; 4] = ["TKTK", "TK", "TODO", "FIXME"];

/// Markers in running text, each at its place. Code and comments may hold what they like.
pub(super) fn markers(root: comrak::Node, reader: &Reader) -> Vec<Finding> {
    let mut out = Vec::new();
    for node in root.descendants() {
        let data = node.data();
        let NodeValue::Text(text) = &data.value else {
            continue;
        };
        let found = found(text);
        if found.is_empty() {
            continue;
        }
        let place = data.sourcepos.start;
        let mut column = reader.column(place);
        let mut counted = 0;
        for (at, marker) in found {
            column = column.map(|column| column + reader.fields.written_chars(&text[counted..at]));
            counted = at;
            let message = format!("“{marker}” is left in the text");
            let help = "Finish the passage, or remove the marker.";
            out.push(
                Finding::new(Severity::Warning, "marker-left", message, help)
                    .at(place.line + reader.offset, column),
            );
        }
    }
    out
}

/// The markers of a text that are words of their own.
fn found(text: &str) -> Vec<(usize, &'static str)> {
    let mut out = Vec::new();
    for marker in MARKERS {
        for (at, _) in text.match_indices(marker) {
            let word =
                |c: char| c.is_alphanumeric() && !super::language::is_east_asian(c) || c == '_';
            let alone = !text[..at].ends_with(word) && !text[at + marker.len()..].starts_with(word);
            if alone {
                out.push((at, marker));
            }
        }
    }
    out.sort_unstable();
    out
}

/// Headings below which nothing stands before the next one of their level.
pub(super) fn empty_headings(tops: &[TopBlock]) -> Vec<Finding> {
    let visible: Vec<&TopBlock> = tops
        .iter()
        .filter(|t| !matches!(t.block, Block::Rule))
        .collect();
    let mut out = Vec::new();
    for (at, top) in visible.iter().enumerate() {
        let Block::Heading { level, inlines } = &top.block else {
            continue;
        };
        let empty = match visible.get(at + 1).map(|t| &t.block) {
            None => true,
            Some(Block::Heading { level: next, .. }) => next <= level,
            Some(_) => false,
        };
        let title = plain(inlines);
        if empty && super::parts::item_heading(inlines).is_none() {
            let message = format!("the heading “{}” has nothing below it", title.trim());
            let help = "Write something below it, or remove the heading.";
            out.push(
                Finding::new(Severity::Warning, "heading-empty", message, help).at(top.line, None),
            );
        }
    }
    out
}

/// Subject and preheader against what inboxes show. `lines` are those of the front matter's keys.
pub(super) fn lengths(meta: &Meta, lines: &HashMap<String, usize>) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut report = |severity, code, message: String, help: &str, key: &str| {
        let finding = Finding::new(severity, code, message, help);
        let line = lines.get(key).or_else(|| lines.get("title")).copied();
        out.push(Finding { line, ..finding });
    };
    let subject = if meta.subject.is_empty() {
        meta.title.clone()
    } else {
        plain(&meta.subject)
    };
    let preheader = plain(&meta.preheader);
    let columns = subject.width();
    if columns > SUBJECT_COLUMNS {
        let message =
            format!("the subject is {columns} columns wide; inboxes show about {SUBJECT_COLUMNS}");
        report(
            Severity::Warning,
            "subject-long",
            message,
            "Put the main point first, or shorten it.",
            "subject",
        );
    }
    let columns = preheader.width();
    if columns > PREHEADER_COLUMNS {
        let message = format!(
            "the preheader is {columns} columns wide; inboxes show {PREHEADER_COLUMNS} at most"
        );
        report(
            Severity::Note,
            "preheader-long",
            message,
            "The rest is cut off.",
            "preheader",
        );
    }
    if !preheader.is_empty() && preheader.trim() == subject.trim() {
        let message = "the preheader repeats the subject".to_owned();
        report(
            Severity::Note,
            "preheader-same",
            message,
            "Inboxes show both side by side. Use the preheader to say more.",
            "preheader",
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_words_of_their_own() {
        assert_eq!(
            found("a TODO, TK; TKTK"),
            [(2, "TODO"), (8, "TK"), (12, "TKTK")]
        );
        assert_eq!(found("待TODO补"), [("待".len(), "TODO")]);
        assert_eq!(found("TODOs in ATK and TK_x, todo"), []);
    }

    #[test]
    fn a_subject_is_measured_in_columns() {
        let meta = |title: &str| Meta {
            title: title.into(),
            ..Meta::default()
        };
        let codes = |m: &Meta| {
            lengths(m, &HashMap::new())
                .into_iter()
                .map(|f| f.code)
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(&meta(&"x".repeat(70))), [] as [&str; 0]);
        assert_eq!(codes(&meta(&"x".repeat(71))), ["subject-long"]);
        assert_eq!(codes(&meta(&"新".repeat(36))), ["subject-long"]);
    }
}
