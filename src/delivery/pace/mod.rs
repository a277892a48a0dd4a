//! How quickly mails may go: to each provider, and by each relay. Pure, but for the monotonic clock that is
//! handed in.
//!
//! Which mail waits and who sends it is left to the desk and the connections.

pub mod bucket;
pub mod limits;
pub mod provider;

pub use bucket::Bucket;
pub use limits::{DomainLimits, Limits, Section};

/// What holds for all relays; by default, nothing is limited.
#[derive(Clone, Debug, Default)]
pub struct Pacing {
    /// What each provider may get.
    pub domains: DomainLimits,
}
