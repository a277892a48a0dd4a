//! Which issue the schedule sends: the newest ready one after the last that was queued.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::List;
use crate::publish::{self, Manuscript, PublishError};

/// An issue that the schedule could send.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Its file.
    pub file: PathBuf,
    /// The file's name without its ending.
    pub slug: String,
    /// What was read; a file whose front matter is malformed is a candidate too, and gets held.
    pub manuscript: Result<Manuscript, PublishError>,
}

impl Candidate {
    /// Its number, where its front matter can be read and has one.
    pub(super) fn number(&self) -> Option<u32> {
        self.manuscript
            .as_ref()
            .ok()
            .and_then(|m| m.issue.meta.number)
    }

    /// Whether it may go out: it is no draft, is for this list, and is not dated in the future.
    fn is_ready(&self, list: &List, now: Timestamp) -> bool {
        let Ok(manuscript) = &self.manuscript else {
            return true;
        };
        let meta = &manuscript.issue.meta;
        !meta.draft
            && meta.list.as_ref().is_none_or(|key| *key == list.key)
            && !meta.is_future(now, &list.zone)
    }
}

/// The newest ready issue of the list's folder that comes after `last`, the slug and number queued last.
///
/// # Errors
/// The folder can't be read.
pub(super) fn newest(
    list: &List,
    last: Option<&(String, Option<u32>)>,
    now: Timestamp,
) -> std::io::Result<Option<Candidate>> {
    let mut best: Option<Candidate> = None;
    for file in files(&list.issues)? {
        let candidate = Candidate {
            slug: publish::slug(&file),
            manuscript: publish::read(&file),
            file,
        };
        let comes_after = last.is_none_or(|(slug, number)| {
            is_of_the_series(&candidate.slug, slug)
                && order(&candidate.slug, candidate.number(), slug, *number) == Ordering::Greater
        });
        let is_newer = best.as_ref().is_none_or(|best| {
            order(
                &candidate.slug,
                candidate.number(),
                &best.slug,
                best.number(),
            ) == Ordering::Greater
        });
        if comes_after && is_newer && candidate.is_ready(list, now) {
            best = Some(candidate);
        }
    }
    Ok(best)
}

/// The issue files of a folder, in the order of their names.
pub(crate) fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden
            && path
                .extension()
                .is_some_and(|ext| ext.eq_ignore_ascii_case("md"))
            && path.is_file()
        {
            files.push(path);
        }
    }
    files.sort_by(|a, b| natural(&publish::slug(a), &publish::slug(b)));
    Ok(files)
}

/// Whether a file can be an issue: where the last one has digits in its name, one without any, such as a README, is not.
fn is_of_the_series(slug: &str, last: &str) -> bool {
    let has_digit = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
    has_digit(slug) || !has_digit(last)
}

/// By number where both have one, else by name.
fn order(a: &str, a_number: Option<u32>, b: &str, b_number: Option<u32>) -> Ordering {
    match (a_number, b_number) {
        (Some(a_number), Some(b_number)) => a_number.cmp(&b_number).then_with(|| natural(a, b)),
        _ => natural(a, b),
    }
}

/// Compares names with runs of digits taken as numbers: `9` before `10`, `issue-2` before `issue-11`.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (a_run, a_rest) = run(a);
        let (b_run, b_rest) = run(b);
        if a_run.is_empty() || b_run.is_empty() {
            return a_run.len().cmp(&b_run.len());
        }
        let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let compared = if digits(a_run) && digits(b_run) {
            let (a_number, b_number) =
                (a_run.trim_start_matches('0'), b_run.trim_start_matches('0'));
            a_number
                .len()
                .cmp(&b_number.len())
                .then_with(|| a_number.cmp(b_number))
        } else {
            a_run.cmp(b_run)
        };
        if compared != Ordering::Equal {
            return compared;
        }
        (a, b) = (a_rest, b_rest);
    }
}

/// The first run of digits, or of anything else, and what follows it.
fn run(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    text.split_at(
        text.find(|c: char| c.is_ascii_digit() != digits)
            .unwrap_or(text.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-30T06:00:00Z".parse().unwrap()
    }

    /// The slug that is chosen from files of (name, front matter).
    fn chosen(files: &[(&str, &str)], last: Option<(&str, Option<u32>)>) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, front) in files {
            std::fs::write(
                folder.path().join(name),
                format!("+++\n{front}\n+++\n\nGood morning.\n"),
            )
            .unwrap();
        }
        let mut list = crate::config::defaults().lists.remove(0);
        list.issues = folder.path().to_owned();
        list.zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let last = last.map(|(slug, number)| (slug.to_owned(), number));
        newest(&list, last.as_ref(), now()).unwrap().map(|c| c.slug)
    }

    #[test]
    fn the_newest_ready_issue_after_the_last_is_chosen() {
        let files = [
            ("001.md", "number = 1"),
            ("002.md", "number = 2"),
            ("003.md", "number = 3"),
            ("004.md", "number = 4\ndraft = true"),
            ("005.md", "number = 5\ndate = 2026-12-01"),
            ("006.md", "number = 6\nlist = \"other\""),
            ("notes.txt", "number = 9"),
        ];
        assert_eq!(
            chosen(&files, Some(("002", Some(2)))).as_deref(),
            Some("003")
        );
        assert_eq!(chosen(&files, Some(("003", Some(3)))), None);
        assert_eq!(chosen(&files, None).as_deref(), Some("003"));
    }

    #[test]
    fn numbers_win_over_names_and_digits_in_names_are_numbers() {
        assert_eq!(
            chosen(&[("z.md", "number = 1"), ("a.md", "number = 2")], None).as_deref(),
            Some("a")
        );
        assert_eq!(
            chosen(
                &[("issue-9.md", ""), ("issue-10.md", "")],
                Some(("issue-8", None))
            )
            .as_deref(),
            Some("issue-10")
        );
        assert_eq!(
            chosen(&[("022.md", ""), ("README.md", "")], Some(("021", None))).as_deref(),
            Some("022")
        );
        assert_eq!(chosen(&[("README.md", "")], Some(("021", Some(21)))), None);
    }

    #[test]
    fn a_date_is_that_of_the_lists_zone() {
        // 23:30 UTC on the 29th is the 30th in Berlin; here it is 06:00 UTC on the 30th.
        assert_eq!(
            chosen(&[("1.md", "date = 2026-11-30")], None).as_deref(),
            Some("1")
        );
        assert_eq!(chosen(&[("1.md", "date = 2026-12-01")], None), None);
    }

    #[test]
    fn drafts_of_other_programs_are_passed_over() {
        for front in [
            "published = false",
            "publish = false",
            "status = \"draft\"",
            "Status = \"hidden\"",
            "draft = \"true\"",
            "draft = \"yes\"",
            "publishDate = 2026-12-24",
            "date = 2026-11-01\npubDate = 2026-12-24",
            "date = \"12/24/2026\"",
            "published = 2026-12-24",
            "[extra]\ndraft = true",
        ] {
            let files = [("1.md", "number = 1"), ("2.md", front)];
            assert_eq!(chosen(&files, None).as_deref(), Some("1"), "{front}");
        }
        for front in [
            "published = true",
            "status = \"published\"",
            "published = 2026-11-01",
        ] {
            let files = [("1.md", "number = 1"), ("2.md", front)];
            assert_eq!(chosen(&files, None).as_deref(), Some("2"), "{front}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_passed_over() {
        let files = [("1.md", "number = 1"), ("2.md", "title = \"unclosed")];
        assert_eq!(chosen(&files, None).as_deref(), Some("2"));
    }

    #[test]
    fn names_are_compared_as_people_do() {
        let mut names = [
            "issue-11",
            "issue-2",
            "issue-02b",
            "issue",
            "10",
            "9",
            "2026-1",
            "2025-12",
        ];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            [
                "9",
                "10",
                "2025-12",
                "2026-1",
                "issue",
                "issue-2",
                "issue-02b",
                "issue-11"
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn the_natural_order_is_an_order(a in "[a-c0-9-]{0,6}", b in "[a-c0-9-]{0,6}", c in "[a-c0-9-]{0,6}") {
            proptest::prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            if natural(&a, &b) != Ordering::Greater && natural(&b, &c) != Ordering::Greater {
                proptest::prop_assert_ne!(natural(&a, &c), Ordering::Greater);
            }
        }
    }
}
