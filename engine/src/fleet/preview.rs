//! What a rollback would do, before it is asked for.

use super::{Fleet, FleetError};
use crate::{
    denial::Scope,
    floor::{Group, allowance},
    id::{CellId, HostId, OperatorId, RolloutId},
    policy::FloorRule,
    rollout::{Action, Rollout, RolloutEvent},
    time::Timestamp,
    warrant::{Assignment, Change, FailedEnd, Outcome},
};
use std::{collections::BTreeMap, time::Duration};

/// What a rollback would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackPreview {
    /// How many hosts each cell would take back.
    pub cells: BTreeMap<CellId, usize>,
    /// Hosts that may have the patch and do not go back now, each with why.
    pub not_now: Vec<(HostId, NotTakenBack)>,
    /// The most that it takes for hosts that are connected, when each step takes as long as its
    /// deadline allows and none fails.
    pub at_most: Duration,
}

/// Why a host that may have the patch does not go back now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTakenBack {
    /// It is not connected.
    #[error("not connected: it goes back when it is")]
    Away,
    /// Nobody knows what its run came to.
    #[error("not heard of since its run: it goes back when it is, if it has the patch")]
    Unknown,
    /// It was patched without a proved way back.
    #[error("patched one_way: its way back was not proved, so it may end quarantined")]
    OneWay,
    /// It is kept for a person.
    #[error("quarantined: a person looks at it")]
    Quarantined,
    /// A later rollout changed the same there.
    #[error("a later rollout has changed the same: it stays as that one left it")]
    Superseded,
}

impl Fleet {
    /// What taking a rollout back would do now.
    ///
    /// # Errors
    /// [`FleetError`] when it cannot be taken back now.
    pub fn preview_rollback(
        &self,
        rollout: &RolloutId,
        by: &OperatorId,
        now: Timestamp,
    ) -> Result<RollbackPreview, FleetError> {
        let event = RolloutEvent::Asked {
            action: Action::Rollback,
            by: by.clone(),
            reason: String::new(),
            reach: Scope::default(),
        };
        let superseded = self.superseded_by(rollout, &event)?;
        let known = self.rollouts.get(rollout);
        let mut known = known
            .ok_or_else(|| FleetError::NoRollout(rollout.clone()))?
            .clone();
        known.apply(&event, now)?;
        if let Some(hosts) = superseded {
            known.supersede(hosts);
            known.follow(&self.homes);
        }
        Ok(self.preview(&known))
    }

    fn preview(&self, rollout: &Rollout) -> RollbackPreview {
        let mut hosts: BTreeMap<CellId, Vec<HostId>> = BTreeMap::new();
        let mut not_now = Vec::new();
        for (host, outcome) in rollout.outcomes() {
            let Some(planned) = rollout.plan().hosts.get(host) else {
                continue;
            };
            let why = self.not_now(rollout, host, outcome);
            let goes_now = match &why {
                Some(NotTakenBack::OneWay) => true,
                Some(
                    NotTakenBack::Away
                    | NotTakenBack::Unknown
                    | NotTakenBack::Quarantined
                    | NotTakenBack::Superseded,
                ) => false,
                None => matches!(outcome, Outcome::Passed | Outcome::Running),
            };
            if goes_now {
                let of_cell = hosts.entry(planned.cell.clone()).or_default();
                of_cell.push(host.clone());
            }
            not_now.extend(why.map(|why| (host.clone(), why)));
        }
        let times = hosts.iter().filter_map(|(cell, hosts)| {
            let assignment = rollout.plan().assignments.get(cell)?;
            Some(self.at_most(cell, hosts, assignment))
        });
        RollbackPreview {
            at_most: times.max().unwrap_or_default(),
            cells: hosts
                .iter()
                .map(|(cell, hosts)| (cell.clone(), hosts.len()))
                .collect(),
            not_now,
        }
    }

    fn not_now(&self, rollout: &Rollout, host: &HostId, outcome: &Outcome) -> Option<NotTakenBack> {
        match outcome {
            Outcome::Passed | Outcome::Running => {
                let is_connected = self.host(host).is_some_and(|(_, m)| m.is_connected());
                let assignments = &rollout.plan().assignments;
                let is_one_way = assignments.values().any(|assignment| assignment.one_way);
                match (rollout.superseded().contains(host), is_connected) {
                    (true, _) => Some(NotTakenBack::Superseded),
                    (false, false) => Some(NotTakenBack::Away),
                    (false, true) => is_one_way.then_some(NotTakenBack::OneWay),
                }
            }
            Outcome::Failed { end, .. } => match end {
                FailedEnd::Silent => Some(NotTakenBack::Unknown),
                FailedEnd::Quarantined => Some(NotTakenBack::Quarantined),
                FailedEnd::RolledBack => None,
            },
            Outcome::Skipped { change, .. } => {
                (*change == Change::Unknown).then_some(NotTakenBack::Unknown)
            }
            Outcome::LeftOut { .. } => {
                let may_have_it = rollout.may_have_it(host);
                may_have_it.then_some(NotTakenBack::Unknown)
            }
            Outcome::Waiting | Outcome::RolledBack | Outcome::Gone => None,
        }
    }

    /// The rounds that the tightest floor and the pace allow, each as long as a run may take.
    fn at_most(&self, cell: &CellId, hosts: &[HostId], assignment: &Assignment) -> Duration {
        let pace = &assignment.rollback;
        let at_once = pace.at_once_per_cell;
        let at_once = at_once.unwrap_or(assignment.pace.at_once_per_cell).max(1);
        let default = FloorRule::defaults();
        let rules = assignment.floors.iter().map(|floor| &floor.rule);
        let rules: Vec<&FloorRule> = match assignment.floors.is_empty() {
            true => default.iter().collect(),
            false => rules.collect(),
        };
        let rounds = rules
            .iter()
            .map(|rule| self.rounds(cell, hosts, rule))
            .chain([hosts.len().div_ceil(at_once)]);
        let rounds = u32::try_from(rounds.max().unwrap_or(0)).unwrap_or(u32::MAX);
        let starts = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        let deadlines = &assignment.deadlines;
        let run =
            deadlines.claim_wait * 2 + deadlines.drain * 2 + deadlines.apply + deadlines.verify;
        let spaced = pace.start_spacing.saturating_mul(starts);
        run.saturating_mul(rounds).saturating_add(spaced)
    }

    fn rounds(&self, cell: &CellId, hosts: &[HostId], rule: &FloorRule) -> usize {
        let Some(cell) = self.cells.get(cell) else {
            return 0;
        };
        let mut sizes: BTreeMap<Group, usize> = BTreeMap::new();
        for member in cell.members().values() {
            *sizes.entry(Group::of(rule, &member.host)).or_default() += 1;
        }
        let mut going: BTreeMap<Group, usize> = BTreeMap::new();
        for member in hosts.iter().filter_map(|host| cell.members().get(host)) {
            *going.entry(Group::of(rule, &member.host)).or_default() += 1;
        }
        let rounds = going.iter().map(|(group, going)| {
            let size = sizes.get(group).copied().unwrap_or(0);
            let width = allowance(size, rule.min_in_service).max(1);
            going.div_ceil(width)
        });
        rounds.max().unwrap_or(0)
    }
}
