//! Template languages: `{% tag %}` of Liquid, Nunjucks, Jinja and Zola, `{{< shortcode >}}` of Hugo, `{{ call() }}` of
//! Zola, and expressions such as `{{ site.url }}`.

use std::ops::Range;

use super::arguments::Arguments;
use super::known::{self, Meant};
use super::merge_tags;
use super::report::Kind;
use super::text::{Edit, is_alone, line_around};
use super::walk::{Found, Walk, set};

/// The most bytes that one tag may have.
const LONGEST_BYTES: usize = 4000;
/// The most bytes between a tag and the one that ends it.
const PAIR_BYTES: usize = 100_000;

/// Whatever begins with a brace and is of a template language.
pub(super) fn braces(walk: &Walk, at: usize) -> Option<Found> {
    let rest = walk.from(at);
    if rest.starts_with("{%") {
        return tag(walk, at);
    }
    for (begin, end) in [("{{<", ">}}"), ("{{%", "%}}")] {
        if rest.starts_with(begin) {
            return shortcode(walk, at, begin, end);
        }
    }
    // `${{ … }}` is of GitHub's workflows.
    let is_apart = walk.before(at) != Some('$');
    if is_apart && rest.starts_with("{{") && !rest.starts_with("{{{") {
        return expression(walk, at);
    }
    // Pelican names the folder that a path begins in.
    ["{static}", "{filename}", "{attach}"]
        .into_iter()
        .find(|begin| rest.starts_with(begin))
        .map(|begin| {
            let slash = usize::from(rest[begin.len()..].starts_with('/'));
            Found::nothing(at + begin.len() + slash)
        })
}

/// `{% name arguments %}`, with `-` for white space that is taken off.
fn tag(walk: &Walk, at: usize) -> Option<Found> {
    let end = walk.find_near(at + 2, "%}", LONGEST_BYTES)? + 2;
    let inner = walk.text[at + 2..end - 2]
        .trim_matches(['-', '+', '~'])
        .trim();
    let (name, rest) = name_of(inner)?;
    if name == "comment" {
        let close = end_of_pair(walk, end, "endcomment")?;
        return Some(Found::nothing(close.end));
    }
    let arguments = arguments(rest);
    let shown = format!("{{% {name} %}}");
    let range = at..end;
    match meaning(name, &arguments) {
        Meant::Quote { by } => {
            let quoted = end_of_pair(walk, end, &format!("end{name}"))
                .or_else(|| end_of_pair(walk, end, "end"))
                .and_then(|close| quote(walk, &range, &close, &by));
            Some(quoted.unwrap_or_else(|| Found::nothing(end).noted(Kind::Tag, shown)))
        }
        meant => Some(written(walk, range, meant, Kind::Tag, shown)),
    }
}

/// The name that a tag begins with, and what follows it.
fn name_of(inner: &str) -> Option<(&str, &str)> {
    let end = inner
        .find(|c: char| !(c.is_alphanumeric() || "_-./:".contains(c)))
        .unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    let good = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '/');
    good.then_some((name, rest))
}

/// Arguments, in brackets or not; a filter at their end is none.
fn arguments(text: &str) -> Arguments {
    let text = text.trim();
    let inner = text
        .strip_prefix('(')
        .map(|t| &t[..t.rfind(')').unwrap_or(t.len())]);
    Arguments::read(inner.unwrap_or(text))
}

/// What a tag is; those that steer a template show nothing, whatever their arguments hold.
fn meaning(name: &str, arguments: &Arguments) -> Meant {
    const STEERING: [&str; 30] = [
        "if",
        "elsif",
        "elif",
        "else",
        "unless",
        "case",
        "when",
        "for",
        "while",
        "range",
        "with",
        "assign",
        "capture",
        "set",
        "increment",
        "decrement",
        "cycle",
        "block",
        "extends",
        "macro",
        "import",
        "from",
        "liquid",
        "paginate",
        "layout",
        "post_url",
        "ref",
        "relref",
        "param",
        "post_path",
    ];
    if STEERING.contains(&name) || name.starts_with("end") || name.starts_with('/') {
        return Meant::Nothing;
    }
    known::meant(name, arguments)
}

/// The tag that ends a pair, on this or a later line.
fn end_of_pair(walk: &Walk, from: usize, name: &str) -> Option<Range<usize>> {
    let limit = from.saturating_add(PAIR_BYTES);
    let mut at = from;
    while let Some(start) = walk.find(at, "{%", limit.saturating_sub(at)) {
        let end = walk.find_near(start + 2, "%}", LONGEST_BYTES)? + 2;
        let inner = walk.text[start + 2..end - 2]
            .trim_matches(['-', '+', '~'])
            .trim();
        if inner == name || name_of(inner).is_some_and(|(found, _)| found == name) {
            return Some(start..end);
        }
        at = end;
    }
    None
}

/// Lines between two tags become a quotation, if both tags have lines of their own.
fn quote(walk: &Walk, open: &Range<usize>, close: &Range<usize>, by: &str) -> Option<Found> {
    if !is_alone(walk.text, open) || !is_alone(walk.text, close) {
        return None;
    }
    let first = line_around(walk.text, open.end).end + 1;
    let last = line_around(walk.text, close.start);
    let mut more = Vec::new();
    let mut at = first;
    while at < last.start {
        more.push(Edit {
            range: at..at,
            with: "> ".to_owned(),
        });
        at = line_around(walk.text, at).end + 1;
    }
    let by = if by.is_empty() {
        String::new()
    } else {
        format!(">\n> — {by}")
    };
    let apart = if walk.text[last.end..].starts_with("\n\n") {
        ""
    } else {
        "\n"
    };
    more.push(Edit {
        range: close.clone(),
        with: format!("{by}{apart}"),
    });
    Some(Found {
        end: open.end,
        more,
        ..Found::default()
    })
}

/// `{{< name arguments >}}`; `{{</* … */>}}` shows itself.
fn shortcode(walk: &Walk, at: usize, begin: &str, end: &str) -> Option<Found> {
    let close = walk.find_near(at + begin.len(), end, LONGEST_BYTES)?;
    let range = at..close + end.len();
    let inner = walk.text[at + begin.len()..close].trim();
    if let Some(shown) = inner.strip_prefix("/*").and_then(|i| i.strip_suffix("*/")) {
        let sign = &begin[2..];
        let with = format!("\\{{\\{{\\{sign}{shown}{end}");
        return Some(Found::text(range.end, with));
    }
    let inner = inner.trim_end_matches('/').trim_end();
    let (name, rest) = name_of(inner)?;
    let shown = format!("{{{{< {name} >}}}}");
    let arguments = Arguments::read(rest);
    if let (Meant::Link { url, .. } | Meant::Embed { url, .. }, false) =
        (meaning(name, &arguments), is_alone(walk.text, &range))
        && let Some(found) = linked(walk, &range, begin, end, name, &url)
    {
        return Some(found);
    }
    Some(written(
        walk,
        range,
        meaning(name, &arguments),
        Kind::Shortcode,
        shown,
    ))
}

/// `{{< button href="…" >}}words{{< /button >}}`: its words are the link.
fn linked(
    walk: &Walk,
    range: &Range<usize>,
    begin: &str,
    end: &str,
    name: &str,
    url: &str,
) -> Option<Found> {
    let open = walk.find_near(range.end, begin, 500)?;
    let close = walk.find_near(open + begin.len(), end, 100)? + end.len();
    let inner = walk.text[open + begin.len()..close - end.len()].trim();
    let words = &walk.text[range.end..open];
    let is_its_end = inner.strip_prefix('/').is_some_and(|i| i.trim() == name);
    if !is_its_end || words.trim().is_empty() || words.contains(['\n', '[', ']']) {
        return None;
    }
    Some(Found::text(close, format!("[{}](<{}>)", words.trim(), url)))
}

/// `{{ … }}`: a call, a text with filters, a path of names. Lone words are left to our own fields.
fn expression(walk: &Walk, at: usize) -> Option<Found> {
    let end = walk.find_near(at + 2, "}}", LONGEST_BYTES)? + 2;
    let inner = walk.text[at + 2..end - 2].trim_matches(['-', '~']).trim();
    if inner.contains(['{', '}', '`']) {
        return None;
    }
    let range = at..end;
    if let Some(found) = merge_tags::braces(inner, end) {
        return Some(found);
    }
    if let Some(text) = quoted(inner) {
        return Some(Found::text(end, text));
    }
    if let Some((name, rest)) = name_of(inner.trim_start_matches('.'))
        && rest.starts_with('(')
        && rest.contains(')')
    {
        let shown = format!("{{{{ {name}() }}}}");
        return Some(written(
            walk,
            range,
            meaning(name, &arguments(rest)),
            Kind::Shortcode,
            shown,
        ));
    }
    let first = inner
        .split(|c: char| c.is_whitespace() || c == '|')
        .next()
        .unwrap_or_default();
    let is_path = first.starts_with('.')
        || first.starts_with('$')
        || (first.contains('.') && !first.ends_with('.'));
    let is_path = is_path
        && first
            .chars()
            .all(|c| c.is_alphanumeric() || "._-$[]\"'".contains(c))
        && first.len() > 1;
    // Only names that are paths: a number such as 1.5 is none.
    let is_path = is_path && !first.starts_with(|c: char| c.is_ascii_digit());
    if !is_path || inner.contains('\n') && !inner.contains('|') {
        return None;
    }
    Some(Found::nothing(end).noted(Kind::Expression, format!("{{{{ {first} }}}}")))
}

/// `"/img/a.png" | relative_url`: the text, whatever its filters do.
fn quoted(inner: &str) -> Option<String> {
    let quote = inner.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let end = inner[1..].find(quote)? + 1;
    let after = inner[end + 1..].trim_start();
    (after.is_empty() || after.starts_with('|')).then(|| inner[1..end].to_owned())
}

/// What something becomes in a text.
fn written(walk: &Walk, range: Range<usize>, meant: Meant, kind: Kind, shown: String) -> Found {
    let end = range.end;
    match meant {
        Meant::Embed { url, title } => {
            let player = known::embed(&url, &title);
            Found::text(end, set(walk, &range, &player, &player))
        }
        Meant::Picture(picture) => {
            Found::text(end, set(walk, &range, &picture.block(), &picture.inline()))
        }
        Meant::Link { url, words } => {
            let words = if words.is_empty() { url.clone() } else { words };
            let link = format!(
                "<a href=\"{}\">{}</a>",
                known::escaped(&url),
                known::escaped(&words)
            );
            Found::text(end, link)
        }
        Meant::Words(words) => {
            let words = format!("<strong>{}</strong>", known::inline_html(&words));
            let block = format!("<p>{words}</p>\n");
            Found::text(end, set(walk, &range, &block, &words)).noted(kind, shown)
        }
        Meant::Quote { .. } | Meant::Nothing => Found::nothing(end).noted(kind, shown),
    }
}
