//! Formulas in TeX: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`. They become code, which Markdown leaves alone.
//!
//! A dollar is a formula by Pandoc's rule, and only where what it holds looks like one: `$5 or $10` is money.

use std::ops::Range;

use super::text::{is_alone, line_around};
use super::walk::{Found, Walk, holds_empty_line};

/// The most bytes of a formula.
const LONGEST_BYTES: usize = 5000;

/// `$$` or `\[` at the beginning of a line, up to what ends it at the end of a line: a block of its own.
pub(super) fn line(walk: &Walk, at: usize) -> Option<Found> {
    let line = line_around(walk.text, at);
    let indent = walk.text[line.clone()].len() - walk.text[line].trim_start().len();
    let begin = at + indent;
    let rest = walk.from(begin);
    if rest.starts_with("\\begin{") {
        return environment(walk, at, begin);
    }
    let close = match rest {
        _ if rest.starts_with("$$") => "$$",
        _ if rest.starts_with("\\[") => "\\]",
        _ => return None,
    };
    let body = begin + 2;
    let end = find(walk, body, close)?;
    let formula = &walk.text[body..end];
    let range = begin..end + close.len();
    let good = !formula.trim().is_empty() && (close == "$$" || is_tex(formula));
    if walk.is_html(at) || !good || !is_alone(walk.text, &range) {
        return None;
    }
    Some(block(walk, at, range, formula))
}

/// `\begin{align}` … `\end{align}` on lines of their own, which MathJax takes for a formula.
fn environment(walk: &Walk, at: usize, begin: usize) -> Option<Found> {
    let name = walk.from(begin).strip_prefix("\\begin{")?;
    let name = &name[..name.find('}').filter(|end| *end < 20)?];
    let close = format!("\\end{{{name}}}");
    let end = walk.find_near(begin, &close, LONGEST_BYTES)? + close.len();
    let range = begin..end;
    let good = !walk.is_html(at) && is_alone(walk.text, &range);
    good.then(|| block(walk, at, range.clone(), &walk.text[range]))
}

/// A formula as a block of code, apart from the lines around it.
fn block(walk: &Walk, at: usize, range: Range<usize>, formula: &str) -> Found {
    let fence = fence(formula);
    let lead = &walk.text[at..range.start];
    let formula = formula.trim_matches('\n').trim_end();
    let next = walk.text[range.end..]
        .strip_prefix('\n')
        .unwrap_or_default();
    let is_apart = at == 0 || walk.text[..at].ends_with("\n\n");
    let before = if is_apart { "" } else { "\n" };
    let is_last = next.is_empty() || next.starts_with('\n');
    let after = if is_last { "" } else { "\n" };
    let formula = indented(formula, lead);
    Found::text(
        range.end,
        format!("{before}{lead}{fence}math\n{formula}\n{lead}{fence}{after}"),
    )
}

/// Lines that begin at least as far in as the fence around them.
fn indented(formula: &str, lead: &str) -> String {
    formula
        .lines()
        .map(|line| {
            let line = line.strip_prefix(lead).unwrap_or(line.trim_start());
            format!("{lead}{line}")
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Backticks that end no code within.
fn fence(formula: &str) -> String {
    let longest = formula
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    "`".repeat((longest + 1).max(3))
}

fn find(walk: &Walk, from: usize, close: &str) -> Option<usize> {
    let limit = from.saturating_add(LONGEST_BYTES);
    let mut at = from;
    loop {
        let found = walk.find(at, close, limit.saturating_sub(at))?;
        // `\\\\]` ends a line of TeX and then stands a bracket.
        let backslashes = walk.text[from..found]
            .chars()
            .rev()
            .take_while(|c| *c == '\\')
            .count();
        if backslashes % 2 == 0 {
            return (!holds_empty_line(&walk.text[from..found])).then_some(found);
        }
        at = found + close.len();
    }
}

/// `$…$`, and `$$…$$` within a line.
pub(super) fn dollars(walk: &Walk, at: usize) -> Option<Found> {
    if walk.is_html(at) || walk.before(at) == Some('$') {
        return None;
    }
    let rest = walk.from(at);
    if rest.starts_with("$$") {
        let end = find(walk, at + 2, "$$")?;
        let formula = walk.text[at + 2..end].trim();
        let good = !formula.is_empty() && !formula.contains('$');
        return good.then(|| Found::text(end + 2, code(formula)));
    }
    let first = rest[1..].chars().next()?;
    if first.is_whitespace() || walk.before(at).is_some_and(char::is_alphanumeric) {
        return None;
    }
    let mut from = at + 1;
    loop {
        let end = find(walk, from, "$")?;
        let formula = &walk.text[at + 1..end];
        let after = walk.text[end + 1..].chars().next();
        let closes = !formula.ends_with(char::is_whitespace)
            && !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '$');
        if closes {
            return is_formula(formula).then(|| Found::text(end + 1, code(formula)));
        }
        // Of two dollars with a space before the second, neither is part of a formula.
        if formula.ends_with(char::is_whitespace) {
            return None;
        }
        from = end + 1;
    }
}

/// `\(…\)` and, within a line, `\[…\]`. Exports also escape brackets of prose so.
pub(super) fn brackets(walk: &Walk, at: usize) -> Option<Found> {
    let rest = walk.from(at);
    let close = match rest {
        _ if rest.starts_with("\\(") => "\\)",
        _ if rest.starts_with("\\[") => "\\]",
        _ => return None,
    };
    if walk.is_html(at) {
        return None;
    }
    let end = find(walk, at + 2, close)?;
    let formula = walk.text[at + 2..end].trim();
    (is_tex(formula) && !formula.contains("](")).then(|| Found::text(end + 2, code(formula)))
}

/// A formula as inline code.
fn code(formula: &str) -> String {
    let formula = formula.split_whitespace().collect::<Vec<_>>().join(" ");
    let longest = formula
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if formula.starts_with('`') || formula.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{formula}{pad}{fence}")
}

/// Whether something holds what only TeX has: a command, an index, an equation.
fn is_tex(text: &str) -> bool {
    let command = text.match_indices('\\').any(|(at, _)| {
        text[at + 1..]
            .starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '\\' | '{' | ','))
    });
    command || text.contains(['^', '_', '=', '<', '>', '+']) && !text.contains("://")
}

/// Whether what stands between two dollars is a formula: TeX, or a few signs; not words, and no amount of money.
fn is_formula(text: &str) -> bool {
    if is_tex(text) && !is_prose(text) {
        return true;
    }
    let is_amount =
        text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(char::is_whitespace);
    let longest = text
        .split(|c: char| !c.is_alphabetic())
        .map(|w| w.chars().count())
        .max();
    !is_amount && longest.unwrap_or_default() <= 3 && text.chars().count() <= 40
}

/// Whether words stand side by side as they do in sentences.
fn is_prose(text: &str) -> bool {
    let words = text.split_whitespace().filter(|word| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        word.len() >= 2 && word.chars().all(char::is_alphabetic)
    });
    !text.contains('\\') && words.count() >= 2
}
