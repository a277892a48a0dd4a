//! Headings that stand directly below a tag: to Markdown they belong to the HTML; their authors mean headings.

use super::guard::{guard, holding, is_opaque};
use super::text::{Edit, Text};

/// Sets each such heading apart by an empty line.
pub(super) fn set_apart(text: &mut Text) {
    let source = text.as_str();
    let candidates = candidates(source);
    if candidates.is_empty() {
        return;
    }
    let html = guard(source).html;
    let edits = candidates
        .into_iter()
        .filter(|at| {
            holding(&html, *at)
                .is_some_and(|range| range.start < *at && !is_opaque(&source[range.clone()]))
        })
        .map(|at| Edit {
            range: at..at,
            with: "\n".to_owned(),
        })
        .collect();
    text.edit(edits);
}

/// Where a line begins like a heading and the one before is not empty, in a text with tags.
fn candidates(source: &str) -> Vec<usize> {
    let mut out = Vec::new();
    let (mut at, mut is_below) = (0, false);
    for line in source.split_inclusive('\n') {
        if is_below && is_heading(line) {
            out.push(at);
        }
        let bare = line.trim();
        is_below = !bare.is_empty() && (bare.starts_with('<') || bare.ends_with('>') || is_below);
        at += line.len();
    }
    out
}

fn is_heading(line: &str) -> bool {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let rest = &line[indent..];
    let marks = rest.len() - rest.trim_start_matches('#').len();
    indent < 4 && (1..=6).contains(&marks) && rest[marks..].starts_with([' ', '\t'])
}
