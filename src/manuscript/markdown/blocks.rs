//! comrak's blocks become ours.

use comrak::Node;
use comrak::nodes::{ListType, NodeValue, TableAlignment};

use crate::model::issue::{Align, Block, Inline, Inlines, ListItem};

use super::cards;
use super::inlines::footnote_mark;
use crate::manuscript::figures;
use crate::manuscript::reader::Reader;

/// Blocks that are nested deeper become a paragraph each, with their words and links.
const DEPTH: usize = 16;

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
            NodeValue::Paragraph => figures::paragraph(self.inlines(node)),
            NodeValue::Heading(heading) => match self.inlines(node) {
                inlines if inlines.is_empty() => Vec::new(),
                inlines => vec![Block::Heading {
                    level: heading.level,
                    inlines,
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
                let mut blocks = self.blocks(node, depth + 1);
                let mark = [footnote_mark(&note.name), Inline::Text(" ".into())];
                match blocks.first_mut() {
                    Some(Block::Paragraph(inlines)) => drop(inlines.splice(0..0, mark)),
                    _ => blocks.insert(0, Block::Paragraph(mark.to_vec())),
                }
                blocks
            }
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
