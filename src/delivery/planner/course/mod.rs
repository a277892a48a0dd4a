//! One issue while it is sent: how far its queue was read, whom a full lane let wait, and the batch under way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::parked::Parked;
use crate::delivery::Settings;
use crate::delivery::desk::{Desk, Job, LaneId, Letter};
use crate::model::IssueId;
use crate::store::deliveries::{Candidate, QueuePosition};
use crate::store::{Result, Store};

/// The most people of an issue that are read ahead at once.
const PAGE_MAX: usize = 1_000;
/// So many pages are read in search of people who may go before other issues are looked at.
const PAGES: usize = 5;
/// While people are parked the queue is read anew no sooner: somebody may have come back to a place before.
const READ_ANEW: Duration = Duration::from_secs(300);

/// See the file's head.
pub(crate) struct Course {
    pub letter: Arc<Letter>,
    /// Everybody up to here was read.
    place: QueuePosition,
    /// The queue was read to its end since it was last begun.
    is_read: bool,
    begun: Instant,
    /// Which request to rescan it has followed: [`crate::store::issues::IssueRow::rescans`].
    pub rescans: i64,
    /// When it was last looked at, by the wall clock.
    seen: Timestamp,
    parked: Parked,
    /// Of the batch that is under way.
    laid: usize,
    /// When the hours end in which it may go.
    pub closes_at: Option<Timestamp>,
    /// When its reason was last written.
    pub explained: Option<Instant>,
    /// Until when the pause between two batches goes on.
    pub pause: Option<Instant>,
}

/// What a look at an issue's queue led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// So many were laid on the desk.
    pub laid: usize,
    /// Nobody was found yet for whom there is room, and more people follow.
    pub more: bool,
}

/// How many more people may be laid down now.
struct Room {
    /// Whose provider is not limited.
    free: usize,
    /// All together.
    all: usize,
    /// How many are read at once.
    page: usize,
}

impl Course {
    pub(crate) fn new(letter: Arc<Letter>, now: Timestamp) -> Course {
        Course {
            letter,
            place: QueuePosition::default(),
            is_read: false,
            begun: Instant::now(),
            rescans: 0,
            seen: now,
            parked: Parked::default(),
            laid: 0,
            closes_at: None,
            explained: None,
            pause: None,
        }
    }

    /// Keeps to the batch that was under way.
    pub(crate) fn goes_on_after(&mut self, before: &Course) {
        self.laid = before.laid;
        self.pause = before.pause;
    }

    /// Reads everybody anew, since what lay on the desk was taken away.
    pub(crate) fn begin_anew(&mut self) {
        self.place = QueuePosition::default();
        self.parked = Parked::default();
        self.is_read = false;
        self.begun = Instant::now();
    }

    /// How many people of a lane were read past.
    pub(crate) fn parked_in(&self, lane: LaneId) -> u64 {
        self.parked.of(lane)
    }

    /// Lays the next people down: first those whose provider has room again, then those who were not read yet.
    ///
    /// # Errors
    /// When the database can't be read.
    pub(crate) async fn read(
        &mut self,
        (store, desk, settings): (&Store, &Desk, &Settings),
        id: IssueId,
        now: Timestamp,
    ) -> Result<Read> {
        if now < self.seen {
            // Whoever is deferred from now on may come before those who were read.
            self.place = self.place.without_deferred();
        }
        self.seen = now;
        let room = self.room(settings, desk, id);
        let mut laid = self
            .refill((store, desk, settings), id, now, room.all)
            .await?;
        let horizon = horizon(settings, now);
        let mut free = room.free.min(room.all.saturating_sub(laid));
        let mut pages = 0;
        while free > 0 && pages < PAGES {
            desk.begin_reading();
            let limit = if settings.pause_between_batches.is_zero() {
                room.page
            } else {
                free
            };
            let ahead = store
                .read_ahead(id, self.place, now, horizon, limit)
                .await?;
            let count = self.lay(desk, ahead.people);
            // Past those as well who lie on the desk still: read again they would hide whoever comes behind them.
            self.place = ahead.next;
            laid += count;
            free = free.saturating_sub(count);
            pages += 1;
            if ahead.is_last {
                self.reached_the_end(desk, id);
                free = 0;
            }
        }
        Ok(Read {
            laid,
            more: free > 0,
        })
    }

    /// Everybody was read. Who came back to a place before is found when it is read anew: at once where nobody
    /// else waits, else from time to time.
    fn reached_the_end(&mut self, desk: &Desk, id: IssueId) {
        self.is_read = true;
        let alone = desk.out(id) == 0 && self.parked.is_empty();
        if alone || self.begun.elapsed() > READ_ANEW {
            self.place = QueuePosition::default();
            self.is_read = alone;
            self.begun = Instant::now();
        }
    }

    /// Reads those again whom a lane let wait, where it has room now.
    async fn refill(
        &mut self,
        (store, desk, settings): (&Store, &Desk, &Settings),
        id: IssueId,
        now: Timestamp,
        mut all: usize,
    ) -> Result<usize> {
        let (mut who, mut taken) = (Vec::new(), Vec::new());
        for lane in self.parked.lanes() {
            let some = self.parked.take(lane, desk.room(lane).min(all));
            all -= some.len();
            taken.extend(some.iter().map(|who| (lane, *who)));
            who.extend(some);
        }
        if who.is_empty() {
            return Ok(0);
        }
        desk.begin_reading();
        match store
            .waiting_among(id, &who, now, horizon(settings, now))
            .await
        {
            Ok(people) => Ok(self.lay(desk, people)),
            Err(error) => {
                taken
                    .into_iter()
                    .for_each(|(lane, who)| self.parked.put(lane, who));
                Err(error)
            }
        }
    }

    /// Lays people on the desk and parks those for whom there is no room; gives the number of those who were laid.
    fn lay(&mut self, desk: &Desk, people: Vec<Candidate>) -> usize {
        let jobs = people.into_iter().map(|candidate| Job {
            closes_at: self.closes_at,
            ..Job::new(candidate, self.letter.clone())
        });
        let laid = desk.lay(jobs.collect());
        self.laid += laid.count;
        for (lane, candidate) in laid.parked {
            self.parked.put(lane, candidate.subscriber);
        }
        laid.count
    }

    /// The lanes of which somebody is parked.
    pub(crate) fn parked_lanes(&self) -> Vec<LaneId> {
        self.parked.lanes()
    }

    /// Whether people follow who were not read yet.
    pub(crate) fn has_more(&self) -> bool {
        !self.is_read
    }

    /// How many more people may be laid down now.
    fn room(&mut self, settings: &Settings, desk: &Desk, id: IssueId) -> Room {
        let page = settings.batch_size.clamp(1, PAGE_MAX);
        if settings.pause_between_batches.is_zero() {
            let enough = desk.lying() >= page / 2 && desk.out(id) > 0;
            return Room {
                free: if enough { 0 } else { page },
                all: page,
                page,
            };
        }
        let none = Room {
            free: 0,
            all: 0,
            page,
        };
        if self.pause.is_some_and(|pause| pause > Instant::now()) {
            return none;
        }
        if self.laid >= settings.batch_size {
            if desk.out(id) > 0 {
                return none;
            }
            // The batch is answered: now the pause begins, and after it the next.
            self.laid = 0;
            self.pause = Some(Instant::now() + settings.pause_between_batches);
            return none;
        }
        let left = (settings.batch_size - self.laid).min(page);
        Room {
            free: left,
            all: left,
            page,
        }
    }
}

/// Beyond this a deferred one's time is not believed: the clock was set back meanwhile.
pub(super) fn horizon(settings: &Settings, now: Timestamp) -> Timestamp {
    now.checked_add(settings.longest_retry * 2)
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
