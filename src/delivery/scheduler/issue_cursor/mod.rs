//! How far the mails of one issue were read from the database, those for which there was no room, those that were refused
//! for a fault of ours, and the batch that is being sent.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use roaring::RoaringTreemap;

use super::overflow::Overflow;
use crate::delivery::Settings;
use crate::delivery::ready_queue::{Job, Mailing, QueueId, ReadyQueue, Returned};
use crate::delivery::relay_set::RelaySet;
use crate::model::waiting::RelayFault;
use crate::model::{IssueId, SubscriberId};
use crate::store::deliveries::{Candidate, QueuePosition};
use crate::store::{Result, Store};

/// The most mails of an issue that are read at once.
const PAGE_MAX: usize = 1_000;
/// How many pages are read in search of mails that may go before other issues are looked at.
const PAGES: usize = 5;
/// While mails wait for room, the issue is rescanned no more often than this: some may be due again that the cursor has
/// passed.
const RESCAN_EVERY: Duration = Duration::from_secs(300);

/// The position of one issue that is being sent.
pub(crate) struct IssueCursor {
    pub mailing: Arc<Mailing>,
    /// Everything before it was read.
    position: QueuePosition,
    /// Everything was read since the last scan began.
    is_at_end: bool,
    scan_began: Instant,
    /// Which request to rescan it has followed: [`crate::store::issues::IssueRow::rescans`].
    pub rescans: i64,
    /// The wall clock when it was last looked at.
    seen: Timestamp,
    overflow: Overflow,
    /// All relays.
    relays: RelaySet,
    /// Those who were refused for a fault of ours, with the relays that did. Whom all have refused waits for the author.
    refused: HashMap<SubscriberId, RelaySet>,
    /// Those beside whom it stands already why they wait.
    noted: RoaringTreemap,
    /// The provider and the words of the last of these refusals.
    pub last_refusal: Option<(String, RelayFault)>,
    /// Everything was read once more since the last mail was enqueued, and nobody was found who can be mailed.
    pub is_read_twice: bool,
    /// How many mails of the current batch were enqueued.
    enqueued: usize,
    /// When the sending hours end.
    pub closes_at: Option<Timestamp>,
    /// When the reason why it waits was last written.
    pub explained: Option<Instant>,
    /// Until when the pause between two batches lasts.
    pub pause: Option<Instant>,
}

/// What reading ahead led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// How many mails were enqueued.
    pub enqueued: usize,
    /// There is room left, and there are more mails to be read.
    pub has_more: bool,
}

/// How many more mails may be enqueued now.
struct Room {
    /// Those whose provider is not limited.
    unlimited: usize,
    /// All together.
    all: usize,
    /// How many are read at once.
    page: usize,
}

impl IssueCursor {
    pub(crate) fn new(mailing: Arc<Mailing>, now: Timestamp) -> IssueCursor {
        IssueCursor {
            mailing,
            position: QueuePosition::default(),
            is_at_end: false,
            scan_began: Instant::now(),
            rescans: 0,
            seen: now,
            overflow: Overflow::default(),
            relays: RelaySet::all(1),
            refused: HashMap::new(),
            noted: RoaringTreemap::new(),
            last_refusal: None,
            is_read_twice: false,
            enqueued: 0,
            closes_at: None,
            explained: None,
            pause: None,
        }
    }

    /// For a number of relays.
    pub(crate) fn for_relays(self, count: usize) -> IssueCursor {
        IssueCursor {
            relays: RelaySet::all(count),
            ..self
        }
    }

    /// Notes somebody who is queued again and was passed: they are read again when there is room for them, unless every
    /// relay has refused them.
    pub(crate) fn take_back(&mut self, returned: Returned) {
        if let Some((provider, place, fault)) = returned.refused_at {
            let refused = self.refused.entry(returned.who).or_default();
            refused.insert(place);
            self.last_refusal = Some((provider, fault));
            if refused.covers(self.relays) {
                return;
            }
        }
        self.overflow.put(returned.queue, returned.who);
    }

    /// Some of those who wait for a queue, beside whom it does not stand yet why.
    pub(crate) fn take_unnoted(&mut self, queue: QueueId, most: usize) -> Vec<SubscriberId> {
        self.overflow.not_in(queue, &mut self.noted, most)
    }

    /// How many people every relay has refused.
    pub(crate) fn refused_by_all(&self) -> u64 {
        let refused = self.refused.values();
        refused.filter(|relays| relays.covers(self.relays)).count() as u64
    }

    /// Whether all were read, and everybody for whom there is no room is of one of these queues.
    pub(crate) fn waits_only_for(&self, queues: impl Fn(QueueId) -> bool) -> bool {
        self.is_at_end && self.overflow.queues().into_iter().all(queues)
    }

    /// Continues the batch that another cursor of the same issue had begun.
    pub(crate) fn continue_batch(&mut self, before: &IssueCursor) {
        self.enqueued = before.enqueued;
        self.pause = before.pause;
    }

    /// Begins to read from the start, since what was enqueued was removed.
    pub(crate) fn rescan(&mut self) {
        self.position = QueuePosition::default();
        self.overflow = Overflow::default();
        self.is_at_end = false;
        self.scan_began = Instant::now();
    }

    /// For how many mails of a queue there was no room.
    pub(crate) fn overflow_of(&self, queue: QueueId) -> u64 {
        self.overflow.of(queue)
    }

    /// Enqueues the next mails: first those for which there is room again, then those that were not read yet.
    ///
    /// # Errors
    /// When the database can't be read.
    pub(crate) async fn read(
        &mut self,
        (store, queue, settings): (&Store, &ReadyQueue, &Settings),
        id: IssueId,
        now: Timestamp,
    ) -> Result<Read> {
        if now < self.seen {
            // The clock was set back: mails that are deferred from now on may come before the position.
            self.position = self.position.without_deferred();
        }
        self.seen = now;
        let room = self.room(settings, queue, id);
        let mut enqueued = self
            .read_overflow((store, queue, settings), id, now, room.all)
            .await?;
        let horizon = horizon(settings, now);
        let mut left = room.unlimited.min(room.all.saturating_sub(enqueued));
        let mut pages = 0;
        while left > 0 && pages < PAGES {
            queue.begin_reading();
            let limit = if settings.pause_between_batches.is_zero() {
                room.page
            } else {
                left
            };
            let ahead = store
                .read_ahead(id, self.position, now, horizon, limit)
                .await?;
            let count = self.enqueue(queue, ahead.people);
            // Also past those that are still queued here: read again, they would hide those behind them.
            self.position = ahead.next;
            enqueued += count;
            left = left.saturating_sub(count);
            pages += 1;
            if ahead.is_last {
                self.reached_the_end(queue, id);
                left = 0;
            }
        }
        Ok(Read {
            enqueued,
            has_more: left > 0,
        })
    }

    /// Everything was read. Mails that are due again and that the cursor has passed are found by a rescan: at once where
    /// nothing else waits, else from time to time.
    fn reached_the_end(&mut self, queue: &ReadyQueue, id: IssueId) {
        self.is_at_end = true;
        let is_alone = queue.held(id) == 0 && self.overflow.is_empty();
        if is_alone || self.scan_began.elapsed() > RESCAN_EVERY {
            self.position = QueuePosition::default();
            self.is_at_end = is_alone;
            self.scan_began = Instant::now();
        }
    }

    /// Reads the mails again for which there was no room, where there is now.
    async fn read_overflow(
        &mut self,
        (store, queue, settings): (&Store, &ReadyQueue, &Settings),
        id: IssueId,
        now: Timestamp,
        mut all: usize,
    ) -> Result<usize> {
        let (mut who, mut taken) = (Vec::new(), Vec::new());
        for provider in self.overflow.queues() {
            let some = self.overflow.take(provider, queue.room(provider).min(all));
            all -= some.len();
            taken.extend(some.iter().map(|who| (provider, *who)));
            who.extend(some);
        }
        if who.is_empty() {
            return Ok(0);
        }
        queue.begin_reading();
        match store
            .waiting_among(id, &who, now, horizon(settings, now))
            .await
        {
            Ok(people) => Ok(self.enqueue(queue, people)),
            Err(error) => {
                for (provider, who) in taken {
                    self.overflow.put(provider, who);
                }
                Err(error)
            }
        }
    }

    /// Enqueues mails and notes those for which there is no room. Returns how many were enqueued.
    fn enqueue(&mut self, queue: &ReadyQueue, people: Vec<Candidate>) -> usize {
        let mut jobs = Vec::with_capacity(people.len());
        for candidate in people {
            let refused_at = self.refused.get(&candidate.subscriber).copied();
            if refused_at.is_some_and(|relays| relays.covers(self.relays)) {
                continue;
            }
            jobs.push(Job {
                closes_at: self.closes_at,
                refused_at: refused_at.unwrap_or_default(),
                ..Job::new(candidate, self.mailing.clone())
            });
        }
        let enqueued = queue.enqueue(jobs);
        self.enqueued += enqueued.count;
        self.is_read_twice &= enqueued.count == 0;
        for (provider, who) in enqueued.overflow {
            self.overflow.put(provider, who);
        }
        enqueued.count
    }

    /// The queues for which there are mails without room.
    pub(crate) fn overflowing(&self) -> Vec<QueueId> {
        self.overflow.queues()
    }

    /// Whether there are mails that were not read yet.
    pub(crate) fn has_more(&self) -> bool {
        !self.is_at_end
    }

    /// How many more mails may be enqueued now.
    fn room(&mut self, settings: &Settings, queue: &ReadyQueue, id: IssueId) -> Room {
        let page = settings.batch_size.clamp(1, PAGE_MAX);
        if settings.pause_between_batches.is_zero() {
            let is_enough = queue.queued_unlimited() >= page / 2 && queue.held(id) > 0;
            return Room {
                unlimited: if is_enough { 0 } else { page },
                all: page,
                page,
            };
        }
        let left = self.left_of_batch(settings, queue.held(id) > 0).min(page);
        Room {
            unlimited: left,
            all: left,
            page,
        }
    }

    /// How many mails of the current batch are not enqueued yet. Begins the pause where the batch is sent, and the next
    /// batch after it. `is_held`: mails of it are queued or in flight.
    fn left_of_batch(&mut self, settings: &Settings, is_held: bool) -> usize {
        if self.pause.is_some_and(|pause| pause > Instant::now()) {
            return 0;
        }
        if self.enqueued < settings.batch_size {
            return settings.batch_size - self.enqueued;
        }
        if !is_held {
            self.enqueued = 0;
            self.pause = Some(Instant::now() + settings.pause_between_batches);
        }
        0
    }
}

/// A deferred mail's time beyond this is not believed: the clock was set back meanwhile.
pub(super) fn horizon(settings: &Settings, now: Timestamp) -> Timestamp {
    now.checked_add(settings.longest_retry * 2)
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
