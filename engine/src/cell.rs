//! The coordinator's machine: one cell, its hosts, its ledger, and what rollouts do in it.
//!
//! Inputs are [`CellEvent`]s: what hosts and the control plane said, and the cell's own recorded
//! decisions. [`Cell::decide`] returns commands, holds and the next wake-up; the shell records each
//! command's event before it carries the command out, so a cell that is replayed from its events
//! is the cell that decided.
//!
//! A host's [`Job`] in a rollout goes round like this, and each arrow has a deadline:
//!
//! ```text
//!            +--------- undone, cancelled, passing failure ---------+
//!            v                                                      |
//!  (granted) Waiting --order--> Active{claim, drain, apply, ...} ---+--> Over(outcome)
//!            |                     silent past its deadline --------+
//!            +---- unreachable, cannot be staged -------------------+
//! ```

mod agenda;
mod apart;
mod apply;
mod arrival;
mod brake;
mod candidate;
mod cord;
mod decide;
mod deny;
mod ending;
mod event;
mod except;
mod freeze;
mod groups;
mod held;
mod held_long;
mod held_warrant;
mod job;
mod late;
mod leave;
mod line;
mod lost_room;
mod member;
mod moving;
mod order;
mod orders;
mod patience;
mod permit;
mod presence;
mod report;
mod reserve;
mod retry;
mod skim;
mod slow;
mod slow_down;
mod so_far;
mod stage;
mod start;
mod tend;
mod turn;
mod unrest;
mod window;
mod work;
mod zone_trouble;

pub use apart::AtWork;
pub(crate) use decide::Ask;
pub use decide::CellDecision;
pub use event::{CellCommand, CellError, CellEvent};
pub use groups::Lacking;
pub(crate) use groups::{GroupView, Groups};
pub use held_warrant::HeldWarrant;
pub use job::{Active, Again, GivenUp, Job, JobState, Staging};
pub use member::{Hello, LeftBehind, Link, Member};
pub use slow::RunningMean;
pub use slow_down::SlowDown;
pub use work::Work;
pub use zone_trouble::Troubled;
pub(crate) use zone_trouble::ZoneCounts;

use crate::{
    allotment::Allotment,
    by_name::ByHost,
    calendar::Calendar,
    cord::Cord,
    denial::Denials,
    id::{CellId, HostId, OwnerEpoch, RolloutId},
    kept::Revision,
    ledger::Ledger,
    policy::Deadlines,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// One cell: the hosts, the ledger, and each rollout's work in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    id: CellId,
    epoch: OwnerEpoch,
    owner_since: Timestamp,
    members: ByHost<Member>,
    ledger: Ledger,
    work: BTreeMap<RolloutId, Work>,
    /// What is denied to its hosts.
    #[serde(default)]
    denials: Denials,
    /// When nothing may be started, as the control plane last said.
    #[serde(default)]
    calendar: Calendar,
    /// The cord that is pulled, as it was last told. Absent: none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cord: Option<Cord>,
    /// The region's own, where that of the control plane is pulled as well. Absent: it is not, or is the one above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cord_beneath: Option<Cord>,
    #[serde(default)]
    allotment: Allotment,
    #[serde(default)]
    groups: Groups,
    /// How often it has changed.
    #[serde(default)]
    revision: u64,
    /// How often something may have changed that starts depend on.
    #[serde(skip)]
    starts_revision: Revision,
}

impl Cell {
    /// An empty cell under its first owner.
    pub fn new(id: CellId, epoch: OwnerEpoch, now: Timestamp) -> Self {
        Self {
            id,
            epoch,
            owner_since: now,
            members: ByHost::default(),
            ledger: Ledger::default(),
            work: BTreeMap::new(),
            denials: Denials::default(),
            calendar: Calendar::default(),
            cord: None,
            cord_beneath: None,
            allotment: Allotment::default(),
            groups: Groups::default(),
            revision: 0,
            starts_revision: Revision::default(),
        }
    }

    /// The same, with a calendar that was declared before it was made.
    #[must_use]
    pub fn under(mut self, calendar: Calendar) -> Self {
        self.calendar = calendar;
        self
    }

    /// How often it has changed.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// How often something may have changed that starts depend on, beside time and what a cell is told with the
    /// question.
    pub(crate) fn starts_revision(&self) -> u64 {
        self.starts_revision.get()
    }

    /// Its name.
    pub fn id(&self) -> &CellId {
        &self.id
    }

    /// The epoch of its present owner.
    pub fn epoch(&self) -> OwnerEpoch {
        self.epoch
    }

    /// Its hosts.
    pub fn members(&self) -> &ByHost<Member> {
        &self.members
    }

    /// Everything that is out or may be out.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What each rollout does here. A rollout that is over and has no run left is gone.
    pub fn work(&self) -> &BTreeMap<RolloutId, Work> {
        &self.work
    }

    /// What it was last told of groups that reach beyond it.
    pub fn allotment(&self) -> &Allotment {
        &self.allotment
    }

    /// Since when it has its present owner.
    pub fn owner_since(&self) -> Timestamp {
        self.owner_since
    }

    /// Whether a host is out as far as the owner knows: in the ledger, or not heard from.
    ///
    /// After a restart nobody has been heard from yet, so silence counts only once the owner has
    /// settled; until then the cell starts nothing (see [`Cell::settles_until`]).
    pub fn is_out(&self, host: &HostId) -> bool {
        let silent = |member: &Member| matches!(member.link, Link::Silent { .. });
        self.ledger.holds(host) || self.members.get(host).is_some_and(silent)
    }

    /// From when on members that its owner has not heard of count as out for other cells: as soon as the
    /// first of its rollouts waits for them no longer, and by the default at most.
    pub fn settled_at(&self) -> Timestamp {
        let settle = |work: &Work| work.assignment.deadlines.settle;
        let first = self.work.values().map(settle).min();
        let most = Deadlines::default().settle;
        self.owner_since.after(first.unwrap_or(most).min(most))
    }

    /// Until when at most the owner hears from its hosts before it starts more. Nothing once that is over,
    /// or every member has been heard from.
    pub fn settles_until(&self, settle: Duration, now: Timestamp) -> Option<Timestamp> {
        let until = self.owner_since.after(settle);
        let is_awaited = |member: &Member| !member.heard;
        (now < until && self.members.values().any(is_awaited)).then_some(until)
    }
}
