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

/// Markers in running text that stand for something to be written, each at its place. A sentence may be about a TODO, and
/// code and comments may hold what they like.
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
        let line = place
            .line
            .checked_sub(1)
            .and_then(|line| reader.lines.get(line));
        let line = line.map_or(text.as_ref(), String::as_str);
        let mut from = place.column.saturating_sub(1);
        for (at, marker) in found {
            column = column.map(|column| column + reader.fields.written_chars(&text[counted..at]));
            counted = at;
            // Escapes and entities make a text shorter than its source, so the marker is looked for from here on.
            let start = line
                .get(from..)
                .and_then(|rest| rest.find(marker))
                .map(|found| from + found);
            let (before, behind) = match start {
                Some(start) => (&line[..start], &line[start + marker.len()..]),
                None => (&text[..at], &text[at + marker.len()..]),
            };
            from = start.map_or(from, |start| start + marker.len());
            if !is_placeholder(before, marker, behind) {
                continue;
            }
            let message = format!("“{marker}” is left in the text");
            let help = "Finish the passage, or remove the marker.";
            out.push(
                Finding::new(Severity::Warning, "marker-left", message, help)
                    .at(reader.line(place.line), column),
            );
        }
    }
    out
}

/// Whether a marker with these parts of its line around it stands for something to be written.
fn is_placeholder(before: &str, marker: &str, behind: &str) -> bool {
    const TASKS: [&str; 22] = [
        "write", "add", "fix", "finish", "check", "insert", "fill", "describe", "find", "link",
        "update", "replace", "complete", "ask", "more", "remove", "image", "picture", "intro",
        "summary", "text", "here",
    ];
    let begins_line = !before.contains(char::is_alphabetic);
    let next = behind.trim_start_matches(['*', '_']);
    match marker {
        "TKTK" => return true,
        // Initials and names: TK Maxx, Tcl/TK.
        "TK" => {
            let is_name = before.ends_with(['/', '.', '-'])
                || next.starts_with(['/', '-'])
                || next
                    .strip_prefix(' ')
                    .is_some_and(|n| n.starts_with(char::is_uppercase));
            return !is_name;
        }
        _ => {}
    }
    if next.starts_with([':', '：']) {
        return true;
    }
    let opened = before.trim_end_matches(['*', '_']).chars().next_back();
    match opened {
        Some('[' | '【') if !behind.contains("](") && !behind.contains("][") => return true,
        Some('(' | '（' | '<' | '{') if next.starts_with([')', '）', '>', '}']) => return true,
        _ => {}
    }
    let next = next.trim_start();
    let word = next
        .split(|c: char| !c.is_alphabetic())
        .next()
        .unwrap_or_default();
    begins_line
        && (next.is_empty()
            || next.starts_with(['-', '–', '—', '!', '…'])
            || behind.starts_with('(')
            || TASKS.contains(&word.to_lowercase().as_str()))
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
    // One that was written for a site is as long as it is.
    let is_own = lines.contains_key("preheader");
    let preheader = if is_own {
        plain(&meta.preheader)
    } else {
        String::new()
    };
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
    fn a_sentence_about_a_marker_is_no_placeholder() {
        let is = |line: &str| {
            let (at, marker) = found(line)[0];
            is_placeholder(&line[..at], marker, &line[at + marker.len()..])
        };
        for line in [
            "TODO",
            "- TODO: the list",
            "**TODO**",
            "## TODO write this",
            "> FIXME!",
            "1. TODO(ann) a picture",
            "The intro [TODO]",
            "The intro [TODO: a link] goes on",
            "Numbers (TODO) here",
            "An intro TODO: write it",
            "by TK, for TKTK",
            "It costs TK euros",
            "TODO – more",
        ] {
            assert!(is(line), "{line}");
        }
        for line in [
            "One TODO item is to separate these descriptors",
            "See [TODO list](https://a.example/todo).",
            "- [TODO](https://a.example/todo)",
            "My TODO is long.",
            "TODO comments are harmful",
            "A list of TODO and FIXME in the tree",
            "TK Maxx sells it",
            "Tcl/TK is old",
            "The app TODO (which is free) is out",
        ] {
            assert!(!is(line), "{line}");
        }
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
