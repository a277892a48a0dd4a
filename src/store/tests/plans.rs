//! How SQLite does what runs while mails go out: by a key or an index, whatever the number of people.

use crate::store::testing::{column, open, plan};
use crate::store::{commit_batch, deliveries, fanout, issues, steering, system_mails, unconfirmed};

/// Steps that may walk: through what a statement was given or made itself, through the few issues, and to the first
/// row of a table of which no more is asked than whether it is empty.
const SMALL: [&str; 7] = [
    "SCAN j VIRTUAL TABLE",
    "SCAN told",
    "SCAN wanted",
    "SCAN q",
    "SCAN issue",
    "SCAN CONSTANT ROW",
    "SCAN suppression",
];

/// Walks that no index shortens.
fn walks(plan: &str) -> Vec<&str> {
    let is_small = |step: &str| SMALL.iter().any(|small| step.starts_with(small));
    let walk = |step: &&str| {
        (step.starts_with("SCAN") && !is_small(step))
            || step.contains("B-TREE")
            || step.contains("AUTOMATIC")
    };
    plan.lines().filter(walk).collect()
}

#[tokio::test]
async fn nothing_that_runs_while_mails_go_out_walks_through_a_table() {
    let (_dir, store) = open().await;
    let hot = deliveries::HOT
        .into_iter()
        .chain(commit_batch::PER_MAIL)
        .chain(commit_batch::AT_START)
        .chain(steering::HOT)
        .chain(system_mails::HOT)
        .chain(unconfirmed::HOT)
        .chain([fanout::PART]);
    for sql in hot {
        let plan = plan(&store, sql).await;
        assert!(walks(&plan).is_empty(), "{sql}:\n{plan}");
    }
}

#[tokio::test]
async fn who_is_next_is_found_by_the_whole_index() {
    let (_dir, store) = open().await;
    for (sql, by) in deliveries::HOT.into_iter().zip([
        "delivery_live (issue_id=? AND state=? AND next_at>? AND next_at<?)",
        "delivery_live (issue_id=? AND state=? AND next_at=? AND subscriber_id>?)",
        "delivery_live (issue_id=? AND state=?)",
        "delivery_live (issue_id=? AND state=? AND next_at>?)",
        "PRIMARY KEY (issue_id=? AND subscriber_id>?)",
        "SEARCH d USING PRIMARY KEY (issue_id=? AND subscriber_id=?)",
    ]) {
        let plan = plan(&store, sql).await;
        assert!(plan.contains(by), "{sql} goes not by {by}:\n{plan}");
    }
    for sql in commit_batch::PER_MAIL {
        let plan = plan(&store, sql).await;
        assert!(
            plan.contains("SEARCH d USING PRIMARY KEY (issue_id=? AND subscriber_id=?)"),
            "{sql}:\n{plan}"
        );
    }
    for (sql, by) in commit_batch::AT_START.into_iter().zip([
        "PRIMARY KEY (issue_id=?)",
        "system_mail_in_flight (state=?)",
    ]) {
        let plan = plan(&store, sql).await;
        assert!(plan.contains(by), "{sql} goes not by {by}:\n{plan}");
    }
    for (sql, by) in system_mails::HOT.into_iter().zip([
        "system_mail_waiting (id>?)",
        "system_mail_live (state=? AND next_at>?)",
    ]) {
        let plan = plan(&store, sql).await;
        assert!(plan.contains(by), "{sql} goes not by {by}:\n{plan}");
    }
    let plan = plan(&store, fanout::PART).await;
    assert!(
        plan.contains("PRIMARY KEY (list_id=? AND subscriber_id>?)"),
        "{plan}"
    );
}

#[tokio::test]
async fn confirmations_that_wait_for_their_time_are_passed_over_by_the_index_alone() {
    let (_dir, store) = open().await;
    let known = column(
        &store,
        "SELECT name FROM pragma_index_info('system_mail_waiting')",
    )
    .await;
    let (_, asked) = system_mails::HOT[0].split_once("WHERE").unwrap();
    for (_, after) in asked
        .match_indices("m.")
        .map(|(at, _)| asked.split_at(at + 2))
    {
        let name: String = after
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '_')
            .collect();
        assert!(
            known.contains(&name),
            "{name} is read from the row, with its content"
        );
    }
}

#[tokio::test]
async fn totals_are_read_from_the_issue_and_never_counted() {
    let (_dir, store) = open().await;
    let plan = plan(&store, &format!("{} WHERE i.id = ?", issues::COLUMNS)).await;
    assert_eq!(
        plan,
        "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)\nSEARCH l USING INTEGER PRIMARY KEY (rowid=?)"
    );
}

#[test]
fn a_walk_is_noticed() {
    assert_eq!(
        walks("SCAN d\nSEARCH p USING INTEGER PRIMARY KEY (rowid=?)"),
        ["SCAN d"]
    );
    assert_eq!(
        walks("SEARCH d USING INDEX x (a=?)\nUSE TEMP B-TREE FOR ORDER BY").len(),
        1
    );
}
