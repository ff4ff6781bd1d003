//! A set of few things, which takes no more room than they do: each of a million hosts has two.

/// Few things, each once.
#[derive(Debug, Clone)]
pub struct Few<T>(Box<[T]>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T: PartialEq> Few<T> {
    /// Puts one there. Whether it was not.
    pub fn insert(&mut self, one: T) -> bool {
        if self.contains(&one) {
            return false;
        }
        let all = std::mem::take(&mut self.0).into_iter();
        self.0 = all.chain([one]).collect();
        true
    }

    /// Takes one away. Whether it was there.
    pub fn remove(&mut self, one: &T) -> bool {
        let before = self.len();
        let all = std::mem::take(&mut self.0).into_iter();
        self.0 = all.filter(|known| known != one).collect();
        self.len() < before
    }

    /// Whether one is there.
    pub fn contains(&self, one: &T) -> bool {
        self.0.contains(one)
    }

    /// Whether none is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are there.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.0 = Box::default();
    }
}
