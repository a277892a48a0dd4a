//! The sender: mails of issues that are being sent, and confirmations, go to SMTP relays.
//!
//! The **scheduler** determines an issue's audience, reads its mails ahead, and puts them into the **ready queue**, where
//! each provider that is limited has a queue of its own. A **worker** is one connection to one relay. It takes a mail with a
//! **permit**, which holds everything that the mail takes of what is limited (the provider's rate and connections, the
//! relay's rate, daily quota and share) and gives it back by itself. The worker has the mail written and signed
//! (**prepared mail**), and claims it through the **commit queue**, which writes the claims and outcomes of all workers in
//! batches. Only then does the content go out on the worker's **session**. The reply becomes a **disposition**, whose
//! outcome goes with the next claim; as **feedback** it raises or lowers rates. Two **breakers** watch them: one sees to it
//! that nobody fails for a refusal that is about us, and closes the provider or the relay that refuses us; the other pauses
//! an issue of which too large a share fails. Where a **relay** fails, it backs off and the other **relays** go on. Nothing in memory is a promise: what counts is in the database.
//!
//! What a mail looks like is left to `mail`, the conversation with a server to `smtp`, limits to `pace`, the ledger to
//! `store`, and which moves exist to `model::delivery` and `model::sending`.

mod batch_size;
mod commit_queue;
mod disposition;
mod failure_rate;
mod feedback;
mod one;
mod prepared_mail;
mod ready_queue;
mod refusal_streak;
mod relay;
mod relay_set;
mod relays;
mod retry;
mod run;
mod scheduler;
mod session;
mod signing;
#[cfg(test)]
mod testing;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

pub use one::{NotSent, send_one};
pub use run::run;
pub use signing::{Obstacle, Signing};

pub use crate::mail::dkim::{Algorithm, Policy as DkimPolicy};

use crate::link::token::BOUNCE_MAX_CHARS;
use crate::mail::dkim;
use crate::pace::Pacing;
use crate::smtp::Endpoint;

/// An SMTP relay, as `[relay.NAME]` describes it: where it is, and how much it is given.
#[derive(Clone, Debug)]
pub struct Relay {
    /// The name in the settings.
    pub name: String,
    /// Where it is, and how to talk to it.
    pub endpoint: Endpoint,
    /// The most connections at once.
    pub connections: usize,
    /// The most messages per minute; 0: no limit.
    pub messages_per_minute: u32,
    /// Its share of the mails where relays have different ones; 0: only where the others fail.
    pub weight: u32,
    /// Which DKIM signatures its mails bear.
    pub dkim: DkimPolicy,
    /// How it is warmed up; `None`: it is not.
    pub warm_up: Option<crate::pace::warmup::Plan>,
}

/// How issues are sent, as `[sending]` describes it, with the relays.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The relays, in the order of the settings.
    pub relays: Vec<Relay>,
    /// The number of mails that go out before a pause. What is read ahead stays `queued`.
    pub batch_size: usize,
    /// The pause between two batches; zero: none.
    pub pause_between_batches: Duration,
    /// The first wait after a temporary failure. Each further one is twice as long.
    pub first_retry: Duration,
    /// The longest wait after a temporary failure.
    pub longest_retry: Duration,
    /// How long after its first try a mail that fails temporarily has failed permanently.
    pub give_up_after: Duration,
    /// An issue that was due longer ago than this waits for its author. `schedule` follows it.
    pub hold_when_late: Duration,
    /// Rate limits and sending hours.
    pub pacing: Pacing,
    /// The folder with the DKIM keys.
    pub dkim: PathBuf,
}

/// Whether DKIM signatures cover a header, unless a relay leaves it out.
pub fn dkim_signs(header: &str) -> bool {
    dkim::is_signed(header)
}

/// The longest local part of a bounce address, in bytes: 64 are allowed (RFC 5321, 4.5.3.1.1), and `+TOKEN` is added.
pub const BOUNCE_LOCAL_MAX_BYTES: usize = 64 - 1 - BOUNCE_MAX_CHARS;
/// The longest bounce address, in bytes: 254 are allowed (RFC 5321, 4.5.3.1.3), and `+TOKEN` is added.
pub const BOUNCE_ADDRESS_MAX_BYTES: usize = 254 - 1 - BOUNCE_MAX_CHARS;
