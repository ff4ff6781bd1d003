//! Where the last host went that joined, so that the next one of the same labels goes there without a look at
//! every cell: fleets begin by thousands of such hosts.

use crate::{id::CellId, inventory::Labels};

/// Where it went. Nothing: it is not known, or something has happened since that may matter.
#[derive(Debug, Clone, Default)]
pub(super) struct Joined(Option<Last>);

#[derive(Debug, Clone)]
struct Last {
    labels: Labels,
    cell: CellId,
    /// Whether its group cannot come to be in several cells that it would fit one of by growing in that cell.
    stays: bool,
}

impl Joined {
    /// Where the last host of these labels went.
    pub(super) fn of(&self, labels: &Labels) -> Option<&CellId> {
        let last = self.0.as_ref().filter(|last| last.labels == *labels)?;
        Some(&last.cell)
    }

    /// Whether one more of the last host's group in its cell is no news for how groups are spread.
    pub(super) fn stays(&self, labels: &Labels, cell: &CellId) -> bool {
        let last = self.0.as_ref();
        last.is_some_and(|last| last.stays && last.cell == *cell && last.labels == *labels)
    }

    /// Takes note of where a host went.
    pub(super) fn note(&mut self, labels: &Labels, cell: &CellId, stays: bool) {
        let (labels, cell) = (labels.clone(), cell.clone());
        self.0 = Some(Last {
            labels,
            cell,
            stays,
        });
    }

    /// Something happened that may matter.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}
