//! The file of the next issue, from that of the last one: the number counts up, the date is new, front matter keeps its
//! style, and headings are kept with nothing below them.

use jiff::civil::Date;

use super::fields::Fields;
use super::front_matter::{self, Entry, Front, Style, Value};
use super::headings::{self, folded};
use super::lines::Lines;
use super::markdown::{Stretch, stretches};
use super::reader::Reader;
use super::tidy::TopBlock;
use super::{date, number, parts, site_keys};
use crate::model::Finding;
use crate::model::issue::{Block, plain};

/// The comment after `draft = true` in a new file.
const DRAFT_REMARK: &str = "the schedule skips this issue until this line is removed";

/// The text of the next issue, begun from the text of the last one.
///
/// It is a draft, so the schedule does not send it before its author removes that line.
///
/// # Errors
/// The front matter of the last issue is malformed.
pub(crate) fn text(last: &str, date: Date) -> Result<String, Vec<Finding>> {
    let parsed = super::read(last, "", "")?;
    let last = super::normalise(last);
    let front = front_matter::split(&last).map_err(|f| vec![*f])?;
    let number = parsed.issue.meta.number;
    let mut out = match &front {
        Some(front) => next_front(front, number, date)?,
        None => format!("+++\ndraft = true  # {DRAFT_REMARK}\n+++\n"),
    };
    for kept in skeleton(front.map_or(last.as_str(), |f| f.body)) {
        out.push('\n');
        match kept {
            Kept::Title(title) => out.push_str(&counted_up(&title, number)),
            Kept::Date(line) => out.push_str(&date::rewritten(&line, date).unwrap_or(line)),
            Kept::Same(text) => out.push_str(&text),
        }
        out.push('\n');
    }
    Ok(out)
}

/// The slug of the next issue: the last run of digits counts up and keeps its width; without digits, the date.
pub(crate) fn slug(last: &str, date: Date) -> String {
    let Some(end) = last.rfind(|c: char| c.is_ascii_digit()).map(|at| at + 1) else {
        return date.to_string();
    };
    let start = last[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| {
            at + last[at..].chars().next().map_or(1, char::len_utf8)
        });
    let digits = &last[start..end];
    match digits.parse::<u64>() {
        Ok(number) => {
            let width = digits.len();
            format!("{}{:0width$}{}", &last[..start], number + 1, &last[end..])
        }
        Err(_) => date.to_string(),
    }
}

/// A title with its number counted up by one.
fn counted_up(title: &str, number: Option<u32>) -> String {
    number.map_or_else(
        || title.to_owned(),
        |n| number::renumbered(title, n, n.saturating_add(1)),
    )
}

/// Front matter with what changes from issue to issue made new, fences and all.
fn next_front(front: &Front, number: Option<u32>, date: Date) -> Result<String, Vec<Finding>> {
    let entries = front.entries()?.list;
    if front.style == Style::Json {
        return Ok(next_json(&entries, front, number, date));
    }
    let lines: Vec<&str> = front.inner.split_inclusive('\n').collect();
    let place = |line: usize| (line - front.line).min(lines.len());
    let mut out = String::new();
    let first = entries.first().map_or(lines.len(), |e| place(e.line));
    lines[..first].iter().for_each(|line| out.push_str(line));
    for (at, entry) in entries.iter().enumerate() {
        let end = entries
            .get(at + 1)
            .map_or(lines.len(), |next| place(next.line));
        let own = &lines[place(entry.line).min(end)..end];
        match renewed(entry, number, date) {
            None => own.iter().for_each(|line| out.push_str(line)),
            Some(value) => {
                out.push_str(&written(front.style, &entry.key, &value));
                // Comments and empty lines below a key stay where they are.
                let remarks = own
                    .iter()
                    .skip(1)
                    .rev()
                    .take_while(|l| l.trim().is_empty() || l.starts_with('#'));
                let mut remarks: Vec<&&str> = remarks.collect();
                remarks.reverse();
                remarks.into_iter().for_each(|line| out.push_str(line));
            }
        }
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    if !entries
        .iter()
        .any(|e| front_matter::normal(&e.key) == "draft")
    {
        let key = if front.style == Style::Bare && out.starts_with(|c: char| c.is_uppercase()) {
            "Draft"
        } else {
            "draft"
        };
        out.push_str(&written(front.style, key, &New::True));
    }
    Ok(match front.style {
        Style::Toml => format!("+++\n{out}+++\n"),
        Style::Yaml => format!("---\n{out}---\n"),
        Style::Bare | Style::Json => out,
    })
}

/// A JSON object, a key a line, with what changes made new.
fn next_json(entries: &[Entry], front: &Front, number: Option<u32>, date: Date) -> String {
    let Ok(serde_json::Value::Object(old)) = serde_json::from_str(front.inner) else {
        return "{\n  \"draft\": true\n}\n".to_owned();
    };
    let mut lines = Vec::new();
    for entry in entries {
        let value = match renewed(entry, number, date) {
            Some(New::Text(text) | New::Bare(text)) => match text.parse::<u32>() {
                Ok(number) => number.into(),
                Err(_) => text.into(),
            },
            Some(New::True) => true.into(),
            None => old.get(&entry.key).cloned().unwrap_or_default(),
        };
        let key = serde_json::Value::from(entry.key.as_str());
        lines.push(format!("  {key}: {value}"));
    }
    if !old.keys().any(|key| front_matter::normal(key) == "draft") {
        lines.push("  \"draft\": true".to_owned());
    }
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// A new value.
enum New {
    Text(String),
    /// A number or a date, which TOML writes without quotation marks.
    Bare(String),
    True,
}

/// The new value of a key; `None`: it stays as it is.
fn renewed(entry: &Entry, number: Option<u32>, date: Date) -> Option<New> {
    let Value::Text(old) = &entry.value else {
        return match front_matter::normal(&entry.key).as_str() {
            "draft" => Some(New::True),
            "cover" => Some(New::Text(String::new())),
            _ => None,
        };
    };
    match front_matter::normal(&entry.key).as_str() {
        "number" => Some(New::Bare(number?.saturating_add(1).to_string())),
        "title" => Some(New::Text(counted_up(old, number))),
        "date" => {
            let time = old
                .get(10..)
                .filter(|t| t.starts_with(['T', ' ']) && t.contains(':'))
                .unwrap_or_default();
            Some(New::Bare(format!("{date}{time}")))
        }
        "subject" | "preheader" | "cover" => Some(New::Text(String::new())),
        "draft" => Some(New::True),
        _ if site_keys::is_date(&entry.key) => Some(New::Bare(date.to_string())),
        _ => None,
    }
}

/// A key with its value, as a style writes it.
fn written(style: Style, key: &str, value: &New) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    match (style, value) {
        (Style::Toml, New::Text(text)) => format!("{key} = {}\n", quoted(text)),
        (Style::Toml, New::Bare(text)) => format!("{key} = {text}\n"),
        (Style::Toml, New::True) => format!("{key} = true  # {DRAFT_REMARK}\n"),
        (Style::Yaml | Style::Json, New::Text(text)) => format!("{key}: {}\n", quoted(text)),
        (Style::Yaml | Style::Json, New::Bare(text)) => format!("{key}: {text}\n"),
        (Style::Yaml | Style::Json, New::True) => format!("{key}: true  # {DRAFT_REMARK}\n"),
        (Style::Bare, New::Text(text) | New::Bare(text)) => {
            format!("{key}: {text}\n").replace(": \n", ":\n")
        }
        (Style::Bare, New::True) => format!("{key}: true\n"),
    }
}

/// A stretch of the last file that the next one has again.
#[derive(Clone, Debug, PartialEq)]
enum Kept {
    /// The heading with the title; its number counts up.
    Title(String),
    /// A line with the date of the issue.
    Date(String),
    /// Something that stays as it is.
    Same(String),
}

/// Finds what the next issue has again of a body, in reading order.
fn skeleton(body: &str) -> Vec<Kept> {
    let (text, fields) = Fields::take(body);
    let stretches = stretches(&text, &mut Reader::new(&fields, 0, Lines::default()));
    let after_title = stretches.iter().skip(1).flat_map(|s| &s.blocks);
    let tops: Vec<TopBlock> = after_title
        .map(|block| TopBlock {
            block: block.clone(),
            line: 0,
        })
        .collect();
    let level = parts::section_level(&tops);
    let titles: Vec<String> = stretches
        .iter()
        .filter_map(|s| heading(s).map(|(_, t)| folded(&t)))
        .collect();

    let lines: Vec<&str> = body.split('\n').collect();
    let mut out = Vec::new();
    // Whether the section that this is in is kept as a whole.
    let mut whole = false;
    let mut dated = false;
    for (at, stretch) in stretches.iter().enumerate() {
        let source = lines[stretch.lines.clone()]
            .join("\n")
            .trim_end()
            .to_owned();
        match heading(stretch) {
            Some((1, _)) if at == 0 => out.push(Kept::Title(source)),
            Some((its, title)) => {
                if its <= level {
                    let title = folded(&title);
                    whole = headings::calls_to_subscribe(&title) || headings::is_about(&title);
                }
                out.push(Kept::Same(source));
            }
            None if matches!(stretch.blocks.as_slice(), [] | [Block::Rule]) => {}
            None if whole || is_contents(stretch, &titles) => out.push(Kept::Same(source)),
            None if !dated && is_date(stretch) => {
                dated = true;
                out.push(Kept::Date(source));
            }
            None => {}
        }
    }
    out
}

/// The level and words of a heading that is not an item.
fn heading(stretch: &Stretch) -> Option<(u8, String)> {
    match stretch.blocks.first() {
        Some(Block::Heading { level, inlines }) if parts::item_heading(inlines).is_none() => {
            Some((*level, plain(inlines)))
        }
        _ => None,
    }
}

fn is_date(stretch: &Stretch) -> bool {
    matches!(stretch.blocks.first(), Some(Block::Paragraph(inlines)) if date::leading(&plain(inlines)).is_some())
}

/// Whether a list names the headings of the issue.
fn is_contents(stretch: &Stretch, titles: &[String]) -> bool {
    let titles: Vec<(usize, String)> = titles
        .iter()
        .map(|t| {
            (
                0,
                t.trim_start_matches(|c: char| c.is_ascii_digit())
                    .to_owned(),
            )
        })
        .collect();
    stretch
        .blocks
        .first()
        .is_some_and(|block| parts::names_sections(block, &titles))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manuscript;

    const DAY: Date = jiff::civil::date(2026, 11, 30);

    #[test]
    fn toml_goes_on() {
        let last = "+++\n# about the letter\ntitle = \"Proof #22\"\nnumber = 22\ndate = 2021-07-25\nsubject = \"Old\"\n\
            flavour = [\n  \"kept\",\n]\n+++\n\nHello.\n\n## 1. Tools\n\n### [An item](https://a.example)\n\nText.\n\n\
            ## About me\n\nI print.\n";
        let want = "+++\n# about the letter\ntitle = \"Proof #23\"\nnumber = 23\ndate = 2026-11-30\nsubject = \"\"\n\
            flavour = [\n  \"kept\",\n]\ndraft = true  # the schedule skips this issue until this line is removed\n+++\n\n\
            ## 1. Tools\n\n## About me\n\nI print.\n";
        assert_eq!(text(last, DAY).unwrap(), want);
    }

    #[test]
    fn bare_lines_and_yaml_keep_their_style() {
        let bare = text(
            "Title: The Week 75\nDate: 2015-03-23 07:00\nTags: a\n\n# One\n\nx\n\n# Two\n\ny\n",
            DAY,
        )
        .unwrap();
        assert_eq!(
            bare,
            "Title: The Week 76\nDate: 2026-11-30 07:00\nTags: a\nDraft: true\n\n# One\n\n# Two\n"
        );
        let yaml = text("---\ntitle: 'It''s \"5\"'\nnumber: 5\n---\n\ntext\n", DAY).unwrap();
        assert!(
            yaml.starts_with("---\ntitle: \"It's \\\"6\\\"\"\nnumber: 6\ndraft: true"),
            "{yaml}"
        );
        let again = manuscript::read(&yaml, "", "").unwrap().issue.meta;
        assert_eq!(
            (again.title.as_str(), again.number, again.draft),
            ("It's \"6\"", Some(6), true)
        );
    }

    #[test]
    fn without_front_matter_title_date_and_contents_are_found_in_the_text() {
        let last = "# 新闻— #22\n\n2021 年 7 月 25 日一周总结\n\n旧\n\n1. 特稿\n2. 报纸\n\n# 1.特稿\n\n旧\n\n# 2.报纸\n\n旧\n";
        let next = text(last, DAY).unwrap();
        let want = "# 新闻— #23\n\n2026 年 11 月 30 日一周总结\n\n1. 特稿\n2. 报纸\n\n# 1.特稿\n\n# 2.报纸\n";
        assert!(next.ends_with(want), "{next}");
        assert!(manuscript::read(&next, "", "").unwrap().issue.meta.draft);
    }

    #[test]
    fn slugs_rise() {
        for (last, want) in [
            ("022", "023"),
            ("issue-99", "issue-100"),
            ("2021-w07-x", "2021-w08-x"),
            ("new", "2026-11-30"),
        ] {
            assert_eq!(slug(last, DAY), want);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_can_be_read_goes_on(text in "(\\+\\+\\+\n|---\n|title|number|[:=# \"\n\\[\\]()0-9>*-]|[a-z]{1,5}|年|月){0,60}") {
            if let Ok(next) = super::text(&text, DAY) {
                let meta = manuscript::read(&next, "", "").map(|p| p.issue.meta);
                proptest::prop_assert!(meta.is_ok_and(|m| m.draft), "{}", next);
            }
        }
    }
}
