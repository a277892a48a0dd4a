//! Preview cards: what Revue and Medium draw for a bare link, as their exports write it.
//!
//! ```text
//! [](https://a.example/page) [## The page's title
//!
//! ### The beginning of its text…
//!
//! a.example](https://a.example/page)
//! ```
//!
//! To Markdown this is an empty link, literal text, a heading and literal text again. It is recognised in the tree by
//! where it begins and ends; its parts are taken from the source lines and parsed on their own.

use comrak::{Arena, Node, nodes::NodeValue, parse_document};

use crate::model::issue::{Card, Inline, Inlines};

use super::options;
use crate::manuscript::reader::Reader;
use crate::manuscript::tidy::trim;

/// The most blocks that a card is taken to span.
const SPAN: usize = 5;

/// The card that begins with the first of these blocks, and how many of them it spans.
pub(crate) fn card(nodes: &[Node], lines: &[&str], reader: &mut Reader) -> Option<(Card, usize)> {
    let first = nodes.first()?;
    if !matches!(first.data().value, NodeValue::Paragraph) {
        return None;
    }
    let line = reader.line(first.data().sourcepos.start.line);
    let opening = source(first, lines);
    let (url, title) = begin(&opening)?;
    let end = format!("]({url})");
    // A card without a description and a domain is one paragraph.
    if let Some(title) = title.trim_end().strip_suffix(&end) {
        return Some((reader.card(url, &[title], "", line), 1));
    }
    let mut parts = vec![title.to_owned()];
    for (at, node) in nodes.iter().enumerate().take(SPAN).skip(1) {
        if !matches!(
            node.data().value,
            NodeValue::Paragraph | NodeValue::Heading(_)
        ) {
            return None;
        }
        let text = source(node, lines);
        if begin(&text).is_some() {
            return None;
        }
        if let Some(domain) = text.trim_end().strip_suffix(&end) {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            return Some((reader.card(url, &parts, domain, line), at + 1));
        }
        parts.push(text);
    }
    None
}

/// The address and the beginning of the title, if a card begins so.
fn begin(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_start().strip_prefix("[](")?;
    let (at, title) = rest.match_indices(')').find_map(|(at, _)| {
        let title = rest[at + 1..].trim_start().strip_prefix('[')?;
        title.starts_with('#').then_some((at, title))
    })?;
    let url = rest[..at].trim();
    (!url.is_empty() && !url.contains(char::is_whitespace)).then_some((url, title))
}

/// The lines of a block as they stand in the text.
fn source(node: &Node, lines: &[&str]) -> String {
    let place = node.data().sourcepos;
    let from = place.start.line.saturating_sub(1).min(lines.len());
    let to = place.end.line.clamp(from, lines.len());
    lines[from..to].join("\n")
}

impl Reader<'_> {
    /// Makes a card of its title and description, and of its domain.
    fn card(&mut self, url: &str, parts: &[&str], domain: &str, line: usize) -> Card {
        let mut fields = parts.iter().map(|part| unhash(part));
        let title = fields.next().unwrap_or_default();
        let title = self.fragment(&title, line);
        let description: Vec<String> = fields.collect();
        let description = self.fragment(&description.join("\n"), line);
        let domain = self.fragment(domain, line);
        let url = self.literal(url, line, "a card's address");
        Card {
            url,
            title,
            description,
            domain,
            line,
        }
    }

    /// Some Markdown parsed on its own; what is not a single paragraph is plain text.
    pub(crate) fn fragment(&mut self, text: &str, line: usize) -> Inlines {
        let text = text.trim();
        let arena = Arena::new();
        let root = parse_document(&arena, text, &options());
        let offset = std::mem::replace(&mut self.offset, line.saturating_sub(1));
        let origins = std::mem::take(&mut self.origins);
        let inlines = match root.first_child() {
            Some(only)
                if only.next_sibling().is_none()
                    && matches!(only.data().value, NodeValue::Paragraph) =>
            {
                self.inlines(only)
            }
            None => Inlines::new(),
            Some(_) => self.fields.inlines(text),
        };
        (self.offset, self.origins) = (offset, origins);
        trim(inlines)
    }
}

/// A part of a card without the `##` that exports put before it.
fn unhash(text: &str) -> String {
    text.trim().trim_start_matches('#').trim().to_owned()
}

/// A quotation that is a link on a line of its own, with or without a description: our own form of a card.
///
/// ```text
/// > [The page's title](https://a.example/page)
/// > The beginning of its text…
/// ```
pub(crate) fn quoted(inlines: &[Inline]) -> Option<Card> {
    let (first, rest) = inlines.split_first()?;
    let Inline::Link {
        url,
        title,
        children,
        line,
    } = first
    else {
        return None;
    };
    let alone = matches!(
        rest.first(),
        None | Some(Inline::SoftBreak | Inline::HardBreak)
    );
    let named = crate::model::issue::plain(children) != *url
        && !children.iter().any(|c| matches!(c, Inline::Image(_)));
    let on_web = url.starts_with("http://") || url.starts_with("https://");
    (alone && named && on_web && title.is_empty()).then(|| Card {
        url: url.clone(),
        title: children.clone(),
        description: trim(rest.to_vec()),
        domain: Inlines::new(),
        line: *line,
    })
}
