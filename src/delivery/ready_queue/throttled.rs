//! What waits for a provider's limits, and whether anything in the ready queue waits for something else.

use std::sync::Arc;
use std::time::Instant;

use super::provider_queues::{Listed, ProviderQueue, ProviderQueues};
use super::{QueueId, ReadyQueue};
use crate::model::rate::RateSource;
use crate::pace::Limits;

/// A provider whose limits mails wait for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Throttled {
    pub queue: QueueId,
    pub provider: Arc<str>,
    pub limits: Limits,
    /// The messages a minute that hold, and why; `None`: no limit.
    pub rate: Option<(f64, RateSource)>,
    /// The number of mails in its queue.
    pub queued: usize,
}

impl ReadyQueue {
    /// The provider for which most mails wait, and how many other providers hold mails up.
    pub(crate) fn throttled(&self) -> Option<(Throttled, usize)> {
        self.inner().providers.throttled(Instant::now())
    }

    /// Whether no mail here could go now if a connection took it.
    pub(crate) fn waits_for_providers(&self) -> bool {
        let inner = self.inner();
        inner.rerouted.is_empty() && inner.providers.are_throttled(Instant::now())
    }
}

impl ProviderQueue {
    fn is_throttled(&self, now: Instant) -> bool {
        self.is_full() || self.rate.wait(now).is_some()
    }
}

impl ProviderQueues {
    /// The provider for which most mails wait, above all those for which there was no room, and how many others hold
    /// mails up.
    pub(super) fn throttled(&self, now: Instant) -> Option<(Throttled, usize)> {
        let stands =
            |queue: &ProviderQueue| queue.listed != Listed::Ready || queue.is_throttled(now);
        let waits = |queue: &ProviderQueue| {
            (queue.has_more || !queue.jobs.is_empty()) && stands(queue) && !queue.is_closed_to_all()
        };
        let waiting = || self.limited_queues().filter(|(_, queue)| waits(queue));
        let (id, queue) = waiting().max_by_key(|(_, queue)| (queue.has_more, queue.jobs.len()))?;
        let first = Throttled {
            queue: id,
            provider: queue.provider.clone(),
            limits: queue.limits,
            rate: queue.rate.effective(),
            queued: queue.jobs.len(),
        };
        Some((first, waiting().count() - 1))
    }

    /// Whether every mail waits for its provider, and for nothing else.
    pub(super) fn are_throttled(&self, now: Instant) -> bool {
        self.queues[0].jobs.is_empty()
            && self
                .limited_queues()
                .all(|(_, queue)| queue.jobs.is_empty() || queue.is_throttled(now))
    }
}
