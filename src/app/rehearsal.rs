//! A rehearsal: the whole send by the same sender, on a copy of the database that is deleted afterwards, into a
//! sink inside. Nobody is mailed, and nothing is left behind.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::delivery::pace::forecast::{Part, Send};
use crate::delivery::pace::gauge::lowest;
use crate::delivery::pace::warm::day_of;
use crate::delivery::pace::{Pacing, provider_name, relay_name};
use crate::delivery::{self, Relay, Tls};
use crate::inbox::{self, Mailbox, Received};
use crate::link::Links;
use crate::model::delivery::State;
use crate::model::{IssueId, List, SharedClock, SubscriberId};
use crate::store::deliveries::DeliveryRow;
use crate::store::issues::{NewIssue, Queueing};
use crate::store::{DaemonLock, Store, StoreError};

/// What the name of a copy's folder begins with.
const PREFIX: &str = ".rehearsal-";
/// The copy in it.
const COPY: &str = "letterpress.db";
/// The most people who are named with their errors.
const ERRORS_MAX: usize = 1_000;

/// Takes every mail, keeps none, and measures them.
#[derive(Default)]
struct Scale {
    largest: AtomicU64,
    bytes: AtomicU64,
}

impl Mailbox for Scale {
    fn keep(&self, mail: Received) -> std::io::Result<()> {
        let bytes = mail.bytes.len() as u64;
        self.largest.fetch_max(bytes, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }
}

/// A rehearsal that goes on.
pub struct Rehearsal {
    /// The copy, in which the issue can be followed.
    pub store: Store,
    pub issue: IssueId,
    /// The database that was copied; it knows what was said and learnt of speeds.
    source: Store,
    /// The list's key.
    list: String,
    settings: delivery::Settings,
    scale: Arc<Scale>,
    stop: CancellationToken,
    sender: JoinHandle<Result<(), StoreError>>,
    sink: JoinHandle<std::io::Result<()>>,
    _lock: DaemonLock,
    _folder: TempDir,
}

/// What a rehearsal has shown.
#[derive(Debug)]
pub struct Findings {
    /// In bytes, as they would go over the wire.
    pub largest_bytes: u64,
    pub bytes: u64,
    /// Those who would not get the mail, with the reason; at most a thousand.
    pub errors: Vec<DeliveryRow>,
}

impl Rehearsal {
    /// Copies the database beside itself, queues the issue there and begins to send it into a sink.
    ///
    /// # Errors
    /// The database can't be copied, or no port can be had.
    pub async fn begin(
        store: &Store,
        settings: &delivery::Settings,
        list: List,
        issue: NewIssue,
        links: &Links,
        clock: &SharedClock,
    ) -> Result<Rehearsal, StoreError> {
        let refused =
            |what: &str, e: std::io::Error| StoreError::Refused(format!("{what}: {}", crate::words::io(&e)));
        let beside = store.path().parent().map(Path::to_owned).unwrap_or_default();
        let beside = if beside.as_os_str().is_empty() { ".".into() } else { beside };
        sweep(&beside);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&beside)
            .map_err(|e| refused(&format!("{}: no copy can be made", beside.display()), e))?;
        let path = folder.path().join(COPY);
        let lock = DaemonLock::take(&path, &format!("pid {}, a rehearsal", std::process::id()))?;
        let copy = store.rehearsal_copy(&path).await?;
        let (list_id, key) = (issue.list, list.key.clone());
        // Under a name of its own: an issue that was sent can be rehearsed as well.
        let slug = format!("{}-rehearsal-{}", issue.slug, clock.now().as_millisecond());
        let issue = NewIssue { slug, number: None, ..issue };
        let Queueing::Queued(id) = copy.queue_issue(issue).await? else {
            return Err(StoreError::Refused("the rehearsal could not be queued".into()));
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|e| refused("no sink inside", e))?;
        let port = listener.local_addr().map_err(|e| refused("no sink inside", e))?.port();
        let (scale, stop) = (Arc::new(Scale::default()), CancellationToken::new());
        let sink = tokio::spawn(inbox::serve_smtp(listener, scale.clone(), stop.clone()));
        copy.start_due(clock.now(), Duration::MAX).await?;
        let sender = tokio::spawn(delivery::run(
            copy.clone(),
            into_sink(settings, port),
            HashMap::from([(list_id, list)]),
            links.clone(),
            clock.clone(),
            stop.child_token(),
        ));
        let settings = settings.clone();
        Ok(Rehearsal {
            store: copy,
            issue: id,
            source: store.clone(),
            list: key,
            settings,
            scale,
            stop,
            sender,
            sink,
            _lock: lock,
            _folder: folder,
        })
    }

    /// Ends it and deletes the copy.
    ///
    /// # Errors
    /// The copy can't be read.
    pub async fn end(self) -> Result<Findings, StoreError> {
        self.stop.cancel();
        let _ = self.sender.await;
        let _ = self.sink.await;
        let mut errors = Vec::new();
        for state in [State::Failed, State::Uncertain, State::Deferred, State::Queued] {
            let room = ERRORS_MAX - errors.len();
            errors.extend(self.store.deliveries(self.issue, Some(state), SubscriberId(0), room).await?);
        }
        let findings = Findings {
            largest_bytes: self.scale.largest.load(Ordering::Relaxed),
            bytes: self.scale.bytes.load(Ordering::Relaxed),
            errors,
        };
        self.store.close().await;
        Ok(findings)
    }

    /// How long the real send will take from `now` on, under all that slows it, where this one took so long for so
    /// many.
    ///
    /// # Errors
    /// The copy can't be read.
    pub async fn estimate(
        &self,
        planned: u64,
        took: Duration,
        now: Timestamp,
    ) -> Result<Duration, StoreError> {
        Ok(known(self, planned, took, now).await?.takes(now))
    }
}

/// Takes away what rehearsals left that were killed.
fn sweep(beside: &Path) {
    for folder in std::fs::read_dir(beside).into_iter().flatten().flatten() {
        let left = folder.file_name().to_string_lossy().starts_with(PREFIX);
        if left && DaemonLock::holder(&folder.path().join(COPY)).is_none() {
            let _ = std::fs::remove_dir_all(folder.path());
        }
    }
}

/// What is known of the real send, under the settings and what was said and learnt of speeds.
async fn known(
    rehearsal: &Rehearsal,
    planned: u64,
    took: Duration,
    now: Timestamp,
) -> Result<Send, StoreError> {
    let Rehearsal { source: store, settings, .. } = rehearsal;
    let (measures, words) = (store.measures().await?, store.speeds().await?);
    let rate = |name: &str, set: u32| {
        let word = words.iter().find(|(other, _)| other == name).map(|(_, word)| *word);
        let learnt = measures.iter().find(|m| m.name == name).and_then(|m| m.learnt).map(|(rate, _)| rate);
        lowest(word.unwrap_or(set), learnt)
    };
    // What only takes over where others fail counts only where there is nothing else.
    let all_rest = settings.relays.iter().all(|relay| relay.weight == 0);
    let relays: Vec<&Relay> = settings.relays.iter().filter(|relay| all_rest || relay.weight > 0).collect();
    let mut warm_up = Vec::new();
    for relay in relays.iter().filter(|_| relays.iter().all(|relay| relay.warm_up.is_some())) {
        let (days, given) = store.warm_up(&relay.name, day_of(now)).await?;
        warm_up.extend(relay.warm_up.map(|plan| (plan, days, given)));
    }
    let mut parts: HashMap<String, Part> = HashMap::new();
    for (domain, mails) in rehearsal.store.audience_by_domain(rehearsal.issue).await? {
        let domains = &settings.pacing.domains;
        let provider = domains.providers.of(&domain);
        let limits = domains.of(provider);
        let per_minute = rate(&provider_name(provider), limits.messages_per_minute);
        if per_minute.is_some() || limits.connections > 0 {
            let part = Part { mails: 0, per_minute, connections: limits.connections };
            parts.entry(provider.to_owned()).or_insert(part).mails += mails;
        }
    }
    let batches = planned.div_ceil(settings.batch_size.max(1) as u64).saturating_sub(1);
    Ok(Send {
        mails: planned,
        unlimited: took,
        connections: relays.iter().map(|relay| relay.connections as u32).sum(),
        per_minute: relays.iter().map(|r| rate(&relay_name(&r.name), r.messages_per_minute)).sum(),
        providers: parts.into_values().collect(),
        pauses: settings.pause_between_batches.saturating_mul(u32::try_from(batches).unwrap_or(u32::MAX)),
        warm_up,
        window: settings.pacing.windows.get(&rehearsal.list).cloned(),
    })
}

/// The same settings, with every relay in the place of the sink and without measures.
fn into_sink(settings: &delivery::Settings, port: u16) -> delivery::Settings {
    let relays = settings.relays.iter().map(|relay| Relay {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::None,
        ca_file: None,
        username: None,
        password: None,
        messages_per_minute: 0,
        weight: 1,
        warm_up: None,
        ..relay.clone()
    });
    delivery::Settings {
        relays: relays.collect(),
        pause_between_batches: Duration::ZERO,
        pacing: Pacing::default(),
        ..settings.clone()
    }
}
