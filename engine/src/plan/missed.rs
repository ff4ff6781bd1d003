//! Hosts that their wave went on without: how they get into a later one.

use super::{Plan, PlannedWave};
use crate::id::{HostId, WaveIndex};

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
