//! What reading Markdown and reading HTML share: running text, links, pictures, and the findings so far.

use comrak::nodes::LineColumn;

use crate::model::issue::{Image, Inline, Inlines, plain};
use crate::model::{Finding, Severity};

use super::fields::Fields;
use super::lines::Lines;
use super::links::{self, TextRun, UrlKind};
use super::notes::Notes;

/// The reading of one file.
pub(super) struct Reader<'a> {
    /// The personal fields of the file, by their stand-ins.
    pub fields: &'a Fields,
    /// The number of lines before the Markdown.
    pub offset: usize,
    /// Which line of the author's each line of the Markdown was.
    pub origins: Lines,
    /// The lines of the Markdown, with stand-ins for personal fields.
    pub lines: Vec<String>,
    /// The numbers of the footnotes.
    pub notes: Notes,
    /// What was found so far, not yet in order.
    pub findings: Vec<Finding>,
}

/// Columns beyond this many bytes of a line are not counted: nobody finds a place by such a number, and counting takes
/// time.
const LONGEST_LINE_BYTES: usize = 20_000;

impl Reader<'_> {
    /// A reading of the Markdown that follows `offset` lines of a file; `origins` says where its lines come from.
    pub(super) fn new(fields: &Fields, offset: usize, origins: Lines) -> Reader<'_> {
        Reader {
            fields,
            offset,
            origins,
            lines: Vec::new(),
            notes: Notes::default(),
            findings: Vec::new(),
        }
    }

    /// The line of the file that a line of the Markdown is, both from 1.
    pub(super) fn line(&self, line: usize) -> usize {
        self.origins.origin(line) + self.offset
    }

    /// A column in a line of the Markdown, if the line stands as it stands in the file.
    pub(super) fn column_in(&self, line: usize, column: usize) -> Option<usize> {
        (!self.origins.is_changed(line)).then_some(column)
    }

    /// The column, from 1, of a place that comrak names. comrak counts bytes of the text with stand-ins; editors count
    /// characters of what the author wrote.
    pub(super) fn column(&self, place: LineColumn) -> Option<usize> {
        let line = self.lines.get(place.line.checked_sub(1)?)?;
        let before = line.get(..place.column.checked_sub(1)?)?;
        let column = || self.fields.written_chars(before) + 1;
        (before.len() < LONGEST_LINE_BYTES)
            .then(column)
            .and_then(|column| self.column_in(place.line, column))
    }

    /// Gives the findings after the first `known` their column, if they are about the line that `begin` is on.
    pub(super) fn place(&mut self, known: usize, begin: LineColumn) {
        let (line, column) = (self.line(begin.line), self.column(begin));
        for finding in self
            .findings
            .iter_mut()
            .skip(known)
            .filter(|finding| finding.line == Some(line))
        {
            finding.column = finding.column.or(column);
        }
    }

    /// Adds a finding about a line.
    pub(super) fn report(
        &mut self,
        severity: Severity,
        code: &'static str,
        line: usize,
        message: String,
        help: &str,
    ) {
        self.findings
            .push(Finding::new(severity, code, message, help).at(line, None));
    }

    /// Running text with its personal fields, and with links for bare web addresses.
    ///
    /// `goes_on`: something other than text follows directly. `linked`: this is the text of a link already.
    pub(super) fn text(&mut self, text: &str, line: usize, goes_on: bool, linked: bool) -> Inlines {
        if linked {
            return self.fields.inlines(text);
        }
        let mut out = Inlines::new();
        for run in links::bare(text, goes_on) {
            match run {
                TextRun::Text(text) => out.extend(self.fields.inlines(text)),
                TextRun::Bare(url) => {
                    out.extend(self.link(url, "", vec![Inline::Text(url.into())], line))
                }
            }
        }
        out
    }

    /// Text in which personal fields are not filled, such as an address, code or alt text: fields stay as the author wrote
    /// them, and known ones are reported. `place` names it in the message.
    pub(super) fn literal(&mut self, text: &str, line: usize, place: &str) -> String {
        let (text, known) = self.fields.restore(text);
        if known {
            self.report(
                Severity::Warning,
                "field-not-filled",
                line,
                format!("personal fields are not filled in {place}"),
                "They are filled in running text, the subject and the preheader.",
            );
        }
        text
    }

    /// Code as it is written, personal fields and all.
    pub(super) fn code(&mut self, text: &str, line: usize) -> String {
        self.fields.note_code(text);
        self.literal(text, line, "code")
    }

    /// A link. Where a reader can't click the address, its words with the address after them.
    pub(super) fn link(
        &mut self,
        url: &str,
        title: &str,
        mut children: Inlines,
        line: usize,
    ) -> Inlines {
        let url = self
            .literal(url, line, "a link's address")
            .trim()
            .to_owned();
        let bare = children.is_empty();
        if bare {
            children = vec![Inline::Text(url.clone())];
        }
        let judgement = links::classify(&url);
        self.report_url(judgement, &url, &children, line);
        match judgement {
            UrlKind::Clickable | UrlKind::Malformed => {
                let title = self.literal(title, line, "a link's title");
                vec![Inline::Link {
                    url,
                    title,
                    children,
                    line,
                }]
            }
            UrlKind::Empty => children,
            UrlKind::OtherScheme | UrlKind::Relative => {
                if !bare && plain(&children) != url {
                    children.push(Inline::Text(format!(" ({url})")));
                }
                children
            }
        }
    }

    fn report_url(&mut self, judgement: UrlKind, url: &str, children: &[Inline], line: usize) {
        let (code, message, help) = match judgement {
            UrlKind::Clickable => return,
            UrlKind::Malformed => (
                "link-malformed",
                format!("this link's address looks broken: {url}"),
                "Check it: readers get it unchanged.",
            ),
            UrlKind::OtherScheme => (
                "link-scheme",
                format!("mail programs don't open links such as {url}"),
                "It is shown as text. Link to an https address instead.",
            ),
            UrlKind::Relative => (
                "link-relative",
                format!("this relative link leads nowhere in a mail: {url}"),
                "It is shown as text. Write the full address, beginning with https://.",
            ),
            UrlKind::Empty => (
                "link-empty",
                format!("the link “{}” has no address", plain(children)),
                "Write the address between the parentheses.",
            ),
        };
        self.report(Severity::Warning, code, line, message, help);
    }

    /// A picture as the author named it.
    pub(super) fn image(&mut self, src: &str, alt: &str, title: &str, line: usize) -> Image {
        Image {
            src: self
                .literal(src, line, "a picture's address")
                .trim()
                .to_owned(),
            alt: self.literal(alt, line, "alt text"),
            title: self.literal(title, line, "a picture's title"),
            width: None,
            line,
        }
    }
}
