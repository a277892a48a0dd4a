//! What outlives a restart of how quickly mails go: measures are written down now and then, the author's word is
//! followed, and each relay that is warmed up gets its day's leave before it gives it.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::Planner;
use crate::delivery::desk::Desk;
use crate::delivery::relay::RelayState;
use crate::pace::SAVE_EVERY;
use crate::pace::warmup::{DailyQuota, day_of};
use crate::store::{Result, Store};

/// What the planner remembers of it.
#[derive(Default)]
pub(crate) struct Speed {
    /// The author's words as they were last read.
    words: Vec<(String, u32)>,
    /// When measures were last written down.
    saved: Option<Instant>,
}

impl Planner {
    /// Follows the author's word, and writes measures down where that is due.
    pub(crate) async fn follow_speed(&mut self, now: Timestamp) -> Result<()> {
        let words = self.store.speeds().await?;
        if words != self.speed.words {
            self.relays.iter().for_each(|relay| relay.say(&words));
            self.desk.say(&words);
            self.speed.words = words;
        }
        if self
            .speed
            .saved
            .is_none_or(|saved| saved.elapsed() >= SAVE_EVERY)
        {
            self.speed.saved = Some(Instant::now());
            self.signing.read_again();
            keep(&self.store, &self.desk, &self.relays, now, false).await?;
        }
        Ok(())
    }

    /// Gives leave to relays that are warmed up, where somebody waits: a day on which nothing goes is none of a plan.
    pub(crate) async fn give_leave(&self, now: Timestamp) -> Result<()> {
        let is_wanted = self.desk.holds_issues();
        for relay in &self.relays {
            warm_up(&self.store, relay, now, is_wanted).await?;
        }
        Ok(())
    }
}

/// Begins a relay's day where another one has come, and writes down what it may give before it does.
async fn warm_up(store: &Store, relay: &RelayState, now: Timestamp, is_wanted: bool) -> Result<()> {
    let (Some(plan), Some(day)) = (relay.plan(), relay.day()) else {
        return Ok(());
    };
    let (name, today) = (&relay.relay.name, day_of(now));
    if day.day() != today {
        note_what_went(store, name, day).await?;
        let (days, given) = store.warm_up(name, today).await?;
        relay.begin_day(DailyQuota::new(today, plan.allowed(days), given));
    }
    if let Some(leave) = relay
        .day()
        .and_then(|day| day.to_reserve())
        .filter(|_| is_wanted)
    {
        store.note_warm_up(name, today, leave).await?;
        relay.grant(leave);
    }
    Ok(())
}

/// Writes measures down. `is_final`: nothing goes out any more.
///
/// # Errors
/// When the database can't be written.
pub(crate) async fn keep(
    store: &Store,
    desk: &Desk,
    relays: &[Arc<RelayState>],
    now: Timestamp,
    is_final: bool,
) -> Result<()> {
    let mut measures = desk.keep(now, is_final);
    measures.extend(relays.iter().filter_map(|relay| relay.keep(now, is_final)));
    if !measures.is_empty() {
        store.keep_measures(measures).await?;
    }
    for relay in relays
        .iter()
        .filter(|relay| is_final && relay.plan().is_some())
    {
        if let Some(day) = relay.day() {
            note_what_went(store, &relay.relay.name, day).await?;
        }
    }
    Ok(())
}

/// Writes down what went on a day that is over, or of which no more is given, in place of the leave for it.
async fn note_what_went(store: &Store, relay: &str, day: DailyQuota) -> Result<()> {
    if day.counts() {
        store.note_warm_up(relay, day.day(), day.used()).await?;
    }
    Ok(())
}
