//! Links by reference (`[words][label]`): definitions are found wherever they stand, and labels that have none are told.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use comrak::nodes::NodeValue;
use comrak::options::BrokenLinkReference;
use comrak::{Arena, parse_document};

use super::guard::{holding, line_starts, merged, start_of};
use super::report::Report;
use super::text::{Edit, Text};
use super::walk::Prose;
use crate::manuscript::markdown::options;
use crate::model::{Finding, Severity};

/// The most bytes of a label and of the words before it.
const LONGEST_BYTES: usize = 1000;

/// Moves definitions that Markdown does not see to where it does, and reports labels without one.
pub(super) fn find(text: &mut Text, report: &mut Report) {
    if !text.as_str().contains("]:") && !text.as_str().contains("][") {
        return;
    }
    let mut missing = undefined(text.as_str());
    if missing.is_empty() {
        return;
    }
    let found = misplaced(text.as_str(), &missing);
    if !found.is_empty() {
        let mut edits = Vec::new();
        let mut definitions = String::new();
        for definition in found {
            missing.remove(&definition.label);
            definitions.push_str(
                text.as_str()[definition.range.clone()]
                    .trim()
                    .trim_start_matches(['>', ' ']),
            );
            definitions.push('\n');
            edits.push(Edit {
                range: definition.range,
                with: String::new(),
            });
        }
        definitions.push('\n');
        edits.insert(
            0,
            Edit {
                range: 0..0,
                with: definitions,
            },
        );
        text.edit(edits);
    }
    let places = text.places();
    for (at, label, words) in uses(text.as_str(), &missing) {
        let message = format!("the link “{words}” refers to [{label}], which is not defined");
        let help = format!(
            "Readers see the brackets. Write [{words}](https://…), or add a line [{label}]: https://…"
        );
        let finding = Finding::new(Severity::Warning, "link-undefined", message, help);
        report.add(finding.at(places.origin(at), None));
    }
}

/// The labels that Markdown looked for and did not find.
fn undefined(source: &str) -> HashSet<String> {
    let missing = Arc::new(Mutex::new(HashSet::new()));
    let seen = Arc::clone(&missing);
    let mut options = options();
    options.parse.broken_link_callback = Some(Arc::new(move |link: BrokenLinkReference| {
        if let Ok(mut seen) = seen.lock() {
            seen.insert(normal(link.original));
        }
        None
    }));
    let arena = Arena::new();
    parse_document(&arena, source, &options);
    let found = missing.lock().map(|seen| seen.clone());
    found.unwrap_or_default()
}

/// The form in which labels are compared.
fn normal(label: &str) -> String {
    label
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

struct Definition {
    label: String,
    range: std::ops::Range<usize>,
}

/// Lines that define a missing label where Markdown sees none: below text without an empty line, or far indented.
fn misplaced(source: &str, missing: &HashSet<String>) -> Vec<Definition> {
    let code = code_that_is_none(source);
    let mut out = Vec::new();
    let mut known = HashSet::new();
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some(label) = defined(line) else {
            continue;
        };
        let label = normal(label);
        let in_code = holding(&code, start).is_some();
        if missing.contains(&label) && !in_code && known.insert(label.clone()) {
            let range = start..start + line.trim_end_matches('\n').len();
            out.push(Definition { label, range });
        }
    }
    out
}

/// The label that a line defines: `[label]: address "title"`.
fn defined(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches(['>', ' ']);
    let inner = line.strip_prefix('[')?;
    let end = inner
        .find(']')
        .filter(|end| *end > 0 && *end < LONGEST_BYTES)?;
    let label = &inner[..end];
    let rest = inner[end..].strip_prefix("]:")?.trim_start();
    let address = rest.split_whitespace().next()?;
    let title = rest[address.len()..].trim();
    let is_title = title.is_empty()
        || (title.starts_with('"') && title.ends_with('"'))
        || (title.starts_with('\'') && title.ends_with('\''))
        || (title.starts_with('(') && title.ends_with(')'));
    let is_address = address.contains(['/', '#', '@', '.', ':']);
    (!label.starts_with('^') && !label.contains('[') && is_title && is_address).then_some(label)
}

/// Blocks of code, but for indented ones that hold definitions alone.
fn code_that_is_none(source: &str) -> Vec<std::ops::Range<usize>> {
    let arena = Arena::new();
    let root = parse_document(&arena, source, &options());
    let starts = line_starts(source);
    let mut out = Vec::new();
    for node in root.descendants() {
        let data = node.data();
        let NodeValue::CodeBlock(code) = &data.value else {
            continue;
        };
        let lines = code.literal.lines().filter(|line| !line.trim().is_empty());
        if !code.fenced && lines.clone().all(|line| defined(line).is_some()) {
            continue;
        }
        let start = start_of(&starts, data.sourcepos.start.line, source);
        out.push(start..start_of(&starts, data.sourcepos.end.line + 1, source));
    }
    merged(out)
}

/// Where `[words][label]` and `[label][]` stand that have no definition.
fn uses<'t>(source: &'t str, missing: &HashSet<String>) -> Vec<(usize, &'t str, &'t str)> {
    let prose = Prose::new(source);
    let mut out = Vec::new();
    let mut at = 0;
    while at < source.len() {
        if let Some(end) = prose.end_of_opaque(at) {
            at = end;
            continue;
        }
        if source[at..].starts_with("][")
            && let Some(found) =
                used(source, at).filter(|(_, label, _)| missing.contains(&normal(label)))
        {
            out.push(found);
        }
        at = prose.passed(at);
    }
    out
}

/// The place, label and words of a reference whose words end at a place.
fn used(source: &str, at: usize) -> Option<(usize, &str, &str)> {
    let after = &source[at + 2..];
    let end = after.find(['[', ']']).filter(|end| *end < LONGEST_BYTES)?;
    if !after[end..].starts_with(']') || after[end + 1..].starts_with(['(', ':']) {
        return None;
    }
    let mut depth = 1;
    let mut start = None;
    for (place, c) in source[..at].char_indices().rev().take(LONGEST_BYTES) {
        match c {
            ']' => depth += 1,
            '[' => depth -= 1,
            '\n' if source[place + 1..]
                .trim_start_matches([' ', '\t'])
                .starts_with('\n') =>
            {
                return None;
            }
            _ => {}
        }
        if depth == 0 {
            start = Some(place);
            break;
        }
    }
    let start = start?;
    let words = &source[start + 1..at];
    let label = if after[..end].trim().is_empty() {
        words
    } else {
        &after[..end]
    };
    // `rows[i][j]`, `[i][j]` and `[1][2]` are no links.
    let is_index = source[..start]
        .ends_with(|c: char| c.is_alphanumeric() || matches!(c, ']' | '_' | ')' | '\\'));
    let has_words = words.contains(char::is_alphabetic)
        && words.trim().chars().nth(1).is_some()
        && !label.starts_with('^');
    (has_words && !is_index).then_some((start, label, words))
}
