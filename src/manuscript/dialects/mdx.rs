//! MDX: components among Markdown, and the lines of JavaScript that bring them.

use super::arguments::Arguments;
use super::known::{self, Meant};
use super::report::Kind;
use super::text::{Edit, line_around};
use super::walk::{Found, Walk, line_of, set};

/// The most bytes of one tag.
const LONGEST_BYTES: usize = 4000;
/// The most bytes between the two tags of a component.
const PAIR_BYTES: usize = 50_000;

/// `import X from "…"` and `export const x = …` at the beginning of a line, up to the next empty one.
pub(super) fn line(walk: &Walk, at: usize) -> Option<(usize, Found)> {
    let (range, line) = line_of(walk, at);
    let above = walk.text[..at.saturating_sub(1)].rsplit('\n').next();
    let above = above.unwrap_or_default();
    let is_apart = above.trim().is_empty() || is_module(above);
    if !is_apart || !is_module(line) {
        return None;
    }
    let mut end = range.end;
    if line.starts_with("export") {
        // A value may have several lines; an empty one ends it.
        while let Some(rest) = walk.text[end..].strip_prefix('\n')
            && let Some(next) = rest.lines().next()
            && !next.trim().is_empty()
            && !is_module(next)
            && next.starts_with([' ', '\t', '}', ']', ')'])
        {
            end += 1 + next.len();
        }
    }
    let name = line
        .split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" ");
    Some((at, Found::nothing(end).noted(Kind::Module, name)))
}

fn is_module(line: &str) -> bool {
    let line = line.trim_end().trim_end_matches(';');
    if let Some(rest) = line.strip_prefix("import ") {
        let ends_quoted = rest.ends_with(['"', '\'']);
        let rest = rest.trim_start();
        return ends_quoted && (rest.contains(" from ") || rest.starts_with(['"', '\'']));
    }
    line.strip_prefix("export ").is_some_and(|rest| {
        [
            "const ",
            "let ",
            "var ",
            "function ",
            "default ",
            "async ",
            "class ",
        ]
        .iter()
        .any(|word| rest.starts_with(word))
            && rest.contains(['=', '(', '{'])
            || rest.starts_with("{ ") && rest.contains(" from ")
            || rest.starts_with("default ")
    })
}

/// `{/* comment */}`.
pub(super) fn comment(walk: &Walk, at: usize) -> Option<Found> {
    let rest = walk.from(at);
    if !rest.starts_with("{/*") || walk.is_line {
        return None;
    }
    let close = rest.find("*/}").filter(|end| *end <= 20_000)?;
    Some(Found::nothing(at + close + 3))
}

/// A component: a tag whose name begins with a capital letter, unless it is prose such as `Vec<T>`.
pub(super) fn component(walk: &Walk, at: usize) -> Option<Found> {
    let rest = walk.from(at);
    let inner = rest.strip_prefix('<')?;
    if walk
        .before(at)
        .is_some_and(|c| c.is_alphanumeric() || matches!(c, '<' | '_' | ':' | '&' | '('))
    {
        return None;
    }
    if inner.starts_with('>') && walk.find(at, "</>", PAIR_BYTES).is_some()
        || inner.starts_with("/>") && is_begun(walk, at, "<>")
    {
        // A fragment of JSX.
        return Some(Found::nothing(at + inner.find('>')? + 2));
    }
    let name_at = usize::from(inner.starts_with('/'));
    let name_end = inner[name_at..]
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_')))
        .map(|end| name_at + end)?;
    let name = &inner[name_at..name_end];
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    if name_at == 1 {
        // Only the end of a component that was begun; `</T>` alone is prose.
        let end = inner
            .find('>')
            .filter(|end| inner[name_end..*end].trim().is_empty())?;
        let begun = format!("<{name}");
        let is_end = is_begun(walk, at, &begun);
        return is_end.then(|| Found::nothing(at + 1 + end + 1));
    }
    let length = tag_length(inner)?;
    let end = at + 1 + length;
    let attributes = inner[name_end..length - 1].trim();
    let closes_itself = attributes.ends_with('/');
    let attributes = attributes.trim_end_matches('/');
    let arguments = Arguments::read(attributes);
    let close = format!("</{name}>");
    let is_pair = !closes_itself && walk.find(end, &close, PAIR_BYTES).is_some();
    let is_component =
        closes_itself || is_pair || (arguments.has_names() && attributes.contains('='));
    if !is_component {
        return None;
    }
    let range = at..end;
    let shown = format!("<{name}>");
    let found = match known::meant(name, &arguments) {
        Meant::Embed { url, title } if !is_pair => {
            let player = known::embed(&url, &title);
            Found::text(end, set(walk, &range, &player, &player))
        }
        Meant::Picture(picture) => {
            Found::text(end, set(walk, &range, &picture.block(), &picture.inline()))
        }
        Meant::Link { url, .. } | Meant::Embed { url, .. } => {
            let found = Found::text(end, format!("<a href=\"{}\">", known::escaped(&url)));
            return Some(closed_by(walk, found, end, &close));
        }
        Meant::Words(words) if closes_itself || is_pair => {
            let words = format!("<strong>{}</strong>", known::inline_html(&words));
            let block = format!("<p>{words}</p>\n");
            Found::text(end, set(walk, &range, &block, &words)).noted(Kind::Component, shown)
        }
        _ => Found::nothing(end).noted(Kind::Component, shown),
    };
    Some(found)
}

/// Whether a tag stands before a place, not too far away.
fn is_begun(walk: &Walk, at: usize, tag: &str) -> bool {
    let mut start = at.saturating_sub(PAIR_BYTES);
    while !walk.text.is_char_boundary(start) {
        start += 1;
    }
    let found = walk.text[start..at].rfind(tag);
    walk.has_looked(at - found.map_or(start, |found| start + found)) && found.is_some()
}

/// A component that holds the words of a link.
fn closed_by(walk: &Walk, mut found: Found, from: usize, close: &str) -> Found {
    let line = line_around(walk.text, from);
    match walk.text[from..line.end].find(close) {
        Some(end) => {
            let start = from + end;
            found.more.push(Edit {
                range: start..start + close.len(),
                with: "</a>".to_owned(),
            });
            found
        }
        None => Found {
            with: String::new(),
            ..found
        },
    }
}

/// The length of a tag up to and with its `>`, which may stand in quotation marks and braces too.
fn tag_length(inner: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0usize;
    for (at, c) in inner.char_indices() {
        if at > LONGEST_BYTES {
            return None;
        }
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            (None, '>') if depth == 0 => return Some(at + 1),
            (None, '<') if depth == 0 => return None,
            _ => {}
        }
    }
    None
}
