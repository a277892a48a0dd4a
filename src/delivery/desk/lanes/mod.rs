//! The queues on the desk: one that all share whose provider is not limited, and a lane for each provider that
//! is. Pure, but for the monotonic clock that is handed in.
//!
//! A lane's mail is handed out only where its provider permits: by its measure, and by the mails to it that are
//! under way. Lanes that may go take turns with the common queue, so a slow one holds up nobody; it keeps few
//! jobs, and tells the planner whom it has no room for.

mod held;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

pub(crate) use held::Held;

use super::Job;
use crate::model::rate::SavedRate;
use crate::pace::{DomainLimits, Limits, PROVIDER_PREFIX, RateLimit, RateMeter, provider_name};

/// The jobs that all limited lanes hold together, above which each keeps one alone.
const LIMITED_MAX: usize = 5_000;
/// The fewest and the most jobs of a lane.
const ROOM: (usize, usize) = (10, 500);

/// Which queue a job is in. It stays the same for as long as the desk is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LaneId(u32);

/// The queue that all share whose provider is not limited.
pub(crate) const FREE: LaneId = LaneId(0);

/// Where a lane stands; in each place at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing to hand out, or as much under way as may be.
    Idle,
    /// In the ring of those that may go.
    Ready,
    /// Until its measure permits more.
    Waiting,
}

struct Lane {
    provider: Arc<str>,
    limits: Limits,
    limit: RateLimit,
    queue: VecDeque<Job>,
    /// Mails that connections have in hand.
    in_hand: usize,
    place: Place,
    /// Somebody found no room here and is read again later.
    more: bool,
    /// The planner was asked for more, and has not looked yet.
    asked: bool,
}

impl Lane {
    fn new(provider: Arc<str>, limits: Limits) -> Lane {
        Lane {
            provider,
            limits,
            limit: RateLimit::new(limits.messages_per_minute),
            queue: VecDeque::new(),
            in_hand: 0,
            place: Place::Idle,
            more: false,
            asked: false,
        }
    }

    fn is_crowded(&self) -> bool {
        let most = self.limits.connections as usize;
        most > 0 && self.in_hand >= most
    }

    /// How many jobs it keeps: what goes in half a minute, where that is known.
    fn room(&self, limited: usize) -> usize {
        if limited >= LIMITED_MAX {
            return 1;
        }
        match self.limit.per_minute() {
            None => ROOM.1,
            Some(per_minute) => (per_minute as usize / 2).clamp(ROOM.0, ROOM.1),
        }
    }
}

/// All queues.
pub(super) struct Lanes {
    limits: Arc<DomainLimits>,
    lanes: Vec<Lane>,
    by_provider: HashMap<Arc<str>, LaneId>,
    /// Those that may go, in turn.
    ready: VecDeque<LaneId>,
    /// Those whose measure permits more later, the soonest first.
    waiting: BinaryHeap<Reverse<(Instant, LaneId)>>,
    /// Jobs in all lanes but the common one.
    limited: usize,
    /// What went to each domain of late.
    meter: RateMeter,
}

impl Lanes {
    pub(super) fn new(limits: Arc<DomainLimits>) -> Lanes {
        let free = Lane::new("".into(), Limits::default());
        Lanes {
            limits,
            lanes: vec![free],
            by_provider: HashMap::new(),
            ready: VecDeque::new(),
            waiting: BinaryHeap::new(),
            limited: 0,
            meter: RateMeter::default(),
        }
    }

    fn lane(&mut self, id: LaneId) -> &mut Lane {
        &mut self.lanes[id.0 as usize]
    }

    /// The lane of a domain.
    pub(super) fn of(&mut self, domain: &str) -> LaneId {
        if self.limits.is_empty() && self.by_provider.is_empty() {
            return FREE;
        }
        let limits = self.limits.clone();
        let provider = limits.providers.of(domain);
        match self.by_provider.get(provider) {
            Some(id) => *id,
            None if limits.of(provider).is_some() => self.open(provider),
            None => FREE,
        }
    }

    /// The lane of a provider, made where there is none yet.
    fn open(&mut self, provider: &str) -> LaneId {
        if let Some(id) = self.by_provider.get(provider) {
            return *id;
        }
        let Ok(number) = u32::try_from(self.lanes.len()) else {
            return FREE;
        };
        let name: Arc<str> = provider.into();
        self.lanes
            .push(Lane::new(name.clone(), self.limits.of(provider)));
        self.by_provider.insert(name, LaneId(number));
        LaneId(number)
    }

    /// How many more jobs a lane takes; the planner has looked.
    pub(super) fn room(&mut self, id: LaneId) -> usize {
        let limited = self.limited;
        let lane = self.lane(id);
        lane.asked = false;
        lane.room(limited).saturating_sub(lane.queue.len())
    }

    /// Puts a job at the end of its lane; gives it back where there is no room. The common queue takes all.
    pub(super) fn put(&mut self, id: LaneId, job: Job) -> Option<Job> {
        if id != FREE && self.room(id) == 0 {
            self.lane(id).more = true;
            return Some(job);
        }
        self.limited += usize::from(id != FREE);
        self.lane(id).queue.push_back(job);
        self.offer(id);
        None
    }

    /// Says for which lanes somebody still waits to be read.
    pub(super) fn set_more(&mut self, waits: impl Fn(LaneId) -> bool) {
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            (lane.more, lane.asked) = (waits(LaneId(number as u32)), false);
        }
    }

    /// Takes a job that may go now; else tells when one may, where that is known.
    pub(super) fn pick(&mut self, now: Instant) -> Result<(LaneId, Job), Option<Instant>> {
        while let Some(Reverse((at, id))) = self.waiting.peek().copied()
            && at <= now
        {
            self.waiting.pop();
            self.lane(id).place = Place::Idle;
            self.offer(id);
        }
        while let Some(id) = self.ready.pop_front() {
            let lane = self.lane(id);
            lane.place = Place::Idle;
            if lane.is_crowded() || lane.queue.is_empty() {
                continue;
            }
            if let Err(wait) = lane.limit.try_take(now) {
                lane.place = Place::Waiting;
                self.waiting.push(Reverse((now + wait, id)));
                continue;
            }
            let Some(job) = lane.queue.pop_front() else {
                continue;
            };
            self.offer(id);
            if id == FREE && self.moves(&job) {
                self.shift(job);
                continue;
            }
            self.lane(id).in_hand += 1;
            self.limited -= usize::from(id != FREE);
            self.meter.record(job.candidate.email.domain(), now);
            return Ok((id, job));
        }
        Err(self.waiting.peek().map(|Reverse((at, _))| *at))
    }

    /// Whether a job of the common queue has a lane of its own by now, since its provider complained.
    fn moves(&mut self, job: &Job) -> bool {
        !self.by_provider.is_empty() && self.of(job.candidate.email.domain()) != FREE
    }

    /// Puts a job of the common queue into its lane, whether there is room or not: it was read already.
    fn shift(&mut self, job: Job) {
        let id = self.of(job.candidate.email.domain());
        self.lane(id).queue.push_back(job);
        self.limited += 1;
        self.offer(id);
    }

    /// Lays back a job that was picked and not tried.
    pub(super) fn give_back(&mut self, id: LaneId, job: Job) {
        self.lane(id).queue.push_front(job);
        self.limited += usize::from(id != FREE);
        self.put_off(id);
    }

    /// Gives back the leave for one mail that was picked and not sent.
    pub(super) fn refund(&mut self, id: LaneId) {
        self.lane(id).limit.put_back();
        if self.lane(id).place == Place::Waiting {
            self.awake();
        }
    }

    /// A job that was picked and not tried lies elsewhere for now.
    pub(super) fn put_off(&mut self, id: LaneId) {
        self.done(id);
        self.refund(id);
    }

    /// Picks a job that was put off, if its provider permits it now.
    pub(super) fn pick_again(&mut self, id: LaneId, now: Instant) -> bool {
        let lane = self.lane(id);
        let may = !lane.is_crowded() && lane.limit.try_take(now).is_ok();
        lane.in_hand += usize::from(may);
        may
    }

    /// A job that was picked is in nobody's hands any more; whether that lets another go.
    pub(super) fn done(&mut self, id: LaneId) -> bool {
        let lane = self.lane(id);
        let was_crowded = lane.is_crowded();
        lane.in_hand = lane.in_hand.saturating_sub(1);
        self.offer(id);
        was_crowded
    }

    /// Counts a mail that waits for no lane, such as a confirmation.
    pub(super) fn count(&mut self, domain: &str, now: Instant) {
        let id = self.of(domain);
        self.lane(id).limit.take(now);
    }

    /// Whether the planner should look for more of a lane, below `free` jobs for the common one; says so once
    /// until it has looked.
    pub(super) fn is_low(&mut self, id: LaneId, free: usize) -> bool {
        let limited = self.limited;
        let lane = self.lane(id);
        let enough = if id == FREE {
            free
        } else {
            lane.room(limited) / 2 + 1
        };
        let low = lane.more && !lane.asked && lane.queue.len() < enough;
        lane.asked |= low;
        low
    }

    /// Takes away all jobs but those that stay.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&Job) -> bool) {
        for lane in &mut self.lanes {
            lane.queue.retain(&mut stays);
        }
        self.limited = self.lanes[1..].iter().map(|lane| lane.queue.len()).sum();
    }

    /// How many jobs lie in the common queue, and in all others.
    pub(super) fn lying(&self) -> (usize, usize) {
        (self.lanes[0].queue.len(), self.limited)
    }

    /// At most so many mails to the lane's provider on one connection; 0: no limit.
    pub(super) fn per_connection(&self, id: LaneId) -> u32 {
        self.lanes[id.0 as usize].limits.messages_per_connection
    }

    /// A server says that mails to a domain come too quickly. Gives the provider's name, and its new rate where that
    /// changed it.
    pub(super) fn complaint(&mut self, domain: &str, now: Instant) -> (Arc<str>, Option<f64>) {
        let current = self.meter.per_minute(domain, now);
        let provider = self.limits.providers.of(domain).to_owned();
        let id = self.open(&provider);
        let rate = self.lane(id).limit.complaint(current, now);
        if rate.is_some() {
            self.awake();
        }
        (provider.as_str().into(), rate)
    }

    /// A server took a mail to a domain.
    pub(super) fn good(&mut self, domain: &str, now: Instant) {
        let id = self.of(domain);
        if id != FREE {
            self.lane(id).limit.accepted(now);
        }
    }

    /// The author's words on providers' speeds; whoever is not named is measured by the settings.
    pub(super) fn say(&mut self, words: &[(String, u32)], now: Instant) {
        for (name, _) in words {
            if let Some(provider) = name.strip_prefix(PROVIDER_PREFIX) {
                self.open(provider);
            }
        }
        let mut is_new = false;
        for lane in &mut self.lanes[1..] {
            let name = provider_name(&lane.provider);
            let word = words
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, per_minute)| *per_minute);
            is_new |= lane.limit.set_override(word, now);
        }
        if is_new {
            self.awake();
        }
    }

    /// What is to be written down of each provider's measure.
    pub(super) fn keep(&mut self, now: Instant, wall: Timestamp, is_final: bool) -> Vec<SavedRate> {
        let keep = |lane: &mut Lane| {
            lane.limit
                .save(&provider_name(&lane.provider), now, wall, is_final)
        };
        self.lanes[1..].iter_mut().filter_map(keep).collect()
    }

    /// Takes up what was written down.
    pub(super) fn recall(&mut self, measures: &[SavedRate], now: Instant, wall: Timestamp) {
        for measure in measures {
            if let Some(provider) = measure.name.strip_prefix(PROVIDER_PREFIX)
                && (measure.learned.is_some() || self.limits.of(provider).is_some())
            {
                let id = self.open(provider);
                self.lane(id).limit.restore(measure, now, wall);
            }
        }
    }

    /// Looks anew at every lane that waits, since measures have changed.
    fn awake(&mut self) {
        self.waiting.clear();
        for number in 1..self.lanes.len() {
            let id = LaneId(number as u32);
            if self.lane(id).place == Place::Waiting {
                self.lane(id).place = Place::Idle;
                self.offer(id);
            }
        }
    }

    fn offer(&mut self, id: LaneId) {
        let lane = self.lane(id);
        if lane.place == Place::Idle && !lane.queue.is_empty() && !lane.is_crowded() {
            lane.place = Place::Ready;
            self.ready.push_back(id);
        }
    }
}

#[cfg(test)]
mod tests;
