//! `demo --once` delivers every mail into its inbox, and an existing demo is not sent again.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

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

/// Every file below a folder, with its content; links are not followed.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_dir() {
            found.extend(tree(&path));
        }
        let content = if kind.is_file() {
            std::fs::read(&path).unwrap()
        } else {
            Vec::new()
        };
        found.insert(path, content);
    }
    found
}

/// Runs `demo`, which must refuse and leave everything below the folder as it was.
fn refuses(folder: &Path, args: &[&str]) {
    let before = tree(folder);
    let ended = run(
        folder,
        &[&["demo", "--once", "--subscribers", "1"], args].concat(),
    );
    assert_eq!(ended.code, 2, "{args:?}: {}{}", ended.out, ended.err);
    assert!(
        ended
            .err
            .contains("Choose an empty or a new folder with --dir"),
        "{args:?}: {}",
        ended.err
    );
    assert_eq!(tree(folder), before, "{args:?}: something was written");
}

#[test]
fn a_folder_that_no_demo_made_is_refused_before_a_byte_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, content) in [
        ("issues/001.md", "# One\n"),
        (
            "letterpress.toml",
            "[relay.main]\nhost = \"127.0.0.1\"\nport = 25\n",
        ),
        ("letterpress.db", "not looked into"),
        (".git/HEAD", "ref: refs/heads/main\n"),
        ("subscribers.csv", "email\nann@readers.example\n"),
        ("other.toml", "[web]\n"),
    ] {
        let dir = path("one").join(name.rsplit_once('/').map_or("", |(dir, _)| dir));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(path("one").join(name), content).unwrap();
        refuses(folder.path(), &["--dir", "one"]);
        std::fs::remove_dir_all(path("one")).unwrap();
    }

    std::fs::create_dir_all(path("real/issues")).unwrap();
    symlink("real", path("demo")).unwrap();
    refuses(folder.path(), &[]);
    refuses(&path("real"), &["--dir", "."]);
    std::fs::remove_file(path("demo")).unwrap();
    std::fs::write(path("demo"), "a file").unwrap();
    refuses(folder.path(), &[]);
}

#[test]
fn a_demo_that_became_a_real_newsletter_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("demo")).unwrap();
    let made = run(folder.path(), &["demo", "--once", "--subscribers", "1"]);
    assert_eq!(
        made.code, 0,
        "an empty folder is fine: {}{}",
        made.out, made.err
    );

    let settings = folder.path().join("demo/letterpress.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        std::fs::write(&settings, text.replace(from, to)).unwrap();
        refuses(folder.path(), &[]);
        std::fs::write(&settings, &text).unwrap();
    };
    change("host = \"127.0.0.1\"", "host = \"smtp.example.org\"");
    change("path = \"letterpress.db\"", "path = \"../real.db\"");
    change(
        "public_url = \"http://127.0.0.1",
        "public_url = \"http://letters.example.org",
    );

    let database = folder.path().join("demo/letterpress.db");
    std::fs::rename(&database, folder.path().join("real.db")).unwrap();
    symlink("../real.db", &database).unwrap();
    refuses(folder.path(), &[]);
    std::fs::remove_file(&database).unwrap();
    std::fs::rename(folder.path().join("real.db"), &database).unwrap();

    std::fs::remove_file(folder.path().join("demo/.letterpress-demo")).unwrap();
    refuses(folder.path(), &[]);
}
