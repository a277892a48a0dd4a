//! Who is next, and why it waits: for each issue that goes on the planner fixes the audience, reads ahead and
//! lays jobs on the desk; it completes what was cancelled, ends what is done, and writes the reason of every
//! wait. When an issue begins to go on is decided elsewhere: by `schedule`, and by the author.
//!
//! How the queue of one issue is read is left to `course`, and what is told of waits to `explain`.
//!
//! It wakes when a row was changed by anybody (its own process or another), when the desk runs low, and when
//! something falls due; it keeps nothing that a restart could lose.

mod course;
mod explain;
mod parked;
mod speed;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::time::{sleep_until, timeout};

pub(super) use course::Course;
pub(super) use speed::{Speed, keep as keep_speed};

use course::horizon;

use super::Settings;
use super::desk::{Desk, FREE, Job, LaneId, Letter};
use super::relay::RelayState;
use super::signing::Signing;
use super::toll::Toll;
use crate::mail::{Stream, Template};
use crate::model::sending::IssueState;
use crate::model::{IssueId, List, ListId, SharedClock};
use crate::pace::sending_hours;
use crate::store::fanout::FanOut;
use crate::store::issues::IssueRow;
use crate::store::steering::Steered;
use crate::store::system_mails::UnreadableMails;
use crate::store::{Result, Store};

/// Between two looks at the whole, however many rows change meanwhile.
const BREATH: Duration = Duration::from_millis(100);
/// The longest sleep: what falls due is found even where the clock was set forward.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// So many parts of an audience are written before other issues are looked at.
const PARTS: usize = 5;
/// The most system mails on the desk.
const SYSTEM_MAX: usize = 100;

/// See the file's head.
pub(super) struct Planner {
    pub store: Store,
    pub settings: Arc<Settings>,
    pub lists: HashMap<ListId, List>,
    pub clock: SharedClock,
    pub desk: Arc<Desk>,
    pub relays: Vec<Arc<RelayState>>,
    pub signing: Arc<Signing>,
    pub issues: HashMap<IssueId, Course>,
    pub speed: Speed,
    /// What was last told of confirmations that can't be read, so that it is told once.
    pub unreadable: Option<UnreadableMails>,
    pub toll: Arc<Toll>,
}

impl Planner {
    /// Plans until the desk is closed.
    ///
    /// # Errors
    /// When the database can't be read or written, other than for a while.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut changes = self.store.changes();
        while !self.desk.is_closed() {
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
                () = self.desk.hungry() => {}
                () = self.desk.closed() => {}
                // A change is looked at a breath later, together with those that follow it.
                () = async {
                    let _ = changes.changed().await;
                    let _ = timeout(BREATH, self.desk.hungry()).await;
                } => {}
            }
        }
        Ok(())
    }

    /// One look at everything; gives when to look again at the latest.
    async fn round(&mut self) -> Result<Instant> {
        let now = self.clock.now();
        let mut until = Instant::now() + LONGEST_SLEEP;
        self.signing.follow(&self.store).await?;
        self.follow_speed(now).await?;
        self.lay_system_mails().await?;
        self.wake_at(&mut until, self.store.next_system_mail(now).await?);

        let rows = self.store.open_issues().await?;
        let goes_on = |id: &IssueId| {
            rows.iter()
                .any(|row| row.id == *id && row.state == IssueState::Sending)
        };
        self.issues.retain(|id, _| goes_on(id));
        self.desk.retain(|id| goes_on(&id));
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
        self.give_leave(now).await?;
        self.tell_the_desk();
        Ok(until)
    }

    /// Says of what the desk should ask for more when it runs low, and of what no more: who waited for a provider may have
    /// been withdrawn, and then nobody is held up there.
    fn tell_the_desk(&self) {
        let more = self.issues.values().any(Course::has_more);
        let parked: HashSet<LaneId> = self
            .issues
            .values()
            .flat_map(Course::parked_lanes)
            .collect();
        self.desk.set_more(|lane| {
            if lane == FREE {
                more
            } else {
                parked.contains(&lane)
            }
        });
    }

    /// Wakes no later than a moment of the wall clock.
    fn wake_at(&self, until: &mut Instant, at: Option<Timestamp>) {
        if let Some(at) = at {
            let wait = Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default();
            *until = (*until).min(Instant::now() + wait);
        }
    }

    /// Writes some parts of an audience; other issues are looked at between.
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

    async fn lay_system_mails(&mut self) -> Result<()> {
        // Each is read with its content, which is made ready to go: not again for those that lie here.
        if self.desk.lying_system() >= SYSTEM_MAX / 2 {
            return Ok(());
        }
        let now = self.clock.now();
        let mut jobs = Vec::new();
        // Mails of a list that can't be signed would else take up the room of all others.
        let can_go = |list: &List| self.signing.obstacle(&list.from.address).is_none();
        let lists: Vec<ListId> = self
            .lists
            .iter()
            .filter(|(_, list)| can_go(list))
            .map(|(id, _)| *id)
            .collect();
        let horizon = horizon(&self.settings, now);
        self.desk.begin_reading();
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
            let letter = Letter {
                template,
                from: list.from.address.clone(),
                bounce: None,
            };
            jobs.push(Job::new(mail.candidate, Arc::new(letter)));
        }
        self.desk.lay(jobs);
        Ok(())
    }

    /// Lays the next people of an issue down, or ends it, or tells why it waits; gives when to look again.
    async fn advance(&mut self, row: &IssueRow) -> Result<Instant> {
        let window = self
            .settings
            .pacing
            .windows
            .get(&row.list)
            .map(|window| window.status(self.clock.now()));
        if let Some(sending_hours::Status::Closed(opens)) = window {
            return self.wait_for_window(row, opens).await;
        }
        let is_new = self
            .issues
            .get(&row.id)
            .is_none_or(|course| course.rescans != row.rescans);
        if is_new && !self.begin(row).await? {
            return Ok(Instant::now() + LONGEST_SLEEP);
        }
        let now = self.clock.now();
        let Some(course) = self.issues.get_mut(&row.id) else {
            return Ok(Instant::now() + LONGEST_SLEEP);
        };
        course.closes_at = match window {
            Some(sending_hours::Status::Open(closes)) => Some(closes),
            _ => None,
        };
        let read = course
            .read((&self.store, &self.desk, &self.settings), row.id, now)
            .await?;
        if read.more {
            return Ok(Instant::now());
        }
        if read.laid == 0 && self.desk.out(row.id) == 0 {
            return self.rest_of(row).await;
        }
        self.explain(row, None).await?;
        let pause = self.issues.get(&row.id).and_then(|course| course.pause);
        let mut until = pause.unwrap_or_else(|| Instant::now() + LONGEST_SLEEP);
        self.wake_at(
            &mut until,
            self.issues.get(&row.id).and_then(|course| course.closes_at),
        );
        Ok(until)
    }

    /// The hours of an issue's list are over: what lies here is taken away, and read again when they begin.
    async fn wait_for_window(&mut self, row: &IssueRow, opens: Timestamp) -> Result<Instant> {
        self.desk.retain(|id| id != row.id);
        if let Some(course) = self.issues.get_mut(&row.id) {
            course.begin_anew();
        }
        let mut until = Instant::now() + LONGEST_SLEEP;
        if self.desk.out(row.id) == 0 && self.store.finish(row.id, self.clock.now()).await? {
            return Ok(until);
        }
        self.wake_at(&mut until, Some(opens));
        self.explain(
            row,
            Some(format!("the hours in which it may go begin at {opens:.0}")),
        )
        .await?;
        Ok(until)
    }

    /// Nobody of an issue can be mailed now: it is done, or somebody is deferred, or a batch makes a pause.
    async fn rest_of(&mut self, row: &IssueRow) -> Result<Instant> {
        let now = self.clock.now();
        if self.store.finish(row.id, now).await? {
            tracing::info!("issue {} of {} is done", row.slug, row.list);
            return Ok(Instant::now() + LONGEST_SLEEP);
        }
        let mut until = Instant::now() + LONGEST_SLEEP;
        let course_pause = self.issues.get(&row.id).and_then(|course| course.pause);
        if let Some(pause) = course_pause.filter(|pause| *pause > Instant::now()) {
            let at = self.wall(pause);
            self.explain(
                row,
                Some(format!("pause between two batches until {at:.0}")),
            )
            .await?;
            return Ok(until.min(pause));
        }
        let next = self.store.next_deferred(row.id).await?;
        if next.is_some_and(|at| at <= now) {
            // Due, and not laid down: others fill the provider's lane.
            self.explain(row, None).await?;
            return Ok(Instant::now() + BREATH);
        }
        self.wake_at(&mut until, next);
        let fresh = self.store.issue(row.id).await?;
        let queued = fresh.as_ref().map_or(0, |row| row.totals.queued);
        match next {
            Some(at) if queued == 0 => {
                let deferred = fresh.map_or(0, |row| row.totals.deferred);
                let who = crate::format::people(deferred);
                self.explain(
                    row,
                    Some(format!("{who} deferred; the next try is at {at:.0}")),
                )
                .await?;
            }
            _ if queued > 0 => until = Instant::now() + BREATH,
            _ => {}
        }
        Ok(until)
    }

    /// Reads what an issue's mails are made of. `false`: it can't be sent as it stands, and pauses.
    async fn begin(&mut self, row: &IssueRow) -> Result<bool> {
        let Some(list) = self.lists.get(&row.list_id) else {
            let reason = format!(
                "the settings know no list “{}” any more: put it back, then resume",
                row.list
            );
            return self.cannot_begin(row, reason).await;
        };
        if self.signing.obstacle(&list.from.address).is_some() {
            // Its author may have mended the key and resumed.
            self.signing.read_again();
        }
        if let Some(reason) = self.signing.obstacle(&list.from.address) {
            return self.cannot_begin(row, reason).await;
        }
        let rendered = match self.store.rendered(row.id).await {
            Ok(rendered) => rendered,
            Err(refused) if refused.is_refused() => {
                return self.cannot_begin(row, refused.to_string()).await;
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
        let letter = Letter {
            template,
            from: list.from.address.clone(),
            bounce: list.bounce_address.clone(),
        };
        let mut course = Course::new(Arc::new(letter), self.clock.now());
        course.rescans = row.rescans;
        if let Some(before) = self.issues.remove(&row.id) {
            course.goes_on_after(&before);
        }
        self.issues.insert(row.id, course);
        self.toll.forget(row.id);
        // It begins, or its author wants to see whether it works now.
        self.relays.iter().for_each(|relay| relay.wake());
        Ok(true)
    }

    async fn cannot_begin(&self, row: &IssueRow, reason: String) -> Result<bool> {
        if let Steered::Now(_) = self.store.pause(row.id, &reason).await? {
            tracing::error!("issue {} of {} pauses: {reason}", row.slug, row.list);
        }
        Ok(false)
    }
}
