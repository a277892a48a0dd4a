//! What the reading of Markdown and of HTML share: running text, links, pictures, and what is to be told.

use comrak::nodes::LineColumn;

use crate::model::issue::{Image, Inline, Inlines, plain};
use crate::model::{Finding, Severity};

use super::fields::Fields;
use super::links::{self, TextRun, UrlKind};

/// One reading of one file.
pub(super) struct Reader<'a> {
    pub fields: &'a Fields,
    /// How many lines stand before the Markdown.
    pub offset: usize,
    /// The lines of the Markdown that is read, with stand-ins for personal fields.
    pub lines: Vec<String>,
    pub findings: Vec<Finding>,
}

/// Beyond this no column is named: nobody finds a place by it, and counting would take its time.
const LONGEST_LINE_BYTES: usize = 20_000;

impl Reader<'_> {
    pub(super) fn new(fields: &Fields, offset: usize) -> Reader<'_> {
        Reader {
            fields,
            offset,
            lines: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// The column of a place that comrak names, from 1. comrak counts bytes of a text with stand-ins; editors count
    /// characters of what the author wrote.
    pub(super) fn column(&self, place: LineColumn) -> Option<usize> {
        let line = self.lines.get(place.line.checked_sub(1)?)?;
        let before = line.get(..place.column.checked_sub(1)?)?;
        (before.len() < LONGEST_LINE_BYTES).then(|| self.fields.written_chars(before) + 1)
    }

    /// Names the column of what was told since there were `told` findings, about something that begins there.
    pub(super) fn place(&mut self, told: usize, begin: LineColumn) {
        let (line, column) = (begin.line + self.offset, self.column(begin));
        for finding in self
            .findings
            .iter_mut()
            .skip(told)
            .filter(|finding| finding.line == Some(line))
        {
            finding.column = finding.column.or(column);
        }
    }

    /// Notes something to be told about a line.
    pub(super) fn tell(
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

    /// Running text: personal fields, and links for web addresses that stand bare.
    ///
    /// `goes_on` says that something other than text follows directly; `linked`, that this is a link's text.
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

    /// A text that personal fields can't stand in: an address, a code, an alternative text.
    pub(super) fn literal(&mut self, text: &str, line: usize, place: &str) -> String {
        let (text, known) = self.fields.restore(text);
        if known {
            self.tell(
                Severity::Warning,
                "field-not-filled",
                line,
                format!("a personal field in {place} stays as it is written"),
                "Fields are filled in running text, the subject and the preheader.",
            );
        }
        text
    }

    /// Code as it is written, personal fields and all.
    pub(super) fn code(&mut self, text: &str, line: usize) -> String {
        self.fields.note_code(text);
        self.literal(text, line, "code")
    }

    /// A link, or where the address can't be clicked, its words with the address beside them.
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
        self.tell_of_address(judgement, &url, &children, line);
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

    fn tell_of_address(&mut self, judgement: UrlKind, url: &str, children: &[Inline], line: usize) {
        let (code, message, help) = match judgement {
            UrlKind::Clickable => return,
            UrlKind::Malformed => (
                "link-malformed",
                format!("this link's address looks broken: {url}"),
                "Check it; readers get it as it is.",
            ),
            UrlKind::OtherScheme => (
                "link-scheme",
                format!("no mail program opens an address such as {url}"),
                "It is shown as text; link to an https address instead.",
            ),
            UrlKind::Relative => (
                "link-relative",
                format!("this link leads nowhere from a mail: {url}"),
                "It is shown as text; write the whole address, beginning with https://.",
            ),
            UrlKind::Empty => (
                "link-empty",
                format!("the link “{}” has no address", plain(children)),
                "Write the address between the round brackets.",
            ),
        };
        self.tell(Severity::Warning, code, line, message, help);
    }

    /// A picture as the author named it.
    pub(super) fn image(&mut self, src: &str, alt: &str, title: &str, line: usize) -> Image {
        Image {
            src: self
                .literal(src, line, "a picture's address")
                .trim()
                .to_owned(),
            alt: self.literal(alt, line, "an alternative text"),
            title: self.literal(title, line, "a picture's title"),
            width: None,
            line,
        }
    }
}
