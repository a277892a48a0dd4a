//! kramdown and its relatives (Python-Markdown, Pandoc, MultiMarkdown): lists of attributes, the place of a table of
//! contents, lines that end in two backslashes, abbreviations, containers of colons.

use std::ops::Range;

use super::report::Kind;
use super::text::{Edit, is_alone, line_around};
use super::walk::{Found, Walk, line_of};

/// The most bytes of a list of attributes.
const LONGEST_BYTES: usize = 300;
/// Containers that are remarks: they become quotations.
const REMARKS: [&str; 14] = [
    "note",
    "tip",
    "info",
    "warning",
    "danger",
    "caution",
    "important",
    "success",
    "hint",
    "error",
    "example",
    "quote",
    "details",
    "seealso",
];

/// What takes up a whole line.
pub(super) fn line(walk: &Walk, at: usize) -> Option<(usize, Found)> {
    let (range, line) = line_of(walk, at);
    let bare = line.trim();
    let found = |found| Some((range.start, found));
    if matches!(
        bare,
        "[TOC]"
            | "[toc]"
            | "[[TOC]]"
            | "[[toc]]"
            | "[[_TOC_]]"
            | "{{TOC}}"
            | "{{ TOC }}"
            | "[[ToC]]"
    ) {
        return found(Found::nothing(range.end).noted(Kind::Contents, bare));
    }
    // A list of one entry that the line below replaces by the headings.
    if is_entry(bare) {
        let below = line_around(walk.text, (range.end + 1).min(walk.text.len()));
        let attributes = walk.text[below.clone()].trim();
        let is_toc = attributes
            .strip_prefix("{:")
            .and_then(|a| a.strip_suffix('}'));
        if is_toc.is_some_and(|list| list.split_whitespace().any(|word| word == "toc")) {
            return found(Found::nothing(below.end).noted(Kind::Contents, "{:toc}"));
        }
    }
    if bare == "\\\\" {
        return found(Found::nothing(range.end));
    }
    if bare.starts_with("*[")
        && let Some((name, words)) = bare[2..].split_once("]:")
        && !name.is_empty()
        && !name.contains(['[', ']'])
        && words.starts_with(' ')
    {
        return found(Found::nothing(range.end).noted(Kind::Abbreviation, name));
    }
    if bare.starts_with(":::") {
        return container(walk, at).map(|f| (range.start, f));
    }
    None
}

fn is_entry(line: &str) -> bool {
    line.strip_prefix(['*', '-', '+'])
        .or_else(|| line.strip_prefix("1."))
        .is_some_and(|rest| rest.starts_with(' ') && rest.len() < 60)
}

/// `:::tip Title` to `:::`: a remark becomes a quotation, any other container only its content.
fn container(walk: &Walk, at: usize) -> Option<Found> {
    let (range, line) = line_of(walk, at);
    let bare = line.trim();
    let colons = bare.len() - bare.trim_start_matches(':').len();
    let head = bare[colons..].trim().trim_end_matches(':').trim();
    // The end of a container that was seen at its beginning, or of none.
    if head.is_empty() {
        return Some(Found::nothing(range.end));
    }
    let plausible = head.starts_with(|c: char| c.is_alphabetic() || matches!(c, '{' | '['));
    if !plausible || head.len() > 200 {
        return None;
    }
    let end = end_of_container(walk, range.end, &bare[..colons])?;
    let (name, title) = split_head(head);
    let is_remark = REMARKS.contains(&name.to_ascii_lowercase().as_str());
    let title = if title.is_empty() {
        String::new()
    } else {
        format!("**{title}**")
    };
    if !is_remark {
        let with = if title.is_empty() {
            String::new()
        } else {
            format!("{title}\n")
        };
        let mut found = Found::text(range.end, with);
        found.more.push(Edit {
            range: end,
            with: String::new(),
        });
        return Some(found);
    }
    let mut found = Found::text(
        range.end,
        if title.is_empty() {
            String::new()
        } else {
            format!("> {title}\n>")
        },
    );
    let mut from = range.end + 1;
    while from < end.start {
        found.more.push(Edit {
            range: from..from,
            with: "> ".to_owned(),
        });
        from = line_around(walk.text, from).end + 1;
    }
    found.more.push(Edit {
        range: end,
        with: "\n".to_owned(),
    });
    Some(found)
}

/// `tip Title`, `tip[Title]`, `{.note title="Title"}`.
fn split_head(head: &str) -> (&str, String) {
    if let Some(list) = head.strip_prefix('{').and_then(|h| h.strip_suffix('}')) {
        let class = list
            .split_whitespace()
            .find_map(|word| word.strip_prefix('.'))
            .unwrap_or_default();
        let class = class.strip_prefix("callout-").unwrap_or(class);
        let arguments = super::arguments::Arguments::read(list);
        return (
            class,
            arguments.named(&["title"]).unwrap_or_default().to_owned(),
        );
    }
    let end = head
        .find(|c: char| !(c.is_alphanumeric() || "-_".contains(c)))
        .unwrap_or(head.len());
    let title = head[end..]
        .trim()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let title = title
        .split('{')
        .next()
        .unwrap_or_default()
        .trim()
        .trim_matches('"');
    (&head[..end], title.to_owned())
}

/// The line that ends a container: colons alone, those of containers within it left out.
fn end_of_container(walk: &Walk, from: usize, colons: &str) -> Option<Range<usize>> {
    let mut depth = 0usize;
    let mut at = from + 1;
    while at < walk.text.len() {
        let range = line_around(walk.text, at);
        let bare = walk.text[range.clone()].trim();
        if !walk.has_looked(range.len() + 1) {
            return None;
        }
        if bare.starts_with(":::") {
            let is_end = bare.chars().all(|c| c == ':');
            match (is_end, depth) {
                (true, 0) => return (bare.len() >= colons.len()).then_some(range),
                (true, _) => depth -= 1,
                (false, _) => depth += 1,
            }
        }
        at = range.end + 1;
    }
    None
}

/// `{:.class #id}` and, behind a heading, a link or code, `{#id .class}`.
pub(super) fn attributes(walk: &Walk, at: usize) -> Option<Found> {
    let rest = walk.from(at);
    if let Some(end) = extension(rest) {
        return Some(Found::nothing(at + end));
    }
    let close = rest.find('}').filter(|end| *end <= LONGEST_BYTES)?;
    let end = at + close + 1;
    let inner = &rest[1..close];
    if inner.contains(['\n', '{']) {
        return None;
    }
    let list = match inner.strip_prefix(':') {
        Some(list) => list.trim(),
        None => behind(walk, at, end, inner.trim())?,
    };
    if !is_list(list) {
        return None;
    }
    let id = list
        .split_whitespace()
        .find_map(|word| word.strip_prefix('#'));
    // Only letters, digits and a few signs: whatever else an id may be, a link in a mail can't name it.
    let id = id.filter(|id| {
        !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
    });
    let anchor = id.map_or_else(String::new, |id| format!("<a id=\"{id}\"></a>"));
    let range = at..end;
    let has_more = list
        .split_whitespace()
        .any(|word| !word.starts_with('#') && !word.is_empty());
    let noted = |found: Found| {
        if has_more {
            found.noted(Kind::Attributes, format!("{{{inner}}}"))
        } else {
            found
        }
    };
    if anchor.is_empty() {
        return Some(noted(Found::nothing(end)));
    }
    let own = line_around(walk.text, at);
    if !is_alone(walk.text, &range) {
        let mut found = Found::nothing(end);
        if is_heading(&walk.text[own.clone()]) || is_underlined(walk, &own) {
            found.more.push(above_line(walk, own.start, &anchor));
        } else {
            found.with = anchor;
        }
        return Some(noted(found));
    }
    // On a line of its own it is about the block above or, if there is none, the one below.
    let above = own
        .start
        .checked_sub(1)
        .map(|before| line_around(walk.text, before));
    let is_text = |line: &Range<usize>| {
        let line = walk.text[line.clone()].trim();
        !line.is_empty() && !line.starts_with(['|', '`', '~', '<', '{']) && !line.starts_with("---")
    };
    let mut found = Found::nothing(end);
    match above.filter(is_text) {
        Some(above) if is_heading(&walk.text[above.clone()]) => {
            found.more.push(above_line(walk, above.start, &anchor));
        }
        Some(above) => found.more.push(Edit {
            range: above.end..above.end,
            with: format!(" {anchor}"),
        }),
        None => found.with = format!("{anchor}\n"),
    }
    Some(noted(found))
}

/// A place of its own above a line: what it names is the block that follows.
fn above_line(walk: &Walk, start: usize, anchor: &str) -> Edit {
    let is_apart = start == 0 || walk.text[..start].ends_with("\n\n");
    let before = if is_apart { "" } else { "\n" };
    Edit {
        range: start..start,
        with: format!("{before}{anchor}\n\n"),
    }
}

fn is_heading(line: &str) -> bool {
    line.starts_with('#')
}

/// Whether the line below one makes a heading of it.
fn is_underlined(walk: &Walk, line: &Range<usize>) -> bool {
    let below = line_around(walk.text, (line.end + 1).min(walk.text.len()));
    let below = walk.text[below].trim();
    ['=', '-']
        .into_iter()
        .any(|sign| below.len() > 1 && below.chars().all(|c| c == sign))
}

/// `{::comment}…{:/comment}`, `{::nomarkdown}`, `{:/}`: how far it goes.
fn extension(rest: &str) -> Option<usize> {
    if let Some(inner) = rest.strip_prefix("{::comment}") {
        let end = inner
            .find("{:/comment}")
            .map(|end| end + "{:/comment}".len());
        let end = end.or_else(|| inner.find("{:/}").map(|end| end + "{:/}".len()))?;
        return Some("{::comment}".len() + end);
    }
    let is_one = rest.starts_with("{::") || rest.starts_with("{:/");
    let end = rest.find('}').filter(|end| *end < 80)?;
    (is_one && !rest[..end].contains('\n')).then_some(end + 1)
}

/// The list of braces without a colon, if they stand where such lists do.
fn behind<'i>(walk: &Walk, at: usize, end: usize, inner: &'i str) -> Option<&'i str> {
    let before = walk.before(at)?;
    if matches!(before, ')' | ']' | '`') && (inner.starts_with(['.', '#']) || inner.contains('=')) {
        return Some(inner);
    }
    let (range, line) = line_of(walk, at);
    let ends_line = walk.text[end..range.end]
        .trim()
        .trim_end_matches('#')
        .trim()
        .is_empty();
    let is_heading = line.trim_start().starts_with('#') || is_underlined(walk, &range);
    let is_short = inner == "-" || inner.starts_with(['.', '#', ':']) || inner.contains('=');
    (ends_line && is_heading && is_short && before == ' '
        || ends_line && is_heading && inner.starts_with('#'))
    .then_some(inner)
}

/// Whether something is a list of attributes: `.class`, `#id`, `key="value"`, or words that name others.
fn is_list(list: &str) -> bool {
    if list.is_empty() {
        return false;
    }
    let mut in_quotes = false;
    let mut words = String::new();
    for c in list.chars() {
        if c == '"' {
            in_quotes = !in_quotes;
        }
        words.push(if in_quotes && c.is_whitespace() {
            '_'
        } else {
            c
        });
    }
    !in_quotes
        && words.split_whitespace().all(|word| {
            let name = word.trim_start_matches(['.', '#', ':']);
            match name.split_once('=') {
                Some((key, value)) => {
                    key.chars()
                        .all(|c| c.is_alphanumeric() || "-_:".contains(c))
                        && !key.is_empty()
                        && !value.is_empty()
                }
                None => {
                    word == "-"
                        || (!name.is_empty()
                            && name
                                .chars()
                                .all(|c| c.is_alphanumeric() || "-_.:#".contains(c)))
                }
            }
        })
}

/// Two backslashes at the end of a line are a line break in kramdown.
pub(super) fn line_end(walk: &Walk, at: usize) -> Option<Found> {
    let rest = walk.from(at).strip_prefix("\\\\")?;
    if !rest.starts_with('\n') && !rest.is_empty() || walk.is_html(at) {
        return None;
    }
    if walk
        .before(at)
        .is_none_or(|c| matches!(c, '\\' | ':' | '\n'))
    {
        return None;
    }
    let next = rest
        .get(1..)
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default();
    let with = if next.trim().is_empty() { "" } else { "\\" };
    Some(Found::text(at + 2, with))
}
