//! One connection's life: take a job, claim it, send it, tell what became of it with the next claim.
//!
//! The order that everything hangs on: the claim is on the disk before the content goes out. MAIL, RCPT and DATA
//! may be on the wire meanwhile, since nothing is accepted without content; where the claim is not granted after
//! the server has said 354, only hanging up says so (an empty mail would be accepted).

mod beyond;
mod draft;
mod fate;
mod heard;
mod line;
mod untried;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::Settings;
use super::desk::{Desk, Job, LaneId};
use super::ledger::{Entry, Ledger};
use super::relay::RelayState;
use super::signing::{SignedMail, Signing};
use super::toll::Toll;
use crate::link::Links;
use crate::model::SharedClock;
use crate::pace::Balancer;
use crate::smtp::{Client, EnvelopeReply, Step, Verdict, WaitingFor};
use crate::store::commit_batch::{Claim, Grant};
use draft::Draft;
use fate::Fate;
use line::Line;

/// An unused connection is closed after so long, before most servers do it.
const IDLE: Duration = Duration::from_secs(20);

/// How long a rest is slept before looking whether it still goes on.
const REST_STEP: Duration = Duration::from_millis(200);

/// What a worker shares with the others.
#[derive(Clone)]
pub(super) struct Shared {
    pub desk: Arc<Desk>,
    pub relays: Vec<Arc<RelayState>>,
    pub shares: Arc<Balancer>,
    pub toll: Arc<Toll>,
    pub ledger: Ledger,
    pub links: Links,
    pub signing: Arc<Signing>,
    pub clock: SharedClock,
    pub settings: Arc<Settings>,
}

/// One connection and what it has in hand.
pub(super) struct Worker {
    shared: Shared,
    relay: Arc<RelayState>,
    /// The relay's place among all.
    place: usize,
    line: Option<Line>,
    /// Until when this connection alone is not tried.
    waits: Option<Instant>,
    /// What became of the last mail, not written down yet; it goes with the next claim.
    told: Entry,
    /// How many mails the connection was given for each provider that allows so many a connection.
    brought: HashMap<LaneId, u32>,
    /// A mail's bytes that are not needed any more; kept for their room.
    spare: Vec<u8>,
}

impl Worker {
    pub(super) fn new(shared: Shared, relay: Arc<RelayState>) -> Worker {
        let place = shared
            .relays
            .iter()
            .position(|other| Arc::ptr_eq(other, &relay))
            .unwrap_or_default();
        Worker {
            shared,
            relay,
            place,
            line: None,
            waits: None,
            told: Entry::default(),
            brought: HashMap::new(),
            spare: Vec::new(),
        }
    }

    /// Works until the desk is closed.
    pub(super) async fn run(mut self) {
        while let Some(job) = self.next().await {
            match self.reach().await {
                // Making the connection may have taken its time.
                Ok(()) if self.shared.desk.is_closed() => self.give_back(job),
                Ok(()) if self.is_for_another(&job) => self.pass_on(job),
                Ok(()) => self.send(job).await,
                Err(trouble) => self.cannot(job, trouble).await,
            }
        }
        self.flush().await;
        self.hang_up().await;
    }

    /// The next job, once the relay, its measure and the job's provider permit one more mail. Whatever is still to
    /// be told is written down at once where that takes time.
    async fn next(&mut self) -> Option<Job> {
        if self.line.is_none() {
            self.brought.clear();
        }
        if self.told.outcome.is_some() {
            let at_once = self.told.pause.is_none()
                && self
                    .line
                    .as_ref()
                    .is_some_and(|line| self.is_good(&line.connection, 0))
                && self.wait().is_none();
            if at_once
                && let Some(job) = self.shared.desk.try_take(self.aside())
                && let Some(job) = self.measure(job)
            {
                if !self.has_had_enough(&job) {
                    return Some(job);
                }
                self.flush().await;
                self.renew(&job).await;
                return Some(job);
            }
            self.flush().await;
        }
        loop {
            if let Some(wait) = self.wait() {
                if self.relay.day_is_over().is_some()
                    && let Some(job) = self.shared.desk.try_take_system()
                    && let Some(job) = self.measure(job)
                {
                    return Some(job);
                }
                if let Some(job) = self.out_of_turn()
                    && let Some(job) = self.measure(job)
                {
                    return Some(job);
                }
                self.rest(wait).await?;
                continue;
            }
            match timeout(IDLE, self.shared.desk.take(self.aside())).await {
                Err(_) => self.hang_up().await,
                Ok(None) => return None,
                Ok(Some(job)) => {
                    let Some(job) = self.measure(job) else {
                        continue;
                    };
                    if self.has_had_enough(&job) {
                        self.renew(&job).await;
                    }
                    return Some(job);
                }
            }
        }
    }

    /// How long to wait before a job may be taken: the relay or this connection alone rests, the relay's measure
    /// permits nothing, or others have not had their share.
    pub(super) fn wait(&self) -> Option<Duration> {
        let own = self.own_rest().max(self.relay.wait());
        let stands = |other: usize| self.shared.relays[other].standing();
        own.or_else(|| self.shared.shares.wait(self.place, stands, Instant::now()))
    }

    fn own_rest(&self) -> Option<Duration> {
        let own = self
            .waits
            .map(|until| until.saturating_duration_since(Instant::now()));
        own.filter(|wait| !wait.is_zero())
    }

    /// Waits for a while, hanging up where it will last; `None` where the desk is closed meanwhile.
    async fn rest(&mut self, wait: Duration) -> Option<()> {
        let lasts = self.own_rest().is_some()
            || self.relay.resting().is_some()
            || self.relay.day_is_over().is_some()
            || wait > IDLE;
        if lasts {
            self.hang_up().await;
        }
        tokio::select! {
            // In short steps, since the author may change their mind.
            () = sleep(wait.min(REST_STEP)) => Some(()),
            () = self.shared.desk.closed() => None,
        }
    }

    /// Takes the relay's leave for a job; where another connection had it first, the job goes back, where only another
    /// relay can take it, it is laid aside, and where the hours in which it may go are over, it is dropped.
    fn measure(&self, job: Job) -> Option<Job> {
        if self.is_over(&job) {
            self.shared.desk.unused(&job);
            return None;
        }
        if self.is_for_another(&job) {
            self.shared.desk.set_aside(job);
            return None;
        }
        if !self.relay.permit(job.issue().is_none()) {
            self.shared.desk.give_back(job);
            return None;
        }
        self.shared.shares.take(self.place);
        if self
            .relay
            .day()
            .is_some_and(|day| day.to_reserve().is_some())
        {
            // The planner writes down what may be given further.
            self.shared.desk.ask();
        }
        Some(job)
    }

    /// Whether the hours in which a job may go are over.
    fn is_over(&self, job: &Job) -> bool {
        job.closes_at
            .is_some_and(|closes| self.shared.clock.now() >= closes)
    }

    /// Makes room for a job by a new connection.
    async fn renew(&mut self, job: &Job) {
        self.hang_up().await;
        self.brought.clear();
        self.brought.insert(job.lane, 1);
    }

    /// Whether this connection has brought the job's provider as many mails as one connection may; else counts it.
    fn has_had_enough(&mut self, job: &Job) -> bool {
        let most = self.shared.desk.per_connection(job.lane);
        if most == 0 {
            return false;
        }
        let brought = self.brought.entry(job.lane).or_default();
        let enough = *brought >= most;
        *brought += u32::from(!enough);
        enough
    }

    /// Sends a mail and, where the relay takes them so, those that follow it without a pause.
    async fn send(&mut self, job: Job) {
        let Some(mut held) = self.line.take() else {
            return self.give_back(job);
        };
        let mut draft = Some(self.draft(job));
        while let Some(this) = draft {
            draft = self.send_one(&mut held.connection, this).await;
        }
        self.line = (!held.connection.closing).then_some(held);
    }

    /// Claims a mail, sends it, and keeps what became of it for the next claim. Gives the mail that was offered right
    /// behind it, if one was.
    async fn send_one(&mut self, line: &mut Client, draft: Draft) -> Option<Draft> {
        // Making the connection, or the answer to the mail before, may have taken its time.
        if self.is_over(&draft.job) || (draft.offered && self.shared.desk.is_closed()) {
            line.closing |= draft.offered;
            self.unused(&draft.job);
            return None;
        }
        let entry = Entry {
            claim: Some(Claim::from(&draft.job.candidate)),
            ..std::mem::take(&mut self.told)
        };
        if !draft.offered {
            line.pipelines = self.relay.pipelining.allows_groups(Instant::now());
        }
        let exchange = self.shared.ledger.exchange(entry);
        let relay = self.relay.clone();
        let (grant, offered) = tokio::join!(exchange, async {
            let _waiting = relay.stalls.begin(WaitingFor::Reply);
            if draft.offered {
                line.read_envelope_reply().await
            } else {
                line.send_envelope(&draft.envelope()).await
            }
        });
        let behind = draft.offered;
        let (job, content) = draft.content();
        let Grant::Granted { attempt } = grant else {
            self.let_go(&job, grant);
            // Hanging up is the only way not to send a mail for which the server waits.
            line.closing |= !matches!(
                offered,
                Ok(EnvelopeReply::Rejected { .. } | EnvelopeReply::NeedsUtf8)
            );
            return None;
        };
        if job.issue().is_none() {
            self.shared.desk.count(job.candidate.email.domain());
        }
        if line.groups()
            && !line.closing
            && matches!(
                offered,
                Ok(EnvelopeReply::Ready | EnvelopeReply::Rejected { .. })
            )
        {
            self.relay.pipelining.group_answered();
        }
        let mut next = None;
        let fate = if behind && self.ahead_failed(&offered) {
            line.closing = true;
            Fate::released("the relay did not take it behind the mail before it")
        } else {
            match offered {
                Ok(EnvelopeReply::Ready) => {
                    next = self.follower(line);
                    let mut mail = content.await;
                    let fate = self.content(line, &mut mail, next.as_ref()).await;
                    self.spare = mail.into_buffer();
                    fate
                }
                Ok(EnvelopeReply::Rejected {
                    step,
                    reply,
                    verdict,
                }) => self.answered(line, step, &reply, verdict),
                Ok(EnvelopeReply::NeedsUtf8) => self.needs_utf8(&job),
                Err(lost) => {
                    line.closing = true;
                    if line.groups() && self.blames_groups(&lost) {
                        Fate::released("the relay broke off where commands came together")
                    } else {
                        self.lost_before(&lost)
                    }
                }
            }
        };
        if line.closing
            && let Some(next) = next.take()
        {
            self.give_back(next.job);
        }
        self.keep(job, attempt, fate);
        next
    }

    /// Sends the content, with the next mail's commands behind it.
    async fn content(
        &self,
        line: &mut Client,
        mail: &mut SignedMail,
        next: Option<&Draft>,
    ) -> Fate {
        let end = mail.as_slice().len();
        if let Some(next) = next {
            mail.push(line.envelope_commands(&next.envelope()).as_bytes());
        }
        let waiting = self.relay.stalls.begin(WaitingFor::Reply);
        let answered = line.send_content(mail.as_slice(), end).await;
        drop(waiting);
        match answered {
            Ok((_, verdict))
                if verdict != Verdict::Positive && next.is_some() && self.blames_ahead() =>
            {
                line.closing = true;
                Fate::released("the relay did not take it with another mail's commands behind it")
            }
            Ok((answer, verdict)) => self.answered(line, Step::Content, &answer, verdict),
            Err(lost) => {
                line.closing = true;
                if next.is_some() {
                    self.blames_ahead();
                }
                self.lost_content(lost)
            }
        }
    }

    /// Writes down what is still to be told.
    async fn flush(&mut self) {
        if self.told.outcome.is_some() {
            let paused = self.told.pause.as_ref().map(|(issue, _)| *issue);
            self.shared
                .ledger
                .exchange(std::mem::take(&mut self.told))
                .await;
            self.shared.desk.written();
            if let Some(paused) = paused {
                self.shared.desk.retain(|other| other != paused);
            }
        }
    }
}
