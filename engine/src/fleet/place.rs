//! Which cell a new host goes to, and what a plan says of it since.

use super::{Fleet, FleetError};
use crate::{
    cell::Cell,
    cells::{self, Occupied},
    floor::Group,
    id::{CellId, HostId},
    inventory::{Host, REGION, ZONE},
    plan::Plan,
};

impl Fleet {
    /// The cell of a host: the one that it is in, else the one that it joins.
    pub(super) fn place(&self, host: &Host) -> Result<CellId, FleetError> {
        if let Some(home) = self.homes.get(&host.id) {
            return Ok(home.clone());
        }
        let last = self.joined.of(&host.labels);
        let last = last.and_then(|last| self.cells.get(last));
        if let Some(last) = last.filter(|cell| cell.size() < self.cell_size()) {
            return Ok(last.id().clone());
        }
        // Who hears of a host does not know whether others hear of its cell: a region hears its own.
        let is_open = |cell: &CellId| !self.is_denied_something(cell);
        let cells = self.cells.values();
        cells::join(host, cells, self.cell_size(), is_open).map_err(|source| FleetError::Unplaced {
            host: host.id.clone(),
            source,
        })
    }

    /// Refuses a plan of hosts that have moved to other cells since it was made.
    pub(super) fn check_homes(&self, plan: &Plan) -> Result<(), FleetError> {
        let has_moved = |(host, cell): (&HostId, &CellId)| {
            let home = self.homes.get(host);
            home.is_some_and(|home| home != cell).then(|| host.clone())
        };
        let planned = plan
            .hosts
            .iter()
            .map(|(host, planned)| (host, &planned.cell));
        let hosts: Vec<HostId> = planned.filter_map(has_moved).collect();
        match hosts.is_empty() {
            true => Ok(()),
            false => Err(FleetError::Moved {
                rollout: plan.rollout.clone(),
                hosts,
            }),
        }
    }
}

impl Occupied for Cell {
    fn id(&self) -> &CellId {
        self.id()
    }

    fn size(&self) -> usize {
        self.members().len()
    }

    fn kin(&self, group: &Group) -> usize {
        self.packed_with(group)
    }

    fn is_of_namesake(&self, host: &Host) -> bool {
        // One that moved since is in a cell of its old place.
        let mut members = self.members().values().map(|member| &member.host);
        let member = members.find(|member| cells::is_of_place(member, self.id()));
        member.is_some_and(|member| {
            [REGION, ZONE]
                .iter()
                .any(|label| member.value(label) != host.value(label))
        })
    }
}
