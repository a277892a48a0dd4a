//! comrak's inlines become ours.

use comrak::Node;
use comrak::nodes::{NodeFootnoteReference, NodeValue};

use crate::model::issue::{Inline, Inlines};

use crate::manuscript::html::{self, Element, Markup, Nest, enclose, is_void};
use crate::manuscript::reader::Reader;
use crate::manuscript::tidy::trim;

/// Inlines that are nested deeper lose their form and keep their words and links.
const DEPTH: usize = 24;

impl Reader<'_> {
    /// The inlines within a block.
    pub(crate) fn inlines(&mut self, parent: Node) -> Inlines {
        let inlines = self.inlines_at(parent, 0, false);
        trim(inlines)
    }

    fn inlines_at(&mut self, parent: Node, depth: usize, linked: bool) -> Inlines {
        let mut nest = Nest::new(depth);
        for node in parent.children() {
            self.inline(node, linked, &mut nest);
        }
        nest.finish(self)
    }

    fn inline(&mut self, node: Node, linked: bool, nest: &mut Nest) {
        let data = node.data();
        let line = self.line(data.sourcepos.start.line);
        let linked = linked || nest.linked();
        let depth = nest.depth();
        if depth >= DEPTH && node.first_child().is_some() {
            let flat = self.flat(node, line);
            return nest.extend(flat);
        }
        let inner = |this: &mut Self, linked| this.inlines_at(node, depth + 1, linked);
        match &data.value {
            NodeValue::Text(text) => {
                let goes_on = node.next_sibling().is_some_and(|n| !is_break(n));
                nest.extend(self.text(text, line, goes_on, linked));
            }
            NodeValue::SoftBreak => nest.push(Inline::SoftBreak),
            NodeValue::LineBreak => nest.push(Inline::HardBreak),
            NodeValue::Code(code) => nest.push(Inline::Code(self.code(&code.literal, line))),
            NodeValue::HtmlInline(tag) => self.inline_tag(tag, line, nest),
            NodeValue::Emph => nest.push(Inline::Emphasis(inner(self, linked))),
            NodeValue::Strong => nest.push(Inline::Strong(inner(self, linked))),
            // One tilde is prose: "3~5 days, 10~20 people" strikes nothing out.
            NodeValue::Strikethrough if tildes(node) == 1 => {
                nest.push(Inline::Text("~".into()));
                nest.extend(inner(self, linked));
                nest.push(Inline::Text("~".into()));
            }
            NodeValue::Strikethrough => nest.push(Inline::Strike(inner(self, linked))),
            NodeValue::Link(link) => {
                let children = inner(self, true);
                let known = self.findings.len();
                nest.extend(self.link(&link.url, &link.title, children, line));
                self.place(known, data.sourcepos.start);
            }
            NodeValue::Image(link) => {
                let alt = words(node);
                let known = self.findings.len();
                nest.push(Inline::Image(self.image(
                    &link.url,
                    &alt,
                    &link.title,
                    line,
                )));
                self.place(known, data.sourcepos.start);
            }
            NodeValue::FootnoteReference(note) => nest.push(note_mark(note)),
            NodeValue::ShortCode(code) if stands_apart(node) => {
                nest.push(Inline::Text(code.emoji.clone()));
            }
            NodeValue::ShortCode(code) => nest.push(Inline::Text(format!(":{}:", code.code))),
            // Extensions that are off can't occur; should one, its words stay.
            _ => nest.extend(inner(self, linked)),
        }
    }

    /// A single tag among Markdown's inlines.
    fn inline_tag(&mut self, tag: &str, line: usize, nest: &mut Nest) {
        let (tag, _) = self.fields.restore(tag);
        if tag.starts_with("<!") || tag.starts_with("<?") {
            return;
        }
        if !html::known_tag(&tag) {
            return nest.push(Inline::Text(tag));
        }
        for piece in html::markup(&tag) {
            match piece {
                Markup::Text(text) => nest.push(Inline::Text(text)),
                Markup::Close { name, .. } => nest.close(&name, self),
                Markup::Open {
                    element: Element::Image,
                    attributes,
                    ..
                } => {
                    let of = |name| attributes.get(name).unwrap_or_default();
                    let mut image = self.image(of("src"), of("alt"), of("title"), line);
                    image.width = of("width").trim_end_matches("px").parse().ok();
                    nest.push(Inline::Image(image));
                }
                Markup::Open {
                    element: Element::LineBreak | Element::Rule,
                    ..
                } => nest.push(Inline::HardBreak),
                Markup::Open {
                    element: Element::Embed,
                    ref name,
                    ref attributes,
                } if is_void(name) => {
                    let shown =
                        enclose(Element::Embed, name, attributes, Inlines::new(), line, self);
                    nest.extend(shown);
                }
                // `Foo<base>` is prose; with attributes it is markup that shows nothing.
                Markup::Open {
                    ref name,
                    ref attributes,
                    ..
                } if is_void(name) => {
                    if attributes.is_empty() && name != "wbr" {
                        nest.push(Inline::Text(tag.clone()));
                    }
                }
                Markup::Open {
                    name,
                    element,
                    attributes,
                } if nest.depth() < DEPTH => {
                    nest.open(name, element, attributes, &tag, line);
                }
                // Too deep for a form of its own; a link still shows its address.
                Markup::Open {
                    name,
                    element,
                    attributes,
                } => {
                    let shown = enclose(element, &name, &attributes, Inlines::new(), line, self);
                    nest.extend(shown);
                }
            }
        }
    }

    /// The words and links of a tree that is too deep, without its form.
    fn flat(&mut self, top: Node, line: usize) -> Inlines {
        let mut out = Nest::default();
        for node in top.descendants() {
            let data = node.data();
            match &data.value {
                NodeValue::Text(text) => out.extend(self.text(text, line, true, true)),
                NodeValue::Code(code) => out.push(Inline::Code(self.code(&code.literal, line))),
                NodeValue::HtmlInline(tag) => out.push(Inline::Text(self.fields.restore(tag).0)),
                NodeValue::SoftBreak | NodeValue::LineBreak => out.push(Inline::SoftBreak),
                NodeValue::Link(link) => {
                    let url = vec![Inline::Text(link.url.clone())];
                    out.extend(self.link(&link.url, "", url, line));
                    out.push(Inline::Text(" ".into()));
                }
                NodeValue::Image(link) => {
                    let image = self.image(&link.url, "", &link.title, line);
                    out.push(Inline::Image(image));
                }
                NodeValue::FootnoteReference(note) => out.push(note_mark(note)),
                NodeValue::ShortCode(code) => out.push(Inline::Text(code.emoji.clone())),
                _ => {}
            }
        }
        out.finish(self)
    }
}

/// The mark of a footnote.
fn note_mark(note: &NodeFootnoteReference) -> Inline {
    Inline::NoteMark {
        number: note.ix,
        nth: note.ref_num,
    }
}

/// Whether a short code such as `:tada:` stands apart from the letters and digits around it, unlike the hundred in
/// `10:100:20`.
fn stands_apart(node: Node) -> bool {
    let end = |neighbour: Option<Node>, last: bool| {
        neighbour.and_then(|n| match &n.data().value {
            NodeValue::Text(text) if last => text.chars().next_back(),
            NodeValue::Text(text) => text.chars().next(),
            _ => None,
        })
    };
    let joins = |c: char| c.is_ascii_alphanumeric() || c == ':';
    !end(node.previous_sibling(), true).is_some_and(joins)
        && !end(node.next_sibling(), false).is_some_and(joins)
}

/// With how many tildes a run is struck out.
fn tildes(node: Node) -> usize {
    let start = node.data().sourcepos.start;
    let first = node
        .first_child()
        .map_or(start, |child| child.data().sourcepos.start);
    if first.line == start.line {
        first.column.saturating_sub(start.column)
    } else {
        2
    }
}

fn is_break(node: Node) -> bool {
    matches!(
        node.data().value,
        NodeValue::SoftBreak | NodeValue::LineBreak
    )
}

/// The words of a picture's alternative text.
fn words(image: Node) -> String {
    let mut out = String::new();
    for node in image.descendants() {
        match &node.data().value {
            NodeValue::Text(text) => out.push_str(text),
            NodeValue::Code(code) => out.push_str(&code.literal),
            NodeValue::HtmlInline(tag) if !html::known_tag(tag) => out.push_str(tag),
            NodeValue::SoftBreak | NodeValue::LineBreak => out.push(' '),
            NodeValue::ShortCode(code) => out.push_str(&code.emoji),
            _ => {}
        }
    }
    out
}
