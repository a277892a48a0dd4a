//! The schedule against a real database, with a clock that the tests set.

use tempfile::TempDir;

use super::*;
use crate::model::Address;
use crate::model::sending::IssueState;
use crate::model::subscription::{Consent, ConsentMethod};
use crate::store::issues::IssueRow;

/// A list that is due on Mondays at 07:00 in Berlin.
struct Letter {
    folder: TempDir,
    store: Store,
    settings: Settings,
    plans: Vec<(ListId, List, Plan)>,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn consent() -> Consent {
    Consent {
        at: at("2026-11-01T00:00:00Z"),
        how: ConsentMethod::Command,
        network: None,
    }
}

impl Letter {
    async fn new() -> Letter {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("letterpress.db"))
            .await
            .unwrap();
        let mut list = crate::config::defaults().lists.remove(0);
        list.issues = folder.path().to_owned();
        list.schedule = Some("0 7 * * MON".into());
        list.zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let ids = store
            .ensure_lists(std::slice::from_ref(&list.key), at("2026-11-01T00:00:00Z"))
            .await
            .unwrap();
        let reader = Address::parse("reader@readers.example").unwrap();
        store
            .add(ids[&list.key], &reader, "", consent())
            .await
            .unwrap();
        let settings = Settings {
            lists: vec![(ids[&list.key], list)],
            themes: folder.path().join("themes"),
            public_url: "https://letters.example.org".into(),
            hold_when_late: Duration::from_secs(6 * 3600),
        };
        let plans = plans(&settings);
        Letter {
            folder,
            store,
            settings,
            plans,
        }
    }

    fn write(&self, name: &str, front: &str, body: &str) {
        let text = format!("+++\ntitle = \"A proof\"\n{front}\n+++\n\nGood morning.\n\n{body}\n");
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// The author edits the settings and restarts the daemon.
    fn schedule(&mut self, pattern: Option<&str>, zone: &str) {
        self.settings.lists[0].1.schedule = pattern.map(str::to_owned);
        self.settings.lists[0].1.zone = jiff::tz::TimeZone::get(zone).unwrap();
        self.plans = plans(&self.settings);
    }

    /// The author sends an issue for later.
    async fn queue(&self, slug: &str, due: &str) {
        let (id, list) = &self.settings.lists[0];
        self.write(&format!("{slug}.md"), "draft = true", "");
        let manuscript =
            crate::publish::read(&self.folder.path().join(format!("{slug}.md"))).unwrap();
        let press = crate::publish::Press {
            list,
            themes: &self.settings.themes,
            media_base: "",
            public_url: None,
        };
        let order = crate::publish::Order {
            list: *id,
            queued_by: crate::store::issues::QueuedBy::Author,
            queued_at: at("2026-11-24T01:00:00Z"),
            due_at: at(due),
            hold: None,
            replace: false,
            firing: None,
        };
        let proof = crate::publish::compose(manuscript, &press).unwrap();
        crate::publish::queue(&self.store, proof, order)
            .await
            .unwrap();
    }

    /// The schedule's look at a moment; then every issue there is.
    async fn look(&self, moment: &str) -> Vec<IssueRow> {
        tick(&self.store, &self.settings, &self.plans, at(moment))
            .await
            .unwrap();
        self.store.issues().await.unwrap()
    }
}

#[tokio::test]
async fn a_schedule_that_fires_with_nobody_there_keeps_the_issue() {
    let letter = Letter::new().await;
    let (list, reader) = (
        letter.settings.lists[0].0,
        Address::parse("reader@readers.example").unwrap(),
    );
    letter
        .store
        .remove(Some(list), &reader, consent())
        .await
        .unwrap();
    letter.write("022.md", "number = 22", "");
    assert!(letter.look("2026-11-24T12:00:00Z").await.is_empty());
    assert!(
        letter.look("2026-11-30T06:00:00Z").await.is_empty(),
        "nothing is queued to nobody"
    );
    let other = Address::parse("other@readers.example").unwrap();
    letter.store.add(list, &other, "", consent()).await.unwrap();
    assert!(
        letter.look("2026-11-30T06:00:01Z").await.is_empty(),
        "that time was acted upon"
    );
    assert_eq!(letter.look("2026-12-07T06:00:00Z").await[0].slug, "022");
}

#[tokio::test]
async fn a_schedule_fires_once_and_sends_the_newest_ready_issue() {
    let letter = Letter::new().await;
    letter.write("021.md", "number = 21", "");
    letter.write("022.md", "number = 22", "");
    letter.write("023.md", "number = 23\ndraft = true", "");
    assert!(
        letter.look("2026-11-24T12:00:00Z").await.is_empty(),
        "what lies before the first start is not promised"
    );
    assert!(letter.look("2026-11-30T05:59:59Z").await.is_empty());
    let rows = letter.look("2026-11-30T06:00:00Z").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].slug.as_str(), rows[0].state, rows[0].due_at),
        ("022", IssueState::Sending, at("2026-11-30T06:00:00Z"))
    );
    for later in ["2026-11-30T06:00:01Z", "2026-12-01T06:00:00Z"] {
        assert_eq!(letter.look(later).await.len(), 1, "it fires once");
    }
    letter.write("023.md", "number = 23", "");
    assert_eq!(letter.look("2026-12-07T06:00:03Z").await[1].slug, "023");
}

#[tokio::test]
async fn a_time_that_was_missed_fires_late_within_the_limit_and_is_held_beyond() {
    let letter = Letter::new().await;
    letter.write("001.md", "number = 1", "");
    letter.look("2026-11-24T12:00:00Z").await;
    let rows = letter.look("2026-11-30T11:59:00Z").await;
    assert_eq!(
        rows[0].state,
        IssueState::Sending,
        "five hours and 59 minutes late"
    );

    letter.write("002.md", "number = 2", "");
    let rows = letter.look("2026-12-07T12:00:01Z").await;
    assert_eq!(rows[1].state, IssueState::Held);
    assert!(
        rows[1]
            .reason
            .as_ref()
            .unwrap()
            .to_string()
            .contains("2026-12-07T06:00:00Z"),
        "{:?}",
        rows[1].reason
    );
    assert_eq!(letter.look("2026-12-08T00:00:00Z").await.len(), 2);
}

#[tokio::test]
async fn after_a_restore_a_scheduled_issue_is_held_until_its_author_has_spoken() {
    let mut letter = Letter::new().await;
    letter.write("001.md", "number = 1", "");
    letter.look("2026-11-24T12:00:00Z").await;
    let copy = letter.folder.path().join("copy.db");
    let made = at("2026-11-29T00:00:00Z");
    letter.store.backup(&copy, made).await.unwrap();
    letter.store = Store::open(&copy).await.unwrap();

    let is_held = |row: &IssueRow| {
        let reason = row.reason.as_ref();
        row.state == IssueState::Held && reason.is_some_and(|reason| reason.is_restored())
    };
    let rows = letter.look("2026-11-30T06:00:01Z").await;
    assert!(is_held(&rows[0]), "{:?}", rows[0]);
    letter.write("002.md", "number = 2", "");
    let rows = letter.look("2026-12-07T06:00:01Z").await;
    assert!(is_held(&rows[1]), "nothing was said yet: {:?}", rows[1]);
    letter
        .store
        .cancel(rows[0].id, at("2026-12-07T07:00:00Z"))
        .await
        .unwrap();
    letter.write("003.md", "number = 3", "");
    let rows = letter.look("2026-12-14T06:00:01Z").await;
    assert_eq!(rows[2].state, IssueState::Sending);
}

#[tokio::test]
async fn a_changed_schedule_counts_from_when_it_is_first_seen() {
    let mut letter = Letter::new().await;
    letter.write("001.md", "number = 1", "");
    letter.look("2026-11-24T12:00:00Z").await;

    // Each passed a short while ago, by a pattern that did not hold then.
    letter.schedule(Some("30 12 * * THU"), "UTC");
    assert!(letter.look("2026-11-26T13:00:00Z").await.is_empty());
    letter.schedule(Some("50 13 * * THU"), "Europe/Berlin");
    assert!(letter.look("2026-11-26T13:00:00Z").await.is_empty());
    letter.schedule(Some("50 13 * * THU"), "Europe/London");
    assert!(
        letter.look("2026-11-26T14:00:00Z").await.is_empty(),
        "the same fields in another zone"
    );

    // Taken away over a time that it names, and put back afterwards.
    letter.schedule(None, "Europe/London");
    letter.look("2026-12-03T13:00:00Z").await;
    letter.schedule(Some("50 13 * * THU"), "Europe/London");
    assert!(letter.look("2026-12-03T14:00:00Z").await.is_empty());

    // Seen then, and missed by an hour: that one was promised.
    let rows = letter.look("2026-12-10T14:50:00Z").await;
    assert_eq!(
        (rows[0].state, rows[0].due_at),
        (IssueState::Sending, at("2026-12-10T13:50:00Z"))
    );
}

#[tokio::test]
async fn an_error_holds_the_issue_with_the_reason() {
    let letter = Letter::new().await;
    letter.write("001.md", "number = 1", "![a plot](no-such.png)");
    letter.look("2026-11-24T12:00:00Z").await;
    let rows = letter.look("2026-11-30T06:00:00Z").await;
    assert_eq!(rows[0].state, IssueState::Held);
    let reason = rows[0].reason.as_ref().unwrap().to_string();
    assert!(
        reason.contains("001.md:8") && reason.contains("no-such.png"),
        "{reason}"
    );

    std::fs::write(
        letter.folder.path().join("002.md"),
        "+++\ntitle = \"unclosed\n+++\n",
    )
    .unwrap();
    let rows = letter.look("2026-12-07T06:00:00Z").await;
    assert_eq!(
        (rows[1].slug.as_str(), rows[1].state),
        ("002", IssueState::Held)
    );
    assert!(
        rows[1]
            .reason
            .as_ref()
            .unwrap()
            .to_string()
            .contains("002.md:2"),
        "{:?}",
        rows[1].reason
    );
    assert!(
        letter.store.rendered(rows[1].id).await.is_err(),
        "there is nothing that could be sent"
    );
}

#[tokio::test]
async fn a_time_without_a_ready_issue_is_passed_over() {
    let letter = Letter::new().await;
    letter.look("2026-11-24T12:00:00Z").await;
    assert!(letter.look("2026-11-30T06:00:00Z").await.is_empty());
    letter.write("001.md", "number = 1", "");
    assert!(
        letter.look("2026-11-30T06:00:01Z").await.is_empty(),
        "that time has been acted upon"
    );
}

#[tokio::test]
async fn a_send_for_later_starts_on_time_and_waits_for_its_author_when_late() {
    let letter = Letter::new().await;
    letter.queue("a", "2026-11-24T13:00:00Z").await;
    letter.queue("b", "2026-11-24T05:00:00Z").await;
    let rows = letter.look("2026-11-24T12:00:00Z").await;
    assert_eq!(
        (rows[0].state, rows[1].state),
        (IssueState::Scheduled, IssueState::Held)
    );
    let rows = letter.look("2026-11-24T13:00:00Z").await;
    assert_eq!(rows[0].state, IssueState::Sending);
}

#[tokio::test]
async fn what_could_not_be_started_is_tried_again_after_a_while() {
    let letter = Letter::new().await;
    letter.queue("a", "2026-11-24T13:00:00Z").await;
    let wait =
        async |looked, now| until_next(&letter.store, &letter.plans, at(looked), at(now)).await;
    // It is due, and waits: such as for a disk that is full.
    assert_eq!(
        wait("2026-11-24T13:00:01Z", "2026-11-24T13:00:02Z").await,
        LONGEST_SLEEP
    );
    // It fell due since the last look.
    assert_eq!(
        wait("2026-11-24T12:59:59Z", "2026-11-24T13:00:00Z").await,
        Duration::ZERO
    );
}
