//! Why an issue waits, in words: what people read beside it.

use jiff::Timestamp;
use tokio::time::Instant;

use super::Planner;
use crate::delivery::desk::Held;
use crate::store::Result;
use crate::store::issues::IssueRow;

impl Planner {
    /// Writes why an issue waits, if that is new. A relay that rests is the first reason.
    pub async fn explain(&self, row: &IssueRow, own: Option<String>) -> Result<()> {
        let resting: Vec<_> = self.relays.iter().filter_map(|relay| relay.resting()).collect();
        let reason = if !resting.is_empty() && resting.len() == self.relays.len() {
            resting
                .iter()
                .min_by_key(|rest| rest.until)
                .map(|rest| format!("{}; the relay rests until {:.0}", rest.why, self.wall(rest.until)))
        } else {
            own.or_else(|| self.measure()).or_else(|| self.providers())
        };
        if reason == row.reason { Ok(()) } else { self.store.explain(row.id, reason).await }
    }

    /// What the relays' measures let through, where each has one: it is why the rest waits.
    fn measure(&self) -> Option<String> {
        let measures = self.relays.iter().map(|relay| relay.relay.messages_per_minute);
        if measures.clone().any(|per_minute| per_minute == 0) {
            return None;
        }
        Some(format!("no more than {} messages a minute", crate::words::count(measures.map(u64::from).sum())))
    }

    /// The providers for whom people wait, the first of them by name.
    fn providers(&self) -> Option<String> {
        let held = self.desk.held();
        let first = of_provider(held.first()?);
        Some(match held.len() - 1 {
            0 => first,
            others => format!("{first}, and {others} other providers are limited"),
        })
    }

    /// A moment of the monotonic clock as people's clocks will show it, to the second.
    pub fn wall(&self, at: Instant) -> Timestamp {
        let wait = at.saturating_duration_since(Instant::now());
        let at = self.clock.now().checked_add(wait).unwrap_or(Timestamp::MAX);
        at.round(jiff::Unit::Second).unwrap_or(at)
    }
}

/// What a provider's limits let through.
fn of_provider(held: &Held) -> String {
    let (provider, limits) = (&held.provider, held.limits);
    match (limits.messages_per_minute, limits.connections) {
        (0, 0) => format!("{provider} waits"),
        (0, most) => format!("{provider} gets no more than {most} at once"),
        (per_minute, _) => {
            format!("{provider} gets no more than {} a minute", crate::words::count(u64::from(per_minute)))
        }
    }
}
