//! Which link each region has, and which regions are to tell all of their cells.

use cofferdam_engine::id::Region;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// Which link each region has: a newer one takes the place of an older one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Current(Arc<Mutex<BTreeMap<Region, Known>>>);

/// What is known of a region's links.
#[derive(Debug)]
struct Known {
    /// The number of the newest.
    newest: watch::Sender<u64>,
    /// Whether its news did not fit what it had told before, so that it is to tell all of its cells.
    is_astray: bool,
}

impl Current {
    /// Begins a link, which ends the one before. What tells of the next one, and its number.
    pub(super) fn begin(&self, region: &Region) -> (watch::Receiver<u64>, u64) {
        let mut all = self.all();
        let known = all.entry(region.clone()).or_insert_with(|| Known {
            newest: watch::channel(0).0,
            is_astray: false,
        });
        known.newest.send_modify(|number| *number += 1);
        let number = *known.newest.borrow();
        (known.newest.subscribe(), number)
    }

    /// The news of a region do not fit: with its next link it is to tell all of its cells.
    pub(super) fn note_astray(&self, region: &Region) {
        if let Some(known) = self.all().get_mut(region) {
            known.is_astray = true;
        }
    }

    /// Whether a region is to tell all of its cells, which is asked of it once.
    pub(super) fn take_astray(&self, region: &Region) -> bool {
        let mut all = self.all();
        let known = all.get_mut(region);
        known.is_some_and(|known| std::mem::take(&mut known.is_astray))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Region, Known>> {
        // Nothing in it can be left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_link_tells_the_older_and_one_that_went_astray_is_told_once() {
        let current = Current::default();
        let (r1, r2) = (Region::new("r1").unwrap(), Region::new("r2").unwrap());
        let (newest, number) = current.begin(&r1);
        assert_eq!(*newest.borrow(), number);
        let (_, later) = current.begin(&r1);
        assert_eq!((*newest.borrow(), later), (number + 1, number + 1));

        current.begin(&r2);
        current.note_astray(&r1);
        assert!(!current.take_astray(&r2));
        assert!(current.take_astray(&r1));
        assert!(!current.take_astray(&r1));
    }
}
