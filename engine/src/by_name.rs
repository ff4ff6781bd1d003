//! What is known of each of many hosts, or cells: who goes through them all finds them in the order of their
//! names, and who asks for one finds it without comparing names.
//!
//! Nearly everything that happens is about one host, which is looked up in map after map: in ordered maps
//! that is a third of what a decision costs.

use crate::{id::HostId, kept::Kept};
use foldhash::fast::FixedState;
use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{collections::BTreeMap, fmt, hash::Hash, ops::Index, slice};

/// With so many, one that comes has the order worked out anew: to make room for it among them would cost more
/// than all else that happens to it (guess).
const MOST_IN_STEP: usize = 4096;

/// Values by name, stored as an ordered map of them is.
#[derive(Clone)]
pub struct ByName<K, T> {
    all: All<K, T>,
    /// Their places in the order of the names.
    order: Kept<Vec<usize>>,
}

/// Values by host.
pub type ByHost<T> = ByName<HostId, T>;

/// Values by name, in no order: hashed the same each time.
type All<K, T> = IndexMap<K, T, FixedState>;

impl<K: Ord + Hash, T> ByName<K, T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether there is one of a name.
    pub fn contains_key(&self, name: &K) -> bool {
        self.all.contains_key(name)
    }

    /// That of a name.
    pub fn get(&self, name: &K) -> Option<&T> {
        self.all.get(name)
    }

    /// The same, with the name.
    pub fn get_key_value(&self, name: &K) -> Option<(&K, &T)> {
        self.all.get_key_value(name)
    }

    /// The same, which may change.
    pub fn get_mut(&mut self, name: &K) -> Option<&mut T> {
        self.all.get_mut(name)
    }

    /// All of them, in the order of the names.
    pub fn iter(&self) -> Iter<'_, K, T> {
        let order = self.order.get(|| {
            let mut order: Vec<usize> = (0..self.all.len()).collect();
            order.sort_unstable_by(|one, other| self.name(*one).cmp(&self.name(*other)));
            order
        });
        let (all, order) = (&self.all, order.iter());
        Iter { all, order }
    }

    /// The names, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> + Clone {
        self.iter().map(|(name, _)| name)
    }

    /// The values, in the order of the names.
    pub fn values(&self) -> impl Iterator<Item = &T> + Clone {
        self.iter().map(|(_, value)| value)
    }

    /// The values, which may change, in no order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.all.values_mut()
    }

    /// All of them, which may change, in no order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut T)> {
        self.all.iter_mut()
    }

    /// Puts one there. What was there before.
    pub fn insert(&mut self, name: K, value: T) -> Option<T> {
        let (place, before) = self.all.insert_full(name, value);
        if before.is_none() {
            self.keep_in_order(place);
        }
        before
    }

    /// Takes one away.
    pub fn remove(&mut self, name: &K) -> Option<T> {
        let removed = self.all.swap_remove(name)?;
        self.order.forget();
        Some(removed)
    }

    fn name(&self, place: usize) -> Option<&K> {
        self.all.get_index(place).map(|(name, _)| name)
    }

    /// Keeps the order in step with one that came last, where that costs little.
    fn keep_in_order(&mut self, place: usize) {
        let Some(mut order) = self.order.take().filter(|order| order.len() < MOST_IN_STEP) else {
            return;
        };
        let at = order.partition_point(|other| self.name(*other) < self.name(place));
        order.insert(at, place);
        self.order.keep(order);
    }
}

impl<K: Ord + Hash + Clone, T> ByName<K, T> {
    /// That of a name, which is made where there was none.
    pub fn get_or_make(&mut self, name: &K, made: impl FnOnce() -> T) -> &mut T {
        let place = match self.all.get_index_of(name) {
            Some(place) => place,
            None => {
                self.insert(name.clone(), made());
                self.all.len() - 1
            }
        };
        &mut self.all[place]
    }

    /// The same, where a new one is the default.
    pub fn get_or_default(&mut self, name: &K) -> &mut T
    where
        T: Default,
    {
        self.get_or_make(name, T::default)
    }
}

impl<K, T> Default for ByName<K, T> {
    fn default() -> Self {
        Self {
            all: All::default(),
            order: Kept::default(),
        }
    }
}

impl<K: Ord + Hash, T> Index<&K> for ByName<K, T> {
    type Output = T;

    fn index(&self, name: &K) -> &T {
        &self.all[name]
    }
}

impl<K: Ord + Hash, T: PartialEq> PartialEq for ByName<K, T> {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl<K: Ord + Hash, T: Eq> Eq for ByName<K, T> {}

impl<K: Ord + Hash + fmt::Debug, T: fmt::Debug> fmt::Debug for ByName<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Ord + Hash, T> FromIterator<(K, T)> for ByName<K, T> {
    fn from_iter<I: IntoIterator<Item = (K, T)>>(all: I) -> Self {
        let all = all.into_iter().collect();
        let order = Kept::default();
        Self { all, order }
    }
}

impl<K: Ord + Hash + Serialize, T: Serialize> Serialize for ByName<K, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, K, T> Deserialize<'de> for ByName<K, T>
where
    K: Ord + Hash + Deserialize<'de>,
    T: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = BTreeMap::<K, T>::deserialize(deserializer)?;
        Ok(all.into_iter().collect())
    }
}

impl<'a, K: Ord + Hash, T> IntoIterator for &'a ByName<K, T> {
    type Item = (&'a K, &'a T);
    type IntoIter = Iter<'a, K, T>;

    fn into_iter(self) -> Iter<'a, K, T> {
        self.iter()
    }
}

/// Goes through values by name, in the order of the names.
pub struct Iter<'a, K, T> {
    all: &'a All<K, T>,
    order: slice::Iter<'a, usize>,
}

impl<'a, K, T> Iterator for Iter<'a, K, T> {
    type Item = (&'a K, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        self.all.get_index(*self.order.next()?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.order.size_hint()
    }
}

impl<K, T> Clone for Iter<'_, K, T> {
    fn clone(&self) -> Self {
        let (all, order) = (self.all, self.order.clone());
        Self { all, order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: usize) -> HostId {
        HostId::new(format!("h{number:05}")).unwrap()
    }

    /// The numbers of its hosts, in the order in which it goes through them.
    fn order(all: &ByHost<usize>) -> Vec<usize> {
        assert!(all.iter().all(|(name, number)| *name == host(*number)));
        all.values().copied().collect()
    }

    #[test]
    fn it_goes_through_hosts_in_their_order_whenever_they_came() {
        for count in [10, MOST_IN_STEP + 10] {
            let mut all = ByHost::default();
            // Seven divides neither count, so every number comes once.
            let numbers = (0..count).map(|nth| nth * 7 % count);
            for (nth, number) in numbers.enumerate() {
                all.insert(host(number), number);
                if nth == 0 || nth + 5 > count {
                    assert!(order(&all).is_sorted(), "{nth} of {count}");
                }
            }
            all.remove(&host(3));
            let others = (0..count).filter(|number| *number != 3);
            assert_eq!(order(&all), others.collect::<Vec<_>>());
        }
    }

    #[test]
    fn it_is_the_same_and_stored_as_an_ordered_map_whatever_the_order_in_which_hosts_came() {
        let one = [2, 1, 3].map(|number| (host(number), number));
        let one: ByHost<usize> = one.into_iter().collect();
        let mut other = ByHost::default();
        for number in [3, 2, 1] {
            *other.get_or_default(&host(number)) = number;
        }
        assert_eq!(one, other);
        let stored = r#"{"h00001":1,"h00002":2,"h00003":3}"#;
        assert_eq!(serde_json::to_string(&one).unwrap(), stored);
        assert_eq!(serde_json::from_str::<ByHost<usize>>(stored).unwrap(), one);
    }
}
