//! Hosts that their wave went on without: how they get into a later one.

use super::{Opening, Plan, PlannedWave, Turn};
use crate::id::{CellId, HostId, WaveIndex};

impl Plan {
    /// Moves a host into a later wave, behind the others of its cell there.
    pub(crate) fn move_into(&mut self, wave: WaveIndex, host: &HostId) {
        let Some(planned) = self.hosts.get_mut(host) else {
            return;
        };
        let cell = planned.cell.clone();
        let before = std::mem::replace(&mut planned.wave, wave);
        if let Some(wave) = self.wave_mut(before) {
            wave.order.remove(host);
            if let Some(slice) = wave.slices.get_mut(&cell) {
                slice.retain(|other| other != host);
            }
        }
        if let Some(wave) = self.wave_mut(wave) {
            wave.add(&cell, host);
        }
    }

    fn wave_mut(&mut self, wave: WaveIndex) -> Option<&mut PlannedWave> {
        self.waves.get_mut(usize::try_from(wave.0).ok()?)
    }
}

impl PlannedWave {
    /// Takes in one more host of a cell.
    pub(super) fn add(&mut self, cell: &CellId, host: &HostId) {
        let slice = self.slices.entry(cell.clone()).or_default();
        slice.push(host.clone());
        self.opening.add(cell);
    }
}

impl Opening {
    /// Takes in a cell, if it is not there: at the end, in a turn of its own, or beside cells of its
    /// zone that are by themselves.
    fn add(&mut self, cell: &CellId) {
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
