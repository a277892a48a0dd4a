//! Inline HTML among Markdown: tags that open and close around other inlines.

use crate::model::issue::{Inline, Inlines, plain};

use super::elements::Element;
use super::tree::Attributes;
use crate::manuscript::anchors;
use crate::manuscript::reader::Reader;

/// A tag that waits for its end.
struct Open {
    name: String,
    element: Element,
    attributes: Attributes,
    /// The tag as the author wrote it, to be printed should it never be closed.
    literal: String,
    line: usize,
    content: Inlines,
}

/// Inlines as they grow, within the tags that are open around them.
#[derive(Default)]
pub(crate) struct Nest {
    done: Inlines,
    open: Vec<Open>,
    /// How deeply the inlines are nested that this is for.
    depth: usize,
}

impl Nest {
    /// An empty nest within inlines that are `depth` levels deep.
    pub(crate) fn new(depth: usize) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }

    /// How deeply the next inline is nested.
    pub(crate) fn depth(&self) -> usize {
        self.depth + self.open.len()
    }

    /// Appends an inline to the innermost open tag; text joins the text before it.
    pub(crate) fn push(&mut self, inline: Inline) {
        let content = self
            .open
            .last_mut()
            .map_or(&mut self.done, |o| &mut o.content);
        match (content.last_mut(), inline) {
            (Some(Inline::Text(before)), Inline::Text(text)) => before.push_str(&text),
            (_, inline) => content.push(inline),
        }
    }

    /// Appends inlines to the innermost open tag.
    pub(crate) fn extend(&mut self, inlines: Inlines) {
        inlines.into_iter().for_each(|i| self.push(i));
    }

    /// Whether a link is open around what comes next.
    pub(crate) fn linked(&self) -> bool {
        self.open.iter().any(|o| o.element == Element::Link)
    }

    /// Opens a tag; `literal` is how the author wrote it.
    pub(crate) fn open(
        &mut self,
        name: String,
        element: Element,
        attributes: Attributes,
        literal: &str,
        line: usize,
    ) {
        let literal = literal.to_owned();
        self.open.push(Open {
            name,
            element,
            attributes,
            literal,
            line,
            content: Inlines::new(),
        });
    }

    /// Ends the innermost open tag of that name; an end without a beginning shows nothing.
    pub(crate) fn close(&mut self, name: &str, reader: &mut Reader) {
        let Some(at) = self.open.iter().rposition(|o| o.name == name) else {
            return;
        };
        while self.open.len() > at + 1 {
            self.abandon(reader);
        }
        if let Some(open) = self.open.pop() {
            self.extend(wrap(open, reader));
        }
    }

    /// Everything that was collected.
    pub(crate) fn finish(mut self, reader: &mut Reader) -> Inlines {
        while !self.open.is_empty() {
            self.abandon(reader);
        }
        self.done
    }

    /// Gives up on a tag that was never closed: a link holds what follows it, anything else was prose.
    fn abandon(&mut self, reader: &mut Reader) {
        let Some(open) = self.open.pop() else { return };
        let is_place = open
            .attributes
            .get("id")
            .or(open.attributes.get("name"))
            .is_some();
        let leads = open.attributes.get("href").is_some();
        if open.element == Element::Link && (leads || is_place) {
            self.extend(wrap(open, reader));
        } else {
            self.push(Inline::Text(open.literal));
            self.extend(open.content);
        }
    }
}

/// What an element makes of its content.
fn wrap(open: Open, reader: &mut Reader) -> Inlines {
    let Open {
        element,
        attributes,
        content,
        line,
        name,
        ..
    } = open;
    enclose(element, &name, &attributes, content, line, reader)
}

/// The name that an element gives to its place, for links of the same issue.
pub(crate) fn name_of(element: Element, attributes: &Attributes) -> Option<Inline> {
    let name = attributes
        .get("id")
        .or_else(|| attributes.get("name").filter(|_| element == Element::Link));
    name.and_then(anchors::anchor)
}

/// Some inlines within an element.
pub(crate) fn enclose(
    element: Element,
    name: &str,
    attributes: &Attributes,
    content: Inlines,
    line: usize,
    reader: &mut Reader,
) -> Inlines {
    let mut content = content;
    content.splice(0..0, name_of(element, attributes));
    let address = match element {
        Element::Link => attributes.get("href"),
        Element::Embed => attributes.get("src").or(attributes.get("data")),
        _ => None,
    };
    if let Some(url) = address {
        let children = match attributes.get("title") {
            Some(title) if content.is_empty() && element == Element::Embed => {
                vec![Inline::Text(title.to_owned())]
            }
            _ => content,
        };
        return reader.link(url, "", children, line);
    }
    if content.is_empty() {
        return content;
    }
    match element {
        Element::Strong => vec![Inline::Strong(content)],
        Element::Emphasis => vec![Inline::Emphasis(content)],
        Element::Strike => vec![Inline::Strike(content)],
        Element::Tag(name) => vec![Inline::Tag {
            name,
            children: content,
        }],
        Element::Code
            if content
                .iter()
                .all(|i| matches!(i, Inline::Text(_) | Inline::SoftBreak)) =>
        {
            vec![Inline::Code(plain(&content))]
        }
        Element::Hidden => Inlines::new(),
        Element::Inline if name == "q" => {
            let mut quoted = vec![Inline::Text("“".into())];
            quoted.extend(content);
            quoted.push(Inline::Text("”".into()));
            quoted
        }
        _ if element.is_block() => {
            let mut apart = vec![Inline::HardBreak];
            apart.extend(content);
            apart.push(Inline::HardBreak);
            apart
        }
        _ => content,
    }
}
