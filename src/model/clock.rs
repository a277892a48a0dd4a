//! Time and randomness as a parameter: `app` hands out the real ones, tests their own.

use std::sync::Arc;

use jiff::Timestamp;

/// What long-running rooms ask for the time and for random bytes.
pub trait Clock: Send + Sync {
    /// The wall clock. It may be set back or forward at any moment; waits use tokio's monotonic clock.
    fn now(&self) -> Timestamp;
    /// Fills the buffer with bytes nobody can guess.
    fn random(&self, bytes: &mut [u8]);
}

/// The clock that the parts of the program share.
pub type SharedClock = Arc<dyn Clock>;
