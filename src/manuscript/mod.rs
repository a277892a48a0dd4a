//! An author's file becomes an [`Issue`].
//!
//! [`read`] takes a file through these steps. It is normalised (line ends, byte order mark). Its front matter is split
//! off (`front_matter`) and its keys are read (`meta`). The syntax of other programs is put into ours or left out
//! (`dialects`). Personal fields are replaced by stand-ins (`fields`). comrak
//! parses the Markdown, and `markdown` and `html` turn its tree into our blocks and inlines. `title` fills in what the
//! front matter does not give. `parts` recognises sections, items, the summary and the list of contents. `lint` and
//! every step report what the author should know as findings.
//!
//! Nothing that an author wrote is dropped except comments, thematic breaks at the edges of parts, and what no reader
//! sees (scripts, styles). Themes, HTML output and the files beside the manuscript are left to `compose`.
//!
//! `next` writes the file of the next issue from that of the last one.
//!
//! # The preferred form
//!
//! Any Markdown works. Written like this, every part is recognised:
//!
//! ```text
//! +++
//! title = "Akira's Machine Learning News"
//! number = 22
//! date = 2021-07-25
//! +++
//!
//! A few words before everything else.
//!
//! ### This week
//!
//! - headings below the level of sections, with a few lines each, are the summary
//!
//! ---
//!
//! What follows:
//!
//! 1. Features
//!
//! ## 1. Features
//!
//! ### [An item's title](https://a.example/page)
//!
//! ![what the picture shows](plot.png)
//! *The caption.*
//!
//! > [The title of a preview card](https://a.example/page)
//! > The beginning of its text…
//!
//! The comment, in as many paragraphs as it takes.
//!
//! ## Subscribe
//!
//! ## About me
//! ```
//!
//! Exports of Revue and Medium are recognised too: items as bold links with their source, captions that share a paragraph
//! with the comment, cards (`markdown::cards`), separators made of dashes, numbers in headings, and title, number and
//! date in the text.

mod anchors;
mod date;
mod dialects;
mod fields;
mod figures;
mod file_name;
mod front_matter;
mod headings;
mod html;
mod language;
mod lines;
mod links;
mod lint;
mod markdown;
mod meta;
pub(crate) mod next;
mod notes;
mod number;
mod parts;
mod reader;
mod site_keys;
mod tidy;
mod title;
mod when;

use crate::model::Finding;
use crate::model::issue::walk::{self, Seen};
use crate::model::issue::{Block, Issue, Part};

use fields::Fields;
use front_matter::Entries;
use reader::Reader;

pub(crate) use language::is_east_asian;

/// An author's file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The issue, complete but for its pictures.
    pub issue: Issue,
    /// What the author should know, in the order of lines.
    pub findings: Vec<Finding>,
}

/// Reads an author's file.
///
/// `file` is its name in findings; `slug` is that name without folder and ending.
///
/// # Errors
/// Only malformed front matter. Everything else is read as well as it can be, with findings in [`Parsed::findings`].
pub fn read(text: &str, file: &str, slug: &str) -> Result<Parsed, Vec<Finding>> {
    let named = |mut findings: Vec<Finding>| {
        findings.iter_mut().for_each(|f| f.file = file.to_owned());
        findings.sort_by_key(|f| f.line);
        findings
    };
    let text = normalise(text);
    let front = front_matter::split(&text).map_err(|finding| named(vec![*finding]))?;
    let entries = front
        .map_or(Ok(Entries::default()), |f| f.entries())
        .map_err(named)?;
    let known = meta::read(&entries);
    let body = front.map_or(text.as_str(), |f| f.body);
    let offset = text[..text.len() - body.len()].matches('\n').count();

    let translated = dialects::translate(body);
    let (body, fields) = Fields::take(&translated.text);
    let mut reader = Reader::new(&fields, offset, translated.lines);
    let (mut tops, notes) = markdown::top_blocks(&body, &mut reader);
    tops = anchors::settle(tops);
    let mut findings = known.findings;
    findings.append(&mut reader.findings);
    findings.extend(meta::unknown_fields(&fields, |(line, column)| {
        (reader.line(line), reader.column_in(line, column))
    }));
    findings.extend(translated.findings.into_iter().map(|f| f.moved(offset)));

    let mut meta = known.meta;
    findings.extend(title::complete(&mut meta, &mut tops, slug, &known.lines));
    findings.extend(lint::empty_headings(&tops));
    findings.extend(lint::lengths(&meta, &known.lines));
    let mut parts = parts::parts(tops);
    if !notes.is_empty() {
        let apart = std::iter::once(Block::Rule).chain(notes);
        parts.push(Part::Text(apart.collect()));
    }
    walk::runs_mut(&mut parts, &mut tidy::join);
    if meta.language.is_none() {
        meta.language = language::guess(&words(&meta.title, &parts)).map(str::to_owned);
    }
    let issue = Issue {
        meta,
        parts,
        slug: slug.to_owned(),
    };
    Ok(Parsed {
        issue,
        findings: named(findings),
    })
}

/// The text with LF as its line ends, and without byte order mark and the control characters that a mail can't hold.
fn normalise(text: &str) -> String {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\0' => out.push('\u{FFFD}'),
            '\u{B}' | '\u{C}' | '\u{85}' => out.push(' '),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Every word that readers see, the title first.
fn words(title: &str, parts: &[Part]) -> String {
    let mut out = title.to_owned();
    walk::parts(parts, &mut |seen| {
        if let Seen::Text(text) = seen {
            out.push(' ');
            out.push_str(text);
        }
    });
    out
}

#[cfg(test)]
mod tests;
