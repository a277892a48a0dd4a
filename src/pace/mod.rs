//! How quickly mails may go: to each provider, and by each relay. Pure, but for the monotonic clock that is
//! handed in.
//!
//! Which mail waits and who sends it is left to the desk and the connections.

pub mod bucket;
pub mod forecast;
pub mod gauge;
pub mod learnt;
pub mod limits;
pub mod provider;
pub mod shares;
pub mod tally;
pub mod warm;
pub mod window;

pub use gauge::{Gauge, SAVE_EVERY, Source};
pub use limits::{DomainLimits, Limits, Section};
pub use shares::{Shares, Standing};
pub use tally::Tally;
pub use window::Window;

use std::collections::HashMap;

/// How measures are called where they are written down.
pub fn relay_name(relay: &str) -> String {
    format!("relay:{relay}")
}

/// As [`relay_name`], of a provider.
pub fn provider_name(provider: &str) -> String {
    format!("{PROVIDER}{provider}")
}

/// What the name of a provider's measure begins with.
pub const PROVIDER: &str = "domain:";

/// What holds for all relays; by default, nothing is limited.
#[derive(Clone, Debug, Default)]
pub struct Pacing {
    /// What each provider may get.
    pub domains: DomainLimits,
    /// When mails of a list may go, by its key.
    pub windows: HashMap<String, Window>,
    pub pause_above: PauseAbove,
}

/// Above which share of failures among its answers an issue pauses; 0: never.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PauseAbove {
    /// Refused for good.
    pub failed: f64,
    /// Refused for now.
    pub deferred: f64,
}

impl PauseAbove {
    pub const NEVER: PauseAbove = PauseAbove {
        failed: 0.0,
        deferred: 0.0,
    };
}
