//! SIGKILL at each step of `subscribers import`: of each batch everything is kept or nothing, and whoever runs it once
//! more has everybody once.

use std::collections::BTreeMap;

use crate::killed_command::kill_at_each_step;
use crate::stage::Stage;

/// A batch and one more, so that a kill falls between two commits.
const PEOPLE: usize = 5_001;
/// People a transaction.
const BATCH: usize = 5_000;

/// A file with somebody who is there under another name, somebody who left, and others who are new.
fn file_of_people(stage: &mut Stage) {
    stage
        .newsletter
        .ok(&["subscribers", "remove", "reader1@readers.example", "--yes"]);
    let mut rows = String::from(
        "email,name,tags\nreader0@readers.example,Renamed,\nreader1@readers.example,,\n",
    );
    for n in 2..PEOPLE {
        rows.push_str(&format!("new{n}@readers.example,New {n},\"one,two\"\n"));
    }
    std::fs::write(stage.newsletter.path().join("more.csv"), rows).unwrap();
}

#[test]
fn an_import_that_is_killed_is_completed_by_another() {
    let args = [
        "subscribers",
        "import",
        "more.csv",
        "--list",
        "weekly",
        "--yes",
    ];
    kill_at_each_step(&args, file_of_people, |stage, is_whole, context| {
        let exported = stage.newsletter.ok(&["subscribers", "export"]).out;
        let people: BTreeMap<&str, &str> = exported
            .lines()
            .skip(1)
            .filter_map(|row| row.split_once(','))
            .collect();
        assert_eq!(
            people.len(),
            exported.lines().count() - 1,
            "{context}: somebody stands there twice"
        );
        let new = people.iter().filter(|(email, _)| email.starts_with("new"));
        for (email, rest) in new.clone() {
            let whole = format!(
                "New {},weekly,active,\"one,two\",",
                &email["new".len()..email.find('@').unwrap()]
            );
            assert!(rest.starts_with(&whole), "{context}: {email},{rest}");
        }
        let taken = new.count();
        assert!(
            [0, BATCH - 2, PEOPLE - 2].contains(&taken),
            "{context}: {taken} are new"
        );
        assert!(
            taken == PEOPLE - 2 || !is_whole,
            "{context}: {taken} are new"
        );
        let name = if taken > 0 { "Renamed," } else { "Reader," };
        assert!(
            people["reader0@readers.example"].starts_with(name),
            "{context}: {}",
            people["reader0@readers.example"]
        );
        let who_left = people["reader1@readers.example"];
        assert!(who_left.contains(",unsubscribed,"), "{context}: {who_left}");
        // Each new one has agreed once, and nothing was noted of the others.
        assert_eq!(stage.consents_by_import(), 8 + taken, "{context}");
    });
}
