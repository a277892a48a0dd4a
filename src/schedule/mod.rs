//! What is due: sends for a later time, and each list's own schedule.
//!
//! A send whose time has come is started; one whose time passed while nothing ran here waits for its author
//! beyond `hold_when_late`. A list's schedule fires by compare-and-set on the last time that was acted upon, in
//! the transaction that queues the issue, so that it fires once however many daemons were started and killed.
//! The issue is rendered at that moment; an error in it holds it with the reason.
//!
//! Mailing is left to `delivery`, which finds the rows.

mod choice;
pub mod cron;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::model::{List, ListId, Severity, SharedClock};
use crate::publish::{self, Order, Press, Proof, PublishError};
use crate::store::issues::{Firing, QueuedBy, Queueing};
use crate::store::{Store, StoreError};

use choice::Candidate;
use cron::Plan;

pub use choice::files;

/// The longest sleep: the wall clock may be set at any moment.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// The shortest: a busy sender commits many times a second, and each commit wakes us.
const SHORTEST_SLEEP: Duration = Duration::from_millis(100);

/// What the schedule goes by.
#[derive(Clone, Debug)]
pub struct Settings {
    pub lists: Vec<(ListId, List)>,
    /// The folder of the author's own themes.
    pub themes: PathBuf,
    pub public_url: String,
    pub hold_when_late: Duration,
}

/// Starts what is due until `shutdown`.
///
/// # Errors
/// The database failed in a way that does not pass by itself.
pub async fn run(
    store: Store,
    settings: Settings,
    clock: SharedClock,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    let plans = plans(&settings);
    let mut changes = store.changes();
    loop {
        let now = clock.now();
        if let Err(error) = tick(&store, &settings, &plans, now).await {
            if !error.is_passing() {
                return Err(error);
            }
            tracing::warn!("the schedule waits: {error}");
        }
        let sleep = until_next(&store, &plans, clock.now()).await;
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(sleep) => {}
            _ = async { tokio::time::sleep(SHORTEST_SLEEP).await; changes.changed().await } => {}
        }
    }
}

/// The schedule of each list that has one. `config` has read them before, so none is lost here.
fn plans(settings: &Settings) -> Vec<(ListId, List, Plan)> {
    let plan = |(id, list): &(ListId, List)| {
        let plan = Plan::parse(list.schedule.as_deref()?, list.zone.clone()).ok()?;
        Some((*id, list.clone(), plan))
    };
    settings.lists.iter().filter_map(plan).collect()
}

/// One look at everything that may be due.
async fn tick(
    store: &Store,
    settings: &Settings,
    plans: &[(ListId, List, Plan)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (id, list, plan) in plans {
        fire_when_due(store, settings, *id, list, plan, now).await?;
    }
    let started = store.start_due(now, settings.hold_when_late).await?;
    for id in started.held {
        if let Some(row) = store.issue(id).await? {
            tracing::warn!(issue = %row.slug, "held: {}", row.reason.unwrap_or_default());
        }
    }
    for id in started.started {
        if let Some(row) = store.issue(id).await? {
            tracing::info!(issue = %row.slug, list = %row.list, "its time has come: sending begins");
        }
    }
    Ok(())
}

/// How long until something is due, within the bounds.
async fn until_next(store: &Store, plans: &[(ListId, List, Plan)], now: Timestamp) -> Duration {
    let scheduled = store.next_due().await.ok().flatten();
    let next = plans.iter().filter_map(|(_, _, plan)| plan.next_after(now)).chain(scheduled).min();
    let wait =
        next.map_or(LONGEST_SLEEP, |at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
    wait.min(LONGEST_SLEEP)
}

/// Acts on the last time of a list's schedule that has come since it was acted upon.
async fn fire_when_due(
    store: &Store,
    settings: &Settings,
    id: ListId,
    list: &List,
    plan: &Plan,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = store.last_fired(id).await?;
    let Some(since) = before else {
        // The first start: what lies before it was never promised.
        store.fire(id, Firing { before, at: now }).await?;
        return Ok(());
    };
    let Some(at) = plan.last_between(since, now) else { return Ok(()) };
    let firing = Firing { before, at };
    let last = store.last_queued(id).await?;
    let of = list.clone();
    let chosen = tokio::task::spawn_blocking(move || choice::newest(&of, last.as_ref(), now)).await;
    let candidate = match chosen {
        Ok(Ok(candidate)) => candidate,
        Ok(Err(e)) => {
            tracing::error!(list = %list.key, "the schedule fired, and {} can't be read: {}", list.issues.display(), crate::words::io(&e));
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
    let late = now.duration_since(at)
        > SignedDuration::try_from(settings.hold_when_late).unwrap_or(SignedDuration::MAX);
    let late = late.then(|| format!("its list's schedule fired at {at:.0}, when nothing ran here: `letterpress resume` sends it, `cancel` does not"));
    let order = Order {
        list: id,
        queued_by: QueuedBy::Schedule,
        queued_at: now,
        due_at: at,
        hold: late,
        replace: false,
        firing: Some(firing),
    };
    let queueing = queue(store, settings, list, candidate, order).await?;
    tell(store, list, queueing).await?;
    if matches!(queueing, Queueing::AlreadySent { .. } | Queueing::StillScheduled { .. }) {
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
    let Candidate { file, manuscript, .. } = candidate;
    let (of, themes, public_url) = (list.clone(), settings.themes.clone(), settings.public_url.clone());
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
            order.hold = Some(format!("it could not be rendered: {died}"));
            publish::queue_unrendered(store, &file, order).await
        }
    }
}

/// Why an issue with errors is held.
fn first_error(proof: &Proof) -> Option<String> {
    let error = proof.findings.iter().find(|f| f.severity == Severity::Error)?;
    Some(format!("{}: {}. {}", error.place(), error.message, error.help))
}

fn reason(error: &PublishError) -> String {
    match error {
        PublishError::FrontMatter(findings) if !findings.is_empty() => {
            format!("{}: {}. {}", findings[0].place(), findings[0].message, findings[0].help)
        }
        other => other.to_string(),
    }
}

/// Says in the log what the schedule did.
async fn tell(store: &Store, list: &List, queueing: Queueing) -> Result<(), StoreError> {
    match queueing {
        Queueing::Queued(id) | Queueing::Replaced(id) => {
            let Some(row) = store.issue(id).await? else { return Ok(()) };
            match row.reason {
                Some(reason) => {
                    tracing::error!(list = %list.key, issue = %row.slug, "the schedule fired, and holds it: {reason}")
                }
                None => tracing::info!(list = %list.key, issue = %row.slug, "the schedule fired: queued"),
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

/// The folder of a letter's own themes.
pub fn themes_of(folder: &Path) -> PathBuf {
    folder.join("themes")
}
