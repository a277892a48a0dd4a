//! Who was read past: people whose provider's lane had no room. Only their numbers are kept, in bitmaps, so that a
//! million of them cost a few megabytes at the most, and a slow provider never keeps others from being read. Pure.

use std::collections::BTreeMap;

use roaring::RoaringTreemap;

use crate::delivery::desk::LaneId;
use crate::model::SubscriberId;

/// The people of one issue who were read past, by lane.
#[derive(Debug, Default)]
pub(super) struct Parked {
    lanes: BTreeMap<LaneId, RoaringTreemap>,
}

impl Parked {
    /// Notes one.
    pub(super) fn put(&mut self, lane: LaneId, who: SubscriberId) {
        // Numbers of people begin at 1.
        self.lanes
            .entry(lane)
            .or_default()
            .insert(who.0.unsigned_abs());
    }

    /// Takes out up to so many of a lane, in the order of their numbers.
    pub(super) fn take(&mut self, lane: LaneId, most: usize) -> Vec<SubscriberId> {
        let Some(people) = self.lanes.get_mut(&lane) else {
            return Vec::new();
        };
        let taken: Vec<u64> = people.iter().take(most).collect();
        if let Some(last) = taken.last() {
            people.remove_range(..=*last);
        }
        if people.is_empty() {
            self.lanes.remove(&lane);
        }
        taken
            .into_iter()
            .filter_map(|id| i64::try_from(id).ok())
            .map(SubscriberId)
            .collect()
    }

    /// The lanes of which somebody is parked.
    pub(super) fn lanes(&self) -> Vec<LaneId> {
        self.lanes.keys().copied().collect()
    }

    /// How many of a lane.
    pub(super) fn of(&self, lane: LaneId) -> u64 {
        self.lanes.get(&lane).map_or(0, RoaringTreemap::len)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::delivery::desk::FREE;

    proptest! {
        #[test]
        fn everybody_comes_out_once(
            people in proptest::collection::btree_set(1_i64..1_000_000, 0..200),
            steps in proptest::collection::vec(1_usize..50, 1..60),
        ) {
            let mut parked = Parked::default();
            for who in &people {
                parked.put(FREE, SubscriberId(*who));
                parked.put(FREE, SubscriberId(*who));
            }
            let mut out = Vec::new();
            for most in steps {
                let some = parked.take(FREE, most);
                prop_assert!(some.len() <= most);
                out.extend(some);
            }
            out.extend(parked.take(FREE, usize::MAX));
            prop_assert_eq!(out.iter().map(|id| id.0).collect::<Vec<_>>(), people.into_iter().collect::<Vec<_>>());
            prop_assert!(parked.is_empty() && parked.of(FREE) == 0);
        }
    }

    #[test]
    fn a_million_cost_no_more_than_a_few_hundred_kilobytes() {
        let mut parked = Parked::default();
        (1..=1_000_000).for_each(|id| parked.put(FREE, SubscriberId(id)));
        assert!(parked.lanes[&FREE].serialized_size() < 300_000);
    }
}
