//! What is to happen in a world, by its moment; at one moment, what was put there first.

use super::Happening;
use crate::time::Timestamp;
use std::{cmp::Reverse, collections::BinaryHeap};

/// What is to happen. The heap orders keys alone: what they stand for is large, and stays where it is.
#[derive(Debug, Default)]
pub(super) struct Queue {
    keys: BinaryHeap<Reverse<Key>>,
    happenings: Vec<Option<Happening>>,
    /// Places where nothing stands any more.
    free: Vec<usize>,
    last_number: u64,
}

/// When something happens, the how-manieth it was put there, and its place.
type Key = (Timestamp, u64, usize);

impl Queue {
    /// Puts something there.
    pub(super) fn put(&mut self, at: Timestamp, happening: Happening) {
        let place = match self.free.pop() {
            Some(place) => {
                self.happenings[place] = Some(happening);
                place
            }
            None => {
                self.happenings.push(Some(happening));
                self.happenings.len() - 1
            }
        };
        self.last_number += 1;
        self.keys.push(Reverse((at, self.last_number, place)));
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.keys.peek().map(|Reverse((at, _, _))| *at)
    }

    /// The next thing that happens, if it is due until then and meant, and when.
    pub(super) fn take_if(
        &mut self,
        until: Timestamp,
        is_meant: impl Fn(&Happening) -> bool,
    ) -> Option<(Timestamp, Happening)> {
        let Reverse((at, _, place)) = *self.keys.peek()?;
        let next = self.happenings.get(place)?.as_ref();
        next.filter(|next| at <= until && is_meant(next))?;
        self.keys.pop();
        self.free.push(place);
        Some((at, self.happenings[place].take()?))
    }
}
