//! Which host is in which cell.
//!
//! A cell is at most [`CELL_SIZE`](crate::policy::CELL_SIZE) hosts of one zone. Hosts of a service in a zone stand in for
//! each other, so they are packed into one cell where they fit; a host that has a cell keeps it,
//! since the cell's ledger knows it, unless its whole group comes together elsewhere.

mod join;
#[cfg(test)]
mod tests;

pub use join::{Occupied, are_kin, group, join, together};

use crate::{
    id::{CellId, NameError},
    inventory::{Host, REGION, SERVICE, ZONE},
};

/// Why a host belongs to no cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnplacedReason {
    /// It lacks a label that decides its cell or its capacity group.
    #[error("it has no label `{label}`; give it one where it is enrolled")]
    NoLabel {
        /// The label.
        label: &'static str,
    },
    /// Its region and zone make no name for a cell.
    #[error("its region and zone make no name for a cell: {0}")]
    Name(NameError),
}

/// Why a host can be in no cell. Nothing when it can.
pub fn unplaceable(host: &Host) -> Option<UnplacedReason> {
    Place::of(host).err()
}

/// Whether a cell is of the region and zone that a host's labels say. A host keeps its cell while
/// its ledger or a live rollout knows it there, so one that moved is in a cell of its old place.
pub fn is_of_place(host: &Host, cell: &CellId) -> bool {
    of_place(host)(cell)
}

/// Which cells are of the region and zone that a host's labels say.
pub fn of_place(host: &Host) -> impl Fn(&CellId) -> bool {
    let place = Place::of(host);
    move |cell| {
        place
            .as_ref()
            .is_ok_and(|place| place.number_of(cell).is_some())
    }
}

/// What the names of all cells of a host's region and zone begin with: two places whose cells may have the
/// same name are one by it. Nothing where it can be in no cell.
pub fn names_of_place(host: &Host) -> Option<String> {
    let place = Place::of(host).ok()?;
    Some(format!("{}-{}-", place.region, place.zone))
}

/// A zone of a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'h> {
    region: &'h str,
    zone: &'h str,
}

impl<'h> Place<'h> {
    /// Where a host is that can be in a cell.
    fn of(host: &'h Host) -> Result<Self, UnplacedReason> {
        let value = |label| {
            host.value(label)
                .filter(|value| !value.is_empty())
                .ok_or(UnplacedReason::NoLabel { label })
        };
        let place = Self {
            region: value(REGION)?,
            zone: value(ZONE)?,
        };
        value(SERVICE)?;
        // The longest number that a cell of this place can ever have.
        place.cell(usize::MAX).map_err(UnplacedReason::Name)?;
        Ok(place)
    }

    fn cell(&self, number: usize) -> Result<CellId, NameError> {
        CellId::new(format!("{}-{}-{number}", self.region, self.zone))
    }

    /// The number of one of its cells. Nothing when the name is not of this place.
    fn number_of(&self, cell: &CellId) -> Option<usize> {
        let rest = cell.as_str().strip_prefix(self.region)?;
        let rest = rest.strip_prefix('-')?.strip_prefix(self.zone)?;
        let number = rest.strip_prefix('-')?;
        // As it is written in a name: without a sign, and without zeros before it.
        let is_plain = number == "0" || number.starts_with(|first| matches!(first, '1'..='9'));
        number.parse().ok().filter(|_| is_plain)
    }
}
