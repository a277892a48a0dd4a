//! Why an issue waits: what people read beside it, as a value. The sentence is left to `format::reason`.

use std::time::{Duration, Instant};

use jiff::{Timestamp, Unit};

use super::Scheduler;
use crate::delivery::relay::{DailyLimit, RelayState};
use crate::model::waiting::{RateLimited, Reason, RelayFault};
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
            .or_else(|| self.refusing(row))
            .or(own)
            .or_else(|| self.quotas_are_used())
            .or_else(|| self.providers_alone(row))
            .or_else(|| self.silence(true))
            .or_else(|| self.relay_rates(row))
            .or_else(|| self.providers(row))
            .or_else(|| self.refused_people(row))
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

    /// Why no relay takes a mail, by the one that continues first.
    fn all_back_off(&self) -> Option<Reason> {
        let mut first: Option<(Timestamp, Reason)> = None;
        for relay in self.relays.iter() {
            let (until, reason) = self.unavailable(relay, None)?;
            if first.as_ref().is_none_or(|(at, _)| until < *at) {
                first = Some((until, reason));
            }
        }
        first.map(|(_, reason)| reason)
    }

    /// Why a relay takes no mail while others do, by the one that continues first.
    fn some_back_off(&self) -> Option<Reason> {
        let unavailable = self.relays.iter().filter_map(|relay| {
            let name = relay.relay.name.clone();
            self.unavailable(relay, Some(name))
        });
        unavailable
            .min_by_key(|(until, _)| *until)
            .map(|(_, reason)| reason)
    }

    /// Until when a relay takes no mail, and why; `name` where other relays continue.
    fn unavailable(&self, relay: &RelayState, name: Option<String>) -> Option<(Timestamp, Reason)> {
        if let Some(DailyLimit { until, reply }) = relay.daily_limit() {
            let reason = Reason::DailyLimit {
                relay: relay.relay.name.clone(),
                reply,
                until,
                others_continue: name.is_some(),
            };
            return Some((until, reason));
        }
        let back_off = relay.backing_off()?;
        let until = self.wall(back_off.until);
        let reason = Reason::BacksOff {
            fault: back_off.why,
            relay: name,
            until,
        };
        Some((until, reason))
    }

    /// The providers that refuse us, where everybody who is left waits for them and no mail is in hand.
    pub(crate) fn refusing(&self, row: &IssueRow) -> Option<Reason> {
        let cursor = self.issues.get(&row.id)?;
        let refusing = self.queue.refusing();
        let is_refusing = |queue| refusing.iter().any(|it| it.queue == queue);
        let is_alone = self.queue.held(row.id) == 0 && cursor.waits_only_for(is_refusing);
        is_alone.then(|| self.refused_people(row))?
    }

    /// The providers that refuse us, where people of an issue wait for them.
    fn refused_people(&self, row: &IssueRow) -> Option<Reason> {
        let cursor = self.issues.get(&row.id)?;
        let waiting = self.queue.refusing().into_iter().filter_map(|it| {
            let people = cursor.overflow_of(it.queue);
            (people > 0).then(|| (people, it.provider.to_string(), it.fault))
        });
        let mut waiting: Vec<(u64, String, RelayFault)> = waiting.collect();
        let alone = cursor.refused_by_all();
        let people = waiting.iter().map(|(people, ..)| people).sum::<u64>() + alone;
        waiting.sort_by_key(|(people, ..)| std::cmp::Reverse(*people));
        let others = waiting.len().saturating_sub(1) as u64;
        let (provider, fault) = match waiting.into_iter().next() {
            Some((_, provider, fault)) => (provider, fault),
            None if alone > 0 => cursor.last_refusal.clone()?,
            None => return None,
        };
        Some(Reason::ProviderRefuses {
            provider,
            people,
            others,
            fault,
        })
    }

    /// A reason of an issue that pauses for it: where no relay has accepted a mail, it is not about a provider.
    pub(crate) fn reason_of_all(&self, reason: Reason) -> Reason {
        match reason {
            Reason::ProviderRefuses { fault, .. }
                if !self.relays.iter().any(|relay| relay.has_accepted()) =>
            {
                Reason::RelayFault { fault }
            }
            other => other,
        }
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
