//! What the control plane and a region tell each other about one cell of one rollout.
//!
//! Down: an [`Assignment`] once (what the rollout is, for this cell), then [`Warrant`]s, each
//! replacing the one before (which hosts may be started, for how long), or a [`Stop`]. Up: a
//! [`Summary`] whenever a host's outcome changed. What goes down is idempotent and ordered by generation, so a
//! link may repeat or drop it; summaries are numbered by the link, which takes each in once and in its order.

mod seal;
mod slice_tree;
mod terms;
#[cfg(test)]
mod tests;

pub use seal::{Seal, WarrantProof};
pub use slice_tree::{Slice, SlicePath, SliceTree};
pub use terms::{CLOCKS_DIFFER, MAX_TERMS_LEN, NotGranted, TermsError, WarrantTerms};

use crate::{
    digest::Digest,
    failure::Failure,
    id::{CellId, Generation, HostId, OperatorId, OwnerEpoch, RolloutId, WaveIndex},
    inventory::Platform,
    order::Direction,
    patch::{
        ConffilePolicies, Content, KernelFallback, LockFile, Patch, RebootPolicy, RestartPolicy,
    },
    policy::{BrakeRule, Deadlines, FloorRule, Health, Pace, Profile, Retry, RollbackPace},
    services::Dependencies,
    share::Share,
    shared::Shared,
    statement::Signed,
    stratum::Delta,
    traffic::TrafficWish,
    window::Window,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A rollout as one cell sees it: fixed from its start to its end, but for hosts that come late and for
/// what its services depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The rollout.
    pub rollout: RolloutId,
    /// The digest of the rollout file and its lock file.
    pub rollout_digest: Digest,
    /// What an operator signed of it, for its hosts. Absent: nobody signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
    /// The cell.
    pub cell: CellId,
    /// Counts how often hosts came late to the cell: a higher one replaces what binds its hosts.
    #[serde(default)]
    pub revision: u64,
    /// The hosts that came late, each with the revision that it came with.
    #[serde(default)]
    pub late: BTreeMap<HostId, u64>,
    /// How carefully the rollout goes: some freezes let it through.
    #[serde(default)]
    pub profile: Profile,
    /// What is changed.
    pub patch: Patch,
    /// The exact bits.
    pub lock: LockFile,
    /// Whether runs may reboot.
    pub reboot: RebootPolicy,
    /// Whether runs restart units that still run what was replaced.
    #[serde(default = "RestartPolicy::of_older")]
    pub restart: RestartPolicy,
    /// How hosts come back from a new kernel that does not boot.
    #[serde(default = "KernelFallback::of_older")]
    pub kernel_fallback: KernelFallback,
    /// What becomes of changed config files of packages.
    #[serde(default, skip_serializing_if = "ConffilePolicies::is_empty")]
    pub conffiles: ConffilePolicies,
    /// Whether a patch without a proved way back is allowed.
    pub one_way: bool,
    /// Whether it takes casualties too: hosts that are out of service by a failed run or by
    /// themselves, and are heard.
    #[serde(default)]
    pub repair: bool,
    /// All selected hosts of the cell: they stage from the start.
    pub hosts: BTreeSet<HostId>,
    /// What the plan assumed that the patch changes on them. A host that is in none may have anything installed:
    /// the patch changes no packages there, or the plan is of a release that did not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deltas: Vec<DeltaAssignment>,
    /// How fast; with the cell's own limit already in `at_once_per_cell`.
    pub pace: Pace,
    /// How long each part may take.
    pub deadlines: Shared<Deadlines>,
    /// When a host counts as healthy.
    pub health: Health,
    /// How traffic leaves hosts and comes back, as far as the rollout says it.
    #[serde(default, skip_serializing_if = "TrafficWish::is_silent")]
    pub traffic: TrafficWish,
    /// Whether and when to try again.
    pub retry: Retry,
    /// How fast it is taken back.
    #[serde(default)]
    pub rollback: RollbackPace,
    /// When the cell stops by itself.
    pub brake: BrakeRule,
    /// The floor of each host that the rollout's limits name, by its rule's place in the file; a
    /// host that is not here has the default floor.
    pub floors: Vec<FloorAssignment>,
    /// The rollout's windows that bind hosts of the cell, in the order of its file. A host that is
    /// in none is started at any time.
    #[serde(default)]
    pub windows: Vec<WindowAssignment>,
    /// The direct dependencies of which one end is a service of the rollout: those two are not
    /// patched at the same moment. As they were declared last.
    #[serde(default)]
    pub dependencies: Dependencies,
}

impl Assignment {
    /// What a host of this platform is to have. Nothing where the lock file leaves it out.
    pub fn content_for(&self, platform: &Platform) -> Option<Content> {
        self.lock.content_for(platform, &self.patch)
    }

    /// The package delta that the plan assumed of one of its hosts. Nothing: it assumed none.
    pub fn delta_of(&self, host: &HostId) -> Option<Delta> {
        let mut deltas = self.deltas.iter();
        deltas.find(|of| of.is_of(host)).map(|of| of.delta)
    }

    /// Assumes another one of a host, which is or becomes one of its hosts.
    pub(crate) fn assume(&mut self, host: &HostId, delta: Option<Delta>) {
        if self.delta_of(host) == delta {
            return;
        }
        for of in &mut self.deltas {
            let hosts = of.hosts.get_or_insert_with(|| self.hosts.clone());
            hosts.remove(host);
        }
        let is_left =
            |of: &DeltaAssignment| of.hosts.as_ref().is_none_or(|hosts| !hosts.is_empty());
        self.deltas.retain(is_left);
        let Some(delta) = delta else {
            return;
        };
        let known = self.deltas.iter_mut().find(|of| of.delta == delta);
        match known.and_then(|of| of.hosts.as_mut()) {
            Some(hosts) => {
                hosts.insert(host.clone());
            }
            None => self.deltas.push(DeltaAssignment {
                delta,
                hosts: Some(BTreeSet::from([host.clone()])),
            }),
        }
    }
}

/// One package delta and the hosts of the cell that have it: another is not patched as one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaAssignment {
    /// The delta.
    pub delta: Delta,
    /// The hosts. Absent: all of the cell's.
    pub hosts: Option<BTreeSet<HostId>>,
}

impl DeltaAssignment {
    fn is_of(&self, host: &HostId) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.contains(host))
    }
}

/// One window and the hosts of the cell that it binds: patches start in it and are drained in it;
/// rollbacks are not bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowAssignment {
    /// The window.
    pub window: Window,
    /// The hosts. Absent: all of the cell's.
    pub hosts: Option<BTreeSet<HostId>>,
}

impl WindowAssignment {
    /// Whether it binds a host.
    pub fn binds(&self, host: &HostId) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.contains(host))
    }
}

/// One floor rule and the hosts of the cell that it binds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloorAssignment {
    /// The rule.
    pub rule: FloorRule,
    /// The hosts.
    pub hosts: BTreeSet<HostId>,
    /// Those of the hosts that may be out although each is alone in its group: somebody approved it.
    #[serde(default)]
    pub lone_hosts: BTreeSet<HostId>,
}

impl FloorAssignment {
    /// Whether a host that is alone may be out once somebody approved it. Where all of a group must
    /// stay, its file says that nobody may.
    pub(crate) fn may_be_approved(&self) -> bool {
        self.rule.min_in_service < Share::ALL
    }
}

/// The leave to start hosts of one slice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warrant {
    /// The rollout.
    pub rollout: RolloutId,
    /// The cell.
    pub cell: CellId,
    /// The wave that `hosts` are the slice of.
    pub wave: WaveIndex,
    /// Replaces every warrant and stop of a lower generation.
    pub generation: Generation,
    /// Forward or back.
    pub direction: Direction,
    /// The hosts that may be started, in the order in which they should be: rarest strata first.
    /// Those of earlier warrants that already ran are among them or not: they are not run again.
    pub hosts: Vec<HostId>,
    /// How long hosts may be started, counted by the region from when it received the warrant.
    pub starts_for: Duration,
    /// The control plane's signature, for the agents of the hosts.
    #[serde(flatten)]
    pub seal: Seal,
}

/// An end to starts in one rollout and cell. Hosts before the point of disruption are cancelled,
/// hosts before apply are undone, hosts past it end safely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The rollout.
    pub rollout: RolloutId,
    /// The cell.
    pub cell: CellId,
    /// Replaces every warrant and stop of a lower generation.
    pub generation: Generation,
    /// Who or what stopped it, and why, for people.
    pub reason: String,
    /// Whether the rollout may go on later.
    pub kind: StopKind,
}

/// Whether a stopped rollout may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopKind {
    /// A new warrant lets it go on.
    Pause,
    /// It is over: the cell forgets it when its last run ended.
    End,
}

/// What changed in one cell of one rollout, told upwards.
///
/// A delta: its cost is what changed, not the size of the cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The rollout.
    pub rollout: RolloutId,
    /// The cell.
    pub cell: CellId,
    /// The owner that says it.
    pub epoch: OwnerEpoch,
    /// Counts the summaries of this cell and rollout from 1, across epochs, and from 1 again where the cell was
    /// assigned the rollout anew. For people: what is taken in goes by the link's own number.
    pub revision: u64,
    /// The newest generation that the cell has taken.
    pub generation: Generation,
    /// The outcomes that changed since the revision before. Hosts that this rollout never took or
    /// left out are in no summary.
    pub changed: BTreeMap<HostId, Outcome>,
    /// What the cell's own brake found, when it has stopped the cell since the revision before.
    pub braked: Option<String>,
}

/// How one host stands in one rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Taken before and not out now: to be tried again, or stopped before its change began.
    Waiting,
    /// Ordered, and not over.
    Running,
    /// Patched, healthy, in service.
    Passed,
    /// Went wrong after the point of disruption; counts for the brake.
    Failed {
        /// What went wrong.
        failure: Failure,
        /// Where the host ended, or is as far as is known.
        end: FailedEnd,
    },
    /// Not reached before the point of disruption, or could not be staged: no failure for the
    /// brake.
    LeftOut {
        /// Why.
        reason: String,
        /// What sort of reason that is.
        #[serde(default)]
        cause: LeftOutCause,
    },
    /// Set aside by an operator before it passed: no failure, and not left out.
    Skipped {
        /// Who set it aside.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
        /// Whether its change may have begun.
        change: Change,
    },
    /// Back at what it had, by an operator's rollback.
    RolledBack,
    /// Deleted from the inventory.
    Gone,
}

/// Why a host was left out: unreachable hosts are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOutCause {
    /// The host was not connected, or not heard of before the point of disruption.
    Unreachable,
    /// Nothing was heard of the host's cell when the rollout ended: what became of the host is not known.
    CellUnknown,
    /// Anything else: it could not be staged, refused, or may not be taken.
    #[default]
    Other,
}

/// Whether the change of a host that was set aside may have begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It has not.
    NotBegun,
    /// It was past the point of disruption and has not been heard of since: a casualty, and nobody
    /// knows what it has.
    Unknown,
}

/// Where a failed host ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailedEnd {
    /// Back at what it had: rolled back, or made anew.
    RolledBack,
    /// Kept out of service, for a person.
    Quarantined,
    /// Not heard of: nobody knows.
    Silent,
}
