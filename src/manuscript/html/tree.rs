//! A tree of raw HTML.
//!
//! html5ever's tokenizer reads tags, attributes and entities as browsers do. The tree is built here, with the few rules
//! that newsletters need (end tags that may be left out, cells that hold what is in them), and never deeper than
//! [`DEPTH`].

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};

use super::elements::{Element, element, is_void};

/// Elements that are nested deeper lose their own form and keep their content.
const DEPTH: usize = 32;

/// A tag of HTML, or the text between two.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Markup {
    /// An opening tag of a known element.
    Open {
        name: String,
        element: Element,
        attributes: Attributes,
    },
    /// A closing tag of a known element.
    Close { name: String, element: Element },
    /// Text between tags, entities resolved.
    Text(String),
}

/// The attributes of a tag, with their names in lower case.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// The value of an attribute; `name` in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the tag has no attributes.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads HTML as a sequence of tags and text. Comments and declarations are dropped; tags of unknown elements are text.
pub(crate) fn markup(html: &str) -> Vec<Markup> {
    if let Some(bare) = bare_tag(html) {
        return vec![bare];
    }
    let tokenizer = Tokenizer::new(Sink::default(), Default::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(print_unknown(html)));
    // The sink never asks to stop (it runs no scripts), so one feed takes everything.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.take()
}

/// A single tag without attributes, which most of those within a paragraph are: read without the tokenizer.
fn bare_tag(html: &str) -> Option<Markup> {
    let inner = html.strip_prefix('<')?.strip_suffix('>')?;
    let (closes, name) = inner
        .strip_prefix('/')
        .map_or((false, inner), |name| (true, name));
    let name = name
        .strip_suffix('/')
        .filter(|_| !closes)
        .unwrap_or(name)
        .trim_ascii_end();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let (name, element) = (name.to_ascii_lowercase(), element(name)?);
    Some(if closes {
        Markup::Close { name, element }
    } else {
        Markup::Open {
            name,
            element,
            attributes: Attributes::default(),
        }
    })
}

/// Whether a single tag such as `</a>` names an element of HTML; `<U8>` does not.
pub(crate) fn known_tag(tag: &str) -> bool {
    let name = tag.trim_start_matches(['<', '/']);
    let name = name
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .next()
        .unwrap_or_default();
    element(name).is_some()
}

/// Turns the `<` of unknown tags into an entity, so that they are printed as they were written.
fn print_unknown(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    for (index, part) in html.split('<').enumerate() {
        if index > 0 {
            let name = part.strip_prefix('/').unwrap_or(part);
            let tag = name.starts_with(|c: char| c.is_ascii_alphabetic());
            out.push_str(if tag && !known_tag(part) { "&lt;" } else { "<" });
        }
        out.push_str(part);
    }
    out
}

/// Collects what the tokenizer finds.
#[derive(Default)]
struct Sink(RefCell<Vec<Markup>>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut pieces = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => match pieces.last_mut() {
                Some(Markup::Text(before)) => before.push_str(&text),
                _ => pieces.push(Markup::Text(text.to_string())),
            },
            Token::TagToken(tag) => {
                let name = tag.name.to_string();
                let Some(element) = element(&name) else {
                    return TokenSinkResult::Continue;
                };
                if tag.kind == TagKind::EndTag {
                    pieces.push(Markup::Close { name, element });
                    return TokenSinkResult::Continue;
                }
                let raw = matches!(name.as_str(), "script" | "style" | "iframe" | "xmp");
                let attributes = tag
                    .attrs
                    .iter()
                    .map(|a| (a.name.local.to_string(), a.value.to_string()))
                    .collect();
                pieces.push(Markup::Open {
                    name,
                    element,
                    attributes: Attributes(attributes),
                });
                if raw {
                    return TokenSinkResult::RawData(RawKind::Rawtext);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// A tree of HTML.
#[derive(Debug)]
pub(crate) enum Node {
    /// Text between tags.
    Text(String),
    /// An element with what is in it.
    Element(Branch),
}

/// An element with what it holds.
#[derive(Debug)]
pub(crate) struct Branch {
    /// Its name in lower case.
    pub name: String,
    /// What it becomes.
    pub element: Element,
    /// Its attributes.
    pub attributes: Attributes,
    /// What stands between its tags.
    pub children: Vec<Node>,
}

impl Node {
    /// Whether it is, or holds, something that stands on lines of its own.
    pub(crate) fn has_block(&self) -> bool {
        match self {
            Node::Text(_) => false,
            Node::Element(e) => e.element.is_block() || e.children.iter().any(Node::has_block),
        }
    }
}

/// Builds the tree of some HTML.
pub(crate) fn tree(html: &str) -> Vec<Node> {
    let mut builder = Builder {
        root: Vec::new(),
        open: Vec::new(),
    };
    for piece in markup(html) {
        match piece {
            Markup::Text(text) => builder.push(Node::Text(text)),
            Markup::Open {
                name,
                element,
                attributes,
            } => builder.open(name, element, attributes),
            Markup::Close { name, .. } => builder.close(&name),
        }
    }
    while !builder.open.is_empty() {
        builder.pop();
    }
    builder.root
}

/// The tree as it grows: elements that are still open, the innermost last.
struct Builder {
    root: Vec<Node>,
    open: Vec<Branch>,
}

impl Builder {
    fn push(&mut self, node: Node) {
        self.open
            .last_mut()
            .map_or(&mut self.root, |e| &mut e.children)
            .push(node);
    }

    fn pop(&mut self) {
        if let Some(done) = self.open.pop() {
            self.push(Node::Element(done));
        }
    }

    fn open(&mut self, name: String, element: Element, attributes: Attributes) {
        self.imply_end(&name, element);
        let branch = Branch {
            name,
            element,
            attributes,
            children: Vec::new(),
        };
        if is_void(&branch.name) {
            self.push(Node::Element(branch));
        } else if self.open.len() < DEPTH {
            self.open.push(branch);
        } else {
            // Too deep for a form of its own; a link or a player keeps its address.
            self.push(Node::Element(branch));
        }
    }

    /// Closes what an opening tag ends by itself (HTML, 13.1.2.4).
    fn imply_end(&mut self, name: &str, element: Element) {
        let (ends, scope): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "menu", "dir", "td", "th"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl", "td", "th"]),
            "tr" => (&["tr"], &["table"]),
            "td" | "th" => (&["td", "th"], &["tr", "table"]),
            "option" => (&["option"], &["select"]),
            _ if element.is_block() => (&["p"], &["td", "th", "li", "div", "blockquote", "button"]),
            _ => return,
        };
        self.close_within(ends, scope);
    }

    fn close(&mut self, name: &str) {
        let scope: &[&str] = if matches!(
            name,
            "table" | "tr" | "td" | "th" | "tbody" | "thead" | "tfoot"
        ) {
            &["table"]
        } else {
            &["td", "th", "table"]
        };
        self.close_within(&[name], scope);
    }

    /// Closes the innermost of the named elements, if none of `scope` lies around it and within ours.
    fn close_within(&mut self, names: &[&str], scope: &[&str]) {
        for at in (0..self.open.len()).rev() {
            let name = self.open[at].name.as_str();
            if names.contains(&name) {
                while self.open.len() > at {
                    self.pop();
                }
                return;
            }
            if scope.contains(&name) {
                return;
            }
        }
    }
}
