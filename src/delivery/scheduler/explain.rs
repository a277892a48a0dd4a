//! Why an issue waits: what people read beside it, as a value. The sentence is left to `format::reason`.

use std::time::{Duration, Instant};

use jiff::{Timestamp, Unit};

use super::Scheduler;
use crate::model::waiting::{RateLimited, Reason};
use crate::store::Result;
use crate::store::issues::IssueRow;

/// An estimate that only moves is written no more often.
const ESTIMATE_EVERY: Duration = Duration::from_secs(30);
/// A wait that is shorter needs no estimate.
const WORTH_TELLING_MINUTES: f64 = 2.0;

impl Scheduler {
    /// Writes why an issue waits, if that is new. Relays that all back off are the first reason, `own` is the issue's.
    pub(crate) async fn explain(&mut self, row: &IssueRow, own: Option<Reason>) -> Result<()> {
        let reason = self
            .all_back_off()
            .or(own)
            .or_else(|| self.quotas_are_used())
            .or_else(|| self.providers_alone(row))
            .or_else(|| self.silence(true))
            .or_else(|| self.relay_rates(row))
            .or_else(|| self.providers(row))
            .or_else(|| self.some_back_off())
            .or_else(|| self.silence(false));
        if reason == row.reason || !self.is_worth_writing(row, reason.as_ref()) {
            return Ok(());
        }
        self.store.explain(row.id, reason).await
    }

    /// Whether a reason says more than that an estimate has moved, or the last one is old.
    fn is_worth_writing(&mut self, row: &IssueRow, reason: Option<&Reason>) -> bool {
        let Some(cursor) = self.issues.get_mut(&row.id) else {
            return true;
        };
        let is_same = reason.map(Reason::without_estimate)
            == row.reason.as_ref().map(Reason::without_estimate);
        if is_same
            && cursor
                .explained
                .is_some_and(|at| at.elapsed() < ESTIMATE_EVERY)
        {
            return false;
        }
        cursor.explained = Some(Instant::now());
        true
    }

    fn all_back_off(&self) -> Option<Reason> {
        let backing_off: Vec<_> = self
            .relays
            .iter()
            .filter_map(|relay| relay.backing_off())
            .collect();
        let first = backing_off.iter().min_by_key(|it| it.until)?;
        let all = backing_off.len() == self.relays.iter().count();
        all.then(|| Reason::BacksOff {
            fault: first.why.clone(),
            relay: None,
            until: self.wall(first.until),
        })
    }

    fn some_back_off(&self) -> Option<Reason> {
        let backing_off = self
            .relays
            .iter()
            .filter_map(|relay| Some((relay, relay.backing_off()?)));
        let (relay, first) = backing_off.min_by_key(|(_, it)| it.until)?;
        Some(Reason::BacksOff {
            fault: first.why,
            relay: Some(relay.relay.name.clone()),
            until: self.wall(first.until),
        })
    }

    /// What is waited for of a server that has been silent for some time; `all`: where every relay that does not back
    /// off is silent.
    fn silence(&self, all: bool) -> Option<Reason> {
        let mut silent = Vec::new();
        let mut others_continue = false;
        for state in self.relays.iter().filter(|relay| !relay.is_backing_off()) {
            // While its rate limit permits nothing, idle connections wait for that.
            match state
                .stalls
                .stalled(Instant::now())
                .filter(|_| state.hold(Instant::now()).is_none())
            {
                Some(waiting_for) => silent.push((state, waiting_for)),
                None if all => return None,
                None => others_continue = true,
            }
        }
        let (state, waiting_for) = *silent.first()?;
        let reason = |others_continue| Reason::Silent {
            waiting_for,
            relay: state.relay.name.clone(),
            at: state.relay.endpoint.to_string(),
            others_continue,
        };
        state.log(
            &reason(false).to_string(),
            "[sending.timeout] says for how long",
        );
        Some(reason(others_continue))
    }

    /// Warm-ups that let nothing more through today, where every relay is warmed up.
    fn quotas_are_used(&self) -> Option<Reason> {
        let mut first: Option<(&str, u64, Timestamp)> = None;
        for relay in self.relays.iter().filter(|relay| !relay.is_backing_off()) {
            let (sent, until) = relay.used_up()?;
            if first.is_none_or(|(_, _, other)| until < other) {
                first = Some((&relay.relay.name, sent, until));
            }
        }
        first.map(|(relay, sent, until)| Reason::WarmupQuotaUsed {
            relay: relay.to_owned(),
            sent,
            until,
        })
    }

    /// What the relays' rate limits let through, where each has one: it is why the rest waits.
    fn relay_rates(&self, row: &IssueRow) -> Option<Reason> {
        let (mut relays, mut sum) = (Vec::new(), 0.0);
        for relay in self.relays.iter() {
            let (rate, source) = relay.rate()?;
            sum += rate;
            relays.push(RateLimited::new(&relay.relay.name, rate, source));
        }
        let until = self.estimate(row.totals.queued + row.totals.deferred, sum);
        Some(Reason::RelayRates { relays, until })
    }

    /// The providers, where all who wait do so for them, and no relay is slower.
    fn providers_alone(&self, row: &IssueRow) -> Option<Reason> {
        if !self.queue.waits_for_providers() {
            return None;
        }
        let relays: Option<f64> = self.relays.iter().map(|relay| Some(relay.rate()?.0)).sum();
        let (first, others) = self.queue.throttled()?;
        let is_slowest = match (first.rate, relays) {
            (Some((rate, _)), Some(relays)) => rate < relays || others > 0,
            (None, _) => self.silence(true).is_none(),
            _ => true,
        };
        is_slowest.then(|| self.providers(row))?
    }

    /// The providers that people wait for, the first of them by name.
    fn providers(&self, row: &IssueRow) -> Option<Reason> {
        let (first, others) = self.queue.throttled()?;
        let others = others as u64;
        let Some((rate, source)) = first.rate else {
            return Some(Reason::ProviderConnections {
                provider: first.provider.to_string(),
                connections: first.limits.connections as u64,
                others,
            });
        };
        let overflow = self
            .issues
            .get(&row.id)
            .map_or(0, |cursor| cursor.overflow_of(first.queue));
        Some(Reason::ProviderRate {
            provider: RateLimited::new(&*first.provider, rate, source),
            others,
            until: self.estimate(overflow + first.queued as u64, rate),
        })
    }

    /// When the given number of mails will have gone at a rate per minute, where that is worth telling.
    fn estimate(&self, mails: u64, per_minute: f64) -> Option<Timestamp> {
        let minutes = mails as f64 / per_minute.max(f64::MIN_POSITIVE);
        if !(WORTH_TELLING_MINUTES..1e7).contains(&minutes) {
            return None;
        }
        let wait = Duration::from_secs_f64(minutes * 60.0);
        let at = self.clock.now().checked_add(wait).ok()?;
        at.round(Unit::Minute).ok()
    }

    /// A moment of the monotonic clock as people's clocks will show it, to the second.
    pub(crate) fn wall(&self, at: Instant) -> Timestamp {
        let wait = at.saturating_duration_since(Instant::now());
        let at = self.clock.now().checked_add(wait).unwrap_or(Timestamp::MAX);
        at.round(Unit::Second).unwrap_or(at)
    }
}
