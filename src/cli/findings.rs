//! Findings as people read them: `path:line`, the weight, what it is, and what to do about it.

use crate::model::{Finding, Severity};
use crate::stdio;

use super::layout::wrap;
use super::terminal::Paint;

/// Beyond this, what follows the place is set in by less, so that words keep their room.
const WIDEST_PLACE: usize = 36;

/// The number of further lines that are named.
const NAMED_LINES: usize = 4;
/// The most characters of a word without a space that are shown: an address longer than this tells nobody more.
const LONGEST_WORD: usize = 300;

/// How many there are of each weight, such as `1 error, 2 warnings`; empty where there are none.
pub(super) fn sum(findings: &[Finding]) -> String {
    [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ]
    .into_iter()
    .filter_map(|(severity, word)| {
        let n = findings.iter().filter(|f| f.severity == severity).count();
        (n > 0).then(|| format!("{n} {word}{}", if n == 1 { "" } else { "s" }))
    })
    .collect::<Vec<_>>()
    .join(", ")
}

/// Whether one of them is an error.
pub(super) fn any_error(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Error)
}

/// The errors alone, as warnings: where nothing is sent, they stop nothing.
pub(super) fn errors_as_warnings(findings: &[Finding]) -> Vec<Finding> {
    let errors = findings.iter().filter(|f| f.severity == Severity::Error);
    errors
        .map(|f| Finding {
            severity: Severity::Warning,
            ..f.clone()
        })
        .collect()
}

/// All findings, each with its help below.
pub(super) fn listing(findings: &[Finding], paint: Paint) -> String {
    let place = |f: &Finding| {
        let file = stdio::one_line(&f.file);
        f.line
            .map_or_else(|| file.to_string(), |line| format!("{file}:{line}"))
    };
    let widest = findings
        .iter()
        .map(|f| place(f).chars().count())
        .max()
        .unwrap_or(0);
    let indent = if widest <= WIDEST_PLACE {
        widest + 2 + "warning  ".len()
    } else {
        4
    };
    let mut out = String::new();
    for finding in findings {
        let (word, shown) = match finding.severity {
            Severity::Error => ("error", paint.error("error")),
            Severity::Warning => ("warning", paint.warning("warning")),
            Severity::Note => ("note", "note".to_owned()),
        };
        let mut head = place(finding);
        if widest <= WIDEST_PLACE {
            head = format!("{head:widest$}");
        }
        // Wrapped with the bare word, and painted afterwards: escape codes have no width.
        let bare = format!("{head}  {word:7}  ");
        let painted = format!("{head}  {shown}{}", &bare[head.len() + 2 + word.len()..]);
        let said = format!("{}{}", finding.message, further_lines(finding));
        let message = wrap(&stdio::one_line(&shortened(&said)), &bare, indent);
        out.push_str(&painted);
        out.push_str(&message[bare.len()..]);
        out.push('\n');
        if !finding.help.is_empty() {
            out.push_str(&wrap(&finding.help, &" ".repeat(indent), indent));
            out.push('\n');
        }
    }
    out
}

/// The lines beside the first, as far as they are named.
fn further_lines(finding: &Finding) -> String {
    let mut others = finding
        .lines
        .iter()
        .filter(|line| Some(**line) != finding.line);
    let named: Vec<String> = others
        .by_ref()
        .take(NAMED_LINES)
        .map(usize::to_string)
        .collect();
    if named.is_empty() {
        return String::new();
    }
    let more = if others.next().is_some() { ", …" } else { "" };
    format!("; also {}{more}", named.join(", "))
}

/// A message with words cut that fill whole screens.
fn shortened(message: &str) -> String {
    message
        .split(' ')
        .map(|word| match word.char_indices().nth(LONGEST_WORD) {
            Some((cut, _)) => format!("{}…", &word[..cut]),
            None => word.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::layout::COLUMNS;
    use super::*;

    fn finding(severity: Severity, line: Option<usize>, message: &str, help: &str) -> Finding {
        let mut finding = Finding::new(severity, "code", message, help);
        finding.file = "issues/022.md".into();
        finding.line = line;
        finding
    }

    #[test]
    fn findings_stand_in_columns() {
        let alt = "image without alt text";
        let help = "Write it between the brackets: ![a plot of …](…)";
        let mut findings = vec![finding(
            Severity::Error,
            Some(46),
            "no such picture: contrastive.png",
            "Put it beside the issue, or remove the line.",
        )];
        findings.push(
            finding(Severity::Warning, None, alt, help).at_lines(vec![39, 85, 92, 99, 106, 120]),
        );
        findings.push(finding(
            Severity::Note,
            None,
            "HTML is 96 KB; Gmail cuts at 102 KB",
            "",
        ));
        assert_eq!(
            listing(&findings, Paint::bare()),
            "issues/022.md:46  error    no such picture: contrastive.png\n\
             \x20                          Put it beside the issue, or remove the line.\n\
             issues/022.md:39  warning  image without alt text; also 85, 92, 99, 106, …\n\
             \x20                          Write it between the brackets: ![a plot of …](…)\n\
             issues/022.md     note     HTML is 96 KB; Gmail cuts at 102 KB\n"
        );
        assert_eq!(sum(&findings), "1 error, 1 warning, 1 note");
    }

    #[test]
    fn an_address_of_many_screens_is_cut() {
        let message = format!(
            "this link looks broken: https://a.example/{}",
            "x".repeat(9000)
        );
        let text = listing(
            &[finding(Severity::Warning, Some(1), &message, "")],
            Paint::bare(),
        );
        assert!(text.len() < 500 && text.contains('…'), "{text}");
    }

    #[test]
    fn nothing_is_wider_than_eighty_columns_where_words_allow() {
        let long = "a sentence that goes on and on, ".repeat(5);
        for file in [
            "issues/022.md",
            "/a/very/long/path/to/some/folder/of/letters/issues/022.md",
        ] {
            let mut one = finding(Severity::Error, Some(7), &long, &long);
            one.file = file.into();
            let text = listing(&[one], Paint::bare());
            assert!(
                text.lines().all(|line| line.chars().count() <= COLUMNS),
                "{text}"
            );
        }
    }
}
