//! Denials: what leaves one, what it refuses, and which cells are told.

use super::{Fleet, FleetError, Form, Told};
use crate::{
    cell::CellEvent,
    denial::{Denial, Denials, Lift, Named, Place, Scope},
    digest::Digest,
    exception::Word,
    id::{CellId, HostId, OperatorId, RolloutId},
    plan::Plan,
    rollout::{Action, Rollout, RolloutEvent},
    time::Timestamp,
    warrant::{FailedEnd, Outcome, Summary},
};
use std::collections::BTreeSet;

/// Denials that something left.
#[derive(Debug)]
pub(super) struct Left {
    bits: BTreeSet<Digest>,
    places: BTreeSet<Place>,
    denial: Denial,
}

impl Fleet {
    /// Every denial, held or lifted.
    pub fn denials(&self) -> &Denials {
        &self.denials
    }

    /// An operator denies bits.
    pub(super) fn denied(
        &mut self,
        named: &Named,
        place: &Place,
        by: &OperatorId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        self.check_place(place)?;
        let (bits, rollout) = match named {
            Named::Digest { digest } => (BTreeSet::from([*digest]), None),
            Named::Rollout { rollout } => {
                let known = self.rollouts.get(rollout);
                let known = known.ok_or_else(|| FleetError::NoRollout(rollout.clone()))?;
                let bits = known.plan().bits();
                if bits.is_empty() {
                    return Err(FleetError::NoBits(rollout.clone()));
                }
                (bits, Some(rollout.clone()))
            }
        };
        let denial = Denial {
            by: Some(by.clone()),
            rollout,
            reason: reason.to_owned(),
            at: now,
            lifted: None,
        };
        let places = BTreeSet::from([place.clone()]);
        let left = Left {
            bits,
            places,
            denial,
        };
        self.deny(vec![left], now)
    }

    /// An operator lifts denials.
    pub(super) fn denial_lifted(
        &mut self,
        named: &Named,
        only_at: Option<&Place>,
        by: &OperatorId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let lift = Lift {
            by: by.clone(),
            reason: reason.to_owned(),
            at: now,
        };
        if self.denials.lift(named, only_at, &lift) == 0 {
            return Err(FleetError::NoDenial {
                named: named.clone(),
                place: only_at.cloned(),
            });
        }
        self.tell_denials(now)
    }

    /// The denials that an event of a rollout leaves; asked before the rollout takes it in.
    pub(super) fn denials_left_by(
        &self,
        rollout: &RolloutId,
        event: &RolloutEvent,
        now: Timestamp,
    ) -> Vec<Left> {
        let Some(known) = self.rollouts.get(rollout) else {
            return Vec::new();
        };
        let denial = |by: Option<&OperatorId>, reason: String| Denial {
            by: by.cloned(),
            rollout: Some(rollout.clone()),
            reason,
            at: now,
            lifted: None,
        };
        match event {
            RolloutEvent::Asked {
                action: Action::Rollback,
                by,
                reason,
                reach,
            } => vec![Left {
                bits: known.plan().bits(),
                places: self.places(known, *reach),
                denial: denial(Some(by), reason.clone()),
            }],
            RolloutEvent::Summarised { summary } => {
                let failed = self.failed_for_good(known, summary).into_iter();
                let left = failed.map(|(host, bits, reason)| Left {
                    bits: BTreeSet::from([bits]),
                    places: BTreeSet::from([Place::Host { host }]),
                    denial: denial(None, reason),
                });
                left.collect()
            }
            RolloutEvent::Asked { .. }
            | RolloutEvent::Excepted { .. }
            | RolloutEvent::ExceptionsTold { .. }
            | RolloutEvent::Assigned { .. }
            | RolloutEvent::Warranted { .. }
            | RolloutEvent::Stopped { .. }
            | RolloutEvent::Braked { .. }
            | RolloutEvent::BakeBegan { .. }
            | RolloutEvent::WavePassed { .. }
            | RolloutEvent::Approved { .. }
            | RolloutEvent::Promoted { .. }
            | RolloutEvent::Ended { .. } => Vec::new(),
        }
    }

    /// Hosts that a summary says the patch failed on for good, with its bits and what went wrong.
    /// What fails on its way back was denied with the rollback.
    fn failed_for_good(
        &self,
        rollout: &Rollout,
        summary: &Summary,
    ) -> Vec<(HostId, Digest, String)> {
        let assignment = rollout.plan().assignments.get(&summary.cell);
        let Some(assignment) = assignment.filter(|_| !rollout.goes_back()) else {
            return Vec::new();
        };
        let failed = summary.changed.iter().filter_map(|(host, outcome)| {
            let Outcome::Failed {
                failure,
                end: FailedEnd::RolledBack | FailedEnd::Quarantined,
            } = outcome
            else {
                return None;
            };
            let (_, member) = self.host(host)?;
            let content = assignment.content_for(&member.host.facts.platform)?;
            Some((host.clone(), content.bits()?, failure.to_string()))
        });
        failed.collect()
    }

    /// Denies what was left, and tells the cells.
    pub(super) fn deny(&mut self, left: Vec<Left>, now: Timestamp) -> Result<(), FleetError> {
        if left.is_empty() {
            return Ok(());
        }
        for Left {
            bits,
            places,
            denial,
        } in left
        {
            for place in places {
                for bits in &bits {
                    self.denials.deny(*bits, place.clone(), denial.clone());
                }
            }
        }
        self.tell_denials(now)
    }

    /// A retry of hosts lifts what they denied of this rollout themselves.
    pub(super) fn lift_by_retry(
        &mut self,
        rollout: &RolloutId,
        event: &RolloutEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let RolloutEvent::Excepted {
            word: Word::Retry,
            hosts,
            by,
            reason,
        } = event
        else {
            return Ok(());
        };
        let named = Named::Rollout {
            rollout: rollout.clone(),
        };
        let lift = Lift {
            by: by.clone(),
            reason: reason.clone(),
            at: now,
        };
        for host in hosts {
            let place = Place::Host { host: host.clone() };
            self.denials.lift(&named, Some(&place), &lift);
        }
        self.tell_denials(now)
    }

    /// Tells each cell what of the denials concerns it.
    pub(super) fn tell_denials(&mut self, now: Timestamp) -> Result<(), FleetError> {
        if self.form == Form::Control {
            let denials = Box::new(self.denials.clone());
            self.tell_regions(&Told::Denials { denials });
            return Ok(());
        }
        let cells: Vec<CellId> = self.cells.keys().cloned().collect();
        cells.iter().try_for_each(|id| self.tell_cell(id, now))
    }

    /// Tells one cell what of the denials concerns it, and how the cord stands, unless it knows. The mirror of
    /// a cell is told nothing: its region is.
    pub(super) fn tell_cell(&mut self, id: &CellId, now: Timestamp) -> Result<(), FleetError> {
        if self.form == Form::Control {
            return Ok(());
        }
        self.tell_cell_of_cord(id, now)?;
        let Some(cell) = self.cells.get(id) else {
            return Ok(());
        };
        let has_host = |host: &HostId| cell.members().contains_key(host);
        let denials = self.denials.within(id, has_host);
        if *cell.denials() == denials {
            return Ok(());
        }
        let denials = Box::new(denials);
        self.put(id, &CellEvent::DenialsTold { denials }, now)
    }

    /// Bits that a plan brings and that are denied to the whole fleet.
    pub(super) fn denied_to_all(&self, plan: &Plan) -> Option<FleetError> {
        if self.denials.is_empty() {
            return None;
        }
        let hosts = plan.hosts.keys().filter_map(|host| self.host(host));
        let platforms: BTreeSet<_> = hosts
            .map(|(_, member)| &member.host.facts.platform)
            .collect();
        let mut contents = platforms
            .into_iter()
            .filter_map(|platform| plan.content_for(platform));
        contents.find_map(|content| {
            let bits = content.bits()?;
            let denial = self.denials.for_fleet(&bits)?.clone();
            Some(FleetError::Denied {
                bits,
                denial: Box::new(denial),
            })
        })
    }

    /// Where a rollback denies: what it reaches of where the hosts are that the rollout took.
    fn places(&self, rollout: &Rollout, reach: Scope) -> BTreeSet<Place> {
        let went_back =
            |outcome: &Outcome| matches!(outcome, Outcome::Failed { .. } | Outcome::RolledBack);
        let taken = rollout.outcomes().iter();
        let taken = taken.filter(|(host, o)| went_back(o) || rollout.may_have_it(host));
        let hosts = taken.map(|(host, _)| host.clone());
        let planned = |host: &HostId| rollout.plan().hosts.get(host).map(|of| &of.cell);
        match reach {
            Scope::Fleet => BTreeSet::from([Place::Fleet]),
            Scope::Cell => hosts
                .filter_map(|host| {
                    let cell = self.homes.get(&host).or_else(|| planned(&host))?.clone();
                    Some(Place::Cell { cell })
                })
                .collect(),
            Scope::Host => hosts.map(|host| Place::Host { host }).collect(),
        }
    }

    fn check_place(&self, place: &Place) -> Result<(), FleetError> {
        match place {
            Place::Fleet => Ok(()),
            Place::Cell { cell } if self.cells.contains_key(cell) => Ok(()),
            Place::Cell { cell } => Err(FleetError::NoCell(cell.clone())),
            Place::Host { host } if self.homes.contains_key(host) => Ok(()),
            Place::Host { host } => Err(FleetError::NoHost(host.clone())),
        }
    }
}

impl Plan {
    /// The bits that the rollout brings, for every platform of its lock file.
    pub fn bits(&self) -> BTreeSet<Digest> {
        let first = self.assignments.values().next();
        first
            .map(|assignment| assignment.lock.bits(&assignment.patch))
            .unwrap_or_default()
    }
}
