//! Everything that `check` finds without a network, put in order.
//!
//! `manuscript` finds what is wrong with the file, `pictures` what is wrong with pictures. Here what shows only in the
//! composed issue is added and repetitions are folded into one. The list of all checks makes it possible to count those
//! that passed.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::model::issue::walk::{self, Seen};
use crate::model::issue::{Issue, Part, plain};
use crate::model::{Finding, Severity};

use super::places::{self, DeadLink};
use super::{CLIPPED_BYTES, Composed};
use crate::format;
use crate::link::signed::is_signed;

/// From this size on there is a finding.
const NEAR_BYTES: usize = 92 * 1024;
/// The most characters of an address that a message repeats where the address holds the data itself.
const DATA_CHARS: usize = 60;

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// What holds if nothing is found, in a few words.
    pub name: &'static str,
    /// The codes of findings that say it does not hold.
    pub codes: &'static [&'static str],
}

/// Every check, in the order of an issue.
pub(crate) const CHECKS: [Check; 20] = [
    Check {
        name: "the file is UTF-8",
        codes: &["not-utf8"],
    },
    Check {
        name: "the front matter can be read",
        codes: &[
            "front-matter-open",
            "front-matter-malformed",
            "front-matter-too-large",
        ],
    },
    Check {
        name: "its keys are known",
        codes: &["front-matter-unknown"],
    },
    Check {
        name: "their values are valid",
        codes: &[
            "front-matter-value",
            "front-matter-date",
            "front-matter-double",
        ],
    },
    Check {
        name: "there is a title",
        codes: &["title-missing"],
    },
    Check {
        name: "there is something to read",
        codes: &["text-missing"],
    },
    Check {
        name: "inboxes show the whole subject",
        codes: &["subject-long"],
    },
    Check {
        name: "the preheader adds to the subject",
        codes: &["preheader-long", "preheader-same"],
    },
    Check {
        name: "personal fields are known",
        codes: &["field-unknown"],
    },
    Check {
        name: "personal fields are where they are filled",
        codes: &["field-not-filled"],
    },
    Check {
        name: "every picture exists",
        codes: &[
            "picture-missing",
            "picture-outside",
            "picture-unreadable",
            "picture-damaged",
        ],
    },
    Check {
        name: "mail programs show every picture",
        codes: &["picture-kind", "picture-too-large"],
    },
    Check {
        name: "every picture has alt text",
        codes: &["alt-missing"],
    },
    Check {
        name: "links have an address",
        codes: &["link-empty", "link-malformed", "link-undefined"],
    },
    Check {
        name: "links work from a mail",
        codes: &["link-relative", "link-scheme", "link-place"],
    },
    Check {
        name: "nothing is written for another program",
        codes: &["syntax-foreign"],
    },
    Check {
        name: "no markers are left",
        codes: &["marker-left"],
    },
    Check {
        name: "no heading is empty",
        codes: &["heading-empty"],
    },
    Check {
        name: "the HTML needs nothing that mail can't do",
        codes: &["html-hidden"],
    },
    Check {
        name: "Gmail shows the whole issue",
        codes: &["html-large"],
    },
];

/// The checks that hold, given everything that was found; notes spoil none.
pub(crate) fn passed(findings: &[Finding]) -> Vec<&'static Check> {
    let spoilt: HashSet<&str> = findings
        .iter()
        .filter(|f| f.severity != Severity::Note)
        .map(|f| f.code)
        .collect();
    CHECKS
        .iter()
        .filter(|c| !c.codes.iter().any(|code| spoilt.contains(code)))
        .collect()
}

/// All findings about an issue: those of before (`parsed`, which holds the findings about pictures too), and those that
/// show in the composed issue. Errors come first, then the order of lines.
pub(crate) fn findings(issue: &Issue, parsed: &[Finding], composed: &Composed) -> Vec<Finding> {
    let mut out = parsed.to_vec();
    out.extend(nothing_to_read(issue));
    out.extend(alternative_texts(issue));
    out.extend(tagged_links(issue));
    out.extend(signed_links(issue));
    out.extend(places::dead_links(issue).into_iter().map(dead_link));
    out.extend(size(issue, super::bytes(&composed.rendered.html)));
    fold(out)
}

/// An issue with neither a word nor a picture below its title.
fn nothing_to_read(issue: &Issue) -> Option<Finding> {
    let mut any = false;
    walk::parts(&issue.parts, &mut |seen| {
        any |= match seen {
            Seen::Text(text) | Seen::Code(text) => !text.trim().is_empty(),
            Seen::Link { .. } | Seen::Image(_) => true,
            Seen::Anchor(_) => false,
        };
    });
    let help = "Write the text below the front matter or the title.";
    (!any).then(|| {
        Finding::new(
            Severity::Error,
            "text-missing",
            "this issue has nothing to read",
            help,
        )
    })
}

/// Pictures that say nothing to those who don't see them.
fn alternative_texts(issue: &Issue) -> Vec<Finding> {
    let mut out = Vec::new();
    walk::parts(&issue.parts, &mut |seen| {
        if let Seen::Image(image) = seen
            && image.alt.trim().is_empty()
        {
            let help = "Write it between the brackets: ![a plot of …](…)";
            let finding = Finding::new(
                Severity::Warning,
                "alt-missing",
                "image without alt text",
                help,
            );
            out.push(finding.at(image.line, None));
        }
    });
    out
}

/// Links that carry utm parameters already: they are kept as they are.
fn tagged_links(issue: &Issue) -> Option<Finding> {
    let links = Links::of(issue, has_utm);
    let message = match links.count {
        0 => return None,
        1 => "one link already carries utm parameters; kept".to_owned(),
        n => format!("{n} links already carry utm parameters; kept"),
    };
    let help = "They are neither changed nor doubled. Remove them to use the list's own.";
    Some(links.note("utm-present", message, help))
}

/// Links that are signed: a parameter more would break them, so they get no utm parameters.
fn signed_links(issue: &Issue) -> Option<Finding> {
    let links = Links::of(issue, is_signed);
    let message = match links.count {
        0 => return None,
        1 => "one link is signed, so it gets no utm parameters".to_owned(),
        n => format!("{n} links are signed, so they get no utm parameters"),
    };
    let help = "A signed link stops working when anything is added to it. Signed links also expire: \
        check that they outlast the issue.";
    Some(links.note("link-signed", message, help))
}

/// A link within the issue to a place that the issue does not have.
fn dead_link(link: DeadLink) -> Finding {
    let message = format!("nothing in this issue is named {}", link.url);
    let help = "The link becomes plain text. Name a place with <a id=\"…\"></a>, or a heading with {#…} at its end.";
    let line = (link.line > 0).then_some(link.line);
    Finding {
        line,
        ..Finding::new(Severity::Warning, "link-place", message, help)
    }
}

/// The links of an issue for which something holds.
struct Links {
    count: usize,
    /// The line of the first that has one.
    first_line: Option<usize>,
}

impl Links {
    fn of(issue: &Issue, holds: impl Fn(&str) -> bool) -> Links {
        let mut lines = Vec::new();
        walk::parts(&issue.parts, &mut |seen| {
            if let Seen::Link { url, line } = seen
                && holds(url)
            {
                lines.push(line);
            }
        });
        Links {
            count: lines.len(),
            first_line: lines.into_iter().find(|line| *line > 0),
        }
    }

    /// One note about all of them, at the first.
    fn note(&self, code: &'static str, message: String, help: &str) -> Finding {
        Finding {
            line: self.first_line,
            ..Finding::new(Severity::Note, code, message, help)
        }
    }
}

fn has_utm(url: &str) -> bool {
    let query = url
        .split('#')
        .next()
        .unwrap_or(url)
        .split_once('?')
        .map_or("", |(_, query)| query);
    query.split('&').any(|p| {
        p.get(..4)
            .is_some_and(|key| key.eq_ignore_ascii_case("utm_"))
    })
}

/// The HTML against what Gmail shows, with what would help most.
fn size(issue: &Issue, bytes: usize) -> Option<Finding> {
    if bytes < NEAR_BYTES {
        return None;
    }
    let size = format::count(bytes.div_ceil(1024) as u64);
    let message = format!(
        "HTML is {size} KB; Gmail cuts at {} KB",
        CLIPPED_BYTES / 1024
    );
    Some(Finding::new(
        Severity::Warning,
        "html-large",
        message,
        remedy(issue, bytes),
    ))
}

/// Names the longest section and about what it takes of the whole.
fn remedy(issue: &Issue, bytes: usize) -> String {
    let weight = |parts: &[Part]| {
        let mut sum = 0;
        walk::parts(parts, &mut |seen| {
            sum += match seen {
                Seen::Text(text) | Seen::Code(text) => text.len(),
                // A link or a picture brings markup and tags along.
                Seen::Link { url, .. } => url.len() + 200,
                Seen::Image(image) => image.alt.len() + 400,
                Seen::Anchor(name) => name.len(),
            };
        });
        sum
    };
    let all = weight(&issue.parts).max(1);
    let longest = issue
        .parts
        .iter()
        .max_by_key(|part| weight(std::slice::from_ref(part)));
    match longest {
        Some(part @ Part::Section(section)) if !section.heading.is_empty() => {
            let saved = bytes * weight(std::slice::from_ref(part)) / all / 1024;
            let heading = plain(&section.heading);
            format!("Moving “{heading}” to the next issue saves about {saved} KB.")
        }
        _ => "Move part of it to the next issue, or to a web page.".to_owned(),
    }
}

/// Folds findings that say the same about several lines into one, and puts all in order.
fn fold(mut all: Vec<Finding>) -> Vec<Finding> {
    all.sort_by_key(|f| (f.severity, f.line.is_none(), f.line, f.column));
    let mut out: Vec<(Finding, Vec<usize>)> = Vec::new();
    let mut first: HashMap<_, usize> = HashMap::new();
    for mut finding in all {
        finding.message = without_data(&finding.message);
        let lines = std::mem::take(&mut finding.lines);
        let lines = finding.line.into_iter().chain(lines);
        match first.entry((finding.code, finding.message.clone(), finding.file.clone())) {
            Entry::Occupied(known) => out[*known.get()].1.extend(lines),
            Entry::Vacant(free) => {
                free.insert(out.len());
                let lines = lines.collect();
                out.push((finding, lines));
            }
        }
    }
    out.into_iter()
        .map(|(finding, lines)| match finding.line {
            Some(_) => finding.at_lines(lines),
            None => finding,
        })
        .collect()
}

/// A message with addresses that hold the data itself (`data:image/png;base64,…`) cut short.
fn without_data(message: &str) -> String {
    let mut out = String::with_capacity(message.len().min(400));
    let mut rest = message;
    while let Some(at) = rest.find("data:") {
        let (before, data) = rest.split_at(at);
        out.push_str(before);
        let end = data.find(char::is_whitespace).unwrap_or(data.len());
        match data[..end].char_indices().nth(DATA_CHARS) {
            Some((cut, _)) => {
                out.push_str(&data[..cut]);
                out.push('…');
            }
            None => out.push_str(&data[..end]),
        }
        rest = &data[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manuscript;

    fn issue(text: &str) -> (Issue, Vec<Finding>) {
        let parsed = manuscript::read(text, "001.md", "001").unwrap();
        (parsed.issue, parsed.findings)
    }

    #[test]
    fn pictures_without_words_are_one_finding() {
        let (issue, _) =
            issue("# T\n\n![](a.png)\n\n![ ](b.png)\n\n![a plot](c.png)\n\n![](d.png)\n");
        let found = fold(alternative_texts(&issue));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].line, found[0].message.as_str()),
            (Some(3), "image without alt text")
        );
        assert_eq!(found[0].lines, [3, 5, 9], "every line is named");
    }

    #[test]
    fn an_address_that_holds_the_data_is_cut_in_messages() {
        let long = format!("no data:image/png;base64,{} here", "A".repeat(40_000));
        let message = without_data(&long);
        assert!(message.chars().count() < 100, "{message}");
        assert!(
            message.starts_with("no data:image/png;base64,AAA") && message.ends_with("A… here")
        );
        for short in ["data: none", "no such picture: data:x", "metadata:"] {
            assert_eq!(without_data(short), short);
        }
    }

    #[test]
    fn a_letter_without_a_word_is_an_error() {
        for empty in ["", "+++\ntitle = \"T\"\n+++\n", "# T\n\n \n"] {
            let (issue, _) = issue(empty);
            assert_eq!(
                nothing_to_read(&issue).map(|f| f.severity),
                Some(Severity::Error),
                "{empty:?}"
            );
        }
        for full in ["a", "# T\n\n![](a.png)\n", "`x`", "## Only a heading\n"] {
            let (issue, _) = issue(full);
            assert_eq!(nothing_to_read(&issue), None, "{full:?}");
        }
    }

    #[test]
    fn links_with_tags_are_counted() {
        let (issue, _) = issue(
            "# T\n\n[a](https://a.example/?utm_source=x) <https://b.example/?q#utm_source=1>\n\n\
            [c](https://c.example/?a=1&UTM_Medium=y)\n",
        );
        let found = tagged_links(&issue).unwrap();
        assert_eq!(
            (found.line, found.message.as_str()),
            (Some(3), "2 links already carry utm parameters; kept")
        );
    }

    #[test]
    fn a_letter_that_gmail_cuts_is_told_what_to_move() {
        let (issue, _) = issue(&format!(
            "# T\n\n## Short\n\na\n\n## Long\n\n{}\n",
            "word ".repeat(500)
        ));
        assert_eq!(size(&issue, 90 * 1024), None);
        let found = size(&issue, 110 * 1024).unwrap();
        assert_eq!(found.message, "HTML is 110 KB; Gmail cuts at 102 KB");
        assert!(
            found
                .help
                .starts_with("Moving “Long” to the next issue saves about 10"),
            "{}",
            found.help
        );
    }

    #[test]
    fn every_code_belongs_to_one_check_and_notes_spoil_none() {
        let codes: Vec<&str> = CHECKS.iter().flat_map(|c| c.codes).copied().collect();
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
        let note = Finding::new(Severity::Note, "preheader-long", "", "");
        assert_eq!(passed(&[note]).len(), CHECKS.len());
        let warning = Finding::new(Severity::Warning, "link-empty", "", "");
        assert_eq!(passed(&[warning]).len(), CHECKS.len() - 1);
    }

    #[test]
    fn errors_come_first_and_lines_in_order() {
        let at = |severity, line| Finding::new(severity, "x", format!("{line:?}"), "");
        let all = vec![
            Finding {
                line: None,
                ..at(Severity::Warning, 0)
            },
            Finding {
                line: Some(9),
                ..at(Severity::Warning, 9)
            },
            Finding {
                line: Some(12),
                ..at(Severity::Error, 12)
            },
            Finding {
                line: Some(2),
                ..at(Severity::Warning, 2)
            },
        ];
        let lines: Vec<_> = fold(all).into_iter().map(|f| f.line).collect();
        assert_eq!(lines, [Some(12), Some(2), Some(9), None]);
    }
}
