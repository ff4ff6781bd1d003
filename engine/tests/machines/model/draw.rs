//! Numbers at random from a seed.

use std::time::Duration;

/// Draws numbers; the same seed draws the same.
#[derive(Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // splitmix64, as in the engine's seeds.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let bound = u64::try_from(bound).expect("a count fits");
        usize::try_from(z % bound).expect("less than a usize")
    }

    /// Whether something happens that happens so often of a hundred times.
    pub(crate) fn percent(&mut self, often: usize) -> bool {
        self.below(100) < often
    }

    /// One of some.
    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A time up to one of these limits in milliseconds.
    pub(crate) fn time(&mut self, limits: &[usize]) -> Duration {
        let limit = *self.one(limits);
        Duration::from_millis(u64::try_from(self.below(limit)).expect("it fits"))
    }
}
