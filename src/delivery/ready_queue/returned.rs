//! Providers that refuse us: closed to the relays that met it, and what leaves the ready queue for that reason.

use std::sync::Arc;

use super::{Inner, Job, QueueId, ReadyQueue};
use crate::delivery::refusal_streak::Return;
use crate::delivery::relay_set::RelaySet;
use crate::model::waiting::RelayFault;
use crate::model::{IssueId, SubscriberId};

/// A mail that is queued in the database, and that the scheduler has passed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Returned {
    pub issue: IssueId,
    pub who: SubscriberId,
    /// The queue where it belongs.
    pub queue: QueueId,
    /// The provider, and the relay that refused this mail alone, with its words.
    pub refused_at: Option<(String, usize, RelayFault)>,
}

/// A provider that is closed to every relay.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusing {
    pub queue: QueueId,
    pub provider: Arc<str>,
    /// What was replied last.
    pub fault: RelayFault,
}

impl Inner {
    /// Hands the mails of providers that are closed to all relays back to the scheduler; returns whether there were any.
    pub(super) fn return_dropped(&mut self) -> bool {
        let dropped = self.providers.take_dropped();
        for (queue, job) in &dropped {
            self.give_back(*queue, job);
        }
        !dropped.is_empty()
    }

    fn give_back(&mut self, queue: QueueId, job: &Job) {
        self.remove(job.candidate.key);
        if let Some(issue) = job.issue() {
            self.returned.push(Returned {
                issue,
                who: job.candidate.subscriber,
                queue,
                refused_at: None,
            });
        }
    }

    /// The same for rerouted mails that no relay can take any more.
    fn return_rerouted(&mut self) {
        for (queue, job) in std::mem::take(&mut self.rerouted) {
            let own_queue = self.providers.of(job.domain());
            let refused = self.providers.closed_to(own_queue).union(job.refused_at);
            if job.issue().is_some() && refused.covers(self.relays) {
                self.give_back(own_queue, &job);
            } else {
                self.rerouted.push_back((queue, job));
            }
        }
    }
}

impl ReadyQueue {
    /// For a number of relays.
    pub(crate) fn for_relays(self, count: usize) -> ReadyQueue {
        self.inner().relays = RelaySet::all(count);
        self
    }

    /// Closes a provider to the relay at a place.
    pub(crate) fn close_provider(&self, provider: &str, place: usize, fault: RelayFault) {
        let mut inner = self.inner();
        let relays = inner.relays;
        inner.providers.close(provider, place, relays, fault);
        inner.return_dropped();
        inner.return_rerouted();
        drop(inner);
        self.wake_scheduler();
        // Others may take what this relay may not.
        self.notify();
    }

    /// Opens all providers that are closed to one relay, or to any.
    pub(crate) fn reopen_providers(&self, place: Option<usize>) {
        self.inner().providers.reopen(place);
        self.notify();
    }

    /// Has the scheduler read mails again that are queued in the database.
    pub(crate) fn give_back(&self, returns: Vec<Return>) {
        if returns.is_empty() {
            return;
        }
        let mut inner = self.inner();
        for it in returns {
            let queue = inner.providers.of_provider(&it.provider);
            let refused_at = it.refused_at.map(|(at, fault)| (it.provider, at, fault));
            inner.returned.push(Returned {
                issue: it.issue,
                who: it.who,
                queue,
                refused_at,
            });
        }
        drop(inner);
        self.wake_scheduler();
    }

    /// The mails that came back since they were last asked for.
    pub(crate) fn take_returned(&self) -> Vec<Returned> {
        std::mem::take(&mut self.inner().returned)
    }

    /// The providers that are closed to every relay.
    pub(crate) fn refusing(&self) -> Vec<Refusing> {
        let inner = self.inner();
        let refusing = inner
            .providers
            .closed_to_all()
            .map(|(queue, it, closed)| Refusing {
                queue,
                provider: it.provider.clone(),
                fault: closed.fault.clone(),
            });
        refusing.collect()
    }
}
