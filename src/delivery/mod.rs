//! The sender: an issue that goes on becomes an audience, and an audience mail in the hands of SMTP relays.
//!
//! It leaves to others: what a mail looks like (`mail`), what stands in the ledger (`store`), and which moves
//! exist (`model::delivery`, `model::sending`).

mod ahead;
mod breaker;
mod capabilities;
mod connection;
mod desk;
#[doc(hidden)]
pub mod foreign;
mod gathering;
mod groups;
mod ledger;
mod one;
pub mod pace;
mod planner;
mod relay;
mod reply;
mod retry;
mod signing;
mod toll;
mod trust;
mod wire;
mod worker;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use one::send_one;
pub use signing::Signing;

use desk::Desk;
use ledger::Ledger;
use pace::{Pacing, Shares};
use planner::{Planner, Speed};
use relay::RelayState;
use toll::Toll;
use worker::{Shared, Worker};

use crate::link::Links;
use crate::link::token::BOUNCE_MAX_CHARS;
use crate::model::{List, ListId, SharedClock};
use crate::store::{Result, Store, StoreError};

/// How a connection to a relay is kept from other eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS (RFC 3207), never falling back to clear text.
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// Clear text: for relays on this machine.
    None,
}

/// How far commands run ahead of their answers (RFC 2920), where the server offers PIPELINING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipelining {
    /// Each answer is waited for.
    Off,
    /// MAIL, RCPT and DATA in one write: a mail costs two round trips.
    Standard,
    /// The next mail's commands behind the content as well: one round trip a mail, where the server takes it.
    Ahead,
}

/// An SMTP relay, as `[relay.NAME]` describes it.
#[derive(Clone)]
pub struct Relay {
    pub name: String,
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// Certificates in PEM form that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    pub username: Option<String>,
    pub password: Option<String>,
    /// At most so many connections at once.
    pub connections: usize,
    /// At most so many mails on one connection.
    pub messages_per_connection: u32,
    /// 0: no limit.
    pub messages_per_minute: u32,
    pub pipelining: Pipelining,
    /// Its share of the mails where relays have different ones; 0: only where the others fail.
    pub weight: u32,
    /// How it is warmed up; `None`: it is not.
    pub warm_up: Option<pace::warm::Plan>,
}

impl std::fmt::Debug for Relay {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relay({} at {}:{})", self.name, self.host, self.port)
    }
}

/// How long each step of a conversation may take (RFC 5321, 4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub connect: Duration,
    /// The greeting, and a TLS handshake.
    pub greeting: Duration,
    /// The answer to MAIL, RCPT and other commands.
    pub command: Duration,
    /// The answer to DATA.
    pub data: Duration,
    /// Each part of a mail that the server must take.
    pub block: Duration,
    /// The answer after the dot. A short one makes doubles: the server may be slow, and have the mail.
    pub dot: Duration,
}

impl Default for Timeouts {
    /// Those of the standard; for connecting, what people are ready to wait.
    fn default() -> Timeouts {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Timeouts {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            command: minutes(5),
            data: minutes(2),
            block: minutes(3),
            dot: minutes(10),
        }
    }
}

/// How issues are sent, as `[sending]` describes it, with the relays.
#[derive(Clone, Debug)]
pub struct Settings {
    pub relays: Vec<Relay>,
    /// So many mails go out before a pause; what is read ahead stays queued.
    pub batch_size: usize,
    pub pause_between_batches: Duration,
    /// The first wait after a temporary refusal; those after it grow.
    pub first_retry: Duration,
    pub longest_retry: Duration,
    /// Who is refused for so long after the first try has failed.
    pub give_up_after: Duration,
    /// An issue that was due longer ago waits for its author; `schedule` heeds it.
    pub hold_when_late: Duration,
    pub timeouts: Timeouts,
    pub pacing: Pacing,
    /// The folder with the DKIM keys.
    pub dkim: PathBuf,
}

/// The longest local part of a bounce address, and the longest such address, in bytes: `+TOKEN` goes in between, and
/// 64 and 254 are allowed (RFC 5321, 4.5.3.1.1 and 4.5.3.1.3).
pub const BOUNCE_LOCAL_MAX_BYTES: usize = 64 - 1 - BOUNCE_MAX_CHARS;
pub const BOUNCE_ADDRESS_MAX_BYTES: usize = 254 - 1 - BOUNCE_MAX_CHARS;

/// How long mails in flight are waited for when the daemon is asked to stop.
const LAST_WAIT: Duration = Duration::from_secs(30);
/// How long the last outcomes are waited for after that.
const LAST_COMMIT: Duration = Duration::from_secs(5);
/// What a row says whose daemon was killed while it was in flight.
const KILLED: &str = "the daemon was killed while this mail was in flight: whether it arrived is not known";

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
        tracing::warn!("{left} mails were in flight when the last daemon ended; they are uncertain now");
    }
    let settings = Arc::new(settings);
    let connections: usize = settings.relays.iter().map(|relay| relay.connections.max(1)).sum();
    let desk = Arc::new(Desk::new(connections * 4, Arc::new(settings.pacing.domains.clone())));
    let (ledger, writing) = Ledger::new(store.clone(), clock.clone());
    let mut writing = tokio::spawn(writing);
    let relays: Vec<Arc<RelayState>> =
        settings.relays.iter().map(|relay| Arc::new(RelayState::new(relay.clone(), &settings))).collect();
    let (kept, words) = (store.measures().await?, store.speeds().await?);
    // First the author's words: said later, they would make an end of what was learnt under them.
    desk.say(&words);
    relays.iter().for_each(|relay| relay.say(&words));
    desk.recall(&kept, clock.now());
    relays.iter().for_each(|relay| relay.recall(&kept, clock.now()));
    let weights = settings.relays.iter().map(|relay| (relay.weight, relay.connections as u32));
    let shares = Arc::new(Shares::new(weights.collect()));
    let toll = Arc::new(Toll::new(settings.pacing.pause_above));
    let signing = Arc::new(Signing::new(settings.dkim.clone()));
    let shared = Shared {
        desk: desk.clone(),
        relays: relays.clone(),
        shares,
        toll: toll.clone(),
        ledger,
        links,
        signing: signing.clone(),
        clock: clock.clone(),
        settings: settings.clone(),
    };
    let mut workers = JoinSet::new();
    for relay in &relays {
        for _ in 0..relay.relay.connections.max(1) {
            workers.spawn(Worker::new(shared.clone(), relay.clone()).run());
        }
    }
    drop(shared);
    let planner = Planner {
        store: store.clone(),
        settings,
        lists,
        clock: clock.clone(),
        desk: desk.clone(),
        relays: relays.clone(),
        signing,
        issues: HashMap::new(),
        speed: Speed::default(),
        unreadable: None,
        toll,
    };
    let ended = tokio::select! {
        ended = planner.run() => ended,
        // Workers end when the desk is closed; one that ends before has died, and tells so by its panic.
        Some(Err(died)) = workers.join_next() => {
            Err(StoreError::Refused(format!("a connection's task died ({died}); please report it")))
        }
        // The same holds for the ledger, without which every claim is refused and no outcome is kept.
        _ = &mut writing => Err(StoreError::Refused("the ledger's task died; please report it".into())),
        () = shutdown.cancelled() => Ok(()),
    };
    desk.close();
    let finished = tokio::time::timeout(LAST_WAIT, async { while workers.join_next().await.is_some() {} });
    if finished.await.is_err() {
        tracing::warn!("some mails in flight were not answered in time; they will be uncertain");
        workers.shutdown().await;
    }
    // A database that can't be written is not waited for for ever.
    if !writing.is_finished() {
        let _ = tokio::time::timeout(LAST_COMMIT, writing).await;
    }
    let _ = tokio::time::timeout(LAST_COMMIT, planner::keep_speed(&store, &desk, &relays, clock.now(), true))
        .await;
    ended
}
