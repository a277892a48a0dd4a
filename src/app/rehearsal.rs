//! A rehearsal: the whole send by the same sender, on a copy of the database that is deleted afterwards, into a
//! sink inside. Nobody is mailed, and nothing is left behind: neither in the database itself nor beside it, however
//! the rehearsal ends. What a kill leaves is taken away by the next rehearsal or daemon.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::delivery::{self, Relay};
use crate::inbox::{self, Mailbox, Received};
use crate::model::delivery::State;
use crate::model::rate::RelaySpeed;
use crate::model::{IssueId, List, ListId, SharedClock, SubscriberId};
use crate::pace::forecast::{Forecast, ProviderShare};
use crate::pace::rate_limit::effective_rate;
use crate::pace::warmup::day_of;
use crate::pace::{Pacing, provider_name, relay_name};
use crate::smtp::{Endpoint, Tls};
use crate::store::deliveries::DeliveryRow;
use crate::store::issues::{NewIssue, Queueing};
use crate::store::{DaemonLock, Store, StoreError};

use super::keys;

/// What the name of a copy's folder begins with.
const PREFIX: &str = ".rehearsal-";
/// The copy in it.
const COPY: &str = "letterpress.db";
/// The most people who are named with their errors.
const ERRORS_MAX: usize = 1_000;
/// How often the copy is tried whether it can be written, and how many tries in a row may fail.
const TRY_EVERY: Duration = Duration::from_secs(1);
const TRIES: u32 = 3;

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
pub(crate) struct Rehearsal {
    /// The copy, in which the issue can be followed.
    pub store: Store,
    pub issue: IssueId,
    /// The database that was copied; it knows what was said and learnt of speeds.
    source: Store,
    /// The list's key.
    list: String,
    settings: delivery::Settings,
    scale: Arc<Scale>,
    inside: Inside,
    _lock: DaemonLock,
    _folder: TempDir,
}

/// The tasks of a rehearsal, which end with it.
struct Inside {
    stop: CancellationToken,
    sender: JoinHandle<Result<(), StoreError>>,
    sink: JoinHandle<std::io::Result<()>>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.stop.cancel();
        self.sender.abort();
        self.sink.abort();
    }
}

/// How long the real send takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// From now on to its last mail.
    pub duration: Duration,
    /// How quickly some relay takes mails was never measured, so that it may take longer.
    pub is_lower_bound: bool,
}

/// What a rehearsal has shown.
#[derive(Debug)]
pub(crate) struct Findings {
    /// In bytes, as they would go over the wire.
    pub largest_bytes: u64,
    pub bytes: u64,
    /// Those who would not get the mail, with the reason; at most a thousand.
    pub errors: Vec<DeliveryRow>,
}

impl Rehearsal {
    /// Copies the database beside itself, queues there the issue of a list, and begins to send it into a sink. What
    /// the send needs and the database lacks, such as the list's row, is made in the copy alone.
    ///
    /// # Errors
    /// The database can't be copied, or no port can be had.
    pub(crate) async fn begin(
        store: &Store,
        settings: &delivery::Settings,
        public_url: &str,
        list: List,
        issue: impl FnOnce(ListId) -> NewIssue,
        clock: &SharedClock,
    ) -> Result<Rehearsal, StoreError> {
        let (folder, lock) = place(&beside(store.path()))?;
        let copy = store.rehearsal_copy(&folder.path().join(COPY)).await?;
        let key = list.key.clone();
        let list_id = copy
            .ensure_lists(std::slice::from_ref(&key), clock.now())
            .await?[&key];
        let links = keys::links(&copy, public_url, clock).await?;
        let issue = issue(list_id);
        // Under a name of its own: an issue that was sent can be rehearsed as well.
        let slug = format!("{}-rehearsal-{}", issue.slug, clock.now().as_millisecond());
        let issue = NewIssue {
            slug,
            number: None,
            ..issue
        };
        let Queueing::Queued(id) = copy.queue_issue(issue).await? else {
            return Err(StoreError::refused("the rehearsal could not be queued"));
        };
        let no_sink = |e: std::io::Error| {
            StoreError::refused(format!(
                "the built-in sink can't listen: {}",
                crate::format::io(&e)
            ))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(no_sink)?;
        let port = listener.local_addr().map_err(no_sink)?.port();
        let (scale, stop) = (Arc::new(Scale::default()), CancellationToken::new());
        let sink = tokio::spawn(inbox::serve_smtp(listener, scale.clone(), stop.clone()));
        copy.start_due(clock.now(), Duration::MAX).await?;
        let sender = tokio::spawn(delivery::run(
            copy.clone(),
            into_sink(settings, port),
            HashMap::from([(list_id, list)]),
            links,
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
            inside: Inside { stop, sender, sink },
            _lock: lock,
            _folder: folder,
        })
    }

    /// Ends it and deletes the copy.
    ///
    /// # Errors
    /// The copy can't be read.
    pub(crate) async fn end(mut self) -> Result<Findings, StoreError> {
        self.inside.stop.cancel();
        let _ = (&mut self.inside.sender).await;
        let _ = (&mut self.inside.sink).await;
        let mut errors = Vec::new();
        for state in [
            State::Failed,
            State::Uncertain,
            State::Deferred,
            State::Queued,
        ] {
            let room = ERRORS_MAX - errors.len();
            errors.extend(
                self.store
                    .deliveries(self.issue, Some(state), SubscriberId(0), room)
                    .await?,
            );
        }
        let findings = Findings {
            largest_bytes: self.scale.largest.load(Ordering::Relaxed),
            bytes: self.scale.bytes.load(Ordering::Relaxed),
            errors,
        };
        self.store.close().await;
        Ok(findings)
    }

    /// Gives why it can't go on, should that come to pass: its sender died, or waits for a disk that takes nothing,
    /// which is worth it with a real send alone.
    pub(crate) async fn breaks(&mut self) -> StoreError {
        let error = tokio::select! {
            ended = &mut self.inside.sender => match ended {
                Ok(Err(error)) => error,
                Ok(Ok(())) => return StoreError::refused("the rehearsal ended by itself").help("Please report this."),
                Err(died) => {
                    return StoreError::refused(format!("the rehearsal died of a defect ({died})")).help("Please report this.");
                }
            },
            error = cannot_be_written(&self.store) => error,
        };
        StoreError::refused(format!("the rehearsal can't go on: {}", error.what)).help(
            "Nobody was mailed, and its copy of the database is deleted. Fix that, then rehearse again.",
        )
    }

    /// How long the real send will take from `now` on, under all that slows it and as quickly as its relays were found
    /// to be, where this one took this long for this many.
    ///
    /// # Errors
    /// The copy can't be read.
    pub(crate) async fn estimate(
        &self,
        planned: u64,
        took: Duration,
        now: Timestamp,
    ) -> Result<Estimate, StoreError> {
        let (forecast, is_lower_bound) = known(self, planned, took, now).await?;
        Ok(Estimate {
            duration: forecast.duration(now),
            is_lower_bound,
        })
    }
}

/// Waits until a database has not taken a write for several tries in a row, and gives why.
async fn cannot_be_written(store: &Store) -> StoreError {
    let mut failed = 0;
    loop {
        tokio::time::sleep(TRY_EVERY).await;
        match store.try_writing().await {
            Ok(()) => failed = 0,
            Err(error) if failed + 1 == TRIES => return error,
            Err(_) => failed += 1,
        }
    }
}

/// The folder that a database lies in.
fn beside(database: &Path) -> PathBuf {
    match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => ".".into(),
    }
}

/// Makes the folder of a copy, with the lock that says that somebody works on it.
fn place(beside: &Path) -> Result<(TempDir, DaemonLock), StoreError> {
    let alone = sweep_in(beside);
    let folder = tempfile::Builder::new()
        .prefix(PREFIX)
        .tempdir_in(beside)
        .map_err(|e| {
            let what = format!("no copy can be made: {}", crate::format::io(&e));
            StoreError::refused(what).at(beside)
        })?;
    let who = format!("pid {}, a rehearsal", std::process::id());
    let lock = DaemonLock::take(&folder.path().join(COPY), &who)?;
    drop(alone);
    Ok((folder, lock))
}

/// Takes away what rehearsals left beside a database that were killed.
pub(crate) fn sweep(database: &Path) {
    sweep_in(&beside(database));
}

/// Sweeps a folder, and gives the lock on it under which that was done: between a copy's folder and the lock in it
/// nobody may look, since it would seem forsaken. Where the folder can't be locked, nothing is taken away.
fn sweep_in(beside: &Path) -> Option<File> {
    let alone = File::open(beside).ok()?;
    alone.lock().ok()?;
    for folder in std::fs::read_dir(beside).into_iter().flatten().flatten() {
        let left = folder.file_name().to_string_lossy().starts_with(PREFIX);
        if left && DaemonLock::holder(&folder.path().join(COPY)).is_none() {
            let _ = std::fs::remove_dir_all(folder.path());
        }
    }
    Some(alone)
}

/// What is known of the real send, under the settings and what was said and learnt of speeds.
async fn known(
    rehearsal: &Rehearsal,
    planned: u64,
    took: Duration,
    now: Timestamp,
) -> Result<(Forecast, bool), StoreError> {
    let Rehearsal {
        source: store,
        settings,
        ..
    } = rehearsal;
    let (measures, words) = (store.saved_rates().await?, store.rate_overrides().await?);
    let rate = |name: &str, set: u32| {
        let word = words
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, word)| *word);
        let learnt = measures
            .iter()
            .find(|m| m.name == name)
            .and_then(|m| m.learned)
            .map(|learned| learned.per_minute);
        effective_rate(word.unwrap_or(set), learnt)
    };
    // What only takes over where others fail counts only where there is nothing else.
    let all_rest = settings.relays.iter().all(|relay| relay.weight == 0);
    let relays: Vec<&Relay> = settings
        .relays
        .iter()
        .filter(|relay| all_rest || relay.weight > 0)
        .collect();
    let mut warm_up = Vec::new();
    for relay in relays
        .iter()
        .filter(|_| relays.iter().all(|relay| relay.warm_up.is_some()))
    {
        let (days, given) = store.warmup_days(&relay.name, day_of(now)).await?;
        warm_up.extend(relay.warm_up.map(|plan| (plan, days, given)));
    }
    let mut parts: HashMap<String, ProviderShare> = HashMap::new();
    for (domain, mails) in rehearsal.store.audience_by_domain(rehearsal.issue).await? {
        let domains = &settings.pacing.domains;
        let provider = domains.providers.of(&domain);
        let limits = domains.of(provider);
        let per_minute = rate(&provider_name(provider), limits.messages_per_minute);
        if per_minute.is_some() || limits.connections > 0 {
            let part = ProviderShare {
                mails: 0,
                per_minute,
                connections: limits.connections,
            };
            parts.entry(provider.to_owned()).or_insert(part).mails += mails;
        }
    }
    let batches = planned
        .div_ceil(settings.batch_size.max(1) as u64)
        .saturating_sub(1);
    let by_relays = at_measured_speed(&relays, planned, &store.relay_speeds().await?);
    let forecast = Forecast {
        mails: planned,
        unlimited: took.max(by_relays.unwrap_or_default()),
        connections: relays.iter().map(|relay| relay.connections as u32).sum(),
        per_minute: relays
            .iter()
            .map(|r| rate(&relay_name(&r.name), r.messages_per_minute))
            .sum(),
        providers: parts.into_values().collect(),
        pauses: settings
            .pause_between_batches
            .saturating_mul(u32::try_from(batches).unwrap_or(u32::MAX)),
        warm_up,
        window: settings.pacing.windows.get(&rehearsal.list).cloned(),
    };
    Ok((forecast, by_relays.is_none()))
}

/// How long relays take for a number of mails, by what was measured of each; `None`: of one of them nothing is known.
fn at_measured_speed(relays: &[&Relay], mails: u64, speeds: &[RelaySpeed]) -> Option<Duration> {
    let per_s: Option<f64> = relays
        .iter()
        .map(|relay| {
            let server = relay.endpoint.to_string();
            let speed = speeds.iter().find(|speed| speed.server == server)?;
            Some(relay.connections.max(1) as f64 / speed.mail_s.max(1e-6))
        })
        .sum();
    let per_s = per_s.filter(|per_s| *per_s > 0.0)?;
    Duration::try_from_secs_f64(mails as f64 / per_s).ok()
}

/// The settings with the sink in place of every relay, and without rate limits.
fn into_sink(settings: &delivery::Settings, port: u16) -> delivery::Settings {
    let relays = settings.relays.iter().map(|relay| Relay {
        endpoint: Endpoint {
            host: "127.0.0.1".into(),
            port,
            tls: Tls::None,
            ca_file: None,
            login: None,
            ..relay.endpoint.clone()
        },
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
