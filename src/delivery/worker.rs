//! One connection's life: take a mail, claim it, send it, and hand its outcome over with the next claim.
//!
//! The order that everything depends on: the claim is on the disk before the content goes out. MAIL, RCPT and DATA may
//! be on the wire meanwhile, since nothing is accepted without content. Where the claim is not granted after the server
//! has replied 354, hanging up is the only way to say so: an empty mail would be accepted.
//!
//! A worker that has nothing to send waits for one signal, `changed`: mails were enqueued, a permit was given back, or a
//! relay's state changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::sleep_until;

use super::Settings;
use super::commit_queue::{CommitHandle, CommitQueue};
use super::disposition::Disposition;
use super::failure_rate::FailureRateBreaker;
use super::feedback::adapt_rates;
use super::prepared_mail::PreparedMail;
use super::ready_queue::{InFlight, Job, Permit, ReadyQueue, Wanted};
use super::refusal_streak::{Answer, RefusalStreakBreaker};
use super::relay::{Hold, RelayState};
use super::relays::{Relays, Wait};
use super::retry;
use super::session::Session;
use super::signing::{SignedMail, Signing};
use crate::link::Links;
use crate::model::delivery::{Event, State};
use crate::model::waiting::Reason;
use crate::model::{IssueId, SharedClock};
use crate::smtp::{
    About, Client, ConnectError, ConnectionLost, EnvelopeReply, Reply, Step, Verdict, WaitingFor,
};
use crate::store::commit_batch::{Claim, Grant, Outcome};

/// A connection that is not used is closed after this time, before most servers close it.
const IDLE: Duration = Duration::from_secs(20);

/// What all workers share.
#[derive(Clone)]
pub(super) struct Shared {
    pub queue: Arc<ReadyQueue>,
    pub relays: Arc<Relays>,
    /// Wakes workers that wait.
    pub changed: Arc<Notify>,
    pub failure_rate: Arc<FailureRateBreaker>,
    pub refusals: Arc<RefusalStreakBreaker>,
    pub commits: CommitQueue,
    pub links: Links,
    pub signing: Arc<Signing>,
    pub clock: SharedClock,
    pub settings: Arc<Settings>,
}

/// One connection and what it has in hand.
pub(super) struct Worker {
    shared: Shared,
    relay: Arc<RelayState>,
    /// The relay's place in the settings.
    place: usize,
    session: Option<Session>,
    /// Until when this connection alone is not opened again.
    paused_until: Option<Instant>,
    commits: CommitHandle,
    /// A buffer of a mail that was sent, for the next one.
    buffer: Vec<u8>,
}

impl Worker {
    /// A worker for one connection to the relay at `place`.
    pub(super) fn new(shared: Shared, place: usize) -> Worker {
        Worker {
            relay: shared.relays.get(place).clone(),
            place,
            session: None,
            paused_until: None,
            commits: shared.commits.handle(),
            buffer: Vec::new(),
            shared,
        }
    }

    /// Sends mails until the queue is closed.
    pub(super) async fn run(mut self) {
        while let Some(permit) = self.next().await {
            match self.connect(&permit).await {
                // Opening the connection may have taken its time.
                Ok(()) if self.shared.queue.is_closed() => drop(permit),
                Ok(()) if self.must_reroute(&permit) => permit.reroute(),
                Ok(()) => self.send(permit).await,
                Err(error) => self.cannot_connect(permit, error).await,
            }
        }
        self.flush().await;
        self.hang_up().await;
    }

    /// The next mail that may be sent, once there is one; `None` when the queue is closed. A pending outcome is written
    /// before anything that takes time.
    async fn next(&mut self) -> Option<Permit> {
        let idle_at = Instant::now() + IDLE;
        let changes_what_may_go =
            self.commits.pending_pause().is_some() || self.commits.has_pending_refusal();
        if changes_what_may_go || !self.has_session() {
            self.flush().await;
        }
        if let Ok(permit) = self.try_next() {
            return Some(permit);
        }
        self.flush().await;
        let signal = self.shared.changed.clone();
        loop {
            let changed = signal.notified();
            tokio::pin!(changed);
            // Before looking, so that nothing is missed that changes meanwhile.
            changed.as_mut().enable();
            if self.shared.queue.is_closed() {
                return None;
            }
            match self.try_next() {
                Ok(permit) => return Some(permit),
                Err(at) => self.wait(changed.as_mut(), at, idle_at).await,
            }
        }
    }

    /// Takes the next mail that the relay and its provider permit now; else tells when to ask again at the latest, where
    /// that is known.
    fn try_next(&self) -> Result<Permit, Option<Instant>> {
        loop {
            let now = Instant::now();
            let wait = self.wait_reason(now);
            let until = wait.and_then(Wait::until);
            let wanted = self.wanted(wait);
            let taken = self.shared.queue.try_take(wanted, now);
            let permit = taken.map_err(|at| at.into_iter().chain(until).min())?;
            if let Some(permit) = self.admit(permit) {
                return Ok(permit);
            }
        }
    }

    /// Why this connection takes no mail now: it or its relay failed, the relay's limits permit none, or other relays
    /// have not had their share.
    fn wait_reason(&self, now: Instant) -> Option<Wait> {
        match self.paused_until.filter(|until| *until > now) {
            Some(until) => Some(Wait::Relay(Hold::BackingOff(until))),
            None => self.shared.relays.wait(self.place, now),
        }
    }

    /// Which mails can be taken all the same: confirmations wait for no daily quota, and mails that another relay could
    /// not take, or that were refused by it for a fault of ours, wait for no relay's share.
    fn wanted(&self, wait: Option<Wait>) -> Wanted {
        let none = Wanted {
            relay: self.place,
            beyond_ascii: !self.shared.relays.leaves_utf8_to_another(self.place),
            ..Wanted::default()
        };
        match wait {
            None => Wanted {
                system: true,
                rerouted: true,
                refused_elsewhere: true,
                queued: true,
                ..none
            },
            Some(Wait::Share(_)) => Wanted {
                rerouted: true,
                refused_elsewhere: true,
                ..none
            },
            Some(Wait::Relay(Hold::Quota { .. })) => Wanted {
                system: true,
                ..none
            },
            Some(Wait::Relay(_)) => none,
        }
    }

    /// Adds what the mail takes of the relay. `None`: the sending hours are over, the mail is for another relay, or
    /// another connection was quicker.
    fn admit(&self, mut permit: Permit) -> Option<Permit> {
        if self.is_too_late(&permit) {
            permit.discard();
            return None;
        }
        if self.must_reroute(&permit) {
            permit.reroute();
            return None;
        }
        let is_exempt = permit.issue().is_none();
        let relays = &self.shared.relays;
        permit.set_relay(relays.try_take(self.place, is_exempt, Instant::now())?);
        if self.relay.quota().is_some_and(|q| q.to_reserve().is_some()) {
            // The scheduler reserves more of it.
            self.shared.queue.wake_scheduler();
        }
        Some(permit)
    }

    /// Whether the sending hours of a mail are over.
    fn is_too_late(&self, job: &Job) -> bool {
        job.closes_at
            .is_some_and(|closes| self.shared.clock.now() >= closes)
    }

    /// Whether only another relay can take a mail.
    fn must_reroute(&self, job: &Job) -> bool {
        job.candidate.email.needs_smtputf8()
            && self.shared.relays.leaves_utf8_to_another(self.place)
    }

    /// Waits for a change, until `at` at the latest. Hangs up at once where that will last, else when the connection was
    /// idle for long enough.
    async fn wait(
        &mut self,
        changed: std::pin::Pin<&mut Notified<'_>>,
        at: Option<Instant>,
        idle_at: Instant,
    ) {
        let now = Instant::now();
        let lasts = match self.wait_reason(now) {
            Some(Wait::Relay(Hold::BackingOff(_) | Hold::DailyLimit)) => true,
            Some(Wait::Relay(Hold::Rate(until))) => until > now + IDLE,
            Some(Wait::Relay(Hold::Quota { is_used_up })) => is_used_up,
            Some(Wait::Share(_)) | None => false,
        };
        if lasts || now >= idle_at {
            self.hang_up().await;
        }
        let idle_at = self.session.is_some().then_some(idle_at);
        match at.into_iter().chain(idle_at).min() {
            None => changed.await,
            Some(at) => tokio::select! {
                () = changed => {}
                () = sleep_until(at.into()) => {}
            },
        }
    }

    /// Whether there is a connection that may carry one more mail.
    fn has_session(&self) -> bool {
        self.session.as_ref().is_some_and(|s| s.has_room(0))
    }

    /// Opens a connection for a mail where there is none, or where it has carried as many mails as it may.
    async fn connect(&mut self, permit: &Permit) -> Result<(), ConnectError> {
        let most = self.shared.queue.per_connection(permit.queue());
        if let Some(session) = &self.session
            && !(session.has_room(0) && session.has_room_for(permit.queue(), most))
        {
            self.flush().await;
            self.hang_up().await;
        }
        if let Some(session) = &mut self.session
            && !session.client.is_open().await
        {
            self.session = None;
        }
        if self.session.is_none() {
            self.flush().await;
        }
        let mut session = match self.session.take() {
            Some(session) => session,
            None => Session::open(&self.relay).await?,
        };
        session.count(permit.queue(), most);
        self.session = Some(session);
        Ok(())
    }

    /// There is no connection, for which no mail is the reason.
    async fn cannot_connect(&mut self, permit: Permit, error: ConnectError) {
        let is_ours = error.fault.is_config_fault();
        let fault = error.relay_fault();
        match permit.issue() {
            Some(issue) if is_ours && !self.shared.relays.has_another_up(self.place) => {
                self.commits
                    .pause(issue, Reason::RelayFault { fault })
                    .await;
                permit.discard();
                self.stop_issue(issue);
            }
            _ if is_ours => self.relay.back_off(&fault),
            _ => {
                let alone = self.relay.connect_failed(&fault);
                self.paused_until = alone.map(|wait| Instant::now() + wait);
            }
        }
    }

    /// Closes the connection in order, where there is one.
    async fn hang_up(&mut self) {
        if let Some(session) = self.session.take() {
            session.quit().await;
        }
    }

    /// Sends a mail and, where the relay takes them so, those that follow it without a pause.
    async fn send(&mut self, permit: Permit) {
        let Some(mut session) = self.session.take() else {
            return;
        };
        let mut mail = Some(self.prepare(permit));
        while let Some(this) = mail {
            mail = self.send_one(&mut session, this).await;
        }
        self.session = (!session.client.closing).then_some(session);
    }

    fn prepare(&mut self, permit: Permit) -> PreparedMail {
        let Shared {
            links,
            signing,
            clock,
            ..
        } = &self.shared;
        let buffer = std::mem::take(&mut self.buffer);
        let signing = (&**signing, &self.relay.relay.dkim);
        PreparedMail::new(permit, links, signing, clock.now(), buffer)
    }

    /// Claims a mail, sends it, and keeps its outcome for the next claim. Returns the mail whose envelope was sent right
    /// behind it, if one was.
    async fn send_one(
        &mut self,
        session: &mut Session,
        mail: PreparedMail,
    ) -> Option<PreparedMail> {
        // Opening the connection, or the reply to the mail before, may have taken its time.
        if self.is_too_late(&mail.permit) || (mail.is_ahead && self.shared.queue.is_closed()) {
            session.client.closing |= mail.is_ahead;
            mail.permit.discard();
            return None;
        }
        let is_ahead = mail.is_ahead;
        let begun = Instant::now();
        let epoch = self.shared.refusals.epoch();
        let client = &mut session.client;
        let (grant, answered) = self.claim(client, &mail).await;
        let Grant::Granted { attempt } = grant else {
            // Hanging up is the only way not to send a mail for which the server waits.
            client.closing |= !matches!(
                answered,
                Ok(EnvelopeReply::Rejected { .. } | EnvelopeReply::NeedsUtf8)
            );
            mail.permit.discard();
            if grant == Grant::Refused {
                // Most likely its issue was paused or cancelled, and perhaps resumed since: the scheduler knows.
                self.shared.queue.wake_scheduler();
            }
            return None;
        };
        let (mail, content) = mail.claimed();
        let (disposition, next) = if is_ahead && self.relay.ahead_failed(&answered) {
            client.closing = true;
            let why = "the relay did not take it behind the mail before it";
            (Disposition::requeued(why), None)
        } else {
            match answered {
                Ok(EnvelopeReply::Ready) => self.send_content(session, &mail, content).await,
                answered => (self.not_taken(client, &mail, answered), None),
            }
        };
        if disposition.event == Event::Accepted {
            self.relay.measured(begun.elapsed());
        }
        self.keep(mail, (attempt, epoch), disposition);
        // What was to follow on a connection that ends goes back.
        next.filter(|_| !session.client.closing)
    }

    /// Claims a mail, and sends its envelope meanwhile unless that went behind the mail before it.
    async fn claim(
        &mut self,
        client: &mut Client,
        mail: &PreparedMail,
    ) -> (Grant, Result<EnvelopeReply, ConnectionLost>) {
        let relay = &self.relay;
        if !mail.is_ahead {
            client.pipelines = relay.pipelining.allows_groups(Instant::now());
        }
        let claim = self.commits.claim(Claim::from(&mail.permit.candidate));
        let (grant, answered) = tokio::join!(claim, async {
            let _waiting = relay.stalls.begin(WaitingFor::Reply);
            if mail.is_ahead {
                client.read_envelope_reply().await
            } else {
                client.send_envelope(&mail.envelope()).await
            }
        });
        let is_answered = matches!(
            answered,
            Ok(EnvelopeReply::Ready | EnvelopeReply::Rejected { .. })
        );
        if matches!(grant, Grant::Granted { .. })
            && is_answered
            && client.groups()
            && !client.closing
        {
            relay.pipelining.group_answered();
        }
        (grant, answered)
    }

    /// What became of a mail whose content the server does not want.
    fn not_taken(
        &self,
        client: &mut Client,
        job: &Job,
        answered: Result<EnvelopeReply, ConnectionLost>,
    ) -> Disposition {
        match answered {
            Ok(EnvelopeReply::Rejected {
                step,
                reply,
                verdict,
            }) => self.replied(client, job, (step, &reply, verdict)),
            Ok(EnvelopeReply::Ready | EnvelopeReply::NeedsUtf8) => {
                Disposition::of_missing_utf8(&self.shared.relays, self.place, job)
            }
            Err(lost) => {
                client.closing = true;
                if client.groups() && self.relay.blames_groups(&lost) {
                    Disposition::requeued("the relay broke off where commands came together")
                } else {
                    Disposition::of_lost_envelope(&self.relay, &lost)
                }
            }
        }
    }

    /// What a reply to a step of a mail means for it.
    fn replied(
        &self,
        client: &mut Client,
        job: &Job,
        reply: (Step, &Reply, Verdict),
    ) -> Disposition {
        let now = self.shared.clock.now();
        Disposition::of_reply((&self.relay, client, job), reply, now)
    }

    /// Sends the content, with the next mail's envelope behind it where that is possible. Returns that mail as well.
    async fn send_content(
        &mut self,
        session: &mut Session,
        job: &Job,
        content: impl Future<Output = SignedMail>,
    ) -> (Disposition, Option<PreparedMail>) {
        let next = self.follower(session);
        let client = &mut session.client;
        let mut mail = content.await;
        let end = mail.as_slice().len();
        if let Some(next) = &next {
            mail.push(client.envelope_commands(&next.envelope()).as_bytes());
        }
        let relay = &self.relay;
        let waiting = relay.stalls.begin(WaitingFor::Reply);
        let answered = client.send_content(mail.as_slice(), end).await;
        drop(waiting);
        self.buffer = mail.into_buffer();
        let disposition = match answered {
            Ok((_, verdict))
                if verdict != Verdict::Positive && next.is_some() && relay.blames_ahead() =>
            {
                client.closing = true;
                Disposition::requeued(
                    "the relay did not take it with another mail's commands behind it",
                )
            }
            Ok((reply, verdict)) => self.replied(client, job, (Step::Content, &reply, verdict)),
            Err(lost) => {
                client.closing = true;
                if next.is_some() {
                    relay.blames_ahead();
                }
                Disposition::of_lost_content(relay, &lost)
            }
        };
        (disposition, next)
    }

    /// The next mail, where its envelope may be sent right behind the one in hand: the settings ask for it, the server
    /// takes it so, and the limits permit it now.
    fn follower(&mut self, session: &mut Session) -> Option<PreparedMail> {
        let may = self.relay.pipelining.allows_ahead()
            && session.client.can_follow(false)
            && session.has_room(1)
            && self.wait_reason(Instant::now()).is_none();
        if !may {
            return None;
        }
        let permit = self.try_next().ok()?;
        let (queue, most) = (
            permit.queue(),
            self.shared.queue.per_connection(permit.queue()),
        );
        if !session.has_room_for(queue, most) {
            return None;
        }
        let mut mail = self.prepare(permit);
        if !session.client.can_follow(mail.needs_utf8()) {
            return None;
        }
        session.count(queue, most);
        mail.is_ahead = true;
        Some(mail)
    }

    /// Keeps the outcome of a mail for the next claim, and adapts the rates by it.
    fn keep(&mut self, mail: InFlight, (attempt, epoch): (u32, u64), mut disposition: Disposition) {
        let shared = &self.shared;
        adapt_rates(&shared.queue, &self.relay, &mail, &disposition);
        let too_many_fail = self.count_failure(&mail, &disposition);
        let answer = mail
            .issue()
            .map(|_| self.answer(&mail, epoch, &disposition));
        let mut give_up_after = shared.settings.give_up_after;
        let mut pause = None;
        match (disposition.pause.take(), mail.issue()) {
            (Some(fault), Some(issue)) if !shared.relays.has_another_up(self.place) => {
                pause = Some((issue, Reason::RelayFault { fault }));
            }
            // Another relay may take it.
            (Some(fault), Some(_)) => self.relay.back_off(&fault),
            // There is no issue to pause, and other lists' mails need not wait: it waits alone until its author has fixed
            // the reason.
            (Some(fault), None) => {
                tracing::warn!("a confirmation mail waits: {fault}");
                (disposition.event, give_up_after) = (Event::TempFail, Duration::MAX);
            }
            (None, Some(issue)) => pause = too_many_fail.map(|why| (issue, why)),
            (None, None) => {
                if let Some((about, fault)) = &disposition.refusal
                    && about.is_us()
                    && *about != About::DailyLimit
                {
                    tracing::warn!("a confirmation mail waits: {fault}");
                    (disposition.event, give_up_after) = (Event::TempFail, Duration::MAX);
                }
            }
        }
        let next_at = self.next_try(&mail, attempt, give_up_after, &mut disposition);
        if disposition.event == Event::PermFail {
            log_failure(&mail, attempt, &disposition, &self.relay.relay.name);
        }
        let outcome = Outcome {
            key: mail.candidate.key,
            from: State::Sending,
            attempt,
            event: disposition.event,
            next_at,
            reply: disposition.reply,
            relay: self.relay.relay.name.clone(),
        };
        self.commits.set_pending(outcome, answer, pause);
    }

    /// Where an outcome came from, for those who watch refusals.
    fn answer(&self, job: &Job, epoch: u64, disposition: &Disposition) -> Answer {
        let providers = &self.shared.settings.pacing.domains.providers;
        Answer {
            place: self.place,
            provider: providers.of(job.candidate.email.domain()).to_owned(),
            epoch,
            refusal: disposition.refusal.clone(),
        }
    }

    /// Counts the outcome of an issue's mail; returns why the issue must pause where too many fail. Greylisting is no
    /// failure: it asks everybody to come again.
    fn count_failure(&self, job: &Job, disposition: &Disposition) -> Option<Reason> {
        if disposition.is_greylisting {
            return None;
        }
        let providers = &self.shared.settings.pacing.domains.providers;
        self.shared.failure_rate.count(
            job.issue()?,
            providers.of(job.candidate.email.domain()),
            disposition.event,
            &disposition.reply,
        )
    }

    /// When a mail that failed temporarily is tried again. Where that has gone on for `give_up_after`, it has failed
    /// permanently.
    fn next_try(
        &self,
        job: &Job,
        attempt: u32,
        give_up_after: Duration,
        disposition: &mut Disposition,
    ) -> Option<Timestamp> {
        if disposition.event != Event::TempFail {
            return None;
        }
        let Shared {
            clock, settings, ..
        } = &self.shared;
        let now = clock.now();
        let since = job.candidate.first_at.unwrap_or(now);
        let waited = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        if waited >= give_up_after {
            disposition.event = Event::PermFail;
            return None;
        }
        let mut chance = [0];
        clock.random(&mut chance);
        let first = settings.first_retry;
        let longest = if disposition.is_greylisting {
            retry::longest_for_greylisting(first, settings.longest_retry)
        } else {
            settings.longest_retry
        };
        now.checked_add(retry::wait(attempt, first, longest, chance[0]))
            .ok()
    }

    /// Writes the pending outcome, where there is one.
    async fn flush(&mut self) {
        if !self.commits.has_pending_outcome() {
            return;
        }
        let paused = self.commits.pending_pause();
        self.commits.flush().await;
        self.shared.queue.committed();
        if let Some(paused) = paused {
            self.stop_issue(paused);
        }
    }

    /// Removes the queued mails of an issue that was paused.
    fn stop_issue(&self, issue: IssueId) {
        self.shared.queue.retain(|other| other != issue);
    }
}

/// Logs that a mail has failed for good: its address, and what was said to it.
fn log_failure(job: &Job, attempt: u32, disposition: &Disposition, relay: &str) {
    tracing::warn!(
        issue = job.mailing.name,
        to = %job.candidate.email,
        relay,
        attempt,
        code = disposition.reply.code,
        "failed: {}",
        disposition.reply.text
    );
}
