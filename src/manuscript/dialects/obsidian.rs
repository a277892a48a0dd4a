//! Obsidian: links between notes, embedded files, comments, highlighted text; sub- and superscripts of Pandoc too.

use super::known::Picture;
use super::report::Kind;
use super::walk::{Found, Walk, holds_empty_line, set};

/// The most bytes of a link between notes.
const LINK_BYTES: usize = 300;
/// The most bytes of highlighted text.
const MARK_BYTES: usize = 600;
/// The most bytes of a comment.
const COMMENT_BYTES: usize = 20_000;

/// `[[Note]]`, `[[Note|words]]`, `![[picture.png|300]]`.
pub(super) fn link(walk: &Walk, at: usize) -> Option<Found> {
    let rest = walk.from(at);
    let is_embed = rest.starts_with("![[");
    let begin = if is_embed { "![[" } else { "[[" };
    let inner = rest.strip_prefix(begin)?;
    let close = inner.find("]]").filter(|end| *end <= LINK_BYTES)?;
    let inner = &inner[..close];
    let end = at + begin.len() + close + 2;
    let is_within_text = walk
        .before(at)
        .is_some_and(|c| c.is_alphanumeric() || matches!(c, '[' | ']' | '\\' | ')'));
    let goes_on = walk.text[end..].starts_with(['(', '[', ':', ']']);
    let is_number = inner.chars().all(|c| c.is_ascii_digit() || c == '^');
    if is_within_text
        || goes_on
        || is_number
        || inner.trim().is_empty()
        || inner.contains(['\n', '[', ']', '`'])
    {
        return None;
    }
    let inner = inner.replace("\\|", "|");
    let (target, words) = match inner.split_once('|') {
        Some((target, words)) => (target.trim(), words.trim()),
        None => (inner.trim(), ""),
    };
    if is_embed && is_picture(target) {
        let size = words.split('x').next().unwrap_or_default();
        let is_size = !size.is_empty() && size.chars().all(|c| c.is_ascii_digit());
        let (alt, width) = if is_size { ("", size) } else { (words, "") };
        let picture = Picture::new(target, alt, width);
        let range = at..end;
        let with = if width.is_empty() && !walk.is_html(at) {
            format!(
                "![{}](<{}>)",
                alt.replace(['[', ']'], ""),
                target.replace(['<', '>'], "")
            )
        } else {
            set(walk, &range, &picture.block(), &picture.inline())
        };
        return Some(Found::text(end, with));
    }
    if target.starts_with("https://") || target.starts_with("http://") {
        let words = if words.is_empty() { target } else { words };
        return Some(Found::text(end, format!("[{words}](<{target}>)")));
    }
    // Obsidian shows `Note#Heading` as `Note > Heading`, and `#Heading` as it is.
    let shown = match words {
        "" => target
            .trim_start_matches('#')
            .replace("#^", "#")
            .replace('#', " > "),
        words => words.to_owned(),
    };
    Some(Found::text(end, shown).noted(Kind::WikiLink, format!("{begin}{inner}]]")))
}

fn is_picture(target: &str) -> bool {
    let path = target.to_ascii_lowercase();
    [
        ".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif", ".bmp",
    ]
    .iter()
    .any(|ending| path.ends_with(ending))
}

/// `%%comment%%`, within a line or over several.
pub(super) fn comment(walk: &Walk, at: usize) -> Option<Found> {
    let inner = walk.from(at).strip_prefix("%%")?;
    // Within an address, or behind a number, they are signs like any other.
    let is_apart = walk
        .before(at)
        .is_none_or(|c| c.is_whitespace() || "([{>*_|\"'“（，。".contains(c));
    if !is_apart || inner.starts_with('%') || walk.is_line {
        return None;
    }
    let close = inner.find("%%").filter(|end| *end <= COMMENT_BYTES)?;
    let begins_line = at == 0 || walk.text[..at].ends_with('\n');
    let words = &inner[..close];
    let end = at + 2 + close + 2;
    // Within a line it ends in its paragraph; on lines of its own it may hold empty ones.
    let is_block =
        begins_line && words.starts_with('\n') && walk.text[..at + 2 + close].ends_with('\n');
    let is_inline = !words.trim().is_empty()
        && !holds_empty_line(words)
        && !walk.text[end..].starts_with(|c: char| c.is_alphanumeric() || c == '%');
    (is_block || is_inline).then(|| Found::nothing(end))
}

/// `==highlighted==`, `x^2^`, `H~2~O`.
pub(super) fn mark(walk: &Walk, at: usize) -> Option<Found> {
    if walk.is_html(at) {
        return None;
    }
    let rest = walk.from(at);
    if rest.starts_with("==") {
        return highlighted(walk, at);
    }
    let sign = rest.chars().next()?;
    let (name, before) = match sign {
        '^' => (
            "sup",
            walk.before(at)
                .is_some_and(|c| c.is_alphanumeric() || c == ')'),
        ),
        // "20~25°C" is a range.
        _ => (
            "sub",
            walk.before(at)
                .is_some_and(|c| c.is_ascii_alphabetic() || c == ')'),
        ),
    };
    let close = rest[1..].find(sign).filter(|end| (1..=6).contains(end))? + 1;
    let inner = &rest[1..close];
    let good = inner
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '−'));
    let is_short = sign == '^' || inner.len() <= 3;
    let ends = !rest[close + 1..].starts_with(sign);
    (before && good && is_short && ends)
        .then(|| Found::text(at + close + 1, format!("<{name}>{inner}</{name}>")))
}

fn highlighted(walk: &Walk, at: usize) -> Option<Found> {
    let inner = &walk.from(at)[2..];
    let may_begin = walk
        .before(at)
        .is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '=' | '!' | '<' | '>' | '\\'))
        && inner.starts_with(|c: char| !c.is_whitespace() && c != '=');
    let close = inner
        .find("==")
        .filter(|end| *end <= MARK_BYTES && *end > 0)?;
    let words = &inner[..close];
    let after = &inner[close + 2..];
    let may_end = !words
        .ends_with(|c: char| c.is_whitespace() || matches!(c, '=' | '!' | '<' | '>'))
        && !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '=')
        && !words.contains(['`', '|'])
        && !holds_empty_line(words);
    if !may_begin || !may_end {
        return None;
    }
    let mut found = Found::text(at + 2, "<mark>");
    let end = at + 2 + close;
    found.more.push(super::text::Edit {
        range: end..end + 2,
        with: "</mark>".to_owned(),
    });
    Some(found)
}
