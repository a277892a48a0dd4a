//! `demo --once` delivers every mail into its inbox, and an existing demo is not sent again.

use std::path::Path;

use crate::newsletter::run;
use crate::received;

fn inbox(folder: &Path) -> Vec<Vec<u8>> {
    let mails = std::fs::read_dir(folder.join("demo/inbox/new")).unwrap();
    mails
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn every_mail_arrives_and_nobody_gets_it_twice() {
    let folder = tempfile::tempdir().unwrap();
    let first = run(folder.path(), &["demo", "--once", "--json"]);
    assert_eq!(first.code, 0, "{}{}", first.out, first.err);
    let totals = first.json().pop().unwrap();
    assert_eq!(
        (
            totals["state"].as_str(),
            totals["planned"].as_u64(),
            totals["sent"].as_u64()
        ),
        (Some("done"), Some(12), Some(12))
    );
    assert!(
        totals["rate_per_s"].as_f64().unwrap() > 0.0
            && totals["inbox"]
                .as_str()
                .unwrap()
                .starts_with("http://127.0.0.1:")
    );

    let mails = inbox(folder.path());
    let mut people: Vec<String> = mails
        .iter()
        .map(|raw| received::to(&received::parse(raw)))
        .collect();
    people.sort();
    people.dedup();
    assert_eq!(people.len(), 12);
    assert!(
        people.iter().any(|who| !who.is_ascii()),
        "one address needs SMTPUTF8: {people:?}"
    );
    for name in [
        "letterpress.toml",
        "letterpress.db",
        "subscribers.csv",
        "issues/022.md",
        "issues/023.md",
    ] {
        assert!(
            folder.path().join("demo").join(name).exists(),
            "demo left no {name}"
        );
    }

    let again = run(folder.path(), &["demo", "--once", "--json"]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert_eq!(inbox(folder.path()).len(), 12);
}

#[test]
fn the_summary_is_drawn_as_people_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let shown = run(folder.path(), &["demo", "--once", "--subscribers", "3"]);
    assert_eq!(shown.code, 0, "{}{}", shown.out, shown.err);
    for line in [
        "  Akira's Machine Learning News, No. 22",
        "  subscribers  3 imported, 0 rejected",
        "  sent          3",
        "              ═══",
        "  planned       3",
    ] {
        assert!(
            shown.out.lines().any(|shown| shown.starts_with(line)),
            "“{line}” is not in\n{}",
            shown.out
        );
    }
    assert!(
        shown.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        shown.out
    );
}

#[test]
fn a_wrong_file_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["demo", "--once", "--issue", "nowhere.md"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("nowhere.md"), "{}", ended.err);
    assert!(!folder.path().join("demo").exists());
}
