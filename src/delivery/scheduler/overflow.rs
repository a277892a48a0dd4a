//! The mails that were read past, since their provider's queue had no room. Only the recipients' numbers are kept, in
//! bitmaps, so that a million of them take a few megabytes at most, and a slow provider never keeps others from being
//! read.

use std::collections::BTreeMap;

use roaring::RoaringTreemap;

use crate::delivery::ready_queue::QueueId;
use crate::model::SubscriberId;

/// The recipients of one issue that were read past, by the queue that had no room.
#[derive(Debug, Default)]
pub(super) struct Overflow {
    queues: BTreeMap<QueueId, RoaringTreemap>,
}

impl Overflow {
    /// Notes one.
    pub(super) fn put(&mut self, queue: QueueId, who: SubscriberId) {
        // Row numbers begin at 1.
        self.queues
            .entry(queue)
            .or_default()
            .insert(who.0.unsigned_abs());
    }

    /// Removes up to `most` of a queue, lowest number first.
    pub(super) fn take(&mut self, queue: QueueId, most: usize) -> Vec<SubscriberId> {
        let Some(people) = self.queues.get_mut(&queue) else {
            return Vec::new();
        };
        let taken: Vec<u64> = people.iter().take(most).collect();
        if let Some(last) = taken.last() {
            people.remove_range(..=*last);
        }
        if people.is_empty() {
            self.queues.remove(&queue);
        }
        taken
            .into_iter()
            .filter_map(|id| i64::try_from(id).ok())
            .map(SubscriberId)
            .collect()
    }

    /// Up to `most` of a queue whom these do not hold, who are added to them.
    pub(super) fn not_in(
        &self,
        queue: QueueId,
        noted: &mut RoaringTreemap,
        most: usize,
    ) -> Vec<SubscriberId> {
        let Some(people) = self.queues.get(&queue) else {
            return Vec::new();
        };
        let new: Vec<u64> = (people - &*noted).iter().take(most).collect();
        noted.extend(new.iter().copied());
        let ids = new.into_iter().filter_map(|id| i64::try_from(id).ok());
        ids.map(SubscriberId).collect()
    }

    /// The queues of which somebody was read past.
    pub(super) fn queues(&self) -> Vec<QueueId> {
        self.queues.keys().copied().collect()
    }

    /// How many of a queue were read past.
    pub(super) fn of(&self, queue: QueueId) -> u64 {
        self.queues.get(&queue).map_or(0, RoaringTreemap::len)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::delivery::ready_queue::COMMON;

    proptest! {
        #[test]
        fn everybody_comes_out_once(
            people in proptest::collection::btree_set(1_i64..1_000_000, 0..200),
            steps in proptest::collection::vec(1_usize..50, 1..60),
        ) {
            let mut overflow = Overflow::default();
            for who in &people {
                overflow.put(COMMON, SubscriberId(*who));
                overflow.put(COMMON, SubscriberId(*who));
            }
            let mut out = Vec::new();
            for most in steps {
                let some = overflow.take(COMMON, most);
                prop_assert!(some.len() <= most);
                out.extend(some);
            }
            out.extend(overflow.take(COMMON, usize::MAX));
            prop_assert_eq!(out.iter().map(|id| id.0).collect::<Vec<_>>(), people.into_iter().collect::<Vec<_>>());
            prop_assert!(overflow.is_empty() && overflow.of(COMMON) == 0);
        }
    }

    #[test]
    fn each_is_noted_once() {
        let (mut overflow, mut noted) = (Overflow::default(), RoaringTreemap::new());
        (1..=5).for_each(|id| overflow.put(COMMON, SubscriberId(id)));
        let mut next = |most| overflow.not_in(COMMON, &mut noted, most).len();
        assert_eq!([next(3), next(3), next(3)], [3, 2, 0]);
    }

    #[test]
    fn a_million_cost_no_more_than_a_few_hundred_kilobytes() {
        let mut overflow = Overflow::default();
        (1..=1_000_000).for_each(|id| overflow.put(COMMON, SubscriberId(id)));
        assert!(overflow.queues[&COMMON].serialized_size() < 300_000);
    }
}
