//! Which host is in which cell.
//!
//! A cell is at most [`CELL_SIZE`] hosts of one zone. Hosts of a service in a zone stand in for
//! each other, so they are packed into one cell where they fit; a host that has a cell keeps it,
//! since the cell's ledger knows it, unless its whole group comes together elsewhere.

mod join;
#[cfg(test)]
mod tests;

pub use join::{Occupied, are_kin, group, join, together};

use crate::{
    by_name::ByHost,
    id::{CellId, HostId, NameError},
    inventory::{Host, REGION, SERVICE, ZONE},
    policy::CELL_SIZE,
};
use std::collections::{BTreeMap, BTreeSet};

/// Hosts that belong to no cell, each with why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} hosts belong to no cell; {}", .0.len(), first(.0))]
pub struct Unplaced(pub BTreeMap<HostId, UnplacedReason>);

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

fn first(unplaced: &BTreeMap<HostId, UnplacedReason>) -> String {
    unplaced
        .first_key_value()
        .map_or_else(String::new, |(host, reason)| format!("{host}: {reason}"))
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
    let place = Place::of(host).map(|(place, _)| place);
    move |cell| {
        place
            .as_ref()
            .is_ok_and(|place| place.number_of(cell).is_some())
    }
}

/// What the names of all cells of a host's region and zone begin with: two places whose cells may have the
/// same name are one by it. Nothing where it can be in no cell.
pub fn names_of_place(host: &Host) -> Option<String> {
    let (place, _) = Place::of(host).ok()?;
    Some(format!("{}-{}-", place.region, place.zone))
}

/// Gives every host a cell, the same for the same hosts in any order.
///
/// A host keeps its cell of `existing` while that is a cell of its region and zone. Others are put
/// where their service is, as far as there is room; then, whole services together, into the first
/// cell of their zone with room for all of them; then into new cells.
///
/// # Errors
/// [`Unplaced`] when some hosts can be in no cell; see [`unplaceable`] to leave those out before.
pub fn assign(existing: &ByHost<CellId>, hosts: &[&Host]) -> Result<ByHost<CellId>, Unplaced> {
    let mut unplaced = BTreeMap::new();
    let mut places: BTreeMap<Place<'_>, BTreeMap<&HostId, &str>> = BTreeMap::new();
    for host in hosts {
        match Place::of(host) {
            Ok((place, service)) => {
                places.entry(place).or_default().insert(&host.id, service);
            }
            Err(reason) => {
                unplaced.insert(host.id.clone(), reason);
            }
        }
    }
    if !unplaced.is_empty() {
        return Err(Unplaced(unplaced));
    }
    let mut taken: BTreeSet<CellId> = existing.values().cloned().collect();
    let mut owners = BTreeMap::new();
    let mut cells = BTreeMap::new();
    for (place, hosts) in places {
        let mut packing = Packing::new(&place, &mut taken);
        packing.keep(existing, &hosts, &mut owners);
        packing.pack(&hosts);
        cells.extend(packing.assigned);
    }
    Ok(cells.into_iter().collect())
}

/// A zone of a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'h> {
    region: &'h str,
    zone: &'h str,
}

impl<'h> Place<'h> {
    /// Where a host is, and its service.
    fn of(host: &'h Host) -> Result<(Self, &'h str), UnplacedReason> {
        let value = |label| {
            host.value(label)
                .filter(|value| !value.is_empty())
                .ok_or(UnplacedReason::NoLabel { label })
        };
        let place = Self {
            region: value(REGION)?,
            zone: value(ZONE)?,
        };
        let service = value(SERVICE)?;
        // The longest number that a cell of this place can ever have.
        place.cell(usize::MAX).map_err(UnplacedReason::Name)?;
        Ok((place, service))
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

/// The cells of one place while hosts are put into them.
struct Packing<'h, 't> {
    place: &'t Place<'h>,
    /// Names that are in use anywhere: two places may make the same one.
    taken: &'t mut BTreeSet<CellId>,
    /// The cells by number, each with its members by service.
    cells: BTreeMap<usize, BTreeMap<&'h str, usize>>,
    assigned: BTreeMap<HostId, CellId>,
}

impl<'h, 't> Packing<'h, 't> {
    fn new(place: &'t Place<'h>, taken: &'t mut BTreeSet<CellId>) -> Self {
        Self {
            place,
            taken,
            cells: BTreeMap::new(),
            assigned: BTreeMap::new(),
        }
    }

    /// Leaves hosts in the cells that they have. A cell whose name two places could have made
    /// belongs to the first.
    fn keep(
        &mut self,
        existing: &ByHost<CellId>,
        hosts: &BTreeMap<&HostId, &'h str>,
        owners: &mut BTreeMap<CellId, Place<'h>>,
    ) {
        for (host, service) in hosts {
            let Some(cell) = existing.get(host) else {
                continue;
            };
            let Some(number) = self.place.number_of(cell) else {
                continue;
            };
            let owner = owners
                .entry(cell.clone())
                .or_insert_with(|| self.place.clone());
            if owner == self.place && self.room(number) > 0 {
                self.put(host, number, service);
            }
        }
    }

    /// Puts the hosts without a cell into cells, the largest services first.
    fn pack(&mut self, hosts: &BTreeMap<&HostId, &'h str>) {
        let mut services: BTreeMap<&'h str, Vec<&HostId>> = BTreeMap::new();
        for (host, service) in hosts {
            if !self.assigned.contains_key(*host) {
                services.entry(service).or_default().push(host);
            }
        }
        let mut services: Vec<_> = services.into_iter().collect();
        services.sort_by_key(|(service, hosts)| (usize::MAX - hosts.len(), *service));
        for (service, hosts) in services {
            self.pack_service(service, &hosts);
        }
    }

    fn pack_service(&mut self, service: &'h str, mut hosts: &[&HostId]) {
        while !hosts.is_empty() {
            let number = self.cell_for(service, hosts.len());
            let (fitting, rest) = hosts.split_at(self.room(number).min(hosts.len()));
            for host in fitting {
                self.put(host, number, service);
            }
            hosts = rest;
        }
    }

    /// The cell where hosts of a service go next: where most of it is already, else the first with
    /// room for all that are left, else a new one.
    fn cell_for(&mut self, service: &str, left: usize) -> usize {
        let with_room = || self.cells.keys().filter(|number| self.room(**number) > 0);
        let members = |number: usize| self.cells[&number].get(service).copied();
        let home = with_room()
            .filter(|number| members(**number).is_some())
            .max_by_key(|number| (members(**number), usize::MAX - **number));
        let fitting = || with_room().find(|number| self.room(**number) >= left);
        home.or_else(fitting)
            .copied()
            .unwrap_or_else(|| self.open())
    }

    /// A new cell, under the first number that no cell has.
    fn open(&mut self) -> usize {
        let number = (1..)
            .find(|number| !self.taken.contains(&self.name(*number)))
            .expect("a finite set lacks some number");
        self.taken.insert(self.name(number));
        self.cells.insert(number, BTreeMap::new());
        number
    }

    fn put(&mut self, host: &HostId, number: usize, service: &'h str) {
        self.assigned.insert(host.clone(), self.name(number));
        let members = self.cells.entry(number).or_default();
        *members.entry(service).or_default() += 1;
    }

    fn room(&self, number: usize) -> usize {
        let members: usize = self
            .cells
            .get(&number)
            .map_or(0, |services| services.values().sum());
        CELL_SIZE.saturating_sub(members)
    }

    fn name(&self, number: usize) -> CellId {
        self.place
            .cell(number)
            .expect("a place whose longest cell name is good makes good names")
    }
}
