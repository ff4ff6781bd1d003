//! Several files that are one unit: all of them or none.

use serde::{Deserialize, Serialize};

/// The most files of one config patch (guess: a service's whole configuration has some tens).
pub const MAX_FILES: usize = 100;

/// What is said of each file of a unit, in the order of the rollout file. At least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written<T>", into = "Written<T>")]
#[serde(bound(serialize = "T: Clone + Serialize"))]
pub struct Files<T>(Vec<T>);

/// How they are written: of one file as the first releases did, which knew no others.
#[derive(Serialize, Deserialize)]
struct Written<T> {
    #[serde(flatten)]
    first: T,
    #[serde(
        default = "Vec::new",
        rename = "more_files",
        skip_serializing_if = "Vec::is_empty"
    )]
    more: Vec<T>,
}

impl<T> Files<T> {
    /// Takes a list. Nothing where it is empty.
    pub fn of(list: impl IntoIterator<Item = T>) -> Option<Self> {
        let list: Vec<T> = list.into_iter().collect();
        (!list.is_empty()).then_some(Self(list))
    }

    /// The one that stands first.
    pub fn first(&self) -> &T {
        self.0.first().expect("there is at least one file")
    }

    /// Each, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// How many there are: 1 or more.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The same of what `change` makes of each.
    pub fn map<U>(&self, change: impl FnMut(&T) -> U) -> Files<U> {
        Files(self.0.iter().map(change).collect())
    }
}

impl<T> From<T> for Files<T> {
    fn from(one: T) -> Self {
        Self(vec![one])
    }
}

impl<T> From<Written<T>> for Files<T> {
    fn from(Written { first, more }: Written<T>) -> Self {
        let mut all = vec![first];
        all.extend(more);
        Self(all)
    }
}

impl<T> From<Files<T>> for Written<T> {
    fn from(Files(mut all): Files<T>) -> Self {
        let more = all.split_off(1);
        let first = all.pop().expect("there is at least one file");
        Self { first, more }
    }
}

impl<T> IntoIterator for Files<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
