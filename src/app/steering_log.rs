//! What authors do to issues while the daemon runs, as lines of its log: commands of other processes only write rows.

use std::collections::HashMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::format::count;
use crate::model::IssueId;
use crate::model::sending::IssueState;
use crate::model::waiting::Reason;
use crate::store::issues::IssueRow;
use crate::store::{Store, StoreError};

/// How often commits may lead to another look: a busy sender commits many times a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Logs what happens to issues, until `shutdown`. What the daemon does by itself is logged where it is done.
///
/// # Errors
/// The database can't be read any more.
pub(super) async fn run(store: Store, shutdown: CancellationToken) -> Result<(), StoreError> {
    let mut changes = store.changes();
    let mut known: Option<HashMap<IssueId, IssueRow>> = None;
    loop {
        match store.issues().await {
            Ok(rows) => {
                if let Some(known) = &known {
                    for row in &rows {
                        if let Some(told) = told(known.get(&row.id), row) {
                            tracing::info!(issue = %row.slug, list = %row.list, "{told}");
                        }
                    }
                }
                known = Some(rows.into_iter().map(|row| (row.id, row)).collect());
            }
            Err(error) if error.is_passing() => {}
            Err(error) => return Err(error),
        }
        let next = async {
            tokio::time::sleep(LOOK_EVERY).await;
            changes.changed().await
        };
        if !matches!(shutdown.run_until_cancelled(next).await, Some(Ok(()))) {
            return Ok(());
        }
    }
}

/// What somebody did to an issue between two looks; `None`: nothing, or it happened by itself.
fn told(before: Option<&IssueRow>, now: &IssueRow) -> Option<String> {
    use IssueState::{Cancelled, Done, Held, Paused, Scheduled, Sending};
    let Some(before) = before else {
        // All of that can have happened between two looks.
        let since = if now.rescans > 0 {
            "; retried or resumed since"
        } else {
            ""
        };
        return Some(format!("queued; due at {:.0}{since}", now.due_at));
    };
    let retried = || {
        let failed = |row: &IssueRow| row.totals.failed + row.totals.uncertain;
        let queued = failed(before).saturating_sub(failed(now));
        (queued > 0).then(|| format!("retried: {} mails are queued again", count(queued)))
    };
    match (before.state, now.state) {
        (Paused, Paused) | (Cancelled, Cancelled) => None,
        (_, Paused) => match &now.reason {
            Some(reason @ Reason::PausedByUser { .. }) => Some(reason.to_string()),
            _ => None,
        },
        (_, Cancelled) => Some(format!(
            "cancelled; {} of {} mails were sent",
            count(now.totals.sent),
            count(now.totals.planned())
        )),
        (Paused | Held, Sending | Scheduled) => Some("resumed".to_owned()),
        (Done | Cancelled, Sending) => retried().or_else(|| Some("retried".to_owned())),
        // It was quicker than the looks.
        (Done | Cancelled, Done) if now.ended_at != before.ended_at => {
            Some("retried, and done".into())
        }
        (Sending, Sending) if now.rescans > before.rescans => {
            retried().or_else(|| Some("paused and resumed".to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::ListId;
    use crate::model::delivery::Totals;

    fn row(state: IssueState, failed: u64) -> IssueRow {
        IssueRow {
            id: IssueId(1),
            list_id: ListId(1),
            list: "weekly".into(),
            slug: "022".into(),
            number: Some(22),
            title: "A title".into(),
            file: "issues/022.md".into(),
            state,
            reason: None,
            queued_at: Timestamp::UNIX_EPOCH,
            due_at: Timestamp::UNIX_EPOCH,
            started_at: None,
            ended_at: None,
            fanout_after: None,
            totals: Totals {
                sent: 90,
                failed,
                queued: 10 - failed,
                ..Totals::default()
            },
            rescans: 0,
            pruned_at: None,
        }
    }

    #[test]
    fn what_an_author_does_is_told_and_what_happens_by_itself_is_not() {
        use IssueState::{Cancelled, Done, Paused, Sending};
        let told = |before: &IssueRow, now: &IssueRow| told(Some(before), now);
        let sending = row(Sending, 0);
        let by_anna = IssueRow {
            reason: Some(Reason::PausedByUser {
                by: "anna".into(),
                at: Timestamp::UNIX_EPOCH,
            }),
            ..row(Paused, 0)
        };
        assert_eq!(
            told(&sending, &by_anna).as_deref(),
            Some("paused by anna with “letterpress pause” at 1970-01-01T00:00:00Z")
        );
        assert_eq!(told(&sending, &row(Paused, 5)), None, "by itself");
        assert_eq!(told(&by_anna, &sending).as_deref(), Some("resumed"));
        assert_eq!(
            told(&sending, &row(Cancelled, 0)).as_deref(),
            Some("cancelled; 90 of 100 mails were sent")
        );
        assert_eq!(
            told(&row(Done, 7), &sending).as_deref(),
            Some("retried: 7 mails are queued again")
        );
        assert_eq!(told(&sending, &row(Done, 3)), None);
        let quick = IssueRow {
            ended_at: Some(Timestamp::MAX),
            ..row(Done, 3)
        };
        assert_eq!(
            told(&row(Done, 3), &quick).as_deref(),
            Some("retried, and done")
        );
        let again = IssueRow {
            rescans: 1,
            ..row(Sending, 0)
        };
        assert_eq!(
            told(&sending, &again).as_deref(),
            Some("paused and resumed")
        );
        assert_eq!(
            super::told(None, &sending).as_deref(),
            Some("queued; due at 1970-01-01T00:00:00Z")
        );
    }
}
