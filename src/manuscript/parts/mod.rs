//! Blocks in a row become the parts of an issue.
//!
//! What can be recognised gets a type: the summary, the list of contents, sections with their items, the call to
//! subscribe, the note about the author. The rest stays ordinary text, in its place. Nothing is dropped but
//! thematic breaks at the edges of parts, which a theme draws in its own way.

mod contents;
mod items;
mod sections;
mod summary;

use crate::model::issue::Part;

use super::tidy::TopBlock;

pub(super) use contents::names_sections;
pub(super) use items::heading as item_heading;
pub(super) use sections::section_level;

/// Groups the blocks of an issue, whose title has been taken off, into parts.
pub(super) fn parts(tops: Vec<TopBlock>) -> Vec<Part> {
    let level = section_level(&tops);
    let (head, groups) = sections::cut(tops, level);
    let mut parts = Vec::new();
    if !head.is_empty() {
        summary::before_sections(head, level, &mut parts);
    }
    for group in groups {
        parts.push(sections::section(group.heading, group.level, group.body));
    }
    contents::tie(&mut parts);
    parts
}
