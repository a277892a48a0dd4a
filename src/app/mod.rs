//! Where the rooms are wired together and started, for `serve`, `demo` and tests; and the only place that
//! asks the machine for time and randomness.

pub mod clock;
pub mod logging;
