//! What can happen to a fleet, and what it can ask its shell to do.

use super::{Form, LinkEvent};
use crate::{
    allotment::Allotment,
    calendar::Calendar,
    cell::{CellCommand, CellEvent, Hello},
    denial::{Named, Place},
    digest::Digest,
    id::{CellId, HostId, Incarnation, OperatorId, OwnerEpoch, RolloutId},
    inventory::PackageSet,
    order::Order,
    plan::Plan,
    rollout::{RolloutCommand, RolloutEvent},
    services::Services,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};

/// What happened to a fleet. The store keeps these, in order; applied again they give the same
/// fleet.
///
/// An event may be large (a plan names every host), so the store splits what is above its limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fleet", rename_all = "kebab-case")]
pub enum FleetEvent {
    /// A process became the owner.
    OwnerStarted {
        /// Its epoch, above all before.
        epoch: OwnerEpoch,
    },
    /// The machine of a region booted: what leave its cells had ends with the boot before, since nobody counted the
    /// time that it was off.
    Booted {
        /// What names the boot. Not empty.
        boot_id: String,
    },
    /// The process has another part of the fleet from now on.
    FormTaken {
        /// Which.
        form: Form,
        /// Drawn for it: tells its store from one that was made anew.
        store: Incarnation,
    },
    /// Something happened on the link between a control plane and a region.
    Link {
        /// What.
        event: LinkEvent,
    },
    /// A host opened a session. A new host is given a cell.
    HostConnected {
        /// What it said.
        hello: Box<Hello>,
    },
    /// A host sent a part of its packages.
    Packages {
        /// The digest of the whole set.
        digest: Digest,
        /// Which part, from 0.
        part: u32,
        /// Of how many. At least 1.
        of: u32,
        /// The part.
        packages: PackageSet,
    },
    /// Something concerns the cell that a host is in.
    Host {
        /// Which host.
        host: HostId,
        /// What.
        event: CellEvent,
    },
    /// An operator takes hosts, all of them or none: under the floors and tokens that rollouts keep.
    Reserved {
        /// Which.
        hosts: BTreeSet<HostId>,
        /// Who.
        by: OperatorId,
        /// Why.
        reason: String,
        /// For how long, from now.
        lasts: Duration,
    },
    /// An operator gives hosts back, all of them or none.
    Unreserved {
        /// Which.
        hosts: BTreeSet<HostId>,
        /// Who.
        by: OperatorId,
        /// Whether those of other operators too.
        force: bool,
    },
    /// Something concerns a cell.
    Cell {
        /// Which.
        cell: CellId,
        /// What.
        event: CellEvent,
    },
    /// Nothing is heard of a cell any more. Where control plane and region are one process, this never
    /// happens.
    CellSilent {
        /// Which.
        cell: CellId,
        /// When it was last heard of: what it was told since may be lost.
        since: Timestamp,
    },
    /// A cell is heard of again. What it summarised meanwhile comes before this.
    CellHeard {
        /// Which.
        cell: CellId,
    },
    /// Hosts moved to the cell of the rest of their group. Nothing is at work on any of them.
    Gathered {
        /// Where to. One that is not there is made.
        to: CellId,
        /// Which. Not empty.
        hosts: BTreeSet<HostId>,
    },
    /// An operator said when nothing may be started. Replaces what was said before.
    CalendarDeclared {
        /// All freezes.
        calendar: Calendar,
        /// Who.
        by: OperatorId,
    },
    /// An operator pulled the cord: of the whole fleet, or at a region's own coordinator of that region.
    /// One that is pulled already stays as it is.
    CordPulled {
        /// Who.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
    },
    /// An operator released the cord that was pulled at this process.
    CordReleased {
        /// Who.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
    },
    /// An operator started a rollout.
    RolloutStarted {
        /// What it will do.
        plan: Box<Plan>,
        /// Who.
        by: OperatorId,
    },
    /// An operator amended a rollout: it gives hosts away, and another starts with them.
    Amended {
        /// The rollout that gives hosts away.
        rollout: RolloutId,
        /// What the other will do with them.
        plan: Box<Plan>,
        /// Who.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
    },
    /// Something concerns a rollout.
    Rollout {
        /// Which.
        rollout: RolloutId,
        /// What.
        event: RolloutEvent,
    },
    /// An operator declared the services of the fleet, in place of those before.
    ServicesDeclared {
        /// All of them.
        services: Services,
        /// Who.
        by: OperatorId,
    },
    /// An operator denied bits: they are not installed there until the denial is lifted.
    Denied {
        /// Which.
        named: Named,
        /// Where.
        place: Place,
        /// Who.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
    },
    /// An operator lifted denials.
    DenialLifted {
        /// Of which bits.
        named: Named,
        /// At which place. Absent: wherever they are denied.
        only_at: Option<Place>,
        /// Who.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
    },
}

/// What a fleet asks its shell to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FleetCommand {
    /// A cell asks.
    Cell {
        /// Which.
        cell: CellId,
        /// For what.
        command: CellCommand,
    },
    /// Tell a cell what it has of groups that reach beyond it.
    Allot {
        /// Which.
        cell: CellId,
        /// What.
        allotment: Box<Allotment>,
    },
    /// Move hosts to the cell of the rest of their group.
    Gather {
        /// Where to.
        to: CellId,
        /// Which.
        hosts: BTreeSet<HostId>,
    },
    /// A rollout asks.
    Rollout {
        /// Which.
        rollout: RolloutId,
        /// For what.
        command: RolloutCommand,
    },
}

impl FleetCommand {
    /// The order that a cell gives, and which cell. Nothing of other commands.
    pub(crate) fn order(&self) -> Option<(&CellId, &Order)> {
        match self {
            Self::Cell {
                cell,
                command: CellCommand::Order(order),
            } => Some((cell, order)),
            Self::Cell { .. } | Self::Rollout { .. } | Self::Allot { .. } | Self::Gather { .. } => {
                None
            }
        }
    }

    /// What must be applied and stored, in this order, before the command is carried out. What a
    /// rollout tells a cell, and a cell a rollout, is delivered by these events.
    pub fn events(&self) -> Vec<FleetEvent> {
        match self {
            Self::Cell { cell, command } => {
                let own = FleetEvent::Cell {
                    cell: cell.clone(),
                    event: command.event(),
                };
                let told = match command {
                    CellCommand::Summarise(summary) => Some(FleetEvent::Rollout {
                        rollout: summary.rollout.clone(),
                        event: RolloutEvent::Summarised {
                            summary: summary.clone(),
                        },
                    }),
                    CellCommand::Stage { .. }
                    | CellCommand::Order(_)
                    | CellCommand::Resend(_)
                    | CellCommand::AnswerClaim { .. }
                    | CellCommand::Withdraw { .. }
                    | CellCommand::GiveUp { .. }
                    | CellCommand::Brake { .. }
                    | CellCommand::EndReservation { .. }
                    | CellCommand::Release { .. } => None,
                };
                std::iter::once(own).chain(told).collect()
            }
            Self::Allot { cell, allotment } => vec![FleetEvent::Cell {
                cell: cell.clone(),
                event: CellEvent::Allotted {
                    allotment: allotment.clone(),
                },
            }],
            Self::Gather { to, hosts } => vec![FleetEvent::Gathered {
                to: to.clone(),
                hosts: hosts.clone(),
            }],
            Self::Rollout { rollout, command } => {
                let own = FleetEvent::Rollout {
                    rollout: rollout.clone(),
                    event: command.event(),
                };
                std::iter::once(own).chain(told_to_cell(command)).collect()
            }
        }
    }
}

fn told_to_cell(command: &RolloutCommand) -> Option<FleetEvent> {
    let (cell, event) = match command {
        RolloutCommand::Assign(assignment) => (
            &assignment.cell,
            CellEvent::Assigned {
                assignment: assignment.clone(),
            },
        ),
        RolloutCommand::Except(exceptions) => (
            &exceptions.cell,
            CellEvent::Excepted {
                exceptions: exceptions.clone(),
            },
        ),
        RolloutCommand::Warrant { warrant, .. } => (
            &warrant.cell,
            CellEvent::Warranted {
                warrant: warrant.clone(),
            },
        ),
        RolloutCommand::Stop(stop) => (&stop.cell, CellEvent::Stopped { stop: stop.clone() }),
        RolloutCommand::Brake { .. }
        | RolloutCommand::BeginBake { .. }
        | RolloutCommand::PassWave { .. }
        | RolloutCommand::End { .. } => return None,
    };
    Some(FleetEvent::Cell {
        cell: cell.clone(),
        event,
    })
}
