//! The sender's life: its parts are made and joined, run until one of them ends or a stop is requested, and end in
//! order.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::commit_queue::{Affected, CommitQueue};
use super::failure_rate::FailureRateBreaker;
use super::ready_queue::ReadyQueue;
use super::refusal_streak::RefusalStreakBreaker;
use super::relays::Relays;
use super::scheduler::{self, Rates, Scheduler};
use super::signing::Signing;
use super::worker::{Shared, Worker};
use crate::link::Links;
use crate::model::{List, ListId, SharedClock};
use crate::store::{Result, Store, StoreError};

/// How long mails in flight are waited for when the daemon is asked to stop.
const LAST_WAIT: Duration = Duration::from_secs(30);
/// How long the last outcomes are waited for after that.
const LAST_COMMIT: Duration = Duration::from_secs(5);
/// What a row says whose daemon was killed while it was in flight.
const KILLED: &str =
    "the daemon was killed while this mail was in flight: whether it arrived is not known";

/// Sends every issue that goes on until `shutdown` is asked for: then no new mail is begun, those in flight are waited
/// for up to half a minute, and the rest stays queued.
///
/// The caller holds the daemon's lock, so what stands in `sending` was left by a dead daemon; and it watches for
/// other processes' commits ([`Store::watch_others`]), so that steering is heard.
///
/// # Errors
/// When the database can't be read or written any more.
pub async fn run(
    store: Store,
    settings: Settings,
    lists: HashMap<ListId, List>,
    links: Links,
    clock: SharedClock,
    shutdown: CancellationToken,
) -> Result<()> {
    let left = store.recover(clock.now(), KILLED).await?;
    if left > 0 {
        tracing::warn!("mails in flight when the last daemon ended, uncertain now: {left}");
    }
    let (shared, writing) = parts(&store, settings, links, clock.clone(), &shutdown).await?;
    let mut writing = tokio::spawn(writing);
    let (queue, relays) = (shared.queue.clone(), shared.relays.clone());
    let scheduler = scheduler(&store, lists, &shared);
    // The last worker drops the last handle of the commit queue, whose task then ends.
    let mut workers = workers(shared);
    let ended = tokio::select! {
        ended = scheduler.run() => ended,
        // Workers end when the queue is closed; one that ends before has panicked.
        Some(Err(died)) = workers.join_next() => {
            Err(StoreError::refused(format!("a connection's task died ({died})")).help("Please report it."))
        }
        // The same holds for the ledger, without which every claim is refused and no outcome is kept.
        _ = &mut writing => Err(StoreError::refused("the ledger's task died").help("Please report it.")),
        () = shutdown.cancelled() => Ok(()),
    };
    queue.close();
    end(workers, writing).await;
    let saved = scheduler::save_rates(&store, &queue, &relays, clock.now(), true);
    let _ = tokio::time::timeout(LAST_COMMIT, saved).await;
    ended
}

/// What scheduler and workers share, with the rate limits as they were when the last sender ended; and the task of the
/// commit queue.
async fn parts(
    store: &Store,
    settings: Settings,
    links: Links,
    clock: SharedClock,
    shutdown: &CancellationToken,
) -> Result<(Shared, impl Future<Output = ()> + Send + use<>)> {
    let settings = Arc::new(settings);
    let changed = Arc::new(Notify::new());
    let connections: usize = settings
        .relays
        .iter()
        .map(|relay| relay.connections.max(1))
        .sum();
    let relays = Arc::new(Relays::new(&settings, &changed));
    let limits = Arc::new(settings.pacing.domains.clone());
    let queue = ReadyQueue::new(connections * 4, limits, changed.clone());
    let queue = Arc::new(queue.for_relays(relays.len()));
    let refusals = Arc::new(RefusalStreakBreaker::default());
    let (saved, overrides) = (store.saved_rates().await?, store.rate_overrides().await?);
    let speeds = store.relay_speeds().await?;
    // The overrides first: set later, they would discard what was learned under them.
    queue.set_overrides(&overrides);
    queue.restore(&saved, clock.now());
    for relay in relays.iter() {
        relay.set_overrides(&overrides);
        relay.restore(&saved, clock.now());
        relay.restore_speed(&speeds);
    }
    let affected = Affected {
        queue: queue.clone(),
        relays: relays.clone(),
        refusals: refusals.clone(),
    };
    let (commits, writing) =
        CommitQueue::new(store.clone(), clock.clone(), affected, shutdown.clone());
    let shared = Shared {
        queue,
        relays,
        changed,
        refusals,
        failure_rate: Arc::new(FailureRateBreaker::new(settings.pacing.pause_above)),
        commits,
        links,
        signing: Arc::new(Signing::new(settings.dkim.clone())),
        clock,
        settings,
    };
    Ok((shared, writing))
}

fn scheduler(store: &Store, lists: HashMap<ListId, List>, shared: &Shared) -> Scheduler {
    Scheduler {
        store: store.clone(),
        settings: shared.settings.clone(),
        lists,
        clock: shared.clock.clone(),
        queue: shared.queue.clone(),
        relays: shared.relays.clone(),
        signing: shared.signing.clone(),
        issues: HashMap::new(),
        rates: Rates::default(),
        unreadable: None,
        failure_rate: shared.failure_rate.clone(),
        refusals: shared.refusals.clone(),
    }
}

/// A task for each connection of each relay.
fn workers(shared: Shared) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for (place, relay) in shared.relays.iter().enumerate() {
        for _ in 0..relay.relay.connections.max(1) {
            workers.spawn(Worker::new(shared.clone(), place).run());
        }
    }
    workers
}

/// Waits for mails in flight and for the last outcomes, and for neither for ever.
async fn end(mut workers: JoinSet<()>, writing: JoinHandle<()>) {
    let finished = tokio::time::timeout(LAST_WAIT, async {
        while workers.join_next().await.is_some() {}
    });
    if finished.await.is_err() {
        tracing::warn!("some mails in flight were not answered in time; they will be uncertain");
        workers.shutdown().await;
    }
    // A database that can't be written is not waited for for ever.
    if !writing.is_finished() {
        let _ = tokio::time::timeout(LAST_COMMIT, writing).await;
    }
}
