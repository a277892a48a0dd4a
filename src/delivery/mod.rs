//! The sender: an issue that goes on becomes an audience, and an audience mail in the hands of SMTP relays.
//!
//! It leaves to others: what a mail looks like (`mail`), what stands in the ledger (`store`), and which moves
//! exist (`model::delivery`, `model::sending`).

mod ahead;
mod awaited;
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
mod planner;
mod relay;
mod reply;
mod retry;
mod running;
mod signing;
mod toll;
mod trust;
mod wire;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

pub use one::send_one;
pub use running::run;
pub use signing::Signing;

use crate::pace::Pacing;

use crate::link::token::BOUNCE_MAX_CHARS;

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
    pub warm_up: Option<crate::pace::warmup::Plan>,
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
