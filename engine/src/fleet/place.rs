//! Which cell a new host goes to.

use super::{Fleet, FleetError};
use crate::{
    cell::Cell,
    cells::{self, Occupied},
    id::CellId,
    inventory::{Host, SERVICE},
};

impl Fleet {
    /// The cell of a host: the one that it is in, else the one that it joins.
    pub(super) fn place(&self, host: &Host) -> Result<CellId, FleetError> {
        if let Some(home) = self.homes.get(&host.id) {
            return Ok(home.clone());
        }
        cells::join(host, self.cells.values(), self.cell_size()).map_err(|source| {
            FleetError::Unplaced {
                host: host.id.clone(),
                source,
            }
        })
    }
}

impl Occupied for Cell {
    fn id(&self) -> &CellId {
        self.id()
    }

    fn size(&self) -> usize {
        self.members().len()
    }

    fn serves(&self, service: &str) -> bool {
        let mut hosts = self.members().values().map(|member| &member.host);
        hosts.any(|host| host.value(SERVICE) == Some(service))
    }
}
