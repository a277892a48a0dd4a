//! Where the rooms are wired together and started, for `serve`, `demo` and tests; and the only place that
//! asks the machine for time and randomness.

pub mod clock;
mod descriptors;
mod error;
pub(crate) mod keys;
mod launch;
pub(crate) mod logging;
pub(crate) mod rehearsal;
mod reload;
mod rooms;
mod signals;
mod steering_log;

pub(crate) use error::{DaemonError, RoomError};
pub(crate) use launch::{launch, missing_database};
pub(crate) use reload::Reloads;
pub(crate) use signals::{daemon_signals, shutdown_on_signals};
