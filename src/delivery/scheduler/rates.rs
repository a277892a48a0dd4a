//! What outlives a restart of how quickly mails go: rate limits are saved from time to time, the author's overrides are
//! followed, and the daily quota of each relay that is warmed up is reserved before it is used.

use std::time::Instant;

use jiff::Timestamp;

use super::Scheduler;
use crate::delivery::ready_queue::ReadyQueue;
use crate::delivery::relay::RelayState;
use crate::delivery::relays::Relays;
use crate::pace::SAVE_EVERY;
use crate::pace::warmup::{DailyQuota, day_of};
use crate::store::{Result, Store};

/// What the scheduler remembers of it.
#[derive(Default)]
pub(crate) struct Rates {
    /// The author's overrides as they were last read, in messages a minute by name.
    overrides: Vec<(String, u32)>,
    /// When rate limits were last saved.
    saved: Option<Instant>,
}

impl Scheduler {
    /// Follows the author's overrides, and saves rate limits where that is due.
    pub(crate) async fn follow_rates(&mut self, now: Timestamp) -> Result<()> {
        let overrides = self.store.rate_overrides().await?;
        if overrides != self.rates.overrides {
            for relay in self.relays.iter() {
                relay.set_overrides(&overrides);
            }
            self.queue.set_overrides(&overrides);
            self.rates.overrides = overrides;
        }
        let saved = self.rates.saved;
        if saved.is_none_or(|saved| saved.elapsed() >= SAVE_EVERY) {
            self.rates.saved = Some(Instant::now());
            self.signing.read_again();
            save(&self.store, &self.queue, &self.relays, now, false).await?;
        }
        Ok(())
    }

    /// Reserves the quotas of relays that are warmed up, where mails wait: a day on which nothing goes does not count for
    /// a warm-up.
    pub(crate) async fn reserve_quotas(&self, now: Timestamp) -> Result<()> {
        let is_wanted = self.queue.has_issue_mails();
        for relay in self.relays.iter() {
            reserve(&self.store, relay, now, is_wanted).await?;
        }
        Ok(())
    }
}

/// Begins a relay's day where another one has come, and reserves more of its quota in the database before it is used.
async fn reserve(store: &Store, relay: &RelayState, now: Timestamp, is_wanted: bool) -> Result<()> {
    let (Some(plan), Some(quota)) = (relay.relay.warm_up, relay.quota()) else {
        return Ok(());
    };
    let (name, today) = (&relay.relay.name, day_of(now));
    if quota.day() != today {
        write_used(store, name, quota).await?;
        let (days, used) = store.warmup_days(name, today).await?;
        relay.set_quota(DailyQuota::new(today, plan.allowed(days), used));
    }
    let wanted = relay.quota().and_then(|quota| quota.to_reserve());
    if let Some(reserved) = wanted.filter(|_| is_wanted) {
        store.save_warmup_day(name, today, reserved).await?;
        relay.reserve(reserved);
    }
    Ok(())
}

/// Saves rate limits. `is_final`: no mail is sent any more, so the quotas that were used are written as well.
///
/// # Errors
/// When the database can't be written.
pub(crate) async fn save(
    store: &Store,
    queue: &ReadyQueue,
    relays: &Relays,
    now: Timestamp,
    is_final: bool,
) -> Result<()> {
    let mut rates = queue.save(now, is_final);
    rates.extend(relays.iter().filter_map(|relay| relay.save(now, is_final)));
    if !rates.is_empty() {
        store.save_rates(rates).await?;
    }
    let speeds: Vec<_> = relays
        .iter()
        .filter_map(|relay| relay.speed_to_save())
        .collect();
    if !speeds.is_empty() {
        store.save_relay_speeds(speeds, now).await?;
    }
    for relay in relays.iter().filter(|_| is_final) {
        if let Some(quota) = relay.quota() {
            write_used(store, &relay.relay.name, quota).await?;
        }
    }
    Ok(())
}

/// Writes how much of a day's quota was used, in place of what was reserved.
async fn write_used(store: &Store, relay: &str, quota: DailyQuota) -> Result<()> {
    if quota.counts() {
        store
            .save_warmup_day(relay, quota.day(), quota.used())
            .await?;
    }
    Ok(())
}
