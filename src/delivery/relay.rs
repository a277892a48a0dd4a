//! What the connections of one relay know together: whether it rests, since when it works, and what its measure and
//! its warm-up permit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustls::ClientConfig;

use super::{Relay, Settings, retry};
use crate::model::rate::SavedRate;
use crate::pace::warmup::{self, DailyQuota, Plan};
use crate::pace::{RateLimit, RateMeter, RelayHealth, Source, relay_name};
use crate::smtp::{
    Client, ConnectError, ConnectFault, PipeliningProbe, StallMonitor, Tls, TlsSetupError, Wait,
    client_config,
};

/// How long to wait before asking again whether a warm-up permits more.
const LEAVE_STEP: Duration = Duration::from_millis(20);
/// The same where the day has nothing more to give.
const DAY_STEP: Duration = Duration::from_millis(200);
/// Complaints for two providers within so long are meant for all.
const SAME_COMPLAINT: Duration = Duration::from_secs(60);

/// A relay while it is used.
pub(super) struct RelayState {
    pub relay: Relay,
    /// `Err`: why no TLS can be had at all.
    tls: Result<Option<Arc<ClientConfig>>, TlsSetupError>,
    /// What its connections learned of pipelining.
    pub pipelining: PipeliningProbe,
    /// What its connections wait for.
    pub stalls: StallMonitor,
    first_rest: Duration,
    longest_rest: Duration,
    inner: Mutex<Inner>,
}

struct Inner {
    limit: RateLimit,
    /// What went by it of late.
    meter: RateMeter,
    /// Today's part of its warm-up.
    day: Option<DailyQuota>,
    /// The provider for which it last said that mails come too quickly.
    complained: Option<(Arc<str>, Instant)>,
    /// Rests in a row without a mail that was answered.
    failures: u32,
    /// Connections that broke without a mail that was answered since.
    losses: usize,
    /// Connections that are open.
    open: usize,
    rest: Option<Rest>,
    /// Whether it takes addresses beyond ASCII, as its last connection had it; `None`: there was none.
    utf8: Option<bool>,
    /// The last trouble that was logged, so that each is logged once.
    logged: Option<String>,
}

/// Why nothing is sent by a relay, and until when.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    pub until: Instant,
    pub why: String,
}

impl RelayState {
    /// Reads what TLS needs; a failure shows when the relay is first used.
    pub(super) fn new(relay: Relay, settings: &Settings) -> RelayState {
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
            first_rest: settings.first_retry,
            longest_rest: settings.longest_retry,
            inner: Mutex::new(Inner {
                limit: RateLimit::new(relay.messages_per_minute),
                meter: RateMeter::default(),
                // Nothing goes until the database was asked what went today.
                day: relay.warm_up.map(|_| DailyQuota::unknown()),
                complained: None,
                failures: 0,
                losses: 0,
                open: 0,
                rest: None,
                utf8: None,
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
        Client::open(endpoint, tls.as_ref(), wait).await
    }

    /// Begins a rest, longer than the last, unless one is going on: what several connections meet at the same
    /// time counts once.
    pub(super) fn rest(&self, why: &str) {
        let now = Instant::now();
        let mut inner = self.inner();
        if inner.rest.as_ref().is_some_and(|rest| rest.until > now) {
            return;
        }
        inner.failures = inner.failures.saturating_add(1);
        let length = retry::rest(inner.failures, self.first_rest, self.longest_rest);
        inner.rest = Some(Rest {
            until: now + length,
            why: why.to_owned(),
        });
        drop(inner);
        self.log(
            why,
            &format!("the next try is in {:.0} s", length.as_secs_f64()),
        );
    }

    /// A connection broke. One may, and all may at once; what breaks more often without a mail between has a
    /// reason that a rest may mend.
    pub(super) fn lost(&self, why: &str) {
        let mut inner = self.inner();
        inner.losses += 1;
        let often = inner.losses > self.relay.connections;
        drop(inner);
        if often {
            self.rest(why);
        } else {
            self.log(why, "it is opened anew");
        }
    }

    /// A connection could not be had. Where others are open the relay works, and only this one waits, so long;
    /// else the relay rests.
    pub(super) fn unreachable(&self, why: &str) -> Option<Duration> {
        if self.inner().open > 0 {
            self.log(why, "the other connections go on");
            return Some(self.first_rest);
        }
        self.rest(why);
        None
    }

    /// A connection was opened.
    pub(super) fn opened(&self) {
        self.inner().open += 1;
    }

    /// Whether it takes addresses beyond ASCII (SMTPUTF8), as a new connection says.
    pub(super) fn learn_utf8(&self, takes: bool) {
        self.inner().utf8 = Some(takes);
    }

    /// The same, where that is known.
    pub(super) fn utf8(&self) -> Option<bool> {
        self.inner().utf8
    }

    /// A connection was closed.
    pub(super) fn closed(&self) {
        let mut inner = self.inner();
        inner.open = inner.open.saturating_sub(1);
    }

    /// Logs a trouble, unless it is the one that was logged last.
    pub(super) fn log(&self, why: &str, then: &str) {
        if self.inner().logged.replace(why.to_owned()).as_deref() != Some(why) {
            tracing::warn!(relay = %self.relay.name, "{why}; {then}");
        }
    }

    /// It answered a mail as servers do: earlier trouble is over.
    pub(super) fn works(&self) {
        let mut inner = self.inner();
        inner.failures = 0;
        inner.losses = 0;
        inner.rest = None;
        if inner.logged.take().is_some() {
            drop(inner);
            tracing::info!(relay = %self.relay.name, "{} works again", self.relay.endpoint);
        }
    }

    /// Ends a rest before its time, since the author wants to see whether it works now.
    pub(super) fn wake(&self) {
        self.inner().rest = None;
    }

    /// The rest that is going on.
    pub(super) fn resting(&self) -> Option<Rest> {
        let now = Instant::now();
        self.inner().rest.clone().filter(|rest| rest.until > now)
    }

    /// Takes leave to send one mail; `false`: it rests, or its measure permits none now. What goes out `anyway`, such
    /// as a confirmation, waits for no day of a warm-up.
    pub(super) fn permit(&self, anyway: bool) -> bool {
        let now = Instant::now();
        let mut inner = self.inner();
        let rests = inner.rest.as_ref().is_some_and(|rest| rest.until > now);
        let day = inner.day.is_none_or(|day| day.has_room());
        if rests || !(day || anyway) || inner.limit.try_take(now).is_err() {
            return false;
        }
        if let Some(day) = &mut inner.day {
            day.take();
        }
        inner.meter.record("", now);
        true
    }

    /// Gives back the leave for one mail that was not sent.
    pub(super) fn refund(&self) {
        let mut inner = self.inner();
        inner.limit.put_back();
        if let Some(day) = &mut inner.day {
            day.put_back(day.day());
        }
    }

    /// How long the next mail has to wait for the relay, be it for its rest, its measure or its warm-up.
    pub(super) fn wait(&self) -> Option<Duration> {
        let now = Instant::now();
        let inner = self.inner();
        let rest = inner
            .rest
            .as_ref()
            .map(|rest| rest.until.saturating_duration_since(now));
        let step = |day: DailyQuota| {
            if day.is_used_up() {
                DAY_STEP
            } else {
                LEAVE_STEP
            }
        };
        let day = inner.day.filter(|day| !day.has_room()).map(step);
        rest.filter(|rest| !rest.is_zero())
            .max(inner.limit.wait(now))
            .max(day)
    }

    /// How it stands, for those that share the work with it.
    pub(super) fn standing(&self) -> RelayHealth {
        match (self.resting(), self.wait()) {
            (Some(_), _) => RelayHealth::BackingOff,
            (None, Some(_)) => RelayHealth::Throttled,
            (None, None) => RelayHealth::Available,
        }
    }

    /// It says that mails come too quickly; gives its new rate where that changed it.
    pub(super) fn complaint(&self) -> Option<f64> {
        let now = Instant::now();
        let mut inner = self.inner();
        let current = inner.meter.per_minute("", now);
        inner.limit.complaint(current, now)
    }

    /// It says so for a provider's mail. `true`: it said so for another one a moment ago, so it means itself.
    pub(super) fn complains_of(&self, provider: &Arc<str>) -> bool {
        let now = Instant::now();
        let last = self.inner().complained.replace((provider.clone(), now));
        last.is_some_and(|(other, at)| {
            other != *provider && now.duration_since(at) < SAME_COMPLAINT
        })
    }

    /// It took a mail.
    pub(super) fn good(&self) {
        self.inner().limit.accepted(Instant::now());
    }

    /// The author's words on speeds, as the database has them.
    pub(super) fn say(&self, words: &[(String, u32)]) {
        let name = relay_name(&self.relay.name);
        let word = words
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, per_minute)| *per_minute);
        self.inner().limit.set_override(word, Instant::now());
    }

    /// What is to be written down of its measure.
    pub(super) fn keep(&self, wall: Timestamp, is_final: bool) -> Option<SavedRate> {
        self.inner().limit.save(
            &relay_name(&self.relay.name),
            Instant::now(),
            wall,
            is_final,
        )
    }

    /// Takes up what was written down.
    pub(super) fn recall(&self, measures: &[SavedRate], wall: Timestamp) {
        let name = relay_name(&self.relay.name);
        if let Some(measure) = measures.iter().find(|measure| measure.name == name) {
            self.inner().limit.restore(measure, Instant::now(), wall);
        }
    }

    /// Its plan to be warmed up.
    pub(super) fn plan(&self) -> Option<Plan> {
        self.relay.warm_up
    }

    /// Today's part of its warm-up.
    pub(super) fn day(&self) -> Option<DailyQuota> {
        self.inner().day
    }

    /// Another day has begun.
    pub(super) fn begin_day(&self, day: DailyQuota) {
        self.inner().day = Some(day);
    }

    /// So many mails in all may be given today, as the database knows by now.
    pub(super) fn grant(&self, leave: u64) {
        if let Some(day) = &mut self.inner().day {
            day.reserve(leave);
        }
    }

    /// Messages a minute as they hold, and why; `None`: no limit.
    pub(super) fn holds(&self) -> Option<(f64, Source)> {
        self.inner().limit.effective()
    }

    /// Where its warm-up lets nothing more through today: what went, and when it goes on.
    pub(super) fn day_is_over(&self) -> Option<(u64, Timestamp)> {
        let day = self.inner().day.filter(DailyQuota::is_used_up)?;
        Some((day.used(), warmup::end_of(day.day())))
    }
}
