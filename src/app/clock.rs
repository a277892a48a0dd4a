//! The real clock and the real dice. Everybody else is handed them as a [`SharedClock`].

use std::sync::Arc;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use jiff::Timestamp;

use crate::model::SharedClock;
use crate::model::clock::Clock;

struct Machine {
    dice: SystemRandom,
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the machine"
)]
impl Clock for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn random(&self, bytes: &mut [u8]) {
        // AWS-LC's generator seeds itself from the kernel and has no failure that a program could handle.
        self.dice
            .fill(bytes)
            .expect("the system's random generator works");
    }
}

/// The machine's own clock and random generator.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the machine"
)]
pub fn machine() -> SharedClock {
    Arc::new(Machine {
        dice: SystemRandom::new(),
    })
}
