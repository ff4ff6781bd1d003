//! Labels of hosts, which hosts share that have the same.

use crate::shared::Shared;
use std::collections::{BTreeMap, btree_map};

/// Labels of a host: name to value. They come from enrolment and decide cells and floors.
pub type Labels = Shared<BTreeMap<String, String>>;

impl Labels {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }
}

impl From<Labels> for BTreeMap<String, String> {
    fn from(labels: Labels) -> Self {
        labels.into_own()
    }
}

impl<const N: usize> From<[(String, String); N]> for Labels {
    fn from(labels: [(String, String); N]) -> Self {
        BTreeMap::from(labels).into()
    }
}

impl FromIterator<(String, String)> for Labels {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(labels: I) -> Self {
        BTreeMap::from_iter(labels).into()
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a String, &'a String);
    type IntoIter = btree_map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
