//! The queues behind the ready queue: a common one for all providers without limits, and one for each provider that is
//! limited. Pure: the monotonic clock is a parameter.
//!
//! A provider's mail is handed out only when the provider permits: by its rate, and by the number of its mails in
//! flight. Queues that may go take turns with the common one, so a slow provider holds nobody else up. Such a queue
//! keeps few mails, and tells the scheduler for which it has no room.
//!
//! A provider that refuses us by a relay is closed to that relay. One that is closed to all keeps no mail at all.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Job;
use crate::delivery::relay_set::RelaySet;
use crate::model::rate::SavedRate;
use crate::model::waiting::RelayFault;
use crate::pace::{DomainLimits, Limits, PROVIDER_PREFIX, RateLimit, RateMeter, provider_name};

/// The mails that the queues of all limited providers hold together. Above it each keeps a single one.
const LIMITED_MAX: usize = 5_000;
/// The fewest and the most mails that a limited provider's queue holds.
const ROOM: (usize, usize) = (10, 500);

/// The providers that have a queue of their own, some 400 bytes each. Further ones share theirs, and its limits: that is
/// slower than need be, and never quicker than a provider permits.
const PROVIDERS_MAX: usize = 50_000;

/// Names a queue. A provider keeps its queue for as long as the daemon runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct QueueId(u32);

/// The queue of all providers that are not limited.
pub(crate) const COMMON: QueueId = QueueId(0);

/// To which relays a provider is closed, since it refuses us by them.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    relays: RelaySet,
    /// To every relay.
    to_all: bool,
    /// What was replied last.
    pub fault: RelayFault,
}

/// A relay's connection that asks for a mail.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taker {
    /// The relay's place in the settings.
    pub relay: usize,
    /// It takes only mails of providers that refuse us by another relay.
    pub refused_elsewhere_only: bool,
}

/// Where a queue is listed; each is in at most one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// In none: it is empty, or as many of its mails are in flight as may be.
    Nowhere,
    /// Among those that may go, which take turns.
    Ready,
    /// Among those whose rate permits a mail later.
    Waiting,
}

/// The mails to one provider, and what it permits.
pub(super) struct ProviderQueue {
    pub provider: Arc<str>,
    pub limits: Limits,
    pub rate: RateLimit,
    pub jobs: VecDeque<Arc<Job>>,
    /// Mails that connections have in hand.
    in_flight: usize,
    pub listed: Listed,
    /// There are more mails to be read, for which there was no room.
    pub has_more: bool,
    /// The scheduler was asked for more and has not looked yet.
    was_asked: bool,
    closed: Option<Closed>,
}

impl ProviderQueue {
    fn new(provider: Arc<str>, limits: Limits) -> ProviderQueue {
        ProviderQueue {
            provider,
            limits,
            rate: RateLimit::new(limits.messages_per_minute),
            jobs: VecDeque::new(),
            in_flight: 0,
            listed: Listed::Nowhere,
            has_more: false,
            was_asked: false,
            closed: None,
        }
    }

    /// Whether it is closed to every relay.
    pub(super) fn is_closed_to_all(&self) -> bool {
        self.closed.as_ref().is_some_and(|closed| closed.to_all)
    }

    /// The relays it is closed to.
    fn closed_to(&self) -> RelaySet {
        self.closed
            .as_ref()
            .map_or_else(RelaySet::default, |closed| closed.relays)
    }

    /// Whether a relay's connection may take its mails.
    fn is_open_to(&self, taker: Taker) -> bool {
        let closed_to = self.closed_to();
        !(closed_to.contains(taker.relay) || taker.refused_elsewhere_only && closed_to.is_empty())
    }

    /// Whether as many of its mails are in flight as may be.
    pub(super) fn is_full(&self) -> bool {
        let most = self.limits.connections as usize;
        most > 0 && self.in_flight >= most
    }

    /// How many mails it may hold: what goes in half a minute, where that is known. `limited`: the mails that all
    /// limited providers' queues hold.
    fn capacity(&self, limited: usize) -> usize {
        if self.is_closed_to_all() {
            return 0;
        }
        if limited >= LIMITED_MAX {
            return 1;
        }
        match self.rate.per_minute() {
            None => ROOM.1,
            Some(per_minute) => (per_minute as usize / 2).clamp(ROOM.0, ROOM.1),
        }
    }
}

/// All queues.
pub(super) struct ProviderQueues {
    limits: Arc<DomainLimits>,
    /// The common one first; a [`QueueId`] is an index into them.
    pub queues: Vec<ProviderQueue>,
    by_provider: HashMap<Arc<str>, QueueId>,
    /// Those that may go, in turn.
    ready: VecDeque<QueueId>,
    /// Those whose rate permits a mail later, the soonest first.
    waiting: BinaryHeap<Reverse<(Instant, QueueId)>>,
    /// The number of mails in all queues but the common one.
    limited: usize,
    /// The rates at which mails went to each domain lately.
    meter: RateMeter,
    /// Mails of providers that are closed to every relay, which leave the queues.
    dropped: Vec<(QueueId, Arc<Job>)>,
}

impl ProviderQueues {
    pub(super) fn new(limits: Arc<DomainLimits>) -> ProviderQueues {
        let common = ProviderQueue::new("".into(), Limits::default());
        ProviderQueues {
            limits,
            queues: vec![common],
            by_provider: HashMap::new(),
            ready: VecDeque::new(),
            waiting: BinaryHeap::new(),
            limited: 0,
            meter: RateMeter::default(),
            dropped: Vec::new(),
        }
    }

    fn queue(&mut self, id: QueueId) -> &mut ProviderQueue {
        &mut self.queues[id.0 as usize]
    }

    /// Every limited provider's queue with its name.
    pub(super) fn limited_queues(&self) -> impl Iterator<Item = (QueueId, &ProviderQueue)> {
        (1_u32..).map(QueueId).zip(&self.queues[1..])
    }

    /// The queue of a domain's mails.
    pub(super) fn of(&mut self, domain: &str) -> QueueId {
        if self.limits.is_empty() && self.by_provider.is_empty() {
            return COMMON;
        }
        let limits = self.limits.clone();
        let provider = limits.providers.of(domain);
        match self.by_provider.get(provider) {
            Some(id) => *id,
            None if limits.of(provider).is_some() => self.open(provider),
            None => COMMON,
        }
    }

    /// The queue of a provider, made where it has none yet.
    fn open(&mut self, provider: &str) -> QueueId {
        if let Some(id) = self.by_provider.get(provider) {
            return *id;
        }
        if self.queues.len() > PROVIDERS_MAX {
            return shared(provider);
        }
        let Ok(number) = u32::try_from(self.queues.len()) else {
            return COMMON;
        };
        let name: Arc<str> = provider.into();
        self.queues
            .push(ProviderQueue::new(name.clone(), self.limits.of(provider)));
        self.by_provider.insert(name, QueueId(number));
        QueueId(number)
    }

    /// How many more mails a queue takes. The scheduler, which asks, may be asked again afterwards.
    pub(super) fn room(&mut self, id: QueueId) -> usize {
        let limited = self.limited;
        let queue = self.queue(id);
        queue.was_asked = false;
        queue.capacity(limited).saturating_sub(queue.jobs.len())
    }

    /// Appends a mail to a queue; `false` where there is no room for it. The common one takes all.
    pub(super) fn push(&mut self, id: QueueId, job: Arc<Job>) -> bool {
        if id != COMMON && self.room(id) == 0 {
            self.queue(id).has_more = true;
            return false;
        }
        self.limited += usize::from(id != COMMON);
        self.queue(id).jobs.push_back(job);
        self.list(id);
        true
    }

    /// Closes a provider to a relay, `all` of which there are. Where it is closed to all now, its mails leave the queue.
    pub(super) fn close(&mut self, provider: &str, place: usize, all: RelaySet, fault: RelayFault) {
        let id = self.open(provider);
        if id == COMMON {
            return;
        }
        let mut relays = self.queue(id).closed_to();
        relays.insert(place);
        let to_all = relays.covers(all);
        let queue = self.queue(id);
        queue.closed = Some(Closed {
            relays,
            to_all,
            fault,
        });
        if to_all {
            let jobs = std::mem::take(&mut queue.jobs);
            self.limited -= jobs.len();
            self.dropped.extend(jobs.into_iter().map(|job| (id, job)));
        }
    }

    /// Opens what is closed to one relay, or to any where none is given.
    pub(super) fn reopen(&mut self, place: Option<usize>) {
        for number in 1..self.queues.len() {
            let id = QueueId(number as u32);
            let Some(closed) = &mut self.queue(id).closed else {
                continue;
            };
            match place {
                Some(place) => {
                    closed.to_all &= !closed.relays.contains(place);
                    closed.relays.remove(place);
                }
                None => closed.relays = RelaySet::default(),
            }
            if closed.relays.is_empty() {
                self.queue(id).closed = None;
            }
            self.list(id);
        }
    }

    /// The relays to which a queue is closed.
    pub(super) fn closed_to(&self, id: QueueId) -> RelaySet {
        self.queues[id.0 as usize].closed_to()
    }

    /// Every provider that is closed to all relays.
    pub(super) fn closed_to_all(&self) -> impl Iterator<Item = (QueueId, &ProviderQueue, &Closed)> {
        self.limited_queues().filter_map(|(id, queue)| {
            let closed = queue.closed.as_ref().filter(|closed| closed.to_all)?;
            Some((id, queue, closed))
        })
    }

    /// The queue of a provider, where it has its own.
    pub(super) fn of_provider(&self, provider: &str) -> QueueId {
        self.by_provider.get(provider).copied().unwrap_or(COMMON)
    }

    /// The mails that left the queues since they were last asked for.
    pub(super) fn take_dropped(&mut self) -> Vec<(QueueId, Arc<Job>)> {
        std::mem::take(&mut self.dropped)
    }

    /// Says for which queues there are more mails to be read.
    pub(super) fn set_more(&mut self, has_more: impl Fn(QueueId) -> bool) {
        for (number, queue) in self.queues.iter_mut().enumerate() {
            (queue.has_more, queue.was_asked) = (has_more(QueueId(number as u32)), false);
        }
    }

    /// Takes the next mail that may go by a relay, with its provider's rate and its place among the mails in flight.
    ///
    /// # Errors
    /// Where none may go now: when one may, where that is known.
    pub(super) fn take(
        &mut self,
        taker: Taker,
        now: Instant,
    ) -> Result<(QueueId, Arc<Job>), Option<Instant>> {
        while let Some(Reverse((at, id))) = self.waiting.peek().copied()
            && at <= now
        {
            self.waiting.pop();
            self.queue(id).listed = Listed::Nowhere;
            self.list(id);
        }
        let mut skipped = Vec::new();
        let taken = self.take_ready(taker, now, &mut skipped);
        // Those stay listed, in the order in which they were.
        for id in skipped.into_iter().rev() {
            self.ready.push_front(id);
        }
        taken
    }

    /// Takes a mail of those that may go. `skipped`: the queues that are not for this relay.
    fn take_ready(
        &mut self,
        taker: Taker,
        now: Instant,
        skipped: &mut Vec<QueueId>,
    ) -> Result<(QueueId, Arc<Job>), Option<Instant>> {
        while let Some(id) = self.ready.pop_front() {
            let queue = self.queue(id);
            if !queue.is_open_to(taker) {
                skipped.push(id);
                continue;
            }
            queue.listed = Listed::Nowhere;
            if queue.is_full() || queue.jobs.is_empty() {
                continue;
            }
            if let Err(wait) = queue.rate.try_take(now) {
                queue.listed = Listed::Waiting;
                self.waiting.push(Reverse((now + wait, id)));
                continue;
            }
            let Some(job) = queue.jobs.pop_front() else {
                continue;
            };
            self.list(id);
            if id == COMMON && self.has_own_queue(&job) {
                self.transfer(job);
                continue;
            }
            self.queue(id).in_flight += 1;
            self.limited -= usize::from(id != COMMON);
            self.meter.record(job.domain(), now);
            return Ok((id, job));
        }
        Err(self.waiting.peek().map(|Reverse((at, _))| *at))
    }

    /// Whether a mail of the common queue has a queue of its own by now, since its provider complained.
    fn has_own_queue(&mut self, job: &Job) -> bool {
        !self.by_provider.is_empty() && self.of(job.domain()) != COMMON
    }

    /// Moves a mail of the common queue into its provider's, whether there is room or not: it was read already.
    fn transfer(&mut self, job: Arc<Job>) {
        let id = self.of(job.domain());
        if self.queue(id).is_closed_to_all() {
            self.dropped.push((id, job));
            return;
        }
        self.queue(id).jobs.push_back(job);
        self.limited += 1;
        self.list(id);
    }

    /// Takes what a provider's limits require for a mail that is not in its queue: one that was put back, or a system
    /// mail, which waits for no provider.
    ///
    /// # Errors
    /// Where it may not go now: how long to wait, where that is known.
    pub(super) fn take_again(
        &mut self,
        id: QueueId,
        job: &Job,
        now: Instant,
    ) -> Result<(), Option<Duration>> {
        if job.issue().is_none() {
            return Ok(());
        }
        let queue = self.queue(id);
        if queue.is_full() {
            return Err(None);
        }
        queue.rate.try_take(now).map_err(Some)?;
        queue.in_flight += 1;
        Ok(())
    }

    /// Puts a mail that was taken back to the front of its queue, and gives back what it took.
    pub(super) fn requeue(&mut self, id: QueueId, job: Arc<Job>) {
        if self.queue(id).is_closed_to_all() {
            self.dropped.push((id, job));
            self.put_back(id);
            return;
        }
        self.queue(id).jobs.push_front(job);
        self.limited += usize::from(id != COMMON);
        self.put_back(id);
    }

    /// Gives back what a mail took that was not sent.
    pub(super) fn put_back(&mut self, id: QueueId) {
        self.finish(id);
        self.queue(id).rate.put_back();
        if self.queue(id).listed == Listed::Waiting {
            self.reconsider();
        }
    }

    /// Frees the place of a mail that is in flight no more; returns whether that lets another one go.
    pub(super) fn finish(&mut self, id: QueueId) -> bool {
        let queue = self.queue(id);
        let was_full = queue.is_full();
        queue.in_flight = queue.in_flight.saturating_sub(1);
        self.list(id);
        was_full
    }

    /// Counts a mail toward its provider's rate that did not wait for it, such as a confirmation.
    pub(super) fn count(&mut self, domain: &str, now: Instant) {
        let id = self.of(domain);
        self.queue(id).rate.take(now);
    }

    /// Whether the scheduler should look for more mails of a queue, which it should for the common one below `common`
    /// mails. Says so once until it has looked.
    pub(super) fn is_low(&mut self, id: QueueId, common: usize) -> bool {
        let limited = self.limited;
        let queue = self.queue(id);
        let enough = if id == COMMON {
            common
        } else {
            queue.capacity(limited) / 2 + 1
        };
        let is_low = queue.has_more && !queue.was_asked && queue.jobs.len() < enough;
        queue.was_asked |= is_low;
        is_low
    }

    /// Removes all mails but those that stay.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&Job) -> bool) {
        for queue in &mut self.queues {
            queue.jobs.retain(|job| stays(job));
        }
        self.limited = self.queues[1..].iter().map(|queue| queue.jobs.len()).sum();
    }

    /// How many mails are in the common queue, and in all others.
    pub(super) fn queued(&self) -> (usize, usize) {
        (self.queues[0].jobs.len(), self.limited)
    }

    /// The most mails to a queue's provider on one connection; 0: no limit.
    pub(super) fn per_connection(&self, id: QueueId) -> u32 {
        self.queues[id.0 as usize].limits.messages_per_connection
    }

    /// A server says that mails to a domain come too quickly. Returns the provider, and its new rate in messages a minute
    /// where that changed.
    pub(super) fn complaint(&mut self, domain: &str, now: Instant) -> (Arc<str>, Option<f64>) {
        let current = self.meter.per_minute(domain, now);
        let provider = self.limits.providers.of(domain).to_owned();
        let id = self.open(&provider);
        let rate = self.queue(id).rate.complaint(current, now);
        if rate.is_some() {
            self.reconsider();
        }
        (provider.as_str().into(), rate)
    }

    /// A server accepted a mail to a domain. Returns whether its provider's rate was raised.
    pub(super) fn accepted(&mut self, domain: &str, now: Instant) -> bool {
        let id = self.of(domain);
        let was_raised = id != COMMON && self.queue(id).rate.accepted(now);
        if was_raised {
            self.reconsider();
        }
        was_raised
    }

    /// Follows the author's overrides of providers' rates (messages a minute by name). The settings hold for all that
    /// have none.
    pub(super) fn set_overrides(&mut self, overrides: &[(String, u32)], now: Instant) {
        for (name, _) in overrides {
            if let Some(provider) = name.strip_prefix(PROVIDER_PREFIX) {
                self.open(provider);
            }
        }
        let mut has_changed = false;
        for queue in &mut self.queues[1..] {
            let name = provider_name(&queue.provider);
            let rate = overrides
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, per_minute)| *per_minute);
            has_changed |= queue.rate.set_override(rate, now);
        }
        if has_changed {
            self.reconsider();
        }
    }

    /// What is to be saved of each provider's rate limit.
    pub(super) fn save(&mut self, now: Instant, wall: Timestamp, is_final: bool) -> Vec<SavedRate> {
        let save = |queue: &mut ProviderQueue| {
            queue
                .rate
                .save(&provider_name(&queue.provider), now, wall, is_final)
        };
        self.queues[1..].iter_mut().filter_map(save).collect()
    }

    /// Continues where the saved rate limits ended.
    pub(super) fn restore(&mut self, saved: &[SavedRate], now: Instant, wall: Timestamp) {
        for rate in saved {
            if let Some(provider) = rate.name.strip_prefix(PROVIDER_PREFIX)
                && (rate.learned.is_some() || self.limits.of(provider).is_some())
            {
                let id = self.open(provider);
                self.queue(id).rate.restore(rate, now, wall);
            }
        }
    }

    /// Looks again at every queue that waits for its rate, since rates have changed.
    fn reconsider(&mut self) {
        self.waiting.clear();
        for number in 1..self.queues.len() {
            let id = QueueId(number as u32);
            if self.queue(id).listed == Listed::Waiting {
                self.queue(id).listed = Listed::Nowhere;
                self.list(id);
            }
        }
    }

    /// Lists a queue among those that may go, where it may.
    fn list(&mut self, id: QueueId) {
        let queue = self.queue(id);
        let is_open = !queue.is_full() && !queue.is_closed_to_all();
        if queue.listed == Listed::Nowhere && !queue.jobs.is_empty() && is_open {
            queue.listed = Listed::Ready;
            self.ready.push_back(id);
        }
    }
}

/// The queue that a provider shares which finds no room for one of its own: always the same one.
fn shared(provider: &str) -> QueueId {
    let mut hasher = DefaultHasher::new();
    provider.hash(&mut hasher);
    let among = PROVIDERS_MAX as u64;
    QueueId(u32::try_from(hasher.finish() % among).map_or(1, |number| number + 1))
}

#[cfg(test)]
impl ProviderQueues {
    /// Whether as many mails of a queue are in flight as may be.
    pub(super) fn is_full(&self, id: QueueId) -> bool {
        self.queues[id.0 as usize].is_full()
    }
}

#[cfg(test)]
mod tests;
