//! The rate limits of `POST /subscribe`: twenty a minute for each network, and more than a busy day brings for all
//! networks together.
//!
//! The counts are in memory, which is bounded: quiet networks are forgotten, and when too many are active, further
//! ones share one count.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::model::Network;

/// Sign-ups per minute and network; the burst is as large.
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Sign-ups per minute of all networks; the burst is as large. Each sends a mail to the owner of the address.
const PER_MINUTE_IN_ALL: NonZeroU32 = NonZeroU32::new(1500).unwrap();
/// How many networks are counted at once; some 100 bytes each.
const NETWORKS_MAX: usize = 20_000;
/// The least time between two searches for networks that can be forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Who is counted: a network, or all networks for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    One(Network),
    Rest,
}

/// The counts of all networks.
pub(super) struct Limiter<C: Clock = DefaultClock> {
    counts: RateLimiter<Who, HashMapStateStore<Who>, C, NoOpMiddleware<C::Instant>>,
    in_all: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    /// When quiet networks were last looked for while the table was full: once a second is often enough.
    swept: Mutex<Option<C::Instant>>,
}

impl Limiter {
    pub(super) fn new() -> Limiter {
        Limiter::with_clock(DefaultClock::default())
    }
}

impl<C: Clock + Clone> Limiter<C> {
    fn with_clock(clock: C) -> Limiter<C> {
        let quota = Quota::per_minute(PER_MINUTE);
        Limiter {
            counts: RateLimiter::hashmap_with_clock(quota, clock.clone()),
            in_all: RateLimiter::direct_with_clock(
                Quota::per_minute(PER_MINUTE_IN_ALL),
                clock.clone(),
            ),
            clock,
            swept: Mutex::default(),
        }
    }

    /// Counts one more of all networks together.
    ///
    /// # Errors
    /// The time after which the next one passes.
    pub(super) fn take_of_all(&self) -> Result<(), Duration> {
        self.in_all
            .check()
            .map_err(|refused| refused.wait_time_from(self.clock.now()))
    }

    /// Counts one more of a network.
    ///
    /// # Errors
    /// The time after which the next one passes.
    pub(super) fn take(&self, network: Network) -> Result<(), Duration> {
        let who = if self.has_room() {
            Who::One(network)
        } else {
            Who::Rest
        };
        self.counts
            .check_key(&who)
            .map_err(|refused| refused.wait_time_from(self.clock.now()))
    }

    fn has_room(&self) -> bool {
        if self.counts.len() >= NETWORKS_MAX {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.clock.now();
            if swept.is_none_or(|last| now.duration_since(last) >= SWEEP_EVERY.into()) {
                self.counts.retain_recent();
                *swept = Some(now);
            }
        }
        self.counts.len() < NETWORKS_MAX
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn network(n: u32) -> Network {
        let [_, a, b, c] = n.to_be_bytes();
        Network::V4([a, b, c])
    }

    #[test]
    fn twenty_a_minute_pass_and_then_it_says_when() {
        let clock = FakeRelativeClock::default();
        let limiter = Limiter::with_clock(clock.clone());
        for _ in 0..20 {
            assert_eq!(limiter.take(network(1)), Ok(()));
        }
        let wait = limiter.take(network(1)).unwrap_err();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_secs(3),
            "{wait:?}"
        );
        assert_eq!(limiter.take(network(2)), Ok(()));
        clock.advance(wait);
        assert_eq!(limiter.take(network(1)), Ok(()));
        clock.advance(Duration::from_secs(60));
        for _ in 0..20 {
            assert_eq!(limiter.take(network(1)), Ok(()));
        }
        assert!(limiter.take(network(1)).is_err());
    }

    #[test]
    fn all_networks_together_have_a_limit_too() {
        let clock = FakeRelativeClock::default();
        let limiter = Limiter::with_clock(clock.clone());
        for _ in 0..1500 {
            assert_eq!(limiter.take_of_all(), Ok(()));
        }
        let wait = limiter.take_of_all().unwrap_err();
        clock.advance(wait);
        assert_eq!(limiter.take_of_all(), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_those_without_a_place_share_one() {
        let clock = FakeRelativeClock::default();
        let limiter = Limiter::with_clock(clock.clone());
        let many = u32::try_from(NETWORKS_MAX).unwrap();
        for n in 0..many {
            assert_eq!(limiter.take(network(n)), Ok(()));
        }
        let rest = (many..2 * many)
            .filter(|n| limiter.take(network(*n)).is_ok())
            .count();
        assert!(rest <= 20, "{rest} passed without a place");
        assert!(limiter.counts.len() <= NETWORKS_MAX + 1);
        clock.advance(Duration::from_secs(120));
        assert_eq!(limiter.take(network(many)), Ok(()));
        assert!(limiter.counts.len() < 5);
    }
}
