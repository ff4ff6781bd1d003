//! The order in which the cells of a wave open.
//!
//! A wave opens in turns, one after the other. In a turn regions go side by side, each as a chain:
//! zone after zone. The cells of a zone open side by side. So of a region at most one zone is being
//! worked on, and a fault that only one region shows stays in it:
//!
//! ```text
//! turn 1        turn 2                  turn 3
//! small: a, b | large: a, b, c (each | eu: a, b   side by side with
//!             |   when the one before|  us: a, b, c
//!             |   is over and baked) |  ap: a
//! ```

use super::{
    region::{RegionOrder, Regions},
    selected::Common,
};
use crate::id::CellId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The order in which the cells of a wave open. No cell is in it twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Opening {
    /// Turns: each begins when every cell of the one before is over.
    pub turns: Vec<Turn>,
}

/// A turn of an opening. Not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its regions, which go side by side.
    pub chains: Vec<Chain>,
}

/// The cells of a region in a turn; where a wave has no order, all its cells. Not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Its zones: the cells of one open side by side, when every cell of the one before is over.
    pub zones: Vec<Vec<CellId>>,
}

/// An opening as it is stored: before there were turns, groups of cells were, one after the other.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Groups(Vec<Vec<CellId>>),
    Turns { turns: Vec<Turn> },
}

impl From<Stored> for Opening {
    fn from(stored: Stored) -> Self {
        let turns = match stored {
            Stored::Turns { turns } => turns,
            Stored::Groups(groups) => groups.into_iter().map(Turn::of_one).collect(),
        };
        Self { turns }
    }
}

impl Opening {
    /// The opening of a wave; `firsts` are of the first host of each cell's slice, rarest first, and
    /// within a zone that order stays.
    pub(super) fn of(
        firsts: &[&Common<'_>],
        regions: &Regions<'_>,
        order: &RegionOrder<'_>,
    ) -> Self {
        let turns = match order {
            RegionOrder::None if firsts.is_empty() => Vec::new(),
            RegionOrder::None => {
                let cells = firsts.iter().map(|host| host.cell.clone());
                vec![Turn::of_one(cells.collect())]
            }
            RegionOrder::Turns(turns) => {
                let turns = turns.iter().map(|turn| {
                    let chains = turn.iter().filter_map(|r| Chain::of(r, firsts, regions));
                    Turn {
                        chains: chains.collect(),
                    }
                });
                turns.filter(|turn| !turn.chains.is_empty()).collect()
            }
        };
        Self { turns }
    }

    /// Takes in a cell, if it is not there: at the end, in a turn of its own, or beside cells of its
    /// zone that are by themselves.
    pub(super) fn add(&mut self, cell: &CellId) {
        if self.cells().any(|known| known == cell) {
            return;
        }
        let is_kin = |other: &CellId| zone_of(other) == zone_of(cell);
        let kin = self.turns.iter_mut().find(|turn| turn.cells().all(is_kin));
        let zones = kin.and_then(|turn| turn.chains.last_mut());
        match zones.and_then(|chain| chain.zones.last_mut()) {
            Some(zone) => zone.push(cell.clone()),
            None => self.turns.push(Turn::of_one(vec![cell.clone()])),
        }
    }

    /// Every cell, in order of turns, regions and zones.
    pub fn cells(&self) -> impl Iterator<Item = &CellId> {
        self.turns.iter().flat_map(Turn::cells)
    }
}

impl Turn {
    /// A turn of cells that all open side by side.
    pub(super) fn of_one(cells: Vec<CellId>) -> Self {
        Self {
            chains: vec![Chain { zones: vec![cells] }],
        }
    }

    /// Every cell of the turn.
    pub fn cells(&self) -> impl Iterator<Item = &CellId> {
        self.chains.iter().flat_map(Chain::cells)
    }
}

impl Chain {
    /// The zones of a region. Nothing when the wave has no cell there.
    fn of(region: &str, firsts: &[&Common<'_>], regions: &Regions<'_>) -> Option<Self> {
        let mut zones: BTreeMap<_, Vec<CellId>> = BTreeMap::new();
        for Common { home, cell, .. } in firsts.iter().filter(|f| f.home.region == region) {
            let rank = regions.zone_rank(home.region, home.zone);
            zones.entry(rank).or_default().push((*cell).clone());
        }
        let zones: Vec<_> = zones.into_values().collect();
        (!zones.is_empty()).then_some(Self { zones })
    }

    /// Every cell of the chain.
    pub fn cells(&self) -> impl Iterator<Item = &CellId> {
        self.zones.iter().flatten()
    }
}

/// What the names of the cells of one zone have in common.
fn zone_of(cell: &CellId) -> &str {
    let name = cell.as_str();
    name.rsplit_once('-').map_or(name, |(zone, _)| zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns of one zone each: cells by spaces, turns by bars.
    fn opening(text: &str) -> Opening {
        let turns = text.split(" | ").filter(|turn| !turn.is_empty());
        let turns = turns.map(|turn| {
            let cells = turn.split(' ').map(|cell| CellId::new(cell).unwrap());
            Turn::of_one(cells.collect())
        });
        Opening {
            turns: turns.collect(),
        }
    }

    #[test]
    fn a_cell_comes_last_and_beside_none_but_those_of_its_zone() {
        for (before, cell, after) in [
            ("", "r-a-1", "r-a-1"),
            ("r-a-1 | r-b-1", "r-a-1", "r-a-1 | r-b-1"),
            ("r-a-1 | r-b-1", "r-a-12", "r-a-1 r-a-12 | r-b-1"),
            ("r-a-1", "r-b-1", "r-a-1 | r-b-1"),
            ("r-a-1 r-b-1", "r-b-2", "r-a-1 r-b-1 | r-b-2"),
        ] {
            let mut added = opening(before);
            added.add(&CellId::new(cell).unwrap());
            assert_eq!(added, opening(after), "{before} and {cell}");
        }
    }
}
