//! Which mails are sent next, and why an issue waits. For each issue that is being sent the scheduler determines the
//! audience, reads mails ahead and enqueues them; it completes what was cancelled, ends what is done, and writes the
//! reason of every wait. When an issue starts is decided elsewhere: by `schedule`, and by the author.
//!
//! How far an issue was read is left to `issue_cursor`, and the wording of reasons to `explain`.
//!
//! It wakes when a row was changed by this process or another, when the ready queue runs low, and when something is
//! due. It keeps nothing that a restart could lose.

mod explain;
mod issue_cursor;
mod overflow;
mod rates;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::time::{sleep_until, timeout};

pub(super) use issue_cursor::IssueCursor;
pub(super) use rates::{Rates, save as save_rates};

use issue_cursor::horizon;

use super::Settings;
use super::failure_rate::FailureRateBreaker;
use super::ready_queue::{COMMON, Job, Mailing, QueueId, ReadyQueue, Refusing};
use super::refusal_streak::RefusalStreakBreaker;
use super::relays::Relays;
use super::signing::{Obstacle, Signing};
use crate::mail::{Stream, Template};
use crate::model::sending::IssueState;
use crate::model::waiting::Reason;
use crate::model::{IssueId, List, ListId, SharedClock};
use crate::pace::sending_hours;
use crate::store::fanout::FanOut;
use crate::store::issues::IssueRow;
use crate::store::steering::Steered;
use crate::store::system_mails::UnreadableMails;
use crate::store::{Result, Store};

/// The shortest time between two rounds, however many rows change meanwhile.
const BREATH: Duration = Duration::from_millis(100);
/// The longest sleep: what is due is found even where the clock was set forward.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// How many parts of an audience are written before other issues are looked at.
const PARTS: usize = 5;
/// The most people beside whom it is written at once why they wait.
const NOTES_MAX: usize = 5_000;
/// The most system mails that are queued.
const SYSTEM_MAX: usize = 100;

/// The task that fills the ready queue.
pub(super) struct Scheduler {
    pub store: Store,
    pub settings: Arc<Settings>,
    pub lists: HashMap<ListId, List>,
    pub clock: SharedClock,
    pub queue: Arc<ReadyQueue>,
    pub relays: Arc<Relays>,
    pub signing: Arc<Signing>,
    pub issues: HashMap<IssueId, IssueCursor>,
    pub rates: Rates,
    /// What was last logged of confirmations that can't be read, so that it is logged once.
    pub unreadable: Option<UnreadableMails>,
    pub failure_rate: Arc<FailureRateBreaker>,
    pub refusals: Arc<RefusalStreakBreaker>,
}

impl Scheduler {
    /// Runs until the queue is closed.
    ///
    /// # Errors
    /// When the database can't be read or written, other than for a while.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut changes = self.store.changes();
        while !self.queue.is_closed() {
            changes.mark_unchanged();
            let until = match self.round().await {
                Ok(until) => until,
                Err(error) if error.is_passing() => {
                    tracing::warn!("{error}");
                    Instant::now() + LONGEST_SLEEP
                }
                Err(error) => return Err(error),
            };
            tokio::select! {
                () = sleep_until(until.into()) => {}
                () = self.queue.hungry() => {}
                // A change is looked at a moment later, together with those that follow it.
                () = async {
                    let _ = changes.changed().await;
                    let _ = timeout(BREATH, self.queue.hungry()).await;
                } => {}
            }
        }
        Ok(())
    }

    /// Looks at everything once; returns when to look again at the latest.
    async fn round(&mut self) -> Result<Instant> {
        let now = self.clock.now();
        let mut until = Instant::now() + LONGEST_SLEEP;
        self.signing.follow(&self.store).await?;
        self.follow_rates(now).await?;
        self.enqueue_system_mails().await?;
        self.wake_at(&mut until, self.store.next_system_mail(now).await?);

        let rows = self.store.open_issues().await?;
        let goes_on = |id: &IssueId| {
            rows.iter()
                .any(|row| row.id == *id && row.state == IssueState::Sending)
        };
        self.issues.retain(|id, _| goes_on(id));
        self.queue.retain(|id| goes_on(&id));
        for relay in self.relays.iter() {
            relay.begin_day(now);
            self.wake_at(&mut until, relay.daily_limit().map(|limit| limit.until));
        }
        for returned in self.queue.take_returned() {
            if let Some(cursor) = self.issues.get_mut(&returned.issue) {
                cursor.take_back(returned);
            }
        }
        for row in &rows {
            match row.state {
                IssueState::Cancelled => {
                    self.store.cancel_more(row.id, now).await?;
                    until = Instant::now();
                }
                _ if row.fanout_after.is_some() => {
                    self.fix_audience(row.id).await?;
                    until = Instant::now();
                }
                IssueState::Sending => {
                    let wake = self.advance(row).await?;
                    until = until.min(wake);
                }
                _ => {}
            }
        }
        self.reserve_quotas(now).await?;
        self.set_more();
        Ok(until)
    }

    /// Says for which queues there are more mails to be read, so that the ready queue asks when they run low. Mails that
    /// waited for a provider may have been withdrawn since the last round.
    fn set_more(&self) {
        let has_more = self.issues.values().any(IssueCursor::has_more);
        let overflowing: HashSet<QueueId> = self
            .issues
            .values()
            .flat_map(IssueCursor::overflowing)
            .collect();
        self.queue
            .set_more(|queue| queue == COMMON && has_more || overflowing.contains(&queue));
    }

    /// Wakes no later than at a time of the wall clock.
    fn wake_at(&self, until: &mut Instant, at: Option<Timestamp>) {
        if let Some(at) = at {
            let wait = Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default();
            *until = (*until).min(Instant::now() + wait);
        }
    }

    /// Writes some parts of an audience. Other issues are looked at before the next ones.
    async fn fix_audience(&self, id: IssueId) -> Result<()> {
        for _ in 0..PARTS {
            match self.store.fan_out(id).await? {
                FanOut::Partial => {}
                FanOut::Whole(planned) => {
                    let slug = self
                        .store
                        .issue(id)
                        .await?
                        .map_or_else(String::new, |row| row.slug);
                    tracing::info!(
                        issue = slug,
                        "it goes to {}",
                        crate::format::people(planned)
                    );
                    break;
                }
                FanOut::Nothing => break,
            }
        }
        Ok(())
    }

    async fn enqueue_system_mails(&mut self) -> Result<()> {
        // Each is read with its content, which takes time: not again for those that are queued.
        if self.queue.queued_system() >= SYSTEM_MAX / 2 {
            return Ok(());
        }
        let now = self.clock.now();
        let mut jobs = Vec::new();
        // Mails of a list that can't be signed would otherwise take up the room of all others.
        let can_go = |list: &List| self.cannot_sign(list).is_none();
        let lists: Vec<ListId> = self
            .lists
            .iter()
            .filter(|(_, list)| can_go(list))
            .map(|(id, _)| *id)
            .collect();
        let horizon = horizon(&self.settings, now);
        self.queue.begin_reading();
        let (mails, unreadable) = self
            .store
            .waiting_system_mails(now, horizon, &lists, SYSTEM_MAX)
            .await?;
        if unreadable != self.unreadable {
            if let Some(mails) = &unreadable {
                tracing::warn!(
                    "{} of the confirmation mails can't be read and are not sent, the first of them number {}: {}; \
                     one that a newer Letterpress wrote waits for that program",
                    mails.count,
                    mails.first,
                    mails.why
                );
            }
            self.unreadable = unreadable;
        }
        for mail in mails {
            let Some(list) = self.lists.get(&mail.candidate.list) else {
                continue;
            };
            let seed = format!(
                "{}/system/{}",
                mail.queued_at.as_millisecond(),
                mail.candidate.subscriber
            );
            let template = Template::new(&mail.rendered, list, Stream::System { seed: &seed });
            let mailing = Mailing {
                name: "confirmation".into(),
                template,
                from: list.from.address.clone(),
                bounce: None,
            };
            jobs.push(Job::new(mail.candidate, Arc::new(mailing)));
        }
        self.queue.enqueue(jobs);
        Ok(())
    }

    /// Enqueues the next mails of an issue, or ends it, or writes why it waits. Returns when to look again.
    async fn advance(&mut self, row: &IssueRow) -> Result<Instant> {
        let hours = self
            .settings
            .pacing
            .windows
            .get(&row.list)
            .map(|hours| hours.status(self.clock.now()));
        if let Some(sending_hours::Status::Closed(opens)) = hours {
            return self.wait_for_hours(row, opens).await;
        }
        let is_new = self
            .issues
            .get(&row.id)
            .is_none_or(|cursor| cursor.rescans != row.rescans);
        if is_new && !self.begin(row).await? {
            return Ok(Instant::now() + LONGEST_SLEEP);
        }
        let now = self.clock.now();
        let Some(cursor) = self.issues.get_mut(&row.id) else {
            return Ok(Instant::now() + LONGEST_SLEEP);
        };
        cursor.closes_at = match hours {
            Some(sending_hours::Status::Open(closes)) => Some(closes),
            _ => None,
        };
        let read = cursor
            .read((&self.store, &self.queue, &self.settings), row.id, now)
            .await?;
        if self.note_refused(row).await? || read.has_more {
            return Ok(Instant::now());
        }
        if read.enqueued == 0 && self.queue.held(row.id) == 0 {
            return self.finish_or_wait(row).await;
        }
        self.explain(row, None).await?;
        let pause = self.issues.get(&row.id).and_then(|cursor| cursor.pause);
        let mut until = pause.unwrap_or_else(|| Instant::now() + LONGEST_SLEEP);
        self.wake_at(
            &mut until,
            self.issues.get(&row.id).and_then(|cursor| cursor.closes_at),
        );
        Ok(until)
    }

    /// The sending hours of an issue's list are over. Its queued mails are removed, and read again when the hours begin.
    async fn wait_for_hours(&mut self, row: &IssueRow, opens: Timestamp) -> Result<Instant> {
        self.queue.retain(|id| id != row.id);
        if let Some(cursor) = self.issues.get_mut(&row.id) {
            cursor.rescan();
        }
        let mut until = Instant::now() + LONGEST_SLEEP;
        if self.queue.held(row.id) == 0 && self.store.finish(row.id, self.clock.now()).await? {
            return Ok(until);
        }
        self.wake_at(&mut until, Some(opens));
        self.explain(row, Some(Reason::SendingHours { from: opens }))
            .await?;
        Ok(until)
    }

    /// No mail of an issue can be sent now: it is done, or mails are deferred, or it pauses between two batches.
    async fn finish_or_wait(&mut self, row: &IssueRow) -> Result<Instant> {
        let now = self.clock.now();
        if self.store.finish(row.id, now).await? {
            tracing::info!("issue {} of {} is done", row.slug, row.list);
            return Ok(Instant::now() + LONGEST_SLEEP);
        }
        let mut until = Instant::now() + LONGEST_SLEEP;
        let course_pause = self.issues.get(&row.id).and_then(|cursor| cursor.pause);
        if let Some(pause) = course_pause.filter(|pause| *pause > Instant::now()) {
            let at = self.wall(pause);
            self.explain(row, Some(Reason::BatchPause { until: at }))
                .await?;
            return Ok(until.min(pause));
        }
        if let Some(reason) = self.refusing(row) {
            return self.wait_for_author(row, reason).await;
        }
        let next = self.store.next_deferred(row.id).await?;
        if next.is_some_and(|at| at <= now) {
            // Due and not enqueued: others fill the provider's queue.
            self.explain(row, None).await?;
            return Ok(Instant::now() + BREATH);
        }
        self.wake_at(&mut until, next);
        let fresh = self.store.issue(row.id).await?;
        let queued = fresh.as_ref().map_or(0, |row| row.totals.queued);
        match next {
            Some(at) if queued == 0 => {
                let deferred = fresh.map_or(0, |row| row.totals.deferred);
                self.explain(
                    row,
                    Some(Reason::Deferred {
                        people: deferred,
                        next_at: at,
                    }),
                )
                .await?;
            }
            _ if queued > 0 => until = Instant::now() + BREATH,
            _ => {}
        }
        Ok(until)
    }

    /// Writes beside people why they wait for a provider that refuses us; whether there are more of them.
    async fn note_refused(&mut self, row: &IssueRow) -> Result<bool> {
        let Some(cursor) = self.issues.get_mut(&row.id) else {
            return Ok(false);
        };
        for Refusing {
            queue,
            provider,
            fault,
        } in self.queue.refusing()
        {
            let people = cursor.take_unnoted(queue, NOTES_MAX);
            if !people.is_empty() {
                let has_accepted = self.relays.iter().any(|relay| relay.has_accepted());
                let why = if has_accepted {
                    format!("waits: {provider} refuses your mails: {fault}")
                } else {
                    format!("waits: {fault}")
                };
                self.store.note_waiting(row.id, &people, why).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Everybody who can be mailed now was mailed; the rest was refused for faults of ours. Where nobody is in flight or
    /// deferred, that is for the author to see to.
    async fn wait_for_author(&mut self, row: &IssueRow, reason: Reason) -> Result<Instant> {
        let mut until = Instant::now() + LONGEST_SLEEP;
        let next = self
            .store
            .next_deferred_after(row.id, self.clock.now())
            .await?;
        self.wake_at(&mut until, next);
        let fresh = self.store.issue(row.id).await?;
        let is_in_flight = fresh.is_none_or(|fresh| fresh.totals.sending > 0);
        if next.is_some() || is_in_flight {
            self.explain(row, None).await?;
            return Ok(until);
        }
        let Some(cursor) = self.issues.get_mut(&row.id) else {
            return Ok(until);
        };
        if !std::mem::replace(&mut cursor.is_read_twice, true) {
            // Somebody may have come back whom the cursor has passed.
            cursor.rescan();
            return Ok(Instant::now());
        }
        self.stop(row, self.reason_of_all(reason)).await?;
        Ok(until)
    }

    /// Reads what an issue's mails are made of. `false`: it can't be sent as it is, and pauses.
    async fn begin(&mut self, row: &IssueRow) -> Result<bool> {
        let Some(list) = self.lists.get(&row.list_id) else {
            let list = row.list.clone();
            return self.cannot_begin(row, Reason::ListMissing { list }).await;
        };
        if self.cannot_sign(list).is_some() {
            // Its author may have fixed the key and resumed.
            self.signing.read_again();
        }
        if let Some(why) = self.cannot_sign(list) {
            let why = why.to_string();
            return self.cannot_begin(row, Reason::CannotSign { why }).await;
        }
        let rendered = match self.store.rendered(row.id).await {
            Ok(rendered) => rendered,
            Err(refused) if refused.is_refused() => {
                let why = refused.to_string();
                return self.cannot_begin(row, Reason::CannotRead { why }).await;
            }
            Err(other) => return Err(other),
        };
        let seed = format!(
            "{}/{}/{}/{}",
            row.queued_at.as_millisecond(),
            row.list,
            row.slug,
            row.id
        );
        let template = Template::new(&rendered, list, Stream::Issue { seed: &seed });
        let mailing = Mailing {
            name: row.slug.clone(),
            template,
            from: list.from.address.clone(),
            bounce: list.bounce_address.clone(),
        };
        let cursor = IssueCursor::new(Arc::new(mailing), self.clock.now());
        let mut cursor = cursor.for_relays(self.relays.len());
        cursor.rescans = row.rescans;
        if let Some(before) = self.issues.remove(&row.id) {
            cursor.continue_batch(&before);
        }
        self.issues.insert(row.id, cursor);
        self.failure_rate.forget(row.id);
        // It starts, or its author wants to see whether it works now.
        self.refusals.forget();
        self.relays.iter().for_each(|relay| relay.end_back_off());
        self.queue.reopen_providers(None);
        Ok(true)
    }

    /// Why the mails of a list can't be signed, where any relay's mails are to be.
    fn cannot_sign(&self, list: &List) -> Option<Obstacle> {
        let mut relays = self.settings.relays.iter();
        let is_wanted = relays.any(|relay| !relay.dkim.algorithms.is_empty());
        self.signing
            .obstacle(&list.from.address)
            .filter(|_| is_wanted)
    }

    async fn cannot_begin(&self, row: &IssueRow, reason: Reason) -> Result<bool> {
        self.stop(row, reason).await?;
        Ok(false)
    }

    /// Pauses an issue for a reason that its author has to see to.
    async fn stop(&self, row: &IssueRow, reason: Reason) -> Result<()> {
        if let Steered::Now(_) = self.store.pause(row.id, &reason).await? {
            tracing::error!("issue {} of {} pauses: {reason}", row.slug, row.list);
        }
        Ok(())
    }
}
