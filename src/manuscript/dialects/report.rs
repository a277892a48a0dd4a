//! What was left out or understood, as findings: one for each kind, with every line.

use std::collections::BTreeMap;

use crate::model::{Finding, Severity};

/// A kind of syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// `{% include %}`.
    Tag,
    /// `{{< name >}}`, `{{ name() }}`.
    Shortcode,
    /// `{{ site.url }}`.
    Expression,
    /// `*|LNAME|*`.
    MergeTag,
    /// `<Component />`.
    Component,
    /// `import … from …`.
    Module,
    /// `{:.class}`.
    Attributes,
    /// `{:toc}`, `[TOC]`.
    Contents,
    /// `*[HTML]: …`.
    Abbreviation,
    /// `[[Note]]`.
    WikiLink,
    /// Another program's field that is one of ours.
    Field,
}

/// The most names that one message holds.
const NAMED: usize = 8;

impl Kind {
    fn severity(self) -> Severity {
        match self {
            Kind::Tag
            | Kind::Shortcode
            | Kind::Expression
            | Kind::MergeTag
            | Kind::Component
            | Kind::WikiLink => Severity::Warning,
            Kind::Module | Kind::Attributes | Kind::Contents | Kind::Abbreviation | Kind::Field => {
                Severity::Note
            }
        }
    }

    fn message(self, names: &str) -> String {
        match self {
            Kind::Tag => format!("template tags are left out: {names}"),
            Kind::Shortcode => format!("shortcodes are left out: {names}"),
            Kind::Expression => format!("template expressions are left out: {names}"),
            Kind::MergeTag => format!("merge tags of another service are left out: {names}"),
            Kind::Component => format!("components are left out: {names}"),
            Kind::Module => format!("lines of a program are left out: {names}"),
            Kind::Attributes => format!("attributes for a web page have no effect here: {names}"),
            Kind::Contents => format!("the place of a table of contents is left out: {names}"),
            Kind::Abbreviation => format!("explanations of abbreviations are left out: {names}"),
            Kind::WikiLink => format!("links between notes lead nowhere in a mail: {names}"),
            Kind::Field => format!("fields of another service are filled as ours: {names}"),
        }
    }

    fn help(self) -> &'static str {
        match self {
            Kind::Tag | Kind::Shortcode | Kind::Expression | Kind::Component => {
                "Only the program they were written for knows what they stand for. Write that instead, or put them \
                 in code to show them."
            }
            Kind::MergeTag => {
                "Personal fields are {{ name }}, {{ email }} and {{ name | default(\"reader\") }}. The link to \
                 unsubscribe is in every footer."
            }
            Kind::Contents => "Write a list with the headings of the sections to have one.",
            Kind::WikiLink => {
                "Their words are shown. Link to a web page instead: [words](https://…)"
            }
            Kind::Field => {
                "Write {{ name }}, {{ email }} or {{ name | default(\"reader\") }} to be certain."
            }
            Kind::Module | Kind::Attributes | Kind::Abbreviation => "Nothing needs to be done.",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Kind::Field => "syntax-mapped",
            _ => "syntax-foreign",
        }
    }
}

/// Everything that was noted.
#[derive(Debug, Default)]
pub(super) struct Report {
    kinds: BTreeMap<Kind, Noted>,
    findings: Vec<Finding>,
}

#[derive(Debug, Default)]
struct Noted {
    names: Vec<String>,
    lines: Vec<usize>,
}

impl Report {
    /// Notes that something of a kind stands on a line; `name` is how it is shown.
    pub(super) fn note(&mut self, kind: Kind, name: &str, line: usize) {
        let noted = self.kinds.entry(kind).or_default();
        if !noted.names.iter().any(|known| known == name) {
            noted.names.push(name.to_owned());
        }
        noted.lines.push(line);
    }

    /// Adds a finding of its own.
    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// One finding a kind, and those of their own.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let mut out = self.findings;
        for (kind, noted) in self.kinds {
            let mut names = noted.names;
            if names.len() > NAMED {
                names.truncate(NAMED);
                names.push("…".to_owned());
            }
            let message = kind.message(&names.join(", "));
            out.push(
                Finding::new(kind.severity(), kind.code(), message, kind.help())
                    .at_lines(noted.lines),
            );
        }
        out
    }
}
