//! One relay while it is used: what its connections know together. Whether it backs off, which of its limits permit a
//! mail, and what it was found to support.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustls::ClientConfig;
use tokio::sync::Notify;

use super::{Relay, Settings, retry};
use crate::model::rate::{RateSource, RelaySpeed, SavedRate};
use crate::model::waiting::{RelayFault, RelayProblem};
use crate::pace::warmup::{self, DailyQuota};
use crate::pace::{RateLimit, RateMeter, SpeedMeter, relay_name};
use crate::smtp::{
    Blame, Client, ConnectError, ConnectFault, ConnectionLost, EnvelopeReply, PipeliningProbe,
    StallMonitor, Step, Tls, TlsSetupError, Wait, client_config,
};

/// Complaints for two providers within this time are taken to be about all mails.
const SAME_COMPLAINT: Duration = Duration::from_secs(60);
/// The first back-off is no longer than this: most relays that are away come back within seconds.
const FIRST_BACK_OFF_MAX: Duration = Duration::from_secs(15);
/// How long a refused login keeps other connections from trying the same password.
const REFUSED_LOGIN_HOLDS: Duration = Duration::from_secs(5);

/// A relay while it is used.
pub(super) struct RelayState {
    pub relay: Relay,
    /// `Err`: why there can be no TLS at all.
    tls: Result<Option<Arc<ClientConfig>>, TlsSetupError>,
    /// What its connections learned of pipelining.
    pub pipelining: PipeliningProbe,
    /// What its connections wait for.
    pub stalls: StallMonitor,
    first_back_off: Duration,
    longest_back_off: Duration,
    /// Wakes the connections that wait.
    changed: Arc<Notify>,
    /// Held by the connection that logs in, for as long as no login has been accepted.
    logging_in: tokio::sync::Mutex<()>,
    inner: Mutex<Inner>,
}

/// What became of the last login.
#[derive(Debug)]
enum Login {
    /// There was none.
    Untried,
    Accepted,
    /// When it was refused, or there was no connection for it, and why.
    Failed(Instant, ConnectError),
}

impl Login {
    fn is_accepted(&self) -> bool {
        matches!(self, Login::Accepted)
    }
}

/// Whether a refused login still answers for the next one: until its pause is written, or the author resumes.
fn holds(at: Instant, error: &ConnectError) -> bool {
    error.is_refused_login() && at.elapsed() < REFUSED_LOGIN_HOLDS
}

/// One connection's turn to log in, which ends when it is dropped.
pub(super) type Turn<'a> = tokio::sync::MutexGuard<'a, ()>;

struct Inner {
    /// The address of its name that worked last.
    address: Option<SocketAddr>,
    login: Login,
    rate: RateLimit,
    /// The rate at which mails went lately.
    meter: RateMeter,
    /// How quickly the server takes mails.
    speed: SpeedMeter,
    /// What its warm-up permits today; `None`: it is not warmed up.
    quota: Option<DailyQuota>,
    /// The provider for which it last complained of the rate.
    complaint: Option<(Arc<str>, Instant)>,
    /// Back-offs in a row without a mail that was answered.
    failures: u32,
    /// Connections that were lost since a mail was last answered.
    losses: usize,
    /// Open connections.
    open: usize,
    back_off: Option<BackOff>,
    /// It takes no more mails on this day.
    daily_limit: Option<DailyLimit>,
    /// It accepted a mail since an issue last began or was resumed.
    has_accepted: bool,
    /// Whether its last connection offered SMTPUTF8; `None`: there was none yet.
    offers_utf8: Option<bool>,
    /// The last trouble that was logged, so that each is logged once.
    logged: Option<String>,
}

/// Why a relay is not tried, and until when.
#[derive(Clone, Debug)]
pub(super) struct BackOff {
    pub until: Instant,
    pub why: RelayFault,
}

/// A relay's word that the mails of a day are used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DailyLimit {
    /// When its next day begins.
    pub until: Timestamp,
    /// The server's reply.
    pub reply: String,
}

/// Why a relay takes no mail now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// The mails that it takes in a day are used up. The scheduler ends it on the next day.
    DailyLimit,
    /// It failed, and is not tried before this time.
    BackingOff(Instant),
    /// Its rate permits the next mail at this time.
    Rate(Instant),
    /// Its warm-up permits none: today, or until the scheduler has reserved more.
    Quota {
        /// Nothing more may go today.
        is_used_up: bool,
    },
}

impl Inner {
    fn hold(&self, now: Instant) -> Option<Hold> {
        if self.daily_limit.is_some() {
            return Some(Hold::DailyLimit);
        }
        if let Some(back_off) = self.back_off(now) {
            return Some(Hold::BackingOff(back_off.until));
        }
        if let Some(wait) = self.rate.wait(now) {
            return Some(Hold::Rate(now + wait));
        }
        let quota = self.quota.filter(|quota| !quota.has_room())?;
        Some(Hold::Quota {
            is_used_up: quota.is_used_up(),
        })
    }

    fn back_off(&self, now: Instant) -> Option<&BackOff> {
        self.back_off.as_ref().filter(|it| it.until > now)
    }
}

impl RelayState {
    /// Reads what TLS needs; a failure shows when the relay is first used. `changed` is notified when a connection that
    /// waits should look again.
    pub(super) fn new(relay: Relay, settings: &Settings, changed: Arc<Notify>) -> RelayState {
        let tls = match relay.endpoint.tls {
            Tls::None => Ok(None),
            Tls::Starttls | Tls::Implicit => {
                client_config(relay.endpoint.ca_file.as_deref()).map(Some)
            }
        };
        RelayState {
            tls,
            pipelining: PipeliningProbe::new(relay.endpoint.pipelining),
            stalls: StallMonitor::default(),
            first_back_off: settings.first_retry.min(FIRST_BACK_OFF_MAX),
            longest_back_off: settings.longest_retry,
            changed,
            logging_in: tokio::sync::Mutex::new(()),
            inner: Mutex::new(Inner {
                address: None,
                login: Login::Untried,
                rate: RateLimit::new(relay.messages_per_minute),
                meter: RateMeter::default(),
                speed: SpeedMeter::default(),
                // Nothing goes until the database was asked what went today.
                quota: relay.warm_up.map(|_| DailyQuota::unknown()),
                complaint: None,
                failures: 0,
                losses: 0,
                open: 0,
                back_off: None,
                daily_limit: None,
                has_accepted: false,
                offers_utf8: None,
                logged: None,
            }),
            relay,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a connection to it.
    ///
    /// # Errors
    /// [`ConnectError`] tells whether to try later or to ask the author.
    pub(super) async fn connect(&self, wait: &Wait<'_>) -> Result<Client, ConnectError> {
        let endpoint = &self.relay.endpoint;
        let tls = self.tls.as_ref().map_err(|why| ConnectError {
            at: endpoint.to_string(),
            fault: ConnectFault::Tls(why.clone()),
        })?;
        let first = self.inner().address;
        let opened = Client::open(endpoint, tls.as_ref(), first, wait).await;
        let mut inner = self.inner();
        match &opened {
            Ok(client) => {
                inner.address = Some(client.peer());
                inner.login = Login::Accepted;
            }
            Err(error) if error.is_refused_login() || !inner.login.is_accepted() => {
                inner.login = Login::Failed(Instant::now(), error.clone());
            }
            Err(_) => {}
        }
        drop(inner);
        opened
    }

    /// Waits for this connection's turn where a login has not been accepted yet: a wrong password is tried by one
    /// connection alone, since servers count tries and lock accounts.
    ///
    /// # Errors
    /// The connection whose turn it was meanwhile has failed.
    pub(super) async fn turn_to_log_in(&self) -> Result<Option<Turn<'_>>, ConnectError> {
        if self.relay.endpoint.login.is_none() || self.inner().login.is_accepted() {
            return Ok(None);
        }
        let asked = Instant::now();
        let turn = self.logging_in.lock().await;
        match &self.inner().login {
            Login::Failed(at, error) if *at >= asked || holds(*at, error) => Err(error.clone()),
            Login::Accepted => Ok(None),
            _ => Ok(Some(turn)),
        }
    }

    /// Something wrong with it.
    pub(super) fn fault(&self, problem: RelayProblem) -> RelayFault {
        RelayFault {
            at: self.relay.endpoint.to_string(),
            problem,
        }
    }

    /// Stops using it for a while, longer than the last time. Does nothing where it backs off already: what several
    /// connections meet at the same time counts once.
    pub(super) fn back_off(&self, why: &RelayFault) {
        let now = Instant::now();
        let mut inner = self.inner();
        if inner.back_off(now).is_some() {
            return;
        }
        inner.failures = inner.failures.saturating_add(1);
        let delay = retry::back_off(inner.failures, self.first_back_off, self.longest_back_off);
        inner.back_off = Some(BackOff {
            until: now + delay,
            why: why.clone(),
        });
        drop(inner);
        // A relay that stands by takes over where all others back off.
        self.changed.notify_waiters();
        self.log(
            &why.to_string(),
            &format!("the next try is in {:.0} s", delay.as_secs_f64()),
        );
    }

    /// A connection was lost. That happens once in a while, to all connections at a time; where it happens more often
    /// without a mail that was answered, the relay backs off.
    pub(super) fn connection_lost(&self, why: &RelayFault) {
        let mut inner = self.inner();
        inner.losses += 1;
        let is_often = inner.losses > self.relay.connections;
        drop(inner);
        if is_often {
            self.back_off(why);
        } else {
            self.log(&why.to_string(), "a new connection is opened");
        }
    }

    /// A connection could not be opened. Where others are open the relay works, and only this connection waits for the
    /// time that is returned; else the relay backs off.
    pub(super) fn connect_failed(&self, why: &RelayFault) -> Option<Duration> {
        if self.inner().open > 0 {
            self.log(&why.to_string(), "the other connections continue");
            return Some(self.first_back_off);
        }
        self.back_off(why);
        None
    }

    /// A connection was opened. `offers_utf8`: whether it takes addresses beyond ASCII (SMTPUTF8, RFC 6531).
    pub(super) fn opened(&self, offers_utf8: bool) {
        let mut inner = self.inner();
        inner.open += 1;
        inner.offers_utf8 = Some(offers_utf8);
    }

    /// A connection was closed.
    pub(super) fn closed(&self) {
        let mut inner = self.inner();
        inner.open = inner.open.saturating_sub(1);
    }

    /// Whether it takes addresses beyond ASCII (SMTPUTF8, RFC 6531); `None`: that is not known yet.
    pub(super) fn offers_utf8(&self) -> Option<bool> {
        self.inner().offers_utf8
    }

    /// Logs a trouble, unless it is the one that was logged last.
    pub(super) fn log(&self, why: &str, then: &str) {
        if self.inner().logged.replace(why.to_owned()).as_deref() != Some(why) {
            tracing::warn!(relay = %self.relay.name, "{why}; {then}");
        }
    }

    /// It answered a mail as servers do: earlier trouble is over.
    pub(super) fn recovered(&self) {
        let mut inner = self.inner();
        inner.failures = 0;
        inner.losses = 0;
        let backed_off = inner.back_off.take().is_some();
        let was_logged = inner.logged.take().is_some();
        drop(inner);
        if backed_off {
            self.changed.notify_waiters();
        }
        if was_logged {
            tracing::info!(relay = %self.relay.name, "{} works again", self.relay.endpoint);
        }
    }

    /// Ends every wait before its time, since the author wants to see whether the relay works now.
    pub(super) fn end_back_off(&self) {
        let mut inner = self.inner();
        inner.has_accepted = false;
        inner.failures = 0;
        if matches!(inner.login, Login::Failed(..)) {
            inner.login = Login::Untried;
        }
        let waited = inner.back_off.take().is_some() | inner.daily_limit.take().is_some();
        drop(inner);
        if waited {
            self.changed.notify_waiters();
        }
    }

    /// It takes no more mails until its next day.
    pub(super) fn reached_daily_limit(&self, limit: DailyLimit) {
        let why = format!(
            "{} has reached its daily limit (“{}”)",
            self.relay.endpoint, limit.reply
        );
        let then = format!("it continues at {:.0}", limit.until);
        self.inner().daily_limit = Some(limit);
        // A relay that stands by takes over.
        self.changed.notify_waiters();
        self.log(&why, &then);
    }

    /// Its daily limit, where that is reached.
    pub(super) fn daily_limit(&self) -> Option<DailyLimit> {
        self.inner().daily_limit.clone()
    }

    /// Ends the wait for its next day, where that has come.
    pub(super) fn begin_day(&self, now: Timestamp) {
        let mut inner = self.inner();
        let has_come = |limit: &DailyLimit| limit.until <= now;
        if inner.daily_limit.as_ref().is_some_and(has_come) {
            inner.daily_limit = None;
            drop(inner);
            self.changed.notify_waiters();
        }
    }

    /// Whether it accepted a mail since an issue last began or was resumed.
    pub(super) fn has_accepted(&self) -> bool {
        self.inner().has_accepted
    }

    /// Why it is not tried now, and until when.
    pub(super) fn backing_off(&self) -> Option<BackOff> {
        self.inner().back_off(Instant::now()).cloned()
    }

    /// Whether it is not tried now, since it failed or its day is used up.
    pub(super) fn is_backing_off(&self) -> bool {
        let inner = self.inner();
        inner.daily_limit.is_some() || inner.back_off(Instant::now()).is_some()
    }

    /// Why it takes no mail now; `None`: it takes one.
    pub(super) fn hold(&self, now: Instant) -> Option<Hold> {
        self.inner().hold(now)
    }

    /// Takes its rate and its daily quota for one mail; returns the day that the mail was counted on, or `None` where it
    /// takes none now. A mail that is `exempt` waits for no quota, and is counted all the same.
    pub(super) fn try_take(&self, exempt: bool, now: Instant) -> Option<i64> {
        let mut inner = self.inner();
        match inner.hold(now) {
            None => {}
            Some(Hold::Quota { .. }) if exempt => {}
            Some(_) => return None,
        }
        inner.rate.try_take(now).ok()?;
        inner.meter.record("", now);
        let Some(quota) = &mut inner.quota else {
            return Some(i64::MIN);
        };
        quota.take();
        Some(quota.day())
    }

    /// Gives back what a mail took that was not sent, and was counted on `day`.
    pub(super) fn put_back(&self, day: i64) {
        let mut inner = self.inner();
        inner.rate.put_back();
        if let Some(quota) = &mut inner.quota {
            quota.put_back(day);
        }
    }

    /// It complained of the rate of mails. Returns its new rate in messages a minute where that changed.
    pub(super) fn complaint(&self) -> Option<f64> {
        let now = Instant::now();
        let mut inner = self.inner();
        let current = inner.meter.per_minute("", now);
        inner.rate.complaint(current, now)
    }

    /// It complained of the rate of mails to a provider. Returns whether it did so for another provider a moment ago:
    /// then it means all mails.
    pub(super) fn complains_of_another(&self, provider: &Arc<str>) -> bool {
        let now = Instant::now();
        let last = self.inner().complaint.replace((provider.clone(), now));
        last.is_some_and(|(other, at)| {
            other != *provider && now.duration_since(at) < SAME_COMPLAINT
        })
    }

    /// It accepted a mail, which kept its connection busy for so long.
    pub(super) fn measured(&self, took: Duration) {
        self.inner().speed.record(took);
    }

    /// How quickly it takes mails, where that is to be saved.
    pub(super) fn speed_to_save(&self) -> Option<RelaySpeed> {
        let (mail_s, mails) = self.inner().speed.to_save()?;
        Some(RelaySpeed {
            server: self.relay.endpoint.to_string(),
            mail_s,
            mails,
        })
    }

    /// Continues to measure where that ended.
    pub(super) fn restore_speed(&self, saved: &[RelaySpeed]) {
        let server = self.relay.endpoint.to_string();
        if let Some(saved) = saved.iter().find(|saved| saved.server == server) {
            self.inner().speed.restore(saved);
        }
    }

    /// It accepted a mail.
    pub(super) fn accepted(&self) {
        let mut inner = self.inner();
        inner.has_accepted = true;
        let was_raised = inner.rate.accepted(Instant::now());
        drop(inner);
        if was_raised {
            self.changed.notify_waiters();
        }
    }

    /// Follows the author's override of its rate, as the database has it.
    pub(super) fn set_overrides(&self, overrides: &[(String, u32)]) {
        let name = relay_name(&self.relay.name);
        let per_minute = overrides
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, per_minute)| *per_minute);
        if self.inner().rate.set_override(per_minute, Instant::now()) {
            self.changed.notify_waiters();
        }
    }

    /// What is to be saved of its rate limit.
    pub(super) fn save(&self, wall: Timestamp, is_final: bool) -> Option<SavedRate> {
        self.inner().rate.save(
            &relay_name(&self.relay.name),
            Instant::now(),
            wall,
            is_final,
        )
    }

    /// Continues where its saved rate limit ended.
    pub(super) fn restore(&self, saved: &[SavedRate], wall: Timestamp) {
        let name = relay_name(&self.relay.name);
        if let Some(saved) = saved.iter().find(|saved| saved.name == name) {
            self.inner().rate.restore(saved, Instant::now(), wall);
        }
    }

    /// The messages a minute that hold, and why; `None`: no limit.
    pub(super) fn rate(&self) -> Option<(f64, RateSource)> {
        self.inner().rate.effective()
    }

    /// What its warm-up permits today; `None`: it is not warmed up.
    pub(super) fn quota(&self) -> Option<DailyQuota> {
        self.inner().quota
    }

    /// Begins another day.
    pub(super) fn set_quota(&self, quota: DailyQuota) {
        self.inner().quota = Some(quota);
        self.changed.notify_waiters();
    }

    /// Notes that the database knows of `reserved` mails of today.
    pub(super) fn reserve(&self, reserved: u64) {
        if let Some(quota) = &mut self.inner().quota {
            quota.reserve(reserved);
        }
        self.changed.notify_waiters();
    }

    /// Where its warm-up permits nothing more today: how many mails went, and when the day ends.
    pub(super) fn used_up(&self) -> Option<(u64, Timestamp)> {
        let quota = self.inner().quota.filter(DailyQuota::is_used_up)?;
        Some((quota.used(), warmup::end_of(quota.day())))
    }

    /// The answer to an envelope that was sent behind the mail before it; returns whether the relay does not take
    /// envelopes in that place.
    pub(super) fn ahead_failed(&self, answered: &Result<EnvelopeReply, ConnectionLost>) -> bool {
        match answered {
            Ok(
                EnvelopeReply::Ready
                | EnvelopeReply::Rejected {
                    step: Step::Rcpt, ..
                },
            ) => {
                self.pipelining.ahead_answered();
                false
            }
            _ => self.blames_ahead(),
        }
    }

    /// Something went wrong where an envelope was sent behind a mail; returns whether that is taken to be the reason.
    pub(super) fn blames_ahead(&self) -> bool {
        let blame = self.pipelining.ahead_failed();
        if blame == Blame::First {
            tracing::warn!(
                relay = %self.relay.name,
                "{} does not take the next mail's commands behind a mail; each mail goes by itself from now on",
                self.relay.endpoint
            );
        }
        blame.is_due()
    }

    /// A connection was lost where an envelope's commands were sent together; returns whether that is taken to be the
    /// reason.
    pub(super) fn blames_groups(&self, lost: &ConnectionLost) -> bool {
        let blame = self.pipelining.group_broke(Instant::now());
        if blame == Blame::First {
            tracing::warn!(
                relay = %self.relay.name,
                "{} offers PIPELINING and broke off where it was used ({lost}); its commands go one at a time for a while",
                self.relay.endpoint
            );
        }
        blame.is_due()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(first_retry: u64, longest_retry: u64) -> RelayState {
        let settings = crate::config::of_text(&format!(
            "[relay.main]\nhost = \"h\"\n[sending]\nfirst_retry = \"{first_retry}s\"\nlongest_retry = \"{longest_retry}s\"\n\
             [list.w]\nname = \"W\"\nfrom = \"a@b.example\"\n"
        ))
        .sending;
        RelayState::new(settings.relays[0].clone(), &settings, Arc::default())
    }

    /// The seconds of the first back-offs, each of which ends before the next.
    fn back_offs(relay: &RelayState) -> Vec<u64> {
        let back_off = |_| {
            let before = Instant::now();
            relay.back_off(&relay.fault(RelayProblem::NoStarttls));
            let until = relay.backing_off().unwrap().until;
            relay.inner().back_off = None;
            (until - before).as_secs()
        };
        (0..5).map(back_off).collect()
    }

    #[test]
    fn a_relay_that_was_away_is_tried_again_soon_and_then_less_and_less_often() {
        assert_eq!(back_offs(&relay(60, 120)), [15, 30, 60, 120, 120]);
        assert_eq!(back_offs(&relay(2, 14_400)), [2, 4, 8, 16, 32]);
        let relay = relay(300, 3600);
        back_offs(&relay);
        relay.end_back_off();
        assert_eq!(back_offs(&relay)[0], 15, "after a resume it begins anew");
    }

    #[test]
    fn a_day_that_is_used_up_ends_with_the_day_or_a_resume() {
        let relay = relay(1, 2);
        let until: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
        let limit = || DailyLimit {
            until,
            reply: "550 5.4.5 daily limit".into(),
        };
        relay.reached_daily_limit(limit());
        relay.begin_day(until - jiff::SignedDuration::from_secs(1));
        assert_eq!(relay.hold(Instant::now()), Some(Hold::DailyLimit));
        assert!(relay.is_backing_off() && relay.try_take(true, Instant::now()).is_none());
        relay.recovered();
        assert!(
            relay.daily_limit().is_some(),
            "an answer in flight ends nothing"
        );
        relay.begin_day(until);
        assert_eq!(relay.hold(Instant::now()), None);
        relay.reached_daily_limit(limit());
        relay.end_back_off();
        assert_eq!(relay.daily_limit(), None);
    }
}
