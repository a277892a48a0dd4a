//! A database is never mistaken for another: copies that are put back are held, one that is gone is not made anew, and a
//! daemon notices where its files are moved or deleted under it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::newsletter::{Newsletter, until};
use crate::server::{At, Do, Server};

/// A server that takes its time, and a newsletter that sends to it.
async fn slowly() -> (Server, Newsletter) {
    let server = Server::start(|at, _, _| {
        if at == At::Dot {
            Do::Wait(Duration::from_millis(20))
        } else {
            Do::Usual
        }
    })
    .await;
    let newsletter = Newsletter::new(&format!(
        "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nconnections = 2",
        server.address.port()
    ));
    (server, newsletter)
}

fn health(newsletter: &Newsletter) -> (u16, String) {
    crate::web::get(newsletter.web, "/healthz")
        .map_or((0, String::new()), |answer| (answer.status, answer.body))
}

fn remove(folder: &Path, names: &[&str]) {
    for name in names {
        let _ = std::fs::remove_file(folder.join(name));
    }
}

/// How many mails each reader got, at the most.
fn most_per_reader(server: &Server, readers: &[String]) -> usize {
    let mails = server.mails();
    let got = |reader: &String| mails.iter().filter(|mail| mail.rcpt == *reader).count();
    readers.iter().map(got).max().unwrap_or(0)
}

fn state_of(newsletter: &Newsletter) -> Value {
    newsletter.totals()["state"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_in_mid_send_that_is_put_back_by_hand_sends_to_nobody_until_its_author_says_so() {
    let (server, mut newsletter) = slowly().await;
    let folder = newsletter.path();
    let readers = newsletter.people(40);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    newsletter.serve();
    until("some mails", || server.mails().len() >= 5);
    newsletter.ok(&["backup", "copy.db"]);
    until("the end", || state_of(&newsletter) == "done");
    assert_eq!(newsletter.stop(), 0);
    remove(
        &folder,
        &["letterpress.db", "letterpress.db-wal", "letterpress.db-shm"],
    );
    std::fs::rename(folder.join("copy.db"), folder.join("letterpress.db")).unwrap();

    newsletter.serve();
    until("the hold", || state_of(&newsletter) == "held");
    assert!(newsletter.log().contains("backup"), "{}", newsletter.log());
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(most_per_reader(&server, &readers), 1);
    assert_eq!(newsletter.stop(), 0);
    let told = newsletter.ok(&["deliveries"]);
    assert!(told.out.contains("may have been"), "{}", told.out);
    assert!(told.err.is_empty(), "it is told once: {}", told.err);
    // Replacing it would send it to everybody as well.
    assert_eq!(newsletter.run(&["send", "issues/001.md", "--yes"]).code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_knows_who_has_it_already_and_who_left() {
    let (server, mut newsletter) = slowly().await;
    let folder = newsletter.path();
    let readers = newsletter.people(40);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    newsletter.serve();
    until("some mails", || server.mails().len() >= 5);
    newsletter.ok(&["backup", "copy.db"]);
    let refused = newsletter.run(&["restore", "copy.db", "--yes"]);
    assert_eq!(refused.code, 2, "{}", refused.out);
    let pid = format!("pid {}", newsletter.pid());
    assert!(refused.err.contains(&pid), "{}", refused.err);
    until("the end", || state_of(&newsletter) == "done");
    newsletter.ok(&["subscribers", "remove", &readers[3], "--yes"]);
    assert_eq!(newsletter.stop(), 0);

    assert_eq!(newsletter.run(&["restore", "copy.db"]).code, 2, "it asks");
    let done = newsletter.ok(&["restore", "copy.db", "--yes", "--json"]);
    let done = &done.json()[0];
    assert_eq!(done["held"], serde_json::json!(["001"]));
    assert_eq!(
        (&done["left"], &done["present"]),
        (&1.into(), &"read".into())
    );
    assert_eq!(done["sent_since"][0]["people"], 40);
    assert!(folder.join("copy.db").exists() && Path::new(done["kept"].as_str().unwrap()).exists());
    let person = newsletter.ok(&["subscribers", "show", &readers[3], "--json"]);
    assert_eq!(person.json()[0]["state"], "unsubscribed");
    assert_eq!(state_of(&newsletter), "held");
    newsletter.ok(&["resume", "1"]);
    newsletter.serve();
    until("the end", || state_of(&newsletter) == "done");
    assert_eq!(newsletter.totals()["sent"], 40);
    assert_eq!(newsletter.stop(), 0);
    assert_eq!(most_per_reader(&server, &readers), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_moved_away_stops_the_send_and_is_not_made_anew() {
    let (server, mut newsletter) = slowly().await;
    let folder = newsletter.path();
    let readers = newsletter.people(200);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    newsletter.serve();
    until("some mails", || server.mails().len() >= 5);
    let away = folder.join("away");
    std::fs::create_dir(&away).unwrap();
    let files = ["letterpress.db", "letterpress.db-wal", "letterpress.db-shm"];
    for name in files {
        std::fs::rename(folder.join(name), away.join(name)).unwrap();
    }
    until("the daemon to notice", || health(&newsletter).0 == 503);
    assert!(health(&newsletter).1.contains("moved away"));
    for args in [
        &["deliveries"][..],
        &["deliveries", "1"],
        &["pause", "1"],
        &["send", "issues/001.md", "--yes"],
        &["subscribers", "list"],
        &["subscribers", "add", "x@readers.example"],
        &["subscribers", "import", "people.csv", "--yes"],
        &["backup", "copy.db"],
        &["keys", "rotate"],
        &["dkim", "new", "--domain", "letters.example"],
        &["rehearse", "issues/001.md"],
        &["speed"],
        &["prune", "--older-than", "1d", "--yes"],
    ] {
        let ended = newsletter.run(args);
        assert_eq!(ended.code, 2, "{args:?}: {}{}", ended.out, ended.err);
        assert!(
            ended.err.contains("letterpress.db"),
            "{args:?}: {}",
            ended.err
        );
        assert!(!folder.join("letterpress.db").exists(), "{args:?} made one");
    }
    std::thread::sleep(Duration::from_millis(300));
    let before = server.mails().len();
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(server.mails().len(), before, "it goes on sending");
    for name in files {
        std::fs::rename(away.join(name), folder.join(name)).unwrap();
    }
    until("it to go on", || health(&newsletter).0 == 200);
    until("the end", || state_of(&newsletter) == "done");
    assert_eq!(newsletter.totals()["sent"], 200);
    assert_eq!(newsletter.stop(), 0);
    assert_eq!(most_per_reader(&server, &readers), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_deleted_under_a_daemon_doubles_nobody() {
    let (server, mut newsletter) = slowly().await;
    let folder = newsletter.path();
    let readers = newsletter.people(200);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    newsletter.serve();
    until("some mails", || server.mails().len() >= 20);
    remove(&folder, &["letterpress.db-wal", "letterpress.db-shm"]);
    let ended = newsletter.run(&["deliveries"]);
    assert_eq!(ended.code, 2, "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("-wal"), "{}", ended.err);
    until("the daemon to notice", || health(&newsletter).0 == 503);
    newsletter.kill();
    newsletter.serve();
    until("the hold", || state_of(&newsletter) == "held");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(newsletter.stop(), 0);
    assert_eq!(most_per_reader(&server, &readers), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_daemons_on_one_database_under_two_names_one_is_refused() {
    let (server, mut newsletter) = slowly().await;
    let folder = newsletter.path();
    let readers = newsletter.people(60);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    newsletter.serve();
    let settings = std::fs::read_to_string(folder.join("letterpress.toml")).unwrap();
    std::os::unix::fs::symlink("letterpress.db", folder.join("link.db")).unwrap();
    std::fs::hard_link(folder.join("letterpress.db"), folder.join("hard.db")).unwrap();
    for name in ["link.db", "hard.db"] {
        let other = format!("[store]\npath = \"{name}\"\n{settings}");
        std::fs::write(folder.join("second.toml"), other).unwrap();
        let environment = [("LETTERPRESS__WEB__LISTEN", "127.0.0.1:0".to_owned())];
        let second = newsletter.run_with(&["serve", "--config", "second.toml"], &environment);
        assert_eq!(second.code, 2, "{name}: {}{}", second.out, second.err);
        let looked = newsletter.run(&["deliveries", "--config", "second.toml"]);
        assert_eq!(
            looked.code == 0,
            name == "link.db",
            "{name}: {}",
            looked.err
        );
    }
    until("the end", || state_of(&newsletter) == "done");
    assert_eq!(newsletter.totals()["sent"], 60);
    assert_eq!(newsletter.stop(), 0);
    assert_eq!(most_per_reader(&server, &readers), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_can_be_taken_back_and_totals_outlive_a_prune() {
    let (server, mut newsletter) = slowly().await;
    let readers = newsletter.people(60);
    newsletter.ok(&["send", "issues/001.md", "--yes"]);
    newsletter.serve();
    until("some mails", || server.mails().len() >= 5);
    let cancelled = newsletter.ok(&["cancel", "1", "--yes"]);
    assert!(
        cancelled.out.contains("retry 1 --state cancelled"),
        "{}",
        cancelled.out
    );
    until("the cancel", || {
        newsletter.totals()["cancelled"]
            .as_u64()
            .is_some_and(|n| n > 0)
            && newsletter.totals()["sending"] == 0
    });
    let retry = ["retry", "1", "--state", "cancelled"];
    assert_eq!(newsletter.run(&retry).code, 2, "it asks");
    newsletter.ok(&[&retry[..], &["--yes"]].concat());
    until("the end", || state_of(&newsletter) == "done");
    assert_eq!(newsletter.totals()["sent"], 60);
    assert_eq!(most_per_reader(&server, &readers), 1);

    let prune = |more: &[&str]| newsletter.ok(&[&["prune", "--json"], more].concat()).json();
    assert_eq!(
        prune(&["--older-than", "400d", "--dry-run"])[0]["people"],
        0
    );
    assert_eq!(prune(&["--older-than", "0s", "--dry-run"])[0]["people"], 60);
    assert_eq!(newsletter.deliveries().len(), 60, "a dry run drops nothing");
    assert_eq!(
        newsletter.run(&["prune", "--older-than", "0s"]).code,
        2,
        "it asks"
    );
    assert_eq!(prune(&["--older-than", "0s", "--yes"])[0]["dropped"], 60);
    assert_eq!(newsletter.totals()["sent"], 60);
    assert!(newsletter.deliveries().is_empty());
    assert_eq!(newsletter.run(&["send", "issues/001.md", "--yes"]).code, 1);
    assert_eq!(newsletter.stop(), 0);
}

#[test]
fn a_database_that_is_gone_is_not_made_anew_by_another_path_either() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| crate::newsletter::run(folder.path(), args);
    assert_eq!(run(&["init"]).code, 0);
    let file = folder.path().join("letterpress.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        format!("{text}\n[list.w]\nname = \"W\"\nfrom = \"w@example.org\"\n"),
    )
    .unwrap();
    let elsewhere = [
        ("LETTERPRESS__STORE__PATH", "other.db".to_owned()),
        ("LETTERPRESS__WEB__LISTEN", "127.0.0.1:0".to_owned()),
    ];
    for args in [
        &["subscribers", "add", "x@example.org", "--list", "w"][..],
        &["subscribers", "list"],
        &["deliveries"],
        &["serve"],
        &["keys", "rotate"],
    ] {
        let ended = crate::newsletter::run_with(folder.path(), args, &elsewhere);
        assert_eq!(ended.code, 2, "{args:?}: {}", ended.out);
        assert!(ended.err.contains("other.db"), "{args:?}: {}", ended.err);
        assert!(!folder.path().join("other.db").exists(), "{args:?}");
    }
}
