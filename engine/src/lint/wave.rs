//! Waves that never take everybody.

use super::Findings;
use crate::{
    share::Share,
    spec::{Spec, WaveSize},
};

/// Shares that end below all. How far sizes in hosts and cells go, only a fleet can tell.
pub(super) fn never_all(spec: &Spec, found: &mut Findings<'_>) {
    let mut shares = Vec::new();
    for wave in spec.waves() {
        match wave.size {
            WaveSize::To(share) => shares.push(share),
            WaveSize::Hosts(_) | WaveSize::CellsPerRegion(_) => return,
        }
    }
    if shares.contains(&Share::ALL) {
        return;
    }
    let last = spec.waves().len().saturating_sub(1);
    let name = spec.waves().last().map(|wave| wave.name.to_string());
    found.warn(
        "wave",
        &format!("wave[{last}].to"),
        format!(
            "no wave goes to 100%: after wave {} the other hosts stay as they are; add a wave with to = \"100%\", or narrow select",
            name.unwrap_or_default()
        ),
    );
}
