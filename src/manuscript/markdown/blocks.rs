//! comrak's blocks become ours.

use comrak::Node;
use comrak::nodes::{AlertType, ListType, NodeValue, TableAlignment};

use crate::model::issue::{AlertKind, Align, Block, Definition, Inlines, ListItem};

use super::cards;
use crate::manuscript::reader::Reader;
use crate::manuscript::{anchors, figures};

/// Blocks that are nested deeper become a paragraph each, with their words and links.
const DEPTH: usize = 16;

/// The HTML of a paragraph that is nothing but a player or a frame: CommonMark takes `<video …></video>` on one line for
/// text.
fn player(paragraph: Node) -> Option<String> {
    let is_player = |tag: &str| {
        ["video", "audio", "iframe", "object", "embed"]
            .into_iter()
            .any(|name| {
                let after = tag
                    .get(1..=name.len())
                    .filter(|n| n.eq_ignore_ascii_case(name));
                after.is_some() && tag[name.len() + 1..].starts_with([' ', '\n', '>', '/'])
            })
    };
    match &paragraph.first_child()?.data().value {
        NodeValue::HtmlInline(tag) if tag.starts_with('<') && is_player(tag) => {}
        _ => return None,
    }
    let mut html = String::new();
    for node in paragraph.children() {
        match &node.data().value {
            NodeValue::HtmlInline(tag) => html.push_str(tag),
            NodeValue::SoftBreak => html.push('\n'),
            NodeValue::Text(text) if text.trim().is_empty() => html.push_str(text),
            _ => return None,
        }
    }
    Some(html)
}

fn alert_kind(kind: AlertType) -> AlertKind {
    match kind {
        AlertType::Note => AlertKind::Note,
        AlertType::Tip => AlertKind::Tip,
        AlertType::Important => AlertKind::Important,
        AlertType::Warning => AlertKind::Warning,
        AlertType::Caution => AlertKind::Caution,
    }
}

impl Reader<'_> {
    /// The blocks within a block, or within the whole document.
    pub(crate) fn blocks(&mut self, parent: Node, depth: usize) -> Vec<Block> {
        let blocks = parent
            .children()
            .flat_map(|node| self.block(node, depth))
            .collect();
        figures::caption(blocks)
    }

    /// One block; it may become several, or none where it shows nothing.
    pub(crate) fn block(&mut self, node: Node, depth: usize) -> Vec<Block> {
        let data = node.data();
        let line = self.line(data.sourcepos.start.line);
        if depth > DEPTH && node.first_child().is_some() {
            return self.too_deep(node);
        }
        match &data.value {
            NodeValue::Paragraph => match player(node) {
                Some(html) => self.html(&html, line),
                None => figures::paragraph(self.inlines(node)),
            },
            NodeValue::Heading(heading) => match self.inlines(node) {
                inlines if inlines.is_empty() => Vec::new(),
                inlines => vec![Block::Heading {
                    level: heading.level,
                    inlines: anchors::of_heading(inlines),
                }],
            },
            NodeValue::ThematicBreak => vec![Block::Rule],
            NodeValue::CodeBlock(code) => {
                let literal = self.code(&code.literal, line);
                vec![Block::Code {
                    info: self.fields.restore(&code.info).0,
                    literal,
                }]
            }
            NodeValue::HtmlBlock(html) => self.html(&html.literal, line),
            NodeValue::BlockQuote => {
                let blocks = self.blocks(node, depth + 1);
                match blocks.as_slice() {
                    [] => blocks,
                    [Block::Paragraph(inlines)] if let Some(card) = cards::quoted(inlines) => {
                        vec![Block::Card(card)]
                    }
                    _ => vec![Block::Quote(blocks)],
                }
            }
            NodeValue::List(list) => {
                let items = node
                    .children()
                    .map(|item| self.list_item(item, depth))
                    .collect();
                let ordered = list.list_type == ListType::Ordered;
                vec![Block::List {
                    ordered,
                    start: list.start,
                    tight: list.tight,
                    items,
                }]
            }
            NodeValue::Table(table) => vec![self.table(node, &table.alignments)],
            NodeValue::FootnoteDefinition(note) => {
                let blocks = self.blocks(node, depth + 1);
                self.notes.labelled(&note.name, blocks)
            }
            NodeValue::Alert(alert) => {
                let title = alert.title.as_deref().unwrap_or_default();
                vec![Block::Alert {
                    kind: alert_kind(alert.alert_type),
                    title: self.fragment(title, line),
                    blocks: self.blocks(node, depth + 1),
                }]
            }
            NodeValue::DescriptionList => vec![self.definitions(node, depth)],
            // Extensions that are off don't occur; if one did, its content would stay.
            _ => self.blocks(node, depth + 1),
        }
    }

    fn list_item(&mut self, node: Node, depth: usize) -> ListItem {
        let task = match &node.data().value {
            NodeValue::TaskItem(task) => Some(task.symbol.is_some()),
            _ => None,
        };
        ListItem {
            task,
            blocks: self.blocks(node, depth + 1),
        }
    }

    /// Terms with what they mean; terms that follow one another share it.
    fn definitions(&mut self, list: Node, depth: usize) -> Block {
        let mut out: Vec<Definition> = Vec::new();
        for item in list.children() {
            let mut one = Definition::default();
            for part in item.children() {
                match part.data().value {
                    NodeValue::DescriptionTerm => {
                        for block in self.blocks(part, depth + 1) {
                            match block {
                                Block::Paragraph(inlines) => one.terms.push(inlines),
                                other => one.blocks.push(other),
                            }
                        }
                    }
                    _ => one.blocks.extend(self.blocks(part, depth + 1)),
                }
            }
            match out.last_mut() {
                Some(last) if one.terms.is_empty() => last.blocks.extend(one.blocks),
                _ => out.push(one),
            }
        }
        Block::Definitions(out)
    }

    fn table(&mut self, node: Node, alignments: &[TableAlignment]) -> Block {
        let align = alignments
            .iter()
            .map(|a| match a {
                TableAlignment::None => Align::None,
                TableAlignment::Left => Align::Start,
                TableAlignment::Center => Align::Center,
                TableAlignment::Right => Align::End,
            })
            .collect();
        let (mut head, mut rows) = (Vec::new(), Vec::new());
        for row in node.children() {
            let cells: Vec<Inlines> = row.children().map(|cell| self.inlines(cell)).collect();
            match row.data().value {
                NodeValue::TableRow(true) => head = cells,
                _ => rows.push(cells),
            }
        }
        Block::Table { align, head, rows }
    }

    /// Each block that holds inlines, or a text of its own, without the nesting around it.
    fn too_deep(&mut self, top: Node) -> Vec<Block> {
        let mut out = Vec::new();
        for node in top.descendants() {
            let data = node.data();
            let line = self.line(data.sourcepos.start.line);
            match &data.value {
                NodeValue::Paragraph | NodeValue::Heading(_) | NodeValue::TableCell => {
                    out.extend(figures::paragraph(self.inlines(node)));
                }
                NodeValue::CodeBlock(code) => {
                    let literal = self.code(&code.literal, line);
                    out.push(Block::Code {
                        info: String::new(),
                        literal,
                    });
                }
                NodeValue::HtmlBlock(html) => out.extend(self.html(&html.literal, line)),
                _ => {}
            }
        }
        out
    }
}
