//! Blocks of raw HTML become ours.

use crate::model::Severity;
use crate::model::issue::{Align, Block, Card, Definition, Inline, Inlines, ListItem};

use super::elements::Element;
use super::inlines::{enclose, name_of};
use super::tree::{Branch, Node, tree};
use crate::manuscript::fields::Fields;
use crate::manuscript::reader::Reader;
use crate::manuscript::tidy::trim;
use crate::manuscript::{anchors, figures, links};

impl Reader<'_> {
    /// The blocks that a block of HTML shows; `line` is the line of the file that it begins on.
    pub(crate) fn html(&mut self, html: &str, line: usize) -> Vec<Block> {
        let (html, _) = self.fields.restore(html);
        let nodes = tree(&html);
        figures::caption(self.html_blocks(&nodes, line))
    }

    fn html_blocks(&mut self, nodes: &[Node], line: usize) -> Vec<Block> {
        let mut out = Vec::new();
        let mut text = Inlines::new();
        for node in nodes {
            match node {
                Node::Element(branch) if node.has_block() => {
                    end_paragraph(&mut text, &mut out);
                    out.extend(self.html_block(branch, line));
                }
                _ => text.extend(self.html_inline(node, line, false)),
            }
        }
        end_paragraph(&mut text, &mut out);
        out
    }

    /// An element that is a block, or holds one, with its name where it has one.
    fn html_block(&mut self, branch: &Branch, line: usize) -> Vec<Block> {
        let mut blocks = self.html_block_unnamed(branch, line);
        let name = name_of(branch.element, &branch.attributes);
        anchors::put_into(&mut blocks, name.into_iter().collect());
        blocks
    }

    fn html_block_unnamed(&mut self, branch: &Branch, line: usize) -> Vec<Block> {
        let Branch {
            element,
            attributes,
            children,
            ..
        } = branch;
        match *element {
            Element::Rule => vec![Block::Rule],
            Element::Embed => self.embed(branch, line),
            Element::Heading(level) if !children.iter().any(Node::has_block) => {
                match trim(self.html_inlines(children, line, false)) {
                    inlines if inlines.is_empty() => Vec::new(),
                    inlines => vec![Block::Heading { level, inlines }],
                }
            }
            Element::Preformatted => {
                let literal = words(children);
                vec![Block::Code {
                    info: String::new(),
                    literal: literal.trim_matches('\n').to_owned() + "\n",
                }]
            }
            Element::Caption => {
                let blocks = self.html_blocks(children, line);
                blocks.into_iter().map(emphasise).collect()
            }
            Element::Quote => match self.html_blocks(children, line) {
                blocks if blocks.is_empty() => blocks,
                blocks => vec![Block::Quote(blocks)],
            },
            Element::List { ordered } => self.html_list(branch, ordered, line),
            Element::Table => self.html_table(branch, line),
            Element::Link => {
                let mut blocks = self.html_blocks(children, line);
                if let Some(url) = attributes.get("href") {
                    self.link_blocks(&mut blocks, url, line);
                }
                blocks
            }
            Element::Block if branch.name == "dl" => self.html_definitions(children, line),
            // What unfolds the rest of <details>; in a mail it is unfolded.
            Element::Block if branch.name == "summary" => {
                let blocks = self.html_blocks(children, line);
                blocks.into_iter().map(embolden).collect()
            }
            _ => self.html_blocks(children, line),
        }
    }

    /// Terms with what they mean, and whatever else stands among them.
    fn html_definitions(&mut self, nodes: &[Node], line: usize) -> Vec<Block> {
        let (mut all, mut rest): (Vec<Definition>, Vec<Block>) = Default::default();
        let mut in_terms = false;
        for node in nodes {
            match node {
                Node::Element(e) if e.name == "dt" => {
                    let term = trim(self.html_inlines(&e.children, line, false));
                    match all.last_mut() {
                        Some(last) if in_terms => last.terms.push(term),
                        _ => all.push(Definition {
                            terms: vec![term],
                            blocks: Vec::new(),
                        }),
                    }
                    in_terms = true;
                }
                Node::Element(e) if e.name == "dd" => {
                    let blocks = self.html_blocks(&e.children, line);
                    match all.last_mut() {
                        Some(last) => last.blocks.extend(blocks),
                        None => rest.extend(blocks),
                    }
                    in_terms = false;
                }
                other => {
                    // Such as a <div> around a term and its meaning.
                    let blocks = match other {
                        Node::Element(e) if e.name == "div" => {
                            self.html_definitions(&e.children, line)
                        }
                        _ => self.html_blocks(std::slice::from_ref(other), line),
                    };
                    for block in blocks {
                        match block {
                            Block::Definitions(more) => all.extend(more),
                            block => rest.push(block),
                        }
                    }
                }
            }
        }
        if !all.is_empty() {
            rest.push(Block::Definitions(all));
        }
        rest
    }

    /// A link around whole blocks: each of their paragraphs and pictures becomes one.
    fn link_blocks(&mut self, blocks: &mut Vec<Block>, url: &str, line: usize) {
        let mut linked = false;
        for block in blocks.iter_mut() {
            match block {
                Block::Paragraph(inlines) | Block::Heading { inlines, .. } => {
                    *inlines = self.link(url, "", std::mem::take(inlines), line);
                    linked = true;
                }
                Block::Figure {
                    link: link @ None, ..
                } if links::classify(url) == links::UrlKind::Clickable => {
                    *link = Some(url.to_owned());
                    linked = true;
                }
                _ => {}
            }
        }
        if !linked {
            blocks.push(Block::Paragraph(self.link(url, "", Inlines::new(), line)));
        }
    }

    /// A player or a frame: a card that leads to it.
    fn embed(&mut self, branch: &Branch, line: usize) -> Vec<Block> {
        let inner = |name: &str| {
            branch.children.iter().find_map(|child| match child {
                Node::Element(e) if e.name == "source" || e.name == "embed" => {
                    e.attributes.get(name)
                }
                _ => None,
            })
        };
        let of = |name| branch.attributes.get(name).or_else(|| inner(name));
        let mut out = Vec::new();
        if let Some(url) = of("src")
            .or(of("data"))
            .map(str::trim)
            .filter(|u| !u.is_empty())
        {
            let url = if url.starts_with("//") {
                format!("https:{url}")
            } else {
                url.to_owned()
            };
            let domain = links::host(&url);
            let title = of("title").map(str::trim).filter(|t| !is_player(t));
            if links::classify(&url) == links::UrlKind::Clickable {
                let words = |words: &str| vec![Inline::Text(words.to_owned())];
                out.push(Block::Card(Card {
                    // Without a title, whoever sets the card names it in the language of the issue.
                    title: title.map(words).unwrap_or_default(),
                    description: Inlines::new(),
                    domain: if domain.is_empty() {
                        words(&url)
                    } else {
                        words(domain)
                    },
                    url,
                    line,
                }));
            } else {
                let name = vec![Inline::Text(title.unwrap_or(domain).to_owned())];
                out.push(Block::Paragraph(self.link(&url, "", name, line)));
            }
        }
        out.extend(self.html_blocks(&branch.children, line));
        out
    }

    fn html_list(&mut self, branch: &Branch, ordered: bool, line: usize) -> Vec<Block> {
        let mut items: Vec<ListItem> = Vec::new();
        for child in &branch.children {
            let blocks = match child {
                Node::Element(e) if e.element == Element::ListItem => {
                    let mut blocks = self.html_blocks(&e.children, line);
                    let name = name_of(e.element, &e.attributes);
                    anchors::put_into(&mut blocks, name.into_iter().collect());
                    blocks
                }
                other => self.html_blocks(std::slice::from_ref(other), line),
            };
            if !blocks.is_empty() {
                items.push(ListItem { task: None, blocks });
            }
        }
        let start = branch
            .attributes
            .get("start")
            .and_then(|s| s.trim().parse().ok())
            .unwrap_or(1);
        if items.is_empty() {
            Vec::new()
        } else {
            vec![Block::List {
                ordered,
                start,
                tight: true,
                items,
            }]
        }
    }

    /// A table of data stays one; a table that lays out blocks gives them in reading order.
    fn html_table(&mut self, branch: &Branch, line: usize) -> Vec<Block> {
        let mut rows = Vec::new();
        let mut apart = Vec::new();
        collect_rows(&branch.children, &mut rows, &mut apart);
        let mut out = self.html_blocks_of(&apart, line);
        let cells: Vec<Vec<Vec<Block>>> = rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| self.html_blocks(&cell.children, line))
                    .collect()
            })
            .collect();
        let simple = cells
            .iter()
            .flatten()
            .all(|c| matches!(c.as_slice(), [] | [Block::Paragraph(_)]));
        let wide = cells.iter().map(Vec::len).max().unwrap_or(0);
        if !simple || wide < 2 {
            out.extend(cells.into_iter().flatten().flatten());
            return out;
        }
        let has_head = rows.first().is_some_and(|row| {
            row.iter()
                .all(|c| c.element == Element::TableCell { head: true })
        });
        let mut rows = cells.into_iter().map(|row| {
            let mut row: Vec<Inlines> = row.into_iter().map(only_paragraph).collect();
            row.resize(wide, Inlines::new());
            row
        });
        let head = if has_head {
            rows.next().unwrap_or_default()
        } else {
            Vec::new()
        };
        out.push(Block::Table {
            align: vec![Align::None; wide],
            head,
            rows: rows.collect(),
        });
        out
    }

    fn html_blocks_of(&mut self, nodes: &[&Node], line: usize) -> Vec<Block> {
        nodes
            .iter()
            .flat_map(|n| self.html_blocks(std::slice::from_ref(*n), line))
            .collect()
    }

    fn html_inlines(&mut self, nodes: &[Node], line: usize, linked: bool) -> Inlines {
        nodes
            .iter()
            .flat_map(|n| self.html_inline(n, line, linked))
            .collect()
    }

    fn html_inline(&mut self, node: &Node, line: usize, linked: bool) -> Inlines {
        let branch = match node {
            Node::Text(text) => return self.html_text(text, line, linked),
            Node::Element(branch) => branch,
        };
        let Branch {
            name,
            element,
            attributes,
            children,
        } = branch;
        match element {
            Element::Hidden => {
                self.report(
                    Severity::Warning,
                    "html-hidden",
                    line,
                    format!("<{name}> has no effect in a mail and is left out"),
                    "Remove it. Styles belong in the theme.",
                );
                Inlines::new()
            }
            Element::Nothing => Inlines::new(),
            Element::LineBreak => vec![Inline::HardBreak],
            Element::Image => {
                let of = |name| attributes.get(name).unwrap_or_default();
                let mut image = self.image(of("src"), of("alt"), of("title"), line);
                image.width = of("width").trim_end_matches("px").parse().ok();
                vec![Inline::Image(image)]
            }
            _ => {
                let content =
                    self.html_inlines(children, line, linked || *element == Element::Link);
                enclose(*element, name, attributes, content, line, self)
            }
        }
    }

    /// Text between tags: line ends and runs of spaces count as one.
    fn html_text(&mut self, text: &str, line: usize, linked: bool) -> Inlines {
        let mut out = Inlines::new();
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                out.push(Inline::SoftBreak);
            }
            let mut folded = String::with_capacity(part.len());
            for c in part.chars() {
                let space = matches!(c, ' ' | '\t');
                if !(space && folded.ends_with(' ')) {
                    folded.push(if space { ' ' } else { c });
                }
            }
            if !folded.is_empty() {
                let (folded, fields) = Fields::take(&folded);
                if fields.iter().next().is_some() {
                    out.extend(fields.inlines(&folded));
                } else {
                    out.extend(self.text(&folded, line, true, linked));
                }
            }
        }
        out
    }
}

/// Whether a title is that of a site's player, such as “YouTube video player”, and says nothing of the film.
fn is_player(title: &str) -> bool {
    const NAMES: [&str; 16] = [
        "",
        "youtube",
        "youtube video",
        "youtube video player",
        "youtube player",
        "youtube embed",
        "vimeo",
        "vimeo player",
        "vimeo video player",
        "video player",
        "embedded video",
        "bilibili player",
        "iframe",
        "video",
        "player",
        "embed",
    ];
    let title = title.to_lowercase();
    NAMES.contains(&title.as_str())
}

/// Ends the paragraph that has been collected.
fn end_paragraph(text: &mut Inlines, out: &mut Vec<Block>) {
    let inlines = trim(std::mem::take(text));
    out.extend(figures::paragraph(inlines));
}

fn embolden(block: Block) -> Block {
    match block {
        Block::Paragraph(inlines) => Block::Paragraph(vec![Inline::Strong(inlines)]),
        other => other,
    }
}

/// Sets a caption as figures know it: in emphasis.
fn emphasise(block: Block) -> Block {
    match block {
        Block::Paragraph(inlines) => Block::Paragraph(vec![Inline::Emphasis(inlines)]),
        other => other,
    }
}

fn only_paragraph(blocks: Vec<Block>) -> Inlines {
    match <[Block; 1]>::try_from(blocks) {
        Ok([Block::Paragraph(inlines)]) => inlines,
        _ => Inlines::new(),
    }
}

/// The rows of a table, and what stands in it outside any cell.
fn collect_rows<'n>(nodes: &'n [Node], rows: &mut Vec<Vec<&'n Branch>>, apart: &mut Vec<&'n Node>) {
    for node in nodes {
        match node {
            Node::Element(e) if matches!(e.name.as_str(), "tbody" | "thead" | "tfoot") => {
                collect_rows(&e.children, rows, apart);
            }
            Node::Element(e) if e.element == Element::TableRow => {
                let (mut row, mut rest) = (Vec::new(), Vec::new());
                for cell in &e.children {
                    match cell {
                        Node::Element(c) if matches!(c.element, Element::TableCell { .. }) => {
                            row.push(c)
                        }
                        other => rest.push(other),
                    }
                }
                apart.extend(rest);
                rows.push(row);
            }
            other => apart.push(other),
        }
    }
}

/// The bare words of some HTML, line ends kept.
fn words(nodes: &[Node]) -> String {
    let mut out = String::new();
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Element(e) if e.element == Element::LineBreak => out.push('\n'),
            Node::Element(e) if e.element == Element::Hidden => {}
            Node::Element(e) => out.push_str(&words(&e.children)),
        }
    }
    out
}
