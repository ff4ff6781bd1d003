//! Lists every promise that a fleet has broken, or that a decision is about to break.
//!
//! A second statement of the promises in docs/architecture.md, to hold the machines against: it reads
//! labels, ledger and plans by itself and shares no step of reasoning with them. Every test of the
//! machines calls it after every event. Promise 6, that no acknowledged result is lost, is no matter
//! of one state; tests prove it by replaying what was stored.

mod approval;
mod brake;
mod cord;
mod denial;
mod dependency;
mod ending;
mod exception;
mod floor;
mod freeze;
mod hold;
mod key;
mod late;
mod leave;
mod near;
mod pace;
mod packing;
mod repair;
mod reservation;
mod reserve;
mod rollback;
mod settle;
mod silence;
mod stop;
mod stratum;
mod turn;
mod wave;
mod window;
mod zone;

pub use near::broken_nearby;
pub use reserve::broken_by_reserving;

use crate::{
    cell::{Cell, CellCommand, Member, Work},
    fleet::{Fleet, FleetCommand, FleetDecision},
    id::{HostId, RolloutId},
    order::{ClaimAnswer, ClaimPoint, Direction, Order},
    rollout::{Rollout, RolloutCommand},
    time::Timestamp,
};
use std::fmt;

/// A promise that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its number in docs/architecture.md.
    pub promise: u8,
    /// What breaks it, where.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "promise {}: {}", self.promise, self.what)
    }
}

/// Every promise that the state breaks, in order of promises.
pub fn broken(fleet: &Fleet) -> Vec<Broken> {
    let mut all = Vec::new();
    packing::in_fleet(fleet, &mut all);
    for cell in fleet.cells().values() {
        floor::in_cell(cell, &mut all);
        reservation::in_cell(cell, &mut all);
        key::in_cell(cell, &mut all);
    }
    for rollout in fleet.rollouts().values() {
        stratum::in_rollout(rollout, &mut all);
        stratum::covered(rollout, &mut all);
        stratum::judged_as_ordered(rollout, &mut all);
        ending::in_rollout(rollout, &mut all);
    }
    stratum::between_rollouts(fleet, &mut all);
    all.sort_by_key(|broken| broken.promise);
    all
}

/// Every promise that carrying a decision out would break, in order of promises. The commands are
/// taken one after the other, as if none of their events were applied in between.
pub fn broken_by(fleet: &Fleet, decision: &FleetDecision, now: Timestamp) -> Vec<Broken> {
    let mut all = Vec::new();
    for (place, command) in decision.commands.iter().enumerate() {
        let before = decision.commands.get(..place).unwrap_or_default();
        match command {
            FleetCommand::Cell { cell, command } => {
                if let Some(cell) = fleet.cells().get(cell) {
                    by_cell(fleet, cell, command, before, now, &mut all);
                }
            }
            FleetCommand::Allot { cell, .. } => silence::by_allotting(fleet, cell, &mut all),
            FleetCommand::Gather { .. } => {}
            FleetCommand::Rollout { rollout, command } => {
                if let Some(rollout) = fleet.rollouts().get(rollout) {
                    by_rollout(fleet, rollout, command, now, &mut all);
                }
            }
        }
    }
    hold::of_decision(fleet, decision, now, &mut all);
    if decision.commands.is_empty() {
        ending::at_rest(fleet, now, &mut all);
        approval::waiting(fleet, decision, &mut all);
        brake::at_rest(fleet, &mut all);
        reserve::at_rest(fleet, decision, now, &mut all);
        packing::at_rest(fleet, &mut all);
    }
    all.sort_by_key(|broken| broken.promise);
    all
}

fn by_cell(
    fleet: &Fleet,
    cell: &Cell,
    command: &CellCommand,
    before: &[FleetCommand],
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    settle::by_giving_up(cell, command, now, all);
    cord::by_staging(fleet, command, all);
    let Some(disturbance) = Disturbance::of(fleet, cell, command) else {
        return;
    };
    let Some(disturbance) = disturbance.checked(all) else {
        return;
    };
    floor::by(&disturbance, before, now, all);
    zone::by(&disturbance, now, all);
    dependency::by(&disturbance, before, all);
    pace::by(&disturbance, before, all);
    window::by(&disturbance, now, all);
    near::by(&disturbance, before, now, all);
}

fn by_rollout(
    fleet: &Fleet,
    rollout: &Rollout,
    command: &RolloutCommand,
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    wave::by_rollout(rollout, command, now, all);
    turn::by_rollout(rollout, command, now, all);
    rollback::by_rollout(fleet, rollout, command, all);
    silence::by_rollout(rollout, command, all);
    brake::by_rollout(fleet, rollout, command, all);
    cord::by_rollout(fleet, rollout, command, all);
}

/// A step that takes a host further out of service: an order, or a claim that is granted.
struct Disturbance<'a> {
    fleet: &'a Fleet,
    cell: &'a Cell,
    work: &'a Work,
    member: &'a Member,
    rollout: &'a Rollout,
    order: &'a Order,
    step: Step,
}

/// Which step a disturbance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A new order.
    Order,
    /// The yes before drain: the point of disruption. Said again, it disturbs nothing more.
    Drain,
    /// The yes before apply, or one that was said before.
    Again,
}

/// A disturbance that may be of nobody whom the fleet knows.
struct Unchecked<'a> {
    rollout: &'a RolloutId,
    host: &'a HostId,
    found: Option<Disturbance<'a>>,
}

impl<'a> Unchecked<'a> {
    fn checked(self, all: &mut Vec<Broken>) -> Option<Disturbance<'a>> {
        if self.found.is_none() {
            all.push(Broken {
                promise: 2,
                what: format!(
                    "rollout {} disturbs host {}, which it has no job on",
                    self.rollout, self.host
                ),
            });
        }
        self.found
    }
}

impl<'a> Disturbance<'a> {
    /// The disturbance that a command is. Nothing when it disturbs no host.
    fn of(fleet: &'a Fleet, cell: &'a Cell, command: &'a CellCommand) -> Option<Unchecked<'a>> {
        let (rollout, host, asked) = match command {
            CellCommand::Order(order) => (&order.grant.rollout, &order.host, None),
            CellCommand::AnswerClaim {
                rollout,
                host,
                point,
                answer: ClaimAnswer::Granted,
                ..
            } => (rollout, host, Some(*point)),
            CellCommand::AnswerClaim { .. }
            | CellCommand::Stage { .. }
            | CellCommand::Resend(_)
            | CellCommand::Withdraw { .. }
            | CellCommand::GiveUp { .. }
            | CellCommand::Brake { .. }
            | CellCommand::EndReservation { .. }
            | CellCommand::Summarise(_)
            | CellCommand::Release { .. } => return None,
        };
        let find = || {
            let work = cell.work().get(rollout)?;
            let active = work.jobs.get(host)?.active();
            let (order, step) = match (command, asked) {
                (CellCommand::Order(order), _) => (order.as_ref(), Step::Order),
                (_, Some(ClaimPoint::BeforeDrain)) if !active?.disrupted => {
                    (active?.order.as_ref(), Step::Drain)
                }
                (_, _) => (active?.order.as_ref(), Step::Again),
            };
            Some(Disturbance {
                fleet,
                cell,
                work,
                member: cell.members().get(host)?,
                rollout: fleet.rollouts().get(rollout)?,
                order,
                step,
            })
        };
        let found = find();
        Some(Unchecked {
            rollout,
            host,
            found,
        })
    }

    fn host(&self) -> &HostId {
        &self.order.host
    }

    fn is_forward(&self) -> bool {
        self.order.direction == Direction::Patch
    }

    fn broken(&self, promise: u8, what: &str) -> Broken {
        let step = match self.step {
            Step::Order => "the order to",
            Step::Drain => "the yes before drain to",
            Step::Again => "a further yes to",
        };
        Broken {
            promise,
            what: format!(
                "rollout {}: {step} host {}: {what}",
                self.rollout.plan().rollout,
                self.host()
            ),
        }
    }
}
