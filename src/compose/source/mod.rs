//! An author's file becomes an [`Issue`].
//!
//! Stub of the pipeline; the typed parts follow.

mod address;
mod blocks;
mod elements;
mod fields;
mod figures;
mod html;
mod html_blocks;
mod inlines;
mod nest;
mod reader;

use comrak::{Arena, Options, parse_document};

use crate::model::Finding;
use crate::model::issue::{Issue, Meta, Part};

use fields::Fields;
use reader::Reader;

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub issue: Issue,
    /// What is worth telling the author, in the order of lines.
    pub findings: Vec<Finding>,
}

/// Reads an author's file.
///
/// `file` is its name as findings show it; `slug` is the name without folder and ending.
///
/// # Errors
/// Only front matter that is malformed; everything else is shown as well as can be, and told in
/// [`Parsed::findings`].
pub fn read(text: &str, file: &str, slug: &str) -> Result<Parsed, Vec<Finding>> {
    let (body, fields) = Fields::take(text);
    let mut reader = Reader::new(&fields, 0);
    let arena = Arena::new();
    let root = parse_document(&arena, &body, &options());
    let blocks = reader.blocks(root, 0);
    let mut findings = reader.findings;
    findings.iter_mut().for_each(|f| f.file = file.to_owned());
    let issue = Issue { meta: Meta::default(), parts: vec![Part::Text(blocks)], slug: slug.to_owned() };
    Ok(Parsed { issue, findings })
}

/// CommonMark with what letters use of GitHub's additions.
fn options<'c>() -> Options<'c> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.cjk_friendly_emphasis = true;
    options.parse.leave_footnote_definitions = true;
    options.parse.sourcepos_chars = true;
    options
}
