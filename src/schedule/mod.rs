//! What is due: sends for a later time, and each list's own schedule.
//!
//! A send that is due is started; one that became due more than `hold_when_late` ago, while no daemon was running, is held
//! for its author. A list's schedule fires by compare-and-set on the last time that was acted upon, in the transaction
//! that queues the issue, so that it fires once however often daemons are started and killed. The pattern is stored
//! beside that time: times before a pattern was first seen don't fire. The issue is rendered when the schedule fires; an
//! error in it holds it with the reason.
//!
//! Sending is left to `delivery`, which finds the rows.

mod choice;
pub(crate) mod cron;
mod firing;

use std::path::PathBuf;
use std::time::Duration;

use jiff::{Timestamp, Zoned};
use tokio_util::sync::CancellationToken;

use crate::model::{List, ListId, SharedClock};
use crate::store::{Store, StoreError};

use cron::Plan;

pub(crate) use choice::files;

/// The longest sleep: the wall clock may be set at any moment.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// The shortest: a busy sender commits many times a second, and each commit wakes us.
const SHORTEST_SLEEP: Duration = Duration::from_millis(100);

/// The settings of the schedule.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Every list, with its id.
    pub lists: Vec<(ListId, List)>,
    /// The folder of the author's own themes.
    pub themes: PathBuf,
    /// What the addresses of pictures and our own links begin with; without a final slash.
    pub public_url: String,
    /// How late a send may be and still start by itself.
    pub hold_when_late: Duration,
}

/// When the schedule of a list fires next, on the clocks of its zone; `None`: it has no schedule.
pub(crate) fn next_time(list: &List, now: Timestamp) -> Option<Zoned> {
    let plan = Plan::parse(list.schedule.as_deref()?, list.zone.clone()).ok()?;
    Some(plan.next_after(now)?.to_zoned(list.zone.clone()))
}

/// Starts what is due until `shutdown`.
///
/// # Errors
/// The database failed in a way that does not pass by itself.
pub(crate) async fn run(
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
            tracing::warn!("the schedule is waiting: {error}");
        }
        let sleep = until_next(&store, &plans, now, clock.now()).await;
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

/// A schedule as the database keeps it: what must be the same for its past times to count.
fn pattern(list: &List) -> Option<String> {
    let fields: Vec<&str> = list.schedule.as_deref()?.split_whitespace().collect();
    let zone = list.zone.iana_name().unwrap_or("UTC");
    Some(format!("{} {zone}", fields.join(" ")))
}

/// One look at everything that may be due.
async fn tick(
    store: &Store,
    settings: &Settings,
    plans: &[(ListId, List, Plan)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let patterns = plans
        .iter()
        .filter_map(|(id, list, _)| Some((*id, pattern(list)?)))
        .collect();
    store.see_schedules(patterns, now).await?;
    for (id, list, plan) in plans {
        firing::act(store, settings, *id, list, plan, now).await?;
    }
    let started = store.start_due(now, settings.hold_when_late).await?;
    for id in started.held {
        if let Some(row) = store.issue(id).await? {
            let reason = row
                .reason
                .map_or_else(String::new, |reason| reason.to_string());
            tracing::warn!(issue = %row.slug, "held: {reason}");
        }
    }
    for id in started.started {
        if let Some(row) = store.issue(id).await? {
            tracing::info!(issue = %row.slug, list = %row.list, "due: sending begins");
        }
    }
    Ok(())
}

/// How long until something is due, within the bounds. What was due when it was `looked` and still waits could not be
/// started, such as for want of space: it is tried again after a while.
async fn until_next(
    store: &Store,
    plans: &[(ListId, List, Plan)],
    looked: Timestamp,
    now: Timestamp,
) -> Duration {
    let scheduled = store
        .next_due()
        .await
        .ok()
        .flatten()
        .filter(|at| *at > looked);
    let next = plans
        .iter()
        .filter_map(|(_, _, plan)| plan.next_after(now))
        .chain(scheduled)
        .min();
    let wait = next.map_or(LONGEST_SLEEP, |at| {
        Duration::try_from(at.duration_since(now)).unwrap_or_default()
    });
    wait.min(LONGEST_SLEEP)
}

#[cfg(test)]
mod tests;
