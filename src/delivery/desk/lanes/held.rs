//! Who waits at a provider's limit, and whether anybody on the desk waits for something else.

use std::sync::Arc;
use std::time::Instant;

use super::{Lane, LaneId, Lanes, Place};
use crate::delivery::desk::Desk;
use crate::pace::{Limits, Source};

/// What waits at a provider's limit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    pub lane: LaneId,
    pub provider: Arc<str>,
    pub limits: Limits,
    /// Messages a minute as they hold, and why.
    pub holds: Option<(f64, Source)>,
    /// Mails that lie in its lane.
    pub lying: usize,
}

impl Desk {
    /// The provider for whom most people wait, and how many others hold somebody up.
    pub(crate) fn held(&self) -> Option<(Held, usize)> {
        self.inner().lanes.held(Instant::now())
    }

    /// Whether nobody lies here who could go now if a connection took them.
    pub(crate) fn waits_for_providers(&self) -> bool {
        let inner = self.inner();
        inner.aside.is_empty() && inner.lanes.are_held(Instant::now())
    }
}

impl Lane {
    fn is_held(&self, now: Instant) -> bool {
        self.is_crowded() || self.limit.wait(now).is_some()
    }
}

impl Lanes {
    /// The lane in which most people wait for their provider, those who were read past above all, and how many other
    /// lanes hold somebody up.
    pub(crate) fn held(&self, now: Instant) -> Option<(Held, usize)> {
        let stands = |lane: &Lane| lane.place != Place::Ready || lane.is_held(now);
        let waits = |lane: &Lane| (lane.more || !lane.queue.is_empty()) && stands(lane);
        let held = || {
            self.lanes
                .iter()
                .enumerate()
                .skip(1)
                .filter(|(_, lane)| waits(lane))
        };
        let (number, lane) = held().max_by_key(|(_, lane)| (lane.more, lane.queue.len()))?;
        let told = Held {
            lane: LaneId(number as u32),
            provider: lane.provider.clone(),
            limits: lane.limits,
            holds: lane.limit.effective(),
            lying: lane.queue.len(),
        };
        Some((told, held().count() - 1))
    }

    /// Whether every job waits for its provider, and for nothing else.
    pub(crate) fn are_held(&self, now: Instant) -> bool {
        let (free, limited) = self.lanes.split_at(1);
        free[0].queue.is_empty()
            && limited
                .iter()
                .all(|lane| lane.queue.is_empty() || lane.is_held(now))
    }
}
