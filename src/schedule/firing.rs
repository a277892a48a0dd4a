//! A list's schedule fires: the issue is chosen, rendered, and queued or held with the reason.
//!
//! The time that was last acted upon moves by compare-and-set in the transaction that queues the issue.

use jiff::{SignedDuration, Timestamp};

use crate::model::waiting::Reason;
use crate::model::{Finding, List, ListId, Severity};
use crate::publish::{self, Order, Press, Proof, PublishError};
use crate::store::issues::{Firing, QueuedBy, Queueing};
use crate::store::{Store, StoreError};

use super::Settings;
use super::choice::{self, Candidate};
use super::cron::Plan;

/// Acts on the last time of a list's schedule that has come since one was acted upon.
///
/// # Errors
/// The database can't be read or written.
pub(super) async fn act(
    store: &Store,
    settings: &Settings,
    id: ListId,
    list: &List,
    plan: &Plan,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = store.last_fired(id).await?;
    // Set when the pattern was first seen; what lies before was never promised.
    let Some(since) = before else { return Ok(()) };
    let Some(at) = plan.last_between(since, now) else {
        return Ok(());
    };
    let firing = Firing { before, at };
    let last = store.last_queued(id).await?;
    let of = list.clone();
    let chosen = tokio::task::spawn_blocking(move || choice::newest(&of, last.as_ref(), now)).await;
    let candidate = match chosen {
        Ok(Ok(candidate)) => candidate,
        Ok(Err(e)) => {
            tracing::error!(list = %list.key, "the schedule fired, and {} can't be read: {}", list.issues.display(), crate::format::io(&e));
            None
        }
        Err(e) => {
            tracing::error!(list = %list.key, "the schedule fired, and choosing an issue failed: {e}");
            None
        }
    };
    let Some(candidate) = candidate else {
        if store.fire(id, firing).await? {
            tracing::info!(list = %list.key, "the schedule fired at {at:.0}, and no issue is ready: nothing is sent");
        }
        return Ok(());
    };
    if store.readers_of(id).await? == 0 {
        // Queued, it would be over at once, and could not be sent to those who come later.
        if store.fire(id, firing).await? {
            tracing::warn!(list = %list.key, "the schedule fired at {at:.0}, but {} has no active subscribers: nothing is sent, and the issue is kept for another time", list.key);
        }
        return Ok(());
    }
    let late = now.duration_since(at)
        > SignedDuration::try_from(settings.hold_when_late).unwrap_or(SignedDuration::MAX);
    let hold = if store.is_schedule_held(id).await? {
        Some(Reason::RestoredSchedule { fired_at: at })
    } else {
        late.then_some(Reason::LateSchedule { fired_at: at })
    };
    let order = Order {
        list: id,
        queued_by: QueuedBy::Schedule,
        queued_at: now,
        due_at: at,
        hold,
        replace: false,
        firing: Some(firing),
    };
    let queueing = queue(store, settings, list, candidate, order).await?;
    log(store, list, queueing).await?;
    if matches!(
        queueing,
        Queueing::AlreadySent { .. } | Queueing::StillScheduled { .. }
    ) {
        store.fire(id, firing).await?;
    }
    Ok(())
}

/// Renders and queues an issue; an error in it holds it.
async fn queue(
    store: &Store,
    settings: &Settings,
    list: &List,
    candidate: Candidate,
    mut order: Order,
) -> Result<Queueing, StoreError> {
    let Candidate {
        file, manuscript, ..
    } = candidate;
    let (of, themes, public_url) = (
        list.clone(),
        settings.themes.clone(),
        settings.public_url.clone(),
    );
    let composed = tokio::task::spawn_blocking(move || {
        publish::compose(
            manuscript?,
            &Press {
                list: &of,
                themes: &themes,
                media_base: &format!("{public_url}/media/"),
                public_url: Some(&public_url),
            },
        )
    })
    .await;
    match composed {
        Ok(Ok(proof)) => {
            if let Some(reason) = first_error(&proof) {
                order.hold = Some(reason);
            }
            publish::queue(store, proof, order).await
        }
        Ok(Err(error)) => {
            order.hold = Some(reason(&error));
            publish::queue_unrendered(store, &file, order).await
        }
        Err(died) => {
            order.hold = Some(Reason::CannotRender {
                why: format!("it could not be rendered: {died}"),
            });
            publish::queue_unrendered(store, &file, order).await
        }
    }
}

/// Why an issue with errors is held.
fn first_error(proof: &Proof) -> Option<Reason> {
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    proof.findings.iter().find(is_error).map(file_error)
}

fn file_error(finding: &Finding) -> Reason {
    Reason::FileError {
        place: finding.place(),
        message: finding.message.clone(),
        help: finding.help.clone(),
    }
}

fn reason(error: &PublishError) -> Reason {
    match error {
        PublishError::FrontMatter(findings) if !findings.is_empty() => file_error(&findings[0]),
        other => Reason::CannotRender {
            why: other.to_string(),
        },
    }
}

/// Logs what the schedule did.
async fn log(store: &Store, list: &List, queueing: Queueing) -> Result<(), StoreError> {
    match queueing {
        Queueing::Queued(id) | Queueing::Replaced(id) => {
            let Some(row) = store.issue(id).await? else {
                return Ok(());
            };
            match row.reason {
                Some(reason) => {
                    tracing::error!(list = %list.key, issue = %row.slug, "the schedule fired and holds it: {reason}")
                }
                None => {
                    tracing::info!(list = %list.key, issue = %row.slug, "the schedule fired: queued")
                }
            }
        }
        Queueing::AlreadySent { state, when } => {
            tracing::warn!(list = %list.key, "the schedule fired, but the newest issue is {} since {when:.0}: nothing is sent", state.word());
        }
        Queueing::StillScheduled { due_at } => {
            tracing::warn!(list = %list.key, "the schedule fired, but the newest issue is scheduled for {due_at:.0}");
        }
        Queueing::AlreadyFired => {}
    }
    Ok(())
}
