//! Where a text is code, a comment or HTML, so that other syntax is left alone there.

use std::ops::Range;

use comrak::nodes::NodeValue;
use comrak::{Arena, parse_document};

use crate::manuscript::markdown::options;

/// What blocks of a text are not Markdown.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// Code, comments, scripts: never touched.
    pub code: Vec<Range<usize>>,
    /// Blocks of HTML, in which Markdown means nothing.
    pub html: Vec<Range<usize>>,
}

/// Finds the blocks of a text that are not Markdown.
pub(super) fn guard(text: &str) -> Guard {
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let starts = line_starts(text);
    let mut guard = Guard::default();
    for node in root.descendants() {
        let data = node.data();
        let place = data.sourcepos;
        let (is_code, is_html) = match &data.value {
            NodeValue::CodeBlock(_) => (true, false),
            NodeValue::HtmlBlock(html) => (is_opaque(&html.literal), true),
            _ => continue,
        };
        let start = start_of(&starts, place.start.line, text);
        let end = start_of(&starts, place.end.line + 1, text);
        if is_code {
            guard.code.push(start..end);
        } else if is_html {
            guard.html.push(start..end);
        }
    }
    Guard {
        code: merged(guard.code),
        html: merged(guard.html),
    }
}

/// Ranges in order, those that overlap made one.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

/// The range that holds a place, of ranges that are [`merged`].
pub(super) fn holding(ranges: &[Range<usize>], at: usize) -> Option<&Range<usize>> {
    let after = ranges.partition_point(|range| range.start <= at);
    ranges[..after].last().filter(|range| range.contains(&at))
}

/// Whether a block of HTML shows what is in it as it is, or not at all.
pub(super) fn is_opaque(html: &str) -> bool {
    let head: String = html.trim_start().chars().take(10).collect();
    let head = head.to_ascii_lowercase();
    ["<pre", "<script", "<style", "<textarea", "<!", "<?"]
        .iter()
        .any(|begin| head.starts_with(begin))
}

/// The places where lines begin.
pub(super) fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect()
}

/// Where a line begins that is counted from 1; the end of the text behind the last.
pub(super) fn start_of(starts: &[usize], line: usize, text: &str) -> usize {
    starts
        .get(line.saturating_sub(1))
        .copied()
        .unwrap_or(text.len())
}
