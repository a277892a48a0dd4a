//! A few relays, by their places in the settings.

/// A set of relays. From the 64th on, relays count as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RelaySet(u64);

impl RelaySet {
    /// The first `count` relays.
    pub(crate) fn all(count: usize) -> RelaySet {
        let all = (0..count).map(bit).fold(0, |all, bit| all | bit);
        RelaySet(all)
    }

    /// Adds the relay at a place.
    pub(crate) fn insert(&mut self, place: usize) {
        self.0 |= bit(place);
    }

    /// Removes the relay at a place.
    pub(crate) fn remove(&mut self, place: usize) {
        self.0 &= !bit(place);
    }

    /// Whether the relay at a place is one of them.
    pub(crate) fn contains(self, place: usize) -> bool {
        self.0 & bit(place) != 0
    }

    /// Those that are in either.
    pub(crate) fn union(self, other: RelaySet) -> RelaySet {
        RelaySet(self.0 | other.0)
    }

    /// Whether all of these relays are among them.
    pub(crate) fn covers(self, these: RelaySet) -> bool {
        self.0 & these.0 == these.0
    }

    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

fn bit(place: usize) -> u64 {
    1 << place.min(63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_covers_what_it_holds() {
        let mut some = RelaySet::default();
        assert!(some.is_empty() && !some.covers(RelaySet::all(1)));
        some.insert(0);
        some.insert(2);
        assert!(some.contains(2) && !some.contains(1) && !some.covers(RelaySet::all(3)));
        let mut second = RelaySet::default();
        second.insert(1);
        assert!(some.union(second).covers(RelaySet::all(3)));
        some.remove(0);
        assert!(!some.contains(0));
        // Nobody has so many; they are refused together, and nothing overflows.
        some.insert(1000);
        assert!(some.contains(63) && RelaySet::all(1000).contains(999));
    }
}
