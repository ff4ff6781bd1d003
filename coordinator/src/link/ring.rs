//! The last news of a region's cells, for as long as a link may need them.

use super::frame;
use cofferdam_engine::fleet::{Fleet, News};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The most bytes that are kept: some 50,000 events, which a link carries in seconds. A control plane
/// that was away for longer is told all cells at once instead (guess).
const BYTES: usize = 16 << 20;

/// The last news. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ring(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// The number of the newest. 0: there are none yet.
    last: u64,
    bodies: VecDeque<Vec<u8>>,
    bytes: usize,
}

/// News are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap;

impl Ring {
    /// Begins with what a fleet that was replayed has news of.
    pub(crate) fn begin(&self, fleet: &mut Fleet) {
        let news = fleet.take_news();
        self.kept().last = fleet.told_of().news;
        self.push(&news);
    }

    /// Adds news, which are stored and follow those before.
    pub(crate) fn push(&self, news: &[(u64, News)]) {
        let mut kept = self.kept();
        for (number, news) in news {
            let body = frame::write(news);
            kept.bytes += body.len();
            kept.bodies.push_back(body);
            kept.last = *number;
        }
        while kept.bytes > BYTES
            && let Some(oldest) = kept.bodies.pop_front()
        {
            kept.bytes -= oldest.len();
        }
    }

    /// At most so many news after a number. `Err`: the first of them is not kept any more.
    pub(super) fn after(&self, number: u64, most: usize) -> Result<Vec<(u64, Vec<u8>)>, Gap> {
        let kept = self.kept();
        let first = kept.last + 1 - kept.bodies.len() as u64;
        // A number that was never given is of another store.
        if number > kept.last || number + 1 < first {
            return Err(Gap);
        }
        let skip = usize::try_from(number + 1 - first).unwrap_or(usize::MAX);
        let bodies = kept.bodies.iter().skip(skip).take(most).cloned();
        Ok((number + 1..).zip(bodies).collect())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing in it can be left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::id::CellId;

    fn dropped(number: u64, name: &str) -> (u64, News) {
        let cell = CellId::new(name).unwrap();
        (number, News::Dropped { cell })
    }

    #[test]
    fn news_are_kept_by_their_numbers_until_there_are_too_many() {
        let ring = Ring::default();
        assert_eq!(ring.after(0, 9), Ok(Vec::new()));
        assert_eq!(ring.after(3, 9), Err(Gap));

        ring.push(&[dropped(1, "r-a-1"), dropped(2, "r-a-2")]);
        let numbers = |found: Vec<(u64, Vec<u8>)>| found.iter().map(|n| n.0).collect::<Vec<_>>();
        assert_eq!(ring.after(0, 9).map(numbers), Ok(vec![1, 2]));
        assert_eq!(ring.after(0, 1).map(numbers), Ok(vec![1]));
        assert_eq!(ring.after(2, 9), Ok(Vec::new()));
        assert_eq!(ring.after(3, 9), Err(Gap));

        let name = "n".repeat(60);
        let many: Vec<_> = (3..400_000).map(|number| dropped(number, &name)).collect();
        ring.push(&many);
        assert_eq!(ring.after(0, 9), Err(Gap));
        assert_eq!(ring.after(399_998, 9).map(numbers), Ok(vec![399_999]));
    }

    #[test]
    fn a_store_that_goes_on_after_a_restart_has_a_gap_before_its_first_news() {
        let ring = Ring::default();
        ring.push(&[dropped(7, "r-a-1")]);
        assert_eq!(ring.after(5, 9), Err(Gap));
        assert!(ring.after(6, 9).is_ok());
    }
}
