//! What can happen to a fleet, and what it can ask its shell to do.

use super::{Form, LinkEvent};
use crate::{
    allotment::Allotment,
    calendar::Calendar,
    cell::{CellCommand, CellError, CellEvent, Hello},
    cells::UnplacedReason,
    denial::{Denial, Named, Place},
    digest::Digest,
    id::{CellId, HostId, OperatorId, OwnerEpoch, Region, RolloutId},
    inventory::PackageSet,
    order::Order,
    plan::Plan,
    reservation::ReservationError,
    rollout::{RolloutCommand, RolloutError, RolloutEvent},
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
    /// The process has another part of the fleet from now on.
    FormTaken {
        /// Which.
        form: Form,
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

/// Why a fleet refuses an event. Its state is as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// The host is in no cell.
    #[error("host {0} is not known: it never connected, or was forgotten")]
    NoHost(HostId),
    /// There is no such cell.
    #[error("there is no cell {0}")]
    NoCell(CellId),
    /// There is no such rollout.
    #[error("there is no rollout {0}")]
    NoRollout(RolloutId),
    /// The rollout brings no bits.
    #[error("rollout {0} installs nothing: there are no bits of it to deny")]
    NoBits(RolloutId),
    /// The host can be in no cell.
    #[error("host {host} can be in no cell")]
    Unplaced {
        /// The host.
        host: HostId,
        /// Why.
        #[source]
        source: UnplacedReason,
    },
    /// A rollout of this name exists.
    #[error("there is a rollout {0} already: a name is used once")]
    RolloutExists(RolloutId),
    /// A live rollout changes the same thing on the same host.
    #[error(
        "rollout {other} is live and changes {subject} on host {host} too: wait for it, or abort it"
    )]
    Conflict {
        /// The live rollout.
        other: RolloutId,
        /// What both change.
        subject: String,
        /// The first host that both select.
        host: HostId,
    },
    /// A rollout that is taken back waits for hosts that have what it changed.
    #[error(
        "rollout {other} is taken back, and {subject} has yet to go back on {}: wait for that, or until they are heard of again; leave them out of match, or delete them with `cofferdam hosts forget` if they are gone for good",
        named(hosts)
    )]
    GoesBack {
        /// The rollout that is taken back.
        other: RolloutId,
        /// What both change.
        subject: String,
        /// The hosts that wait. Not empty.
        hosts: Vec<HostId>,
    },
    /// A host is to move that something counts on being where it is.
    #[error(
        "host {host} cannot move to cell {to}: it is at work, or one of its cells may not change"
    )]
    NotAtRest {
        /// The host.
        host: HostId,
        /// Where it was to go.
        to: CellId,
    },
    /// A rollout is at work on hosts that an amendment is for, or has patched them since.
    #[error(
        "rollout {rollout} is at work on {}, or has just patched it: wait until the run is over, and look again",
        named(hosts)
    )]
    AtWork {
        /// The rollout.
        rollout: RolloutId,
        /// The hosts.
        hosts: Vec<HostId>,
    },
    /// Hosts of a plan have moved to other cells since it was made: their group came together there.
    #[error(
        "{} moved to another cell since rollout {rollout} was planned: plan it again",
        named(hosts)
    )]
    Moved {
        /// The rollout.
        rollout: RolloutId,
        /// The hosts. Not empty.
        hosts: Vec<HostId>,
    },
    /// A later rollout has changed the same thing on the same host.
    #[error(
        "cannot roll back {rollout}: rollout {later} has changed {subject} since, on host {host} and on all others that it changed; roll that back instead"
    )]
    Superseded {
        /// The rollout that is over.
        rollout: RolloutId,
        /// The later one.
        later: RolloutId,
        /// What both changed.
        subject: String,
        /// The first host that has the later change.
        host: HostId,
    },
    /// What the rollout installs is denied to the whole fleet.
    #[error(
        "what it installs ({bits}) is {denial}; when that is no longer so, `cofferdam deny lift {bits} --reason ..`"
    )]
    Denied {
        /// The bits.
        bits: Digest,
        /// Who denied them, when and why.
        denial: Box<Denial>,
    },
    /// Nothing of the kind is denied.
    #[error(
        "nothing denies {named}{}; `cofferdam deny list` shows what is denied where",
        place.as_ref().map(|place| format!(" for {place}")).unwrap_or_default()
    )]
    NoDenial {
        /// Which bits were meant.
        named: Named,
        /// At which place. Absent: anywhere.
        place: Option<Place>,
    },
    /// A part of a package set is out of its bounds.
    #[error("part {part} of {of} of package set {digest} is out of bounds")]
    PackagePart {
        /// The digest of the set.
        digest: Digest,
        /// The part.
        part: u32,
        /// The number of parts.
        of: u32,
    },
    /// The parts of a package set are not what its digest says.
    #[error("the packages sent under {0} are others")]
    PackageDigest(Digest),
    /// It is for another process to take in.
    #[error("this process is {form}: that is not for it to take in")]
    OfAnotherPart {
        /// What it is.
        form: Form,
    },
    /// The process cannot become another part of the fleet now.
    #[error(
        "this process cannot become {form} while rollout {rollout} is not over: start it as it was, end the rollout, and change it then"
    )]
    StillAtWork {
        /// A rollout that is not over.
        rollout: RolloutId,
        /// What it was to become.
        form: Form,
    },
    /// The control plane never met the region.
    #[error("there is no region {0}")]
    NoRegion(Region),
    /// A region speaks of a cell of another one.
    #[error(
        "cell {cell} is of region {region}: two regions whose hosts have the same region and zone as labels cannot be apart"
    )]
    CellOfAnother {
        /// The cell.
        cell: CellId,
        /// The region that told of it first.
        region: Region,
    },
    /// Regions of their own each allow their part of a group what the whole may have out.
    #[error(
        "rollout {rollout} has a floor by {}, over several regions that are processes of their own: put `region` or `zone` into its group_by, or start a rollout for each region",
        group_by.join(", ")
    )]
    WideFloor {
        /// The rollout.
        rollout: RolloutId,
        /// The labels of the floor's groups.
        group_by: Vec<String>,
    },
    /// News of a region are missing.
    #[error("after the news {last} of region {region} come {number}: some are missing")]
    NewsMissing {
        /// The region.
        region: Region,
        /// The last ones before.
        last: u64,
        /// Those that came.
        number: u64,
    },
    /// The owner's epoch is not above the present one.
    #[error("owner epoch {new} is not above {present}")]
    StaleEpoch {
        /// The epoch.
        new: OwnerEpoch,
        /// The present one.
        present: OwnerEpoch,
    },
    /// Hosts cannot be taken, or given back.
    #[error(transparent)]
    Reservation(#[from] ReservationError),
    /// A cell refuses.
    #[error("cell {cell} refuses")]
    Cell {
        /// Which.
        cell: CellId,
        /// Why.
        #[source]
        source: CellError,
    },
    /// A rollout refuses.
    #[error(transparent)]
    Rollout(#[from] RolloutError),
}

/// The most hosts that a sentence names.
const NAMED: usize = 5;

fn named(hosts: &[HostId]) -> String {
    let names: Vec<&str> = hosts.iter().take(NAMED).map(HostId::as_str).collect();
    match hosts.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
