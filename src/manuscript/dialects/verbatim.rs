//! What templates mark as code or as text without tags: `{% highlight %}`, `{% codeblock %}`, `{{< highlight >}}`,
//! `{% raw %}`. It goes first, since what stands in it is not to be searched.

use std::collections::HashSet;
use std::ops::Range;

use super::arguments::Arguments;
use super::report::Report;
use super::text::{Edit, Text, line_around};

/// The tags, and what ends each.
const PAIRS: [(&str, &str); 5] = [
    ("highlight", "endhighlight"),
    ("codeblock", "endcodeblock"),
    ("code", "endcode"),
    ("raw", "endraw"),
    ("verbatim", "endverbatim"),
];

/// Longer lines are data rather than text.
const LONGEST_LINE_BYTES: usize = 10_000;
/// The most bytes of a tag.
const TAG_BYTES: usize = 400;

/// Makes code of what is marked as code, and takes off the marks of text without tags.
pub(super) fn translate(text: &mut Text, _report: &mut Report) {
    let source = text.as_str();
    let mut edits = Vec::new();
    let mut at = 0;
    let mut fence: Option<&str> = None;
    // Tags of which no end follows.
    let mut endless = HashSet::new();
    while at < source.len() {
        let line = line_around(source, at);
        let words = source[line.clone()].trim_start();
        let run = |sign: char| &words[..words.len() - words.trim_start_matches(sign).len()];
        match fence {
            Some(open) => {
                let ends = words.starts_with(open)
                    && words.trim_end().chars().all(|c| open.starts_with(c));
                if ends {
                    fence = None;
                }
                at = line.end + 1;
                continue;
            }
            None => {
                fence = [run('`'), run('~')].into_iter().find(|r| r.len() >= 3);
                // Backticks behind backticks are inline code.
                if fence.is_some_and(|open| {
                    !(open.starts_with('`') && words[open.len()..].contains('`'))
                }) {
                    at = line.end + 1;
                    continue;
                }
                fence = None;
            }
        }
        at = match opened(source, &line, at, &mut endless) {
            Some(found) => {
                let end = found.close.end;
                edits.extend(found.edits(source));
                end
            }
            None => line.end + 1,
        };
    }
    text.edit(edits);
}

/// A pair of tags with what is between.
struct Marked {
    open: Range<usize>,
    close: Range<usize>,
    language: String,
    is_raw: bool,
}

/// The first pair that begins on a line, at or behind a place.
fn opened(
    source: &str,
    line: &Range<usize>,
    from: usize,
    endless: &mut HashSet<(&'static str, bool)>,
) -> Option<Marked> {
    if line.len() > LONGEST_LINE_BYTES {
        return None;
    }
    let from = from.max(line.start);
    for (found, _) in source[from..line.end].match_indices('{') {
        let start = from + found;
        let sign = ["{%", "{{<", "{{%"]
            .into_iter()
            .find(|sign| source[start..].starts_with(sign));
        if let Some(sign) = sign
            && let Some(marked) = pair(source, start, sign, endless)
            && !is_in_code(source, line.start, start)
        {
            return Some(marked);
        }
    }
    None
}

fn is_in_code(source: &str, line: usize, at: usize) -> bool {
    source[line..at].matches('`').count() % 2 == 1
}

fn pair(
    source: &str,
    start: usize,
    sign: &str,
    endless: &mut HashSet<(&'static str, bool)>,
) -> Option<Marked> {
    let (end_sign, is_hugo) = match sign {
        "{%" => ("%}", false),
        "{{<" => (">}}", true),
        _ => ("%}}", true),
    };
    let inner_at = start + sign.len();
    let mut limit = source.len().min(inner_at + TAG_BYTES);
    while !source.is_char_boundary(limit) {
        limit -= 1;
    }
    let close = source[inner_at..limit].find(end_sign)?;
    let inner = source[inner_at..inner_at + close]
        .trim_matches(['-', '+'])
        .trim();
    let name = inner.split_whitespace().next()?;
    let open = start..inner_at + close + end_sign.len();
    let (_, end_name) = PAIRS.iter().find(|(known, _)| *known == name)?;
    let wanted: &[&str] = if is_hugo {
        &["/highlight"]
    } else {
        &[end_name, "end"]
    };
    if is_hugo && name != "highlight" {
        return None;
    }
    if endless.contains(&(*end_name, is_hugo)) {
        return None;
    }
    let mut at = open.end;
    while let Some(found) = source[at..].find(sign).map(|i| at + i) {
        let inner_at = found + sign.len();
        let Some(end) = source[inner_at..].find(end_sign).map(|i| inner_at + i) else {
            break;
        };
        let closing = source[inner_at..end]
            .trim_matches(['-', '+', ' ', '\n'])
            .replace("/ ", "/");
        if wanted.contains(&closing.as_str())
            && (closing != "end" || matches!(name, "raw" | "verbatim"))
        {
            let arguments = Arguments::read(&inner[name.len()..]);
            let language = arguments
                .named(&["lang", "language"])
                .or_else(|| {
                    arguments
                        .bare()
                        .first()
                        .map(String::as_str)
                        .filter(|_| name != "codeblock")
                })
                .unwrap_or_default()
                .to_owned();
            return Some(Marked {
                open,
                close: found..end + end_sign.len(),
                language,
                is_raw: matches!(name, "raw" | "verbatim"),
            });
        }
        at = inner_at;
    }
    endless.insert((*end_name, is_hugo));
    None
}

impl Marked {
    fn edits(&self, source: &str) -> Vec<Edit> {
        let inner = &source[self.open.end..self.close.start];
        if self.is_raw {
            return self.raw_edits(source, inner);
        }
        let longest = inner
            .split(|c| c != '`')
            .map(str::len)
            .max()
            .unwrap_or_default();
        let line = line_around(source, self.open.start);
        let lead = &source[line.start..self.open.start];
        let is_inline = !lead.trim().is_empty() && !inner.contains('\n');
        if is_inline {
            let fence = "`".repeat(longest + 1);
            return vec![
                Edit {
                    range: self.open.clone(),
                    with: fence.clone(),
                },
                Edit {
                    range: self.close.clone(),
                    with: fence,
                },
            ];
        }
        let fence = "`".repeat((longest + 1).max(3));
        let indent = if lead.trim().is_empty() { lead } else { "" };
        let begins = if lead.trim().is_empty() { "" } else { "\n" };
        let own_line = if inner.starts_with('\n') || inner.trim_start_matches(' ').starts_with('\n')
        {
            ""
        } else {
            "\n"
        };
        let ends = inner
            .rsplit('\n')
            .next()
            .is_some_and(|last| last.trim().is_empty())
            && inner.contains('\n');
        let before_end = if ends {
            String::new()
        } else {
            format!("\n{indent}")
        };
        let after = line_around(source, self.close.end);
        let is_followed = !source[self.close.end..after.end].trim().is_empty();
        let then = if is_followed { "\n" } else { "" };
        let language: String = self
            .language
            .chars()
            .filter(|c| c.is_alphanumeric() || "+-_#.".contains(*c))
            .collect();
        vec![
            Edit {
                range: self.open.clone(),
                with: format!("{begins}{fence}{language}{own_line}"),
            },
            Edit {
                range: self.close.clone(),
                with: format!("{before_end}{fence}{then}"),
            },
        ]
    }

    /// Braces outside code get a backslash, so that nothing takes them for fields or tags.
    fn raw_edits(&self, source: &str, inner: &str) -> Vec<Edit> {
        let mut edits = vec![Edit {
            range: self.open.clone(),
            with: String::new(),
        }];
        let mut in_fence = false;
        let mut at = self.open.end;
        for line in inner.split_inclusive('\n') {
            let is_fence =
                line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
            in_fence ^= is_fence;
            let is_code = in_fence || is_fence;
            for (found, _) in line.match_indices('{').filter(|_| !is_code) {
                let place = at + found;
                let follows =
                    source[place..].starts_with("{{") || source[place..].starts_with("{%");
                if follows && line[..found].matches('`').count() % 2 == 0 {
                    edits.push(Edit {
                        range: place..place,
                        with: "\\".to_owned(),
                    });
                }
            }
            at += line.len();
        }
        edits.push(Edit {
            range: self.close.clone(),
            with: String::new(),
        });
        edits
    }
}
