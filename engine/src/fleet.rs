//! The whole state of one process: the rollouts of its control plane and the cells of its region.
//!
//! Where control plane and region are one process, what one tells the other is applied here in the
//! same breath. Where they are two, each has its part ([`Form`]), and a link carries the rest.

mod allot;
mod alone;
mod amend;
mod apply;
mod asked;
mod begin;
mod census;
mod changed;
mod concern;
mod conflict;
mod cord;
mod decide;
mod deny;
mod depend;
mod error;
mod event;
mod explain;
mod form;
mod gather;
#[cfg(test)]
pub(crate) mod homed;
mod joined;
mod known_cells;
mod late;
mod link;
mod memory;
mod place;
mod preview;
mod put;
mod reserve;
mod retry;
mod route;
mod seal;
mod silence;
mod supersede;
mod terms;
mod together;

pub use cord::{CordReach, NotTold};
pub use decide::FleetDecision;
pub use error::FleetError;
pub use event::{FleetCommand, FleetEvent};
pub use form::Form;
pub use link::{Copy, Has, LinkEvent, News, TakenIn, Told};
pub use memory::Memory;
pub use preview::{NotTakenBack, RollbackPreview};

use self::{
    joined::Joined,
    known_cells::KnownCells,
    link::{Links, Uplink},
};
use crate::{
    by_name::{ByHost, ByName},
    calendar::Declared,
    cell::{Cell, Member},
    cord::Cord,
    denial::Denials,
    digest::Digest,
    id::{CellId, HostId, Incarnation, OwnerEpoch, RolloutId},
    inventory::{Host, PackageSet},
    kept::Aside,
    policy::CELL_SIZE,
    rollout::Rollout,
    services::Services,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Rollouts, cells, hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fleet {
    epoch: OwnerEpoch,
    rollouts: BTreeMap<RolloutId, Rollout>,
    cells: KnownCells,
    homes: ByHost<CellId>,
    /// A host of each group that is in several cells and would fit one.
    #[serde(default)]
    apart: BTreeSet<HostId>,
    /// Cells that are not heard of, each since when.
    #[serde(default)]
    silent: BTreeMap<CellId, Timestamp>,
    /// How often it changed beside its cells.
    #[serde(default)]
    changes: Changes,
    /// When nothing may be started. Absent: nobody ever said.
    #[serde(default)]
    calendar: Option<Declared>,
    /// The cord that was pulled at this process. Absent: none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cord: Option<Cord>,
    package_sets: BTreeMap<Digest, PackageSet>,
    /// Parts of package sets that are not whole yet, by digest and number.
    package_parts: BTreeMap<Digest, BTreeMap<u32, PackageSet>>,
    #[serde(default)]
    services: Services,
    /// Bits that are not installed again.
    #[serde(default)]
    denials: Denials,
    /// The most hosts of a new cell. Absent: [`CELL_SIZE`].
    #[serde(default)]
    cell_size: Option<usize>,
    /// Which part of the fleet this is.
    #[serde(default, skip_serializing_if = "Form::is_whole")]
    form: Form,
    /// Which store of a part this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store: Option<Incarnation>,
    /// Of a region: what names the boot in which it was started last. Absent: it never said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
    /// Of a control plane: its links to regions.
    #[serde(default, skip_serializing_if = "Links::is_empty")]
    links: Links,
    /// Of a region: its link to the control plane.
    #[serde(default, skip_serializing_if = "Uplink::is_empty")]
    uplink: Uplink,
    /// Where the last host went that joined.
    #[serde(skip)]
    joined: Aside<Joined>,
}

/// How often something changed that a machine's decision may depend on, beside what cells count
/// themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Changes {
    /// A rollout.
    rollouts: u64,
    /// Anything else: which cells there are, who is in them, what all are told.
    others: u64,
}

impl Fleet {
    /// An empty fleet whose cells take at most so many hosts. At least 1.
    pub fn with_cells_of(size: usize) -> Self {
        Self {
            cell_size: (size != CELL_SIZE).then_some(size.max(1)),
            ..Self::default()
        }
    }

    /// The most hosts that a cell takes.
    pub fn cell_size(&self) -> usize {
        self.cell_size.unwrap_or(CELL_SIZE)
    }

    /// Of a region: what names the boot in which it was started last. Absent: it never said.
    pub fn boot(&self) -> Option<&str> {
        self.boot.as_deref()
    }

    /// The epoch of the present owner. 0 before the first.
    pub fn epoch(&self) -> OwnerEpoch {
        self.epoch
    }

    /// All rollouts, over or not, by name.
    pub fn rollouts(&self) -> &BTreeMap<RolloutId, Rollout> {
        &self.rollouts
    }

    /// All cells.
    pub fn cells(&self) -> &ByName<CellId, Cell> {
        &self.cells
    }

    /// Cells that are not heard of, each since when.
    pub fn silent(&self) -> &BTreeMap<CellId, Timestamp> {
        &self.silent
    }

    /// The freeze calendar, and who declared it. Nothing while nobody has.
    pub fn calendar(&self) -> Option<&Declared> {
        self.calendar.as_ref()
    }

    /// The hosts of all cells, with what they last said of themselves.
    pub fn inventory(&self) -> BTreeMap<HostId, Host> {
        let members = self.cells.values().flat_map(|cell| cell.members());
        members
            .map(|(host, member)| (host.clone(), member.host.clone()))
            .collect()
    }

    /// Which cell each host is in.
    pub fn homes(&self) -> &ByHost<CellId> {
        &self.homes
    }

    /// The package sets of all hosts, by digest.
    pub fn package_sets(&self) -> &BTreeMap<Digest, PackageSet> {
        &self.package_sets
    }

    /// The declared services. Empty: nobody declared any.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The hosts that are out and nobody is at work on.
    pub fn casualties(&self) -> BTreeSet<HostId> {
        let entries = self.cells.values().flat_map(|cell| cell.ledger().entries());
        let lost = entries.filter(|(_, entry)| entry.is_casualty());
        lost.map(|(host, _)| host.clone()).collect()
    }

    /// The hosts that could not be started now, however long they were waited for: not connected, not in
    /// service by their own word, or out.
    pub fn unready(&self) -> BTreeSet<HostId> {
        let members = self.cells.values().flat_map(|cell| cell.members().values());
        let unready = members.filter(|member| !member.is_connected() || !member.in_service);
        let unready = unready.map(|member| member.host.id.clone());
        unready.chain(self.casualties()).collect()
    }

    /// The first rollout, by name, that is being taken back and wants a host for that still.
    pub fn wanted_back(&self, host: &HostId) -> Option<&RolloutId> {
        let mut rollouts = self.rollouts.iter();
        rollouts
            .find(|(_, rollout)| rollout.wants_back(host))
            .map(|(name, _)| name)
    }

    /// A host and the cell that it is in.
    pub fn host(&self, host: &HostId) -> Option<(&Cell, &Member)> {
        let cell = self.cells.get(self.homes.get(host)?)?;
        Some((cell, cell.members().get(host)?))
    }
}
