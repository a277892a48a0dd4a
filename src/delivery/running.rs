//! The sender's life: its parts are made and joined, they run until one of them ends or a stop is asked for, and they
//! end in order. What each of them does is left to its own file.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::desk::Desk;
use super::ledger::Ledger;
use super::planner::{self, Planner, Speed};
use super::relay::RelayState;
use super::signing::Signing;
use super::toll::Toll;
use super::worker::{Shared, Worker};
use crate::link::Links;
use crate::model::{List, ListId, SharedClock};
use crate::pace::Balancer;
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
    let (ledger, writing) = Ledger::new(store.clone(), clock.clone());
    let mut writing = tokio::spawn(writing);
    let shared = parts(&store, settings, ledger, links, clock.clone()).await?;
    let (desk, relays) = (shared.desk.clone(), shared.relays.clone());
    let planner = planner(&store, lists, &shared);
    // With the last worker the last handle of the ledger goes, and so the ledger ends.
    let mut workers = workers(shared);
    let ended = tokio::select! {
        ended = planner.run() => ended,
        // Workers end when the desk is closed; one that ends before has died, and tells so by its panic.
        Some(Err(died)) = workers.join_next() => {
            Err(StoreError::refused(format!("a connection's task died ({died})")).to_do("Please report it."))
        }
        // The same holds for the ledger, without which every claim is refused and no outcome is kept.
        _ = &mut writing => Err(StoreError::refused("the ledger's task died").to_do("Please report it.")),
        () = shutdown.cancelled() => Ok(()),
    };
    desk.close();
    end(workers, writing).await;
    let kept = planner::keep_speed(&store, &desk, &relays, clock.now(), true);
    let _ = tokio::time::timeout(LAST_COMMIT, kept).await;
    ended
}

/// What planner and workers share, with the measures as they were when the last sender ended.
async fn parts(
    store: &Store,
    settings: Settings,
    ledger: Ledger,
    links: Links,
    clock: SharedClock,
) -> Result<Shared> {
    let settings = Arc::new(settings);
    let connections: usize = settings
        .relays
        .iter()
        .map(|relay| relay.connections.max(1))
        .sum();
    let desk = Arc::new(Desk::new(
        connections * 4,
        Arc::new(settings.pacing.domains.clone()),
    ));
    let relays: Vec<Arc<RelayState>> = settings
        .relays
        .iter()
        .map(|relay| Arc::new(RelayState::new(relay.clone(), &settings)))
        .collect();
    let (kept, words) = (store.measures().await?, store.speeds().await?);
    // First the author's words: said later, they would make an end of what was learnt under them.
    desk.say(&words);
    relays.iter().for_each(|relay| relay.say(&words));
    desk.recall(&kept, clock.now());
    relays
        .iter()
        .for_each(|relay| relay.recall(&kept, clock.now()));
    let weights = settings
        .relays
        .iter()
        .map(|relay| (relay.weight, relay.connections as u32));
    Ok(Shared {
        desk,
        relays,
        shares: Arc::new(Balancer::new(weights.collect())),
        toll: Arc::new(Toll::new(settings.pacing.pause_above)),
        ledger,
        links,
        signing: Arc::new(Signing::new(settings.dkim.clone())),
        clock,
        settings,
    })
}

fn planner(store: &Store, lists: HashMap<ListId, List>, shared: &Shared) -> Planner {
    Planner {
        store: store.clone(),
        settings: shared.settings.clone(),
        lists,
        clock: shared.clock.clone(),
        desk: shared.desk.clone(),
        relays: shared.relays.clone(),
        signing: shared.signing.clone(),
        issues: HashMap::new(),
        speed: Speed::default(),
        unreadable: None,
        toll: shared.toll.clone(),
    }
}

/// A task for each connection of each relay.
fn workers(shared: Shared) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for relay in &shared.relays {
        for _ in 0..relay.relay.connections.max(1) {
            workers.spawn(Worker::new(shared.clone(), relay.clone()).run());
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
