//! Examines a theme's files before they are used, since mrml accepts much that it then gets wrong.
//!
//! It takes unknown names silently, prints attributes as Rust literals, and overflows the stack on a file that
//! includes itself or nests without end. So this linter asks for MJML that is well formed file by file, for
//! known names, for attributes that survive, and for an `alt` on every picture; Jinja is skipped over.

mod markup;
mod vocabulary;

use super::error::ThemeError;
use super::files::Files;
use super::slots::TOKEN_START;
use markup::{Fault, Tag, Tags};

/// The deepest nesting that is handed to mrml, which recurses.
const DEPTH_MAX: usize = 64;

/// Checks every file of a theme, and that no file includes itself.
pub(super) fn check(files: &Files) -> Result<(), ThemeError> {
    for (file, source) in &files.templates {
        check_file(source).map_err(|fault| files.error_at(file, fault.line, fault.why))?;
    }
    for file in files.templates.keys() {
        check_includes(files, file, &mut Vec::new())?;
    }
    Ok(())
}

/// A document nests elements deeper than mrml can render.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the theme nests elements deeper than {DEPTH_MAX}")]
pub(super) struct TooDeep;

/// Refuses a document that nests too deep for mrml. It counts tags without judging them: the files that the
/// document was made from were judged before, but their loops decide how deep it gets.
pub(super) fn check_depth(document: &str) -> Result<(), TooDeep> {
    let mut depth = 0_usize;
    let mut tags = document.split('<');
    tags.next();
    for tag in tags {
        let (inside, _) = tag.split_once('>').unwrap_or((tag, ""));
        if inside.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !inside.ends_with('/') && !inside.starts_with('!') {
            depth += 1;
        }
        if depth > DEPTH_MAX {
            return Err(TooDeep);
        }
    }
    Ok(())
}

fn check_file(source: &str) -> Result<(), Fault> {
    if let Some(at) = source.find(TOKEN_START) {
        return Err(Fault::at(
            source,
            at,
            format!("“{TOKEN_START}” is reserved; use other words"),
        ));
    }
    let mut open: Vec<(&str, usize)> = Vec::new();
    for tag in Tags::of(source) {
        let tag = tag?;
        let fault = |why: String| {
            Err(Fault {
                line: tag.line,
                why,
            })
        };
        if tag.closing {
            match open.pop() {
                Some((name, _)) if name == tag.name => {}
                Some((name, line)) => {
                    return fault(format!("</{}> closes <{name}> of line {line}", tag.name));
                }
                None => return fault(format!("</{}> closes nothing in this file", tag.name)),
            }
            continue;
        }
        check_tag(&tag)?;
        if !tag.empty {
            open.push((tag.name, tag.line));
        }
        if open.len() > DEPTH_MAX {
            return fault(format!("elements nest deeper than {DEPTH_MAX}"));
        }
    }
    match open.pop() {
        Some((name, line)) => Err(Fault {
            line,
            why: format!("<{name}> is not closed in this file"),
        }),
        None => Ok(()),
    }
}

/// Checks the name and the attributes of an opening tag.
fn check_tag(tag: &Tag) -> Result<(), Fault> {
    let fault = |line: usize, why: String| Err(Fault { line, why });
    if tag.name == "mj-include" {
        return fault(
            tag.line,
            "write {% include \"FILE\" %} in place of <mj-include>".into(),
        );
    }
    let known = vocabulary::attributes(tag.name);
    if tag.name.starts_with("mj") && known.is_none() {
        let near = vocabulary::nearest_element(tag.name);
        return fault(
            tag.line,
            format!(
                "there is no element <{}> for themes; the nearest is <{near}>",
                tag.name
            ),
        );
    }
    if tag.name.chars().any(|c| c.is_ascii_uppercase()) {
        return fault(tag.line, format!("<{}> must be in lower case", tag.name));
    }
    for attribute in &tag.attributes {
        if known
            .as_ref()
            .is_some_and(|known| !known.contains(&attribute.name))
        {
            return fault(
                attribute.line,
                format!("<{}> has no attribute “{}”", tag.name, attribute.name),
            );
        }
        // What Rust would escape in a literal, mrml damages.
        if format!("{:?}", attribute.value).len() != attribute.value.len() + 2 {
            return fault(
                attribute.line,
                format!(
                    "the value of “{}” holds a line break, a backslash or another character that would not \
                         survive",
                    attribute.name
                ),
            );
        }
    }
    if matches!(tag.name, "img" | "mj-image") && !tag.attributes.iter().any(|a| a.name == "alt") {
        return fault(
            tag.line,
            format!(
                "<{}> has no alt; write alt=\"\" for a decorative picture",
                tag.name
            ),
        );
    }
    Ok(())
}

/// Follows `{% include "…" %}` from a file; `path` is the way that led to it.
fn check_includes(files: &Files, file: &str, path: &mut Vec<String>) -> Result<(), ThemeError> {
    path.push(file.to_owned());
    let source = files.templates.get(file).map_or("", String::as_str);
    for (line, included) in markup::includes(source) {
        if path.iter().any(|earlier| earlier == included) {
            let way = path.join(" → ");
            return Err(files.error_at(
                file,
                line,
                format!("{included} includes itself ({way} → {included})"),
            ));
        }
        if !files.templates.contains_key(included) {
            return Err(files.error_at(file, line, format!("the theme has no file “{included}”")));
        }
        check_includes(files, included, path)?;
    }
    path.pop();
    Ok(())
}

#[cfg(test)]
mod tests;
