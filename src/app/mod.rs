//! Where the rooms are wired together and started, for `serve`, `demo` and tests; and the only place that
//! asks the machine for time and randomness.

pub mod clock;
pub mod keys;
mod launch;
pub mod logging;
pub mod rehearsal;
mod rooms;
mod signals;
mod thread;

use crate::compose::theme::ThemeError;
use crate::store::StoreError;

pub use launch::launch;
pub use signals::shutdown_on_signals;

/// Why the daemon could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A list's theme can't be used for its system mails.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// A room ended although nobody asked it to.
    #[error("the {room} ended: {why}")]
    Room { room: &'static str, why: String },
}
