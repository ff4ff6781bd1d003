//! What the first wave was to prove, and did not.

use super::Rollout;
use crate::{id::WaveIndex, stratum::Stratum};
use std::collections::BTreeSet;

impl Rollout {
    /// The strata that have hosts in the first wave, which passed without one of them: they were skipped,
    /// forgotten, set aside or left out. None has passed or failed since. Later waves try one host of each
    /// alone. Empty during the first wave, and once the rollout is over.
    pub fn strata_the_first_wave_passed_without(&self) -> Vec<&Stratum> {
        if self.wave == WaveIndex(0) || !self.is_live() || self.all_proved() {
            return Vec::new();
        }
        let first = self.plan.hosts.values().filter(|p| p.wave == WaveIndex(0));
        let covered: BTreeSet<u32> = first.flat_map(|planned| &planned.strata).copied().collect();
        let failed: BTreeSet<u32> = self
            .failures()
            .flat_map(|(host, _)| self.unproved(host))
            .collect();
        let open = covered.difference(&failed);
        let open = open.filter(|stratum| !self.proved.contains(stratum));
        open.filter_map(|&place| self.stratum(place)).collect()
    }
}
