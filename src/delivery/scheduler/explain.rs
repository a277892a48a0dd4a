//! Why an issue waits, in words: what people read beside it.

use std::time::{Duration, Instant};

use jiff::{Timestamp, Unit};

use super::Scheduler;
use crate::delivery::ready_queue::Throttled;
use crate::format::count;
use crate::pace::Source;
use crate::store::Result;
use crate::store::issues::IssueRow;

/// An estimate that only moves is written no more often.
const ESTIMATE_EVERY: Duration = Duration::from_secs(30);
/// What an estimate begins with, in a reason.
const UNTIL: &str = ", until about ";
/// A wait that is shorter needs no estimate.
const WORTH_TELLING_MINUTES: f64 = 2.0;

impl Scheduler {
    /// Writes why an issue waits, if that is new. Relays that all rest are the first reason, `own` is the issue's.
    pub(crate) async fn explain(&mut self, row: &IssueRow, own: Option<String>) -> Result<()> {
        let reason = self
            .all_rest()
            .or(own)
            .or_else(|| self.days_are_over())
            .or_else(|| self.providers_alone(row))
            .or_else(|| self.silence(true))
            .or_else(|| self.measures(row))
            .or_else(|| self.providers(row))
            .or_else(|| self.some_rest())
            .or_else(|| self.silence(false));
        if reason == row.reason || !self.is_worth_writing(row, reason.as_deref()) {
            return Ok(());
        }
        self.store.explain(row.id, reason).await
    }

    /// Whether a reason says more than that an estimate has moved, or the last one is old.
    fn is_worth_writing(&mut self, row: &IssueRow, reason: Option<&str>) -> bool {
        let Some(cursor) = self.issues.get_mut(&row.id) else {
            return true;
        };
        let fixed = |reason: Option<&str>| {
            reason
                .and_then(|r| r.split(UNTIL).next())
                .map(str::to_owned)
        };
        let is_same = fixed(reason) == fixed(row.reason.as_deref());
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

    fn all_rest(&self) -> Option<String> {
        let resting: Vec<_> = self
            .relays
            .iter()
            .filter_map(|relay| relay.backing_off())
            .collect();
        let first = resting.iter().min_by_key(|rest| rest.until)?;
        let all = resting.len() == self.relays.iter().count();
        all.then(|| {
            format!(
                "{}; the relay rests until {:.0}",
                first.why,
                self.wall(first.until)
            )
        })
    }

    fn some_rest(&self) -> Option<String> {
        let resting = self
            .relays
            .iter()
            .filter_map(|relay| Some((relay, relay.backing_off()?)));
        let (relay, rest) = resting.min_by_key(|(_, rest)| rest.until)?;
        let (name, until) = (&relay.relay.name, self.wall(rest.until));
        Some(format!(
            "{}; the relay {name} rests until {until:.0}, the others go on",
            rest.why
        ))
    }

    /// What is waited for of a server that says nothing for long; `all`: where none of those that don't rest does better.
    fn silence(&self, all: bool) -> Option<String> {
        let mut silent = Vec::new();
        let mut others = false;
        for state in self.relays.iter().filter(|relay| !relay.is_backing_off()) {
            // While its measure permits nothing, those that are free wait for that.
            match state
                .stalls
                .stalled(Instant::now())
                .filter(|_| state.hold(Instant::now()).is_none())
            {
                Some(waiting_for) => silent.push((state, waiting_for)),
                None if all => return None,
                None => others = true,
            }
        }
        let (state, waiting_for) = silent.first()?;
        let relay = &state.relay;
        let told = format!(
            "waits for {} the relay {} ({})",
            waiting_for.words(),
            relay.name,
            relay.endpoint
        );
        state.log(&told, "[sending.timeout] says for how long");
        Some(if others {
            format!("{told}, the others go on")
        } else {
            told
        })
    }

    /// Warm-ups that let nothing more through today, where no relay is without.
    fn days_are_over(&self) -> Option<String> {
        let mut first: Option<(String, Timestamp)> = None;
        for relay in self.relays.iter().filter(|relay| !relay.is_backing_off()) {
            let (given, until) = relay.used_up()?;
            let said = format!(
                "the relay {} is being warmed up: {} mails went today, and it goes on at {until:.0}",
                relay.relay.name,
                count(given)
            );
            if first.as_ref().is_none_or(|(_, other)| until < *other) {
                first = Some((said, until));
            }
        }
        first.map(|(said, _)| said)
    }

    /// What the relays' measures let through, where each has one: it is why the rest waits.
    fn measures(&self, row: &IssueRow) -> Option<String> {
        let mut limits = Vec::new();
        for relay in self.relays.iter() {
            let (rate, source) = relay.rate()?;
            limits.push((relay.relay.name.as_str(), rate, source));
        }
        let sum = limits.iter().map(|(_, rate, _)| rate).sum();
        let estimate = self.estimate(row.totals.queued + row.totals.deferred, sum);
        Some(format!("{}{estimate}", of_relays(&limits)))
    }

    /// The providers, where all who wait do so for them, and no relay is slower.
    fn providers_alone(&self, row: &IssueRow) -> Option<String> {
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

    /// The providers for whom people wait, the first of them by name.
    fn providers(&self, row: &IssueRow) -> Option<String> {
        let (first, others) = self.queue.throttled()?;
        let overflow = self
            .issues
            .get(&row.id)
            .map_or(0, |cursor| cursor.overflow_of(first.queue));
        let estimate = first
            .rate
            .map(|(rate, _)| self.estimate(overflow + first.queued as u64, rate));
        let others = match others {
            0 => String::new(),
            1 => ", and another provider is limited".to_owned(),
            others => format!(", and {} other providers are limited", count(others as u64)),
        };
        Some(format!(
            "{}{others}{}",
            of_provider(&first),
            estimate.unwrap_or_default()
        ))
    }

    /// When so many will have gone at so many a minute, where that is worth telling.
    fn estimate(&self, mails: u64, per_minute: f64) -> String {
        let minutes = mails as f64 / per_minute.max(f64::MIN_POSITIVE);
        if !(WORTH_TELLING_MINUTES..1e7).contains(&minutes) {
            return String::new();
        }
        let at = self
            .clock
            .now()
            .checked_add(Duration::from_secs_f64(minutes * 60.0));
        let at = at.and_then(|at| at.round(Unit::Minute));
        at.map_or_else(|_| String::new(), |at| format!("{UNTIL}{at:.0}"))
    }

    /// A moment of the monotonic clock as people's clocks will show it, to the second.
    pub(crate) fn wall(&self, at: Instant) -> Timestamp {
        let wait = at.saturating_duration_since(Instant::now());
        let at = self.clock.now().checked_add(wait).unwrap_or(Timestamp::MAX);
        at.round(Unit::Second).unwrap_or(at)
    }
}

/// What the relays' measures let through, and why: name, rate and source of each.
fn of_relays(limits: &[(&str, f64, Source)]) -> String {
    if let [(name, rate, source)] = limits {
        return format!(
            "the relay {name} gets no more than {} messages a minute{}",
            rate_of(*rate),
            why(*source)
        );
    }
    let reasons = limits.iter().filter_map(|(name, _, source)| match source {
        Source::Settings => None,
        Source::Adaptive => Some(format!("the relay {name} complained of more")),
        Source::Override => Some(format!("the author said so of the relay {name}")),
    });
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    let colon = if reasons.is_empty() { "" } else { ": " };
    let sum = limits.iter().map(|(_, rate, _)| rate).sum();
    format!(
        "the relays together get no more than {} messages a minute{colon}{reasons}",
        rate_of(sum)
    )
}

/// Why a limit holds, where the settings do not say so.
fn why(source: Source) -> &'static str {
    match source {
        Source::Settings => "",
        Source::Adaptive => " since it complained of more",
        Source::Override => " as the author said",
    }
}

/// What a provider's limits let through, and why.
fn of_provider(throttled: &Throttled) -> String {
    let provider = &throttled.provider;
    let Some((rate, source)) = throttled.rate else {
        return format!(
            "{provider} gets no more than {} at once",
            throttled.limits.connections
        );
    };
    format!(
        "{provider} gets no more than {} a minute{}",
        rate_of(rate),
        why(source)
    )
}

/// Messages a minute, with a decimal where they are few.
fn rate_of(rate: f64) -> String {
    if rate < 10.0 && rate.fract() > 0.05 {
        format!("{rate:.1}")
    } else {
        count(rate.round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_with_whose_it_is() {
        let set = ("main", 1200.0, Source::Settings);
        assert_eq!(
            of_relays(&[set]),
            "the relay main gets no more than 1,200 messages a minute"
        );
        let learnt = ("main", 2.5, Source::Adaptive);
        let said =
            "the relay main gets no more than 2.5 messages a minute since it complained of more";
        assert_eq!(of_relays(&[learnt]), said);
        let word = ("second", 60.0, Source::Override);
        assert_eq!(
            of_relays(&[set, word]),
            "the relays together get no more than 1,260 messages a minute: the author said so of the relay second"
        );
    }
}
