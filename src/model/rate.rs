//! What the database keeps of a rate limit between two runs of the daemon. What it means is left to `pace`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One row of the table `measure`: the state of a relay's or a provider's rate limit.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedRate {
    /// `relay:NAME` or `domain:PROVIDER`.
    pub name: String,
    /// When the limit allows the next mail; `None`: at once.
    pub due_at: Option<Timestamp>,
    /// The rate that was learned from complaints; `None`: nobody complained, or the rate has recovered.
    pub learned: Option<LearnedRate>,
    /// When this was written, by the wall clock.
    pub saved_at: Timestamp,
    /// Written by an orderly stop: no mail was sent afterwards.
    pub is_final: bool,
}

/// A rate that was lowered because the other side complained of more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnedRate {
    /// Messages a minute that it accepts now.
    pub per_minute: f64,
    /// Messages a minute at the first complaint. The limit is lifted when this rate is reached again.
    pub ceiling: f64,
}

/// One row of the table `relay_speed`: how quickly a server takes mails.
#[derive(Clone, Debug, PartialEq)]
pub struct RelaySpeed {
    /// The server, as `host:port`.
    pub server: String,
    /// How long one mail keeps a connection busy, in seconds.
    pub mail_s: f64,
    /// How many mails that is an average of.
    pub mails: u64,
}

/// Where the rate limit that holds comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateSource {
    /// The settings.
    Settings,
    /// The other side's complaints.
    Adaptive,
    /// The author, by `letterpress speed`.
    Override,
}
