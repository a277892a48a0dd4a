//! The way through a text: what each dialect finds is replaced, code is passed over.

use std::collections::HashMap;

use super::report::{Kind, Report};
use super::text::{Edit, Text, line_around};
use super::walk::{Found, Walk, passed};
use super::{formulas, kramdown, mdx, merge_tags, obsidian, tags};

/// What begins syntax of other programs; a text without any of it is not searched.
const SIGNS: [&str; 21] = [
    "{%",
    "{{",
    "{:",
    "{#",
    "{.",
    "{-",
    "{/",
    "{static}",
    "{filename}",
    "{attach}",
    "first_name",
    "*|",
    "%%",
    "$",
    "[[",
    "\\(",
    "\\[",
    "==",
    "\\\\\n",
    ":::",
    "^",
];
/// More of them, which are words.
const WORDS: [&str; 9] = [
    "import ", "export ", "/>", "</", "[TOC]", "[toc]", "*[", "{width", "~",
];
/// Whether a text may hold anything of another program.
pub(super) fn may_hold_any(text: &str) -> bool {
    SIGNS.iter().chain(&WORDS).any(|sign| text.contains(sign)) || text.ends_with("\\\\")
}

/// Replaces what dialects find in a body.
pub(super) fn translate(text: &mut Text, report: &mut Report) {
    let source = text.as_str().to_owned();
    let walk = Walk::body(&source);
    let (edits, notes) = go(&walk);
    let places = text.places();
    for (kind, name, at) in notes {
        report.note(kind, &name, places.origin(at));
    }
    text.edit(edits);
}

/// Replaces what dialects find in a line that is no Markdown.
pub(super) fn translate_line(text: &mut Text, report: &mut Report) {
    let source = text.as_str().to_owned();
    let walk = Walk::line(&source);
    let (edits, notes) = go(&walk);
    for (kind, name, _) in notes {
        report.note(kind, &name, 1);
    }
    // Of what shows something elsewhere a line shows nothing: a subject holds no player.
    let plain = |mut edit: Edit| {
        if edit.with.contains(['<', '\n']) {
            edit.with.clear();
        }
        edit
    };
    text.edit(edits.into_iter().map(plain).collect());
}

/// Longer lines are data rather than text, and looking around in them takes time.
const LONGEST_LINE_BYTES: usize = 10_000;

type Notes = Vec<(Kind, String, usize)>;

fn go(walk: &Walk) -> (Vec<Edit>, Notes) {
    let (mut edits, mut notes) = (Vec::new(), Notes::new());
    let mut at = 0;
    let mut code = walk.code().iter().peekable();
    // The ends of pairs whose beginning was found.
    let mut ends = HashMap::new();
    while at < walk.text.len() {
        while code.peek().is_some_and(|range| range.end <= at) {
            code.next();
        }
        if let Some(range) = code.peek().filter(|range| range.contains(&at)) {
            at = range.end;
            continue;
        }
        if at == 0 || walk.text[..at].ends_with('\n') {
            let line = line_around(walk.text, at);
            if line.len() > LONGEST_LINE_BYTES {
                at = line.end + 1;
                continue;
            }
        }
        if let Some(end) = ends.get(&at).filter(|end| **end > at) {
            at = *end;
            continue;
        }
        if let Some((start, found)) = found_at(walk, at) {
            notes.extend(found.notes.into_iter().map(|(kind, name)| (kind, name, at)));
            ends.extend(
                found
                    .more
                    .iter()
                    .map(|edit| (edit.range.start, edit.range.end)),
            );
            edits.extend(found.more);
            at = found.end.max(at + 1);
            edits.push(Edit {
                range: start..found.end.max(start),
                with: found.with,
            });
            continue;
        }
        at = passed(walk, at);
    }
    (edits, notes)
}

/// What begins at a place, and where its edit begins.
fn found_at(walk: &Walk, at: usize) -> Option<(usize, Found)> {
    let rest = walk.from(at);
    let begins_line = at == 0 || walk.text[..at].ends_with('\n');
    if begins_line
        && !walk.is_line
        && let Some(found) = kramdown::line(walk, at)
            .or_else(|| mdx::line(walk, at))
            .or_else(|| formulas::line(walk, at).map(|found| (at, found)))
    {
        return Some(found);
    }
    let found = match rest.as_bytes().first()? {
        b'{' => tags::braces(walk, at)
            .or_else(|| merge_tags::ghost(walk, at))
            .or_else(|| kramdown::attributes(walk, at))
            .or_else(|| mdx::comment(walk, at)),
        b'*' => merge_tags::mailchimp(walk, at),
        b'%' => merge_tags::substack(walk, at).or_else(|| obsidian::comment(walk, at)),
        _ if walk.is_line => None,
        b'$' => formulas::dollars(walk, at),
        b'\\' => formulas::brackets(walk, at).or_else(|| kramdown::line_end(walk, at)),
        b'[' | b'!' => obsidian::link(walk, at),
        b'=' | b'^' | b'~' => obsidian::mark(walk, at),
        b'<' => mdx::component(walk, at),
        _ => None,
    };
    found.map(|found| (at, found))
}
