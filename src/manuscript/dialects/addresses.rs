//! Bare addresses that hold signs of Markdown: `https://a.example/_x_/` would lose its link and its signs.

use comrak::nodes::NodeValue;
use comrak::{Arena, parse_document};

use super::guard::{line_starts, merged, start_of};
use super::text::{Edit, Text};
use super::walk::Prose;
use crate::manuscript::links;
use crate::manuscript::markdown::options;

/// Signs that mean something to Markdown within an address.
const SIGNS: [char; 7] = ['_', '*', '`', '[', ']', '~', '^'];

/// Puts each bare address that holds such a sign in angle brackets, which make it a link as it stands.
pub(super) fn enclose(text: &mut Text) {
    let source = text.as_str();
    let may_hold = source.contains("://") && source.contains(SIGNS);
    if !may_hold {
        return;
    }
    let found = candidates(source);
    if found.is_empty() {
        return;
    }
    let links = link_ranges(source);
    let edits = found
        .into_iter()
        .filter(|address| {
            let before = links.partition_point(|link| link.start < address.end);
            links[..before]
                .last()
                .is_none_or(|link| link.end <= address.start)
        })
        .map(|address| Edit {
            with: format!("<{}>", &source[address.clone()]),
            range: address,
        })
        .collect();
    text.edit(edits);
}

fn candidates(source: &str) -> Vec<std::ops::Range<usize>> {
    let prose = Prose::new(source);
    let mut out = Vec::new();
    let mut at = 0;
    while at < source.len() {
        if let Some(end) = prose.end_of_opaque(at) {
            at = end;
            continue;
        }
        let Some(start) = scheme_before(source, at) else {
            at = prose.passed(at);
            continue;
        };
        let end = end_of(source, start);
        let before = &source[..start];
        let is_destination = before.ends_with(['<', '=', '"', '\'', '\\'])
            || before.trim_end_matches(' ').ends_with("](")
            || before.trim_end_matches(' ').ends_with("]:");
        let address = &source[start..end];
        if !is_destination
            && address.contains(SIGNS)
            && !source[end..].starts_with('\\')
            && !prose.is_html(start)
        {
            out.push(start..end);
        }
        at = end.max(at + 3);
    }
    out
}

/// Where the scheme begins if `://` stands at a place.
fn scheme_before(source: &str, at: usize) -> Option<usize> {
    if !source[at..].starts_with("://") {
        return None;
    }
    let start = ["https", "http"].iter().find_map(|scheme| {
        let start = at.checked_sub(scheme.len())?;
        source
            .get(start..at)
            .is_some_and(|s| s.eq_ignore_ascii_case(scheme))
            .then_some(start)
    })?;
    let host = source[at + 3..].starts_with(|c: char| c.is_alphanumeric() || c == '[');
    let is_apart = !source[..start].ends_with(|c: char| c.is_ascii_alphanumeric());
    (host && is_apart).then_some(start)
}

/// Where an address ends: as a bare one does, but for backticks, which may stand in it in pairs.
fn end_of(source: &str, start: usize) -> usize {
    let rest = &source[start..];
    let stop = rest
        .find(|c| links::ends_address(c) && !matches!(c, '`' | '^'))
        .unwrap_or(rest.len());
    let mut length = links::trim_end(&rest[..stop]);
    length = rest[..length].trim_end_matches('`').len();
    if rest[..length].matches('`').count() % 2 == 1
        && let Some(first) = rest.find('`')
    {
        length = first;
    }
    start + links::trim_end(&rest[..length])
}

/// Where Markdown sees links and pictures.
fn link_ranges(source: &str) -> Vec<std::ops::Range<usize>> {
    let arena = Arena::new();
    let root = parse_document(&arena, source, &options());
    let starts = line_starts(source);
    let mut out = Vec::new();
    for node in root.descendants() {
        let data = node.data();
        if !matches!(data.value, NodeValue::Link(_) | NodeValue::Image(_)) {
            continue;
        }
        let place = data.sourcepos;
        let start =
            start_of(&starts, place.start.line, source) + place.start.column.saturating_sub(1);
        let end = start_of(&starts, place.end.line, source) + place.end.column;
        out.push(start..end);
    }
    merged(out)
}
