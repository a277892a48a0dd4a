//! What the connections of one relay know together: whether it rests, since when it works, and its measure.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::time::Instant;

use super::ahead::Ahead;
use super::pace::Bucket;
use super::{Pipelining, Relay, Settings, Timeouts, Tls, retry, trust};

/// A relay while it is used.
pub struct RelayState {
    pub relay: Relay,
    pub limits: Timeouts,
    /// `Err`: why no TLS can be had at all.
    pub tls: Result<Option<Arc<ClientConfig>>, String>,
    pub ahead: Ahead,
    first_rest: Duration,
    longest_rest: Duration,
    inner: Mutex<Inner>,
}

struct Inner {
    bucket: Bucket,
    /// Rests in a row without a mail that was answered.
    failures: u32,
    /// Connections that broke without a mail that was answered since.
    losses: usize,
    /// Connections that are open.
    open: usize,
    rest: Option<Rest>,
    /// The last trouble that was logged, so that each is logged once.
    logged: Option<String>,
}

/// Why nothing is sent by a relay, and until when.
#[derive(Clone, Debug)]
pub struct Rest {
    pub until: Instant,
    pub why: String,
}

impl RelayState {
    /// Reads what TLS needs; a failure shows when the relay is first used.
    pub fn new(relay: Relay, settings: &Settings) -> RelayState {
        let tls = match relay.tls {
            Tls::None => Ok(None),
            Tls::Starttls | Tls::Implicit => trust::tls_config(&relay).map(Some),
        };
        let measure = (relay.messages_per_minute > 0).then(|| f64::from(relay.messages_per_minute));
        RelayState {
            limits: settings.timeouts,
            tls,
            ahead: Ahead::new(relay.pipelining == Pipelining::Ahead),
            first_rest: settings.first_retry,
            longest_rest: settings.longest_retry,
            inner: Mutex::new(Inner {
                bucket: Bucket::new(measure),
                failures: 0,
                losses: 0,
                open: 0,
                rest: None,
                logged: None,
            }),
            relay,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a rest, longer than the last, unless one is going on: what several connections meet at the same
    /// time counts once.
    pub fn rest(&self, why: &str) {
        let now = Instant::now();
        let mut inner = self.inner();
        if inner.rest.as_ref().is_some_and(|rest| rest.until > now) {
            return;
        }
        inner.failures = inner.failures.saturating_add(1);
        let length = retry::rest(inner.failures, self.first_rest, self.longest_rest);
        inner.rest = Some(Rest { until: now + length, why: why.to_owned() });
        drop(inner);
        self.log(why, &format!("the next try is in {:.0} s", length.as_secs_f64()));
    }

    /// A connection broke. One may, and all may at once; what breaks more often without a mail between has a
    /// reason that a rest may mend.
    pub fn lost(&self, why: &str) {
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
    pub fn unreachable(&self, why: &str) -> Option<Duration> {
        if self.inner().open > 0 {
            self.log(why, "the other connections go on");
            return Some(self.first_rest);
        }
        self.rest(why);
        None
    }

    /// A connection was opened.
    pub fn opened(&self) {
        self.inner().open += 1;
    }

    /// A connection was closed.
    pub fn closed(&self) {
        let mut inner = self.inner();
        inner.open = inner.open.saturating_sub(1);
    }

    /// Logs a trouble, unless it is the one that was logged last.
    pub fn log(&self, why: &str, then: &str) {
        if self.inner().logged.replace(why.to_owned()).as_deref() != Some(why) {
            tracing::warn!(relay = %self.relay.name, "{why}; {then}");
        }
    }

    /// It answered a mail as servers do: earlier trouble is over.
    pub fn works(&self) {
        let mut inner = self.inner();
        inner.failures = 0;
        inner.losses = 0;
        inner.rest = None;
        if inner.logged.take().is_some() {
            drop(inner);
            tracing::info!(relay = %self.relay.name, "{}:{} works again", self.relay.host, self.relay.port);
        }
    }

    /// Ends a rest before its time, since the author wants to see whether it works now.
    pub fn wake(&self) {
        self.inner().rest = None;
    }

    /// The rest that is going on.
    pub fn resting(&self) -> Option<Rest> {
        let now = Instant::now();
        self.inner().rest.clone().filter(|rest| rest.until > now)
    }

    /// Takes leave to send one mail; `false`: it rests, or its measure permits none now.
    pub fn permit(&self) -> bool {
        self.resting().is_none() && self.inner().bucket.permit(Instant::now()).is_ok()
    }

    /// How long the next mail has to wait for the relay, be it for its rest or its measure.
    pub fn wait(&self) -> Option<Duration> {
        let now = Instant::now();
        let inner = self.inner();
        let rest = inner.rest.as_ref().map(|rest| rest.until.saturating_duration_since(now));
        rest.filter(|rest| !rest.is_zero()).max(inner.bucket.wait(now))
    }
}
