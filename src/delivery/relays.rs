//! All relays together: which of them may take the next mail, and what one mail takes of a relay.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;

use super::Settings;
use super::relay::{Hold, RelayState};
use crate::pace::{Balancer, RelayHealth, Turn};

/// Every relay, in the order of the settings. A relay is named by its place in it.
pub(super) struct Relays {
    states: Vec<Arc<RelayState>>,
    balancer: Balancer,
}

/// Why a relay's connection takes no mail now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The relay itself permits none.
    Relay(Hold),
    /// Other relays have not had their share; `None`: it stands by until one of them backs off.
    Share(Option<Instant>),
}

impl Wait {
    /// When to ask again at the latest; `None`: when something changes.
    pub(super) fn until(self) -> Option<Instant> {
        match self {
            Wait::Relay(Hold::BackingOff(until) | Hold::Rate(until)) => Some(until),
            Wait::Relay(Hold::Quota { .. } | Hold::DailyLimit) => None,
            Wait::Share(until) => until,
        }
    }
}

impl Relays {
    /// From the settings. `changed` is notified when a connection that waits should look again.
    pub(super) fn new(settings: &Settings, changed: &Arc<Notify>) -> Relays {
        let weights = settings
            .relays
            .iter()
            .map(|relay| (relay.weight, relay.connections as u32));
        Relays {
            balancer: Balancer::new(weights.collect()),
            states: settings
                .relays
                .iter()
                .map(|relay| Arc::new(RelayState::new(relay.clone(), settings, changed.clone())))
                .collect(),
        }
    }

    pub(super) fn get(&self, place: usize) -> &Arc<RelayState> {
        &self.states[place]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<RelayState>> {
        self.states.iter()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// All relays but one.
    pub(super) fn others(&self, place: usize) -> impl Iterator<Item = &Arc<RelayState>> {
        self.states
            .iter()
            .enumerate()
            .filter(move |(other, _)| *other != place)
            .map(|(_, state)| state)
    }

    /// Whether another relay may take what this one refuses for a reason of ours.
    pub(super) fn has_another_up(&self, place: usize) -> bool {
        self.others(place).any(|relay| !relay.is_backing_off())
    }

    /// Whether mails that need SMTPUTF8 (RFC 6531) are left to another relay: this one does not offer it, and another one
    /// that is up does, or has not been asked yet.
    pub(super) fn leaves_utf8_to_another(&self, place: usize) -> bool {
        self.states[place].offers_utf8() == Some(false)
            && self
                .others(place)
                .any(|other| other.offers_utf8() != Some(false) && !other.is_backing_off())
    }

    /// Why a relay takes no mail now; `None`: it takes one.
    pub(super) fn wait(&self, place: usize, now: Instant) -> Option<Wait> {
        if let Some(hold) = self.states[place].hold(now) {
            return Some(Wait::Relay(hold));
        }
        let health = |other: usize| match self.states[other].hold(now) {
            None => RelayHealth::Available,
            Some(Hold::BackingOff(_) | Hold::DailyLimit) => RelayHealth::BackingOff,
            Some(Hold::Rate(_) | Hold::Quota { .. }) => RelayHealth::Throttled,
        };
        match self.balancer.turn(place, health, now) {
            Turn::Now => None,
            Turn::After(wait) => Some(Wait::Share(Some(now + wait))),
            Turn::Standby => Some(Wait::Share(None)),
        }
    }

    /// Takes what one mail takes of a relay; `None`: the relay permits none now. A mail that is `exempt`, such as a
    /// confirmation, waits for no daily quota.
    pub(super) fn try_take(
        self: &Arc<Self>,
        place: usize,
        exempt: bool,
        now: Instant,
    ) -> Option<RelayPermit> {
        let day = self.states[place].try_take(exempt, now)?;
        self.balancer.take(place);
        Some(RelayPermit {
            relays: self.clone(),
            place,
            day,
            is_spent: false,
        })
    }
}

/// What one mail took of a relay: its rate, its daily quota, and its share among the relays. Dropping it gives that back.
pub(super) struct RelayPermit {
    relays: Arc<Relays>,
    place: usize,
    /// The day whose quota the mail was counted on.
    day: i64,
    is_spent: bool,
}

impl RelayPermit {
    /// Uses it up.
    pub(super) fn spent(mut self) {
        self.is_spent = true;
    }
}

impl Drop for RelayPermit {
    fn drop(&mut self) {
        if !self.is_spent {
            self.relays.states[self.place].put_back(self.day);
            self.relays.balancer.put_back(self.place);
        }
    }
}
