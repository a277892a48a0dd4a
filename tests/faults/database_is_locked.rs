//! Another program holds the database for longer than anybody waits for it.

use std::time::Duration;

use sqlx::ConnectOptions as _;

use crate::newsletter::until;
use crate::server::{At, Do, Gate};
use crate::stage::{CONNECTIONS, Stage, When};

/// Beyond the five seconds for which a writer waits.
const HELD: Duration = Duration::from_secs(7);

#[test]
fn a_database_that_is_locked_for_a_while_costs_nothing_but_time() {
    let mut stage = Stage::new(60);
    // Some mails go at once; the others wait until the database is locked.
    let (locked, mut mails) = (Gate::new(), 0);
    stage.server.script({
        let locked = locked.clone();
        move |at, _, _| {
            mails += usize::from(at == At::Dot);
            if at == At::Dot && mails > 10 {
                Do::Hold(locked.clone())
            } else {
                Do::Usual
            }
        }
    });
    stage.start(None);
    until("some mails", || stage.server.mails().len() >= 10);
    let file = stage.newsletter.path().join("letterpress.db");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut other = runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut other = options.busy_timeout(HELD).connect().await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE")
            .execute(&mut other)
            .await
            .unwrap();
        other
    });
    // Those whose claim was committed may still go out; nobody else.
    let before = stage.server.mails().len();
    locked.open();
    std::thread::sleep(HELD);
    let meanwhile = stage.server.mails().len() - before;
    assert!(
        meanwhile <= CONNECTIONS,
        "{meanwhile} mails went out without a claim"
    );
    assert!(
        stage.newsletter.totals()["state"] == "sending",
        "nobody was kept waiting"
    );
    runtime.block_on(async { sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap() });
    until("the issue to be done", || {
        stage.newsletter.totals()["state"] == "done"
    });
    assert_eq!(stage.newsletter.stop(), 0);
    stage.compare(When::AtTheEnd, 0, "locked");
}
