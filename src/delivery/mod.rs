//! The sender: an issue that goes on becomes an audience, and an audience mail in the hands of SMTP relays.
//!
//! It leaves to others: what a mail looks like (`mail`), what stands in the ledger (`store`), and which moves
//! exist (`model::delivery`, `model::sending`).

mod breaker;
mod desk;
mod gathering;
mod ledger;
mod one;
mod planner;
mod relay;
mod retry;
mod running;
mod signing;
mod toll;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

pub use one::send_one;
pub use running::run;
pub use signing::Signing;

use crate::link::token::BOUNCE_MAX_CHARS;
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
    /// How it is warmed up; `None`: it is not.
    pub warm_up: Option<crate::pace::warmup::Plan>,
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
    pub pacing: Pacing,
    /// The folder with the DKIM keys.
    pub dkim: PathBuf,
}

/// The longest local part of a bounce address, and the longest such address, in bytes: `+TOKEN` goes in between, and
/// 64 and 254 are allowed (RFC 5321, 4.5.3.1.1 and 4.5.3.1.3).
pub const BOUNCE_LOCAL_MAX_BYTES: usize = 64 - 1 - BOUNCE_MAX_CHARS;
pub const BOUNCE_ADDRESS_MAX_BYTES: usize = 254 - 1 - BOUNCE_MAX_CHARS;
