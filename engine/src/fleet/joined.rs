//! Where the last host went that joined, so that the next one of the same labels goes there without a look at
//! every cell: fleets begin by thousands of such hosts.

use super::gather::Spread;
use crate::{id::CellId, inventory::Labels};

/// Where it went. Nothing: it is not known, or something has happened since that may matter.
#[derive(Debug, Clone, Default)]
pub(super) struct Joined(Option<Last>);

#[derive(Debug, Clone)]
struct Last {
    labels: Labels,
    cell: CellId,
    /// How its group is spread, with it.
    spread: Spread,
}

impl Joined {
    /// Where the last host of these labels went.
    pub(super) fn of(&self, labels: &Labels) -> Option<&CellId> {
        let last = self.0.as_ref().filter(|last| last.labels == *labels)?;
        Some(&last.cell)
    }

    /// How the group of the last host is spread, where one more of these labels has joined it in this cell.
    pub(super) fn take(&mut self, labels: &Labels, cell: &CellId) -> Option<Spread> {
        let last = self.0.take();
        let last = last.filter(|last| last.cell == *cell && last.labels == *labels)?;
        Some(last.spread)
    }

    /// Takes note of where a host went.
    pub(super) fn note(&mut self, labels: &Labels, cell: &CellId, spread: Spread) {
        let (labels, cell) = (labels.clone(), cell.clone());
        self.0 = Some(Last {
            labels,
            cell,
            spread,
        });
    }

    /// Something happened that may matter.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}
