//! The cells of a fleet, and which of them may have changed lately, so that who asks again and again goes
//! through no others.

use crate::{by_name::ByName, cell::Cell, id::CellId, kept::Aside};
use serde::{Deserialize, Serialize};
use std::ops::Deref;

/// The most names of changed cells that are kept: who asks again has asked long before there are so many
/// (guess).
const MOST: usize = 4096;

/// The cells of a fleet, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct KnownCells {
    by_name: ByName<CellId, Cell>,
    #[serde(skip)]
    touched: Aside<Touched>,
}

impl KnownCells {
    /// A cell, which may change.
    pub(super) fn get_mut(&mut self, name: &CellId) -> Option<&mut Cell> {
        let cell = self.by_name.get_mut(name)?;
        self.touched.note(cell.id());
        Some(cell)
    }

    /// A cell, which may change and is made where it is not there.
    pub(super) fn get_or_make(&mut self, name: &CellId, made: impl FnOnce() -> Cell) -> &mut Cell {
        if !self.by_name.contains_key(name) {
            self.touched.forget();
        }
        self.touched.note(name);
        self.by_name.get_or_make(name, made)
    }

    /// Puts a cell there.
    pub(super) fn insert(&mut self, name: CellId, cell: Cell) {
        self.touched.forget();
        self.by_name.insert(name, cell);
    }

    /// Takes a cell away.
    pub(super) fn remove(&mut self, name: &CellId) -> Option<Cell> {
        self.touched.forget();
        self.by_name.remove(name)
    }

    /// The place after the last change, for who asks again.
    pub(super) fn changes(&self) -> u64 {
        self.touched.end()
    }

    /// The cells that may have changed since such a place, some of them more than once. Nothing: any may.
    pub(super) fn changed_since(&self, place: u64) -> Option<&[CellId]> {
        let skipped = place.checked_sub(self.touched.first)?;
        self.touched.names.get(usize::try_from(skipped).ok()?..)
    }
}

impl Deref for KnownCells {
    type Target = ByName<CellId, Cell>;

    fn deref(&self) -> &Self::Target {
        &self.by_name
    }
}

/// The names of cells that may have changed, in that order.
#[derive(Debug, Clone, Default)]
struct Touched {
    /// The place of the first of them, counted from the first change of all.
    first: u64,
    names: Vec<CellId>,
}

impl Touched {
    fn note(&mut self, name: &CellId) {
        if self.names.len() == MOST {
            // Who asked lately still finds what it has not taken in.
            self.first += (MOST / 2) as u64;
            self.names.drain(..MOST / 2);
        }
        self.names.push(name.clone());
    }

    /// Any may have changed.
    fn forget(&mut self) {
        self.first = self.end() + 1;
        self.names.clear();
    }

    fn end(&self) -> u64 {
        self.first + self.names.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_again_and_again_finds_every_change_however_many_there_were() {
        let mut touched = Touched::default();
        let names = ["a", "b", "c"].map(|name| CellId::new(name).unwrap());
        for _ in 0..3 * MOST {
            let place = touched.end();
            names.iter().for_each(|name| touched.note(name));
            let skipped = usize::try_from(place - touched.first).unwrap();
            assert_eq!(touched.names[skipped..], names);
        }
    }
}
