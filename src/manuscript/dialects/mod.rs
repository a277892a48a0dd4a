//! The syntax of other programs, put into ours before Markdown is parsed.
//!
//! Newsletters are written for Jekyll, Hugo, Zola, Hexo, Pelican, kramdown, Obsidian, MDX, Mailchimp and others, and
//! their templates mean nothing to a reader. What has a meaning in a mail becomes Markdown, HTML or one of our personal
//! fields (`{% highlight %}` a block of code, `{{< youtube >}}` a player, `*|FNAME|*` a name). The rest is left
//! out, with a finding for each kind. Code is never touched.
//!
//! `translation` goes through a text (`walk`) and asks each dialect what stands there: `tags` (template languages), `merge_tags`,
//! `kramdown`, `obsidian`, `mdx`, `formulas`. `verbatim` goes first: what it finds is code. `references`,
//! `headings` and `addresses` then help Markdown to see what the author meant. `text` keeps lines in order.

mod addresses;
mod arguments;
mod formulas;
mod guard;
mod headings;
mod known;
mod kramdown;
mod mdx;
mod merge_tags;
mod obsidian;
mod references;
mod report;
mod tags;
mod text;
mod translation;
mod verbatim;
mod walk;

use super::lines::Lines;
use crate::model::Finding;

use report::Report;
use text::Text;

/// A body that holds nothing of other programs any more.
pub(super) struct Translated {
    /// Markdown with HTML and our own personal fields.
    pub text: String,
    /// Which line of the body each of its lines was.
    pub lines: Lines,
    /// What was left out or can't be handled, by lines of the body.
    pub findings: Vec<Finding>,
}

/// Translates a body.
pub(super) fn translate(body: &str) -> Translated {
    let mut text = Text::new(body);
    let mut report = Report::default();
    if translation::may_hold_any(body) {
        verbatim::translate(&mut text, &mut report);
        translation::translate(&mut text, &mut report);
    }
    headings::set_apart(&mut text);
    addresses::enclose(&mut text);
    references::find(&mut text, &mut report);
    let (text, lines) = text.into_parts();
    Translated {
        text,
        lines,
        findings: report.into_findings(),
    }
}

/// Translates a line that is not Markdown, such as a subject; the findings have no place yet.
pub(super) fn line(text: &str) -> (String, Vec<Finding>) {
    if !translation::may_hold_any(text) {
        return (text.to_owned(), Vec::new());
    }
    let mut line = Text::new(text);
    let mut report = Report::default();
    translation::translate_line(&mut line, &mut report);
    let (out, _) = line.into_parts();
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    (out, report.into_findings())
}

#[cfg(test)]
mod tests;
