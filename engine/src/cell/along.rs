//! Looking up many hosts in a map, one after the other in their order.

use crate::id::HostId;
use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map},
    iter::Peekable,
};

/// A map that is gone along once. For many of its hosts that costs less than to look each one up: names
/// of hosts are alike, so comparing them is what a look-up costs.
pub(super) struct Along<'a, V>(Peekable<btree_map::Iter<'a, HostId, V>>);

impl<'a, V> Along<'a, V> {
    pub(super) fn new(map: &'a BTreeMap<HostId, V>) -> Self {
        Self(map.iter().peekable())
    }

    /// What the map has for a host, which comes after those that were asked for before.
    pub(super) fn get(&mut self, host: &HostId) -> Option<&'a V> {
        loop {
            match self.0.peek()?.0.cmp(host) {
                Ordering::Less => self.0.next(),
                Ordering::Equal => return self.0.next().map(|(_, value)| value),
                Ordering::Greater => return None,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_is_there_and_passes_over_the_rest() {
        let map: BTreeMap<HostId, u32> = ["b", "c", "e", "f"]
            .into_iter()
            .zip(0..)
            .map(|(name, number)| (HostId::new(name).unwrap(), number))
            .collect();
        let mut along = Along::new(&map);
        let asked = ["a", "b", "d", "e", "f", "g"];
        let found = asked.map(|host| along.get(&HostId::new(host).unwrap()).copied());
        assert_eq!(found, [None, Some(0), None, Some(2), Some(3), None]);
    }
}
