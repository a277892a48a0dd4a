//! Where the rooms are wired together and started, for `serve`, `demo` and tests; and the only place that
//! asks the machine for time and randomness.

pub mod clock;
mod error;
pub(crate) mod keys;
mod launch;
pub(crate) mod logging;
pub(crate) mod rehearsal;
mod rooms;
mod signals;

pub(crate) use error::{DaemonError, RoomError};
pub(crate) use launch::{launch, missing_database};
pub(crate) use signals::shutdown_on_signals;
