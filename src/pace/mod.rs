//! How quickly mails may go, to each provider and by each relay: rate limits, quotas of a warm-up, sending hours, the
//! balance between relays, and forecasts made of all of them.
//!
//! Everything here is pure: it reads no clock, no file and no socket. The monotonic clock (`std::time::Instant`) and
//! the wall clock (`jiff::Timestamp`) are parameters. Waiting, sending and writing things down is left to `delivery`.

pub mod adaptive_rate;
pub mod balancer;
pub mod forecast;
pub mod limits;
pub mod provider;
pub mod rate_limit;
pub mod rate_meter;
pub mod sending_hours;
pub mod speed_meter;
pub mod token_bucket;
pub mod warmup;

pub use balancer::{Balancer, RelayHealth, Turn};
pub use limits::{DomainLimits, Limits, Section};
pub use rate_limit::{RateLimit, SAVE_EVERY};
pub use rate_meter::RateMeter;
pub use sending_hours::SendingHours;
pub use speed_meter::SpeedMeter;

use std::collections::HashMap;

/// What the name of a provider's saved rate limit begins with.
pub const PROVIDER_PREFIX: &str = "domain:";

/// The name under which a relay's rate limit is saved: `relay:NAME`.
pub fn relay_name(relay: &str) -> String {
    format!("relay:{relay}")
}

/// The name under which a provider's rate limit is saved: `domain:PROVIDER`.
pub fn provider_name(provider: &str) -> String {
    format!("{PROVIDER_PREFIX}{provider}")
}

/// The limits that hold whichever relay takes a mail; by default there are none.
#[derive(Clone, Debug, Default)]
pub struct Pacing {
    /// The limits of each provider.
    pub domains: DomainLimits,
    /// The hours in which mails of a list may go, by the list's key. A list without an entry sends at any time.
    pub windows: HashMap<String, SendingHours>,
    /// The share of failures above which an issue pauses.
    pub pause_above: PauseAbove,
}

/// The shares of failed and of deferred answers, from 0 to 1, above which an issue pauses; 0: never.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PauseAbove {
    /// The share of permanent failures.
    pub failed: f64,
    /// The share of temporary failures.
    pub deferred: f64,
}

impl PauseAbove {
    /// No share of failures pauses an issue.
    pub const NEVER: PauseAbove = PauseAbove {
        failed: 0.0,
        deferred: 0.0,
    };
}
