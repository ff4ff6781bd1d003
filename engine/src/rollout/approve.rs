//! Hosts that are not taken before somebody approved it: each is alone in a group whose floor lets
//! none out.
//!
//! Such a host keeps no wave from ending but the last, as long as no more are left out than
//! `hosts_left_out` allows: it is put off. Once it is approved it joins the wave that is present
//! then. In the last wave there is no later one, so that wave waits, and says for whom.
//!
//! Who is alone follows the fleet: a host whose group gets another needs no approval any more, and one
//! that comes late, or is left alone, needs one from then on.

use super::{Phase, Rollout, RolloutDecision, RolloutError, WhyOwnTurn};
use crate::{
    hold::Reason,
    id::{CellId, HostId, OperatorId, WaveIndex},
    plan::NeededApproval,
    time::Timestamp,
    warrant::Outcome,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Somebody's yes to all that they may approve in a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: OperatorId,
    /// Why. May be empty.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Rollout {
    /// Every approval, oldest first.
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// The approval that a host still needs. Nothing when it needs none, has it, is over, or is at work:
    /// then it ends what it began.
    pub fn awaits_approval(&self, host: &HostId) -> Option<&NeededApproval> {
        let needed = self.plan.approvals.get(host)?;
        let is_at_work = self.outcomes.get(host) == Some(&Outcome::Running);
        let is_open = !self.is_approved(needed) && !self.is_over(host) && !is_at_work;
        is_open.then_some(needed)
    }

    fn is_approved(&self, needed: &NeededApproval) -> bool {
        let approves = |yes: &Approval| yes.at >= needed.since && needed.by.contains(&yes.by);
        self.approvals.iter().any(approves)
    }

    /// Takes in whether a host needs an approval, as its groups are now.
    pub(crate) fn need_approval(
        &mut self,
        host: &HostId,
        needed: Option<NeededApproval>,
        now: Timestamp,
    ) {
        let Some(planned) = self.plan.hosts.get(host).filter(|_| !self.is_over(host)) else {
            return;
        };
        let (cell, wave) = (planned.cell.clone(), planned.wave);
        let awaited = self.awaits_approval(host).is_some();
        // A yes is to being the only one of one group, by those who answer for it.
        let is_same = |known: &NeededApproval, new: &NeededApproval| {
            known.group == new.group && known.by == new.by
        };
        match (self.plan.approvals.get(host), needed) {
            (None, None) => return,
            (Some(known), Some(new)) if is_same(known, &new) => return,
            (_, Some(new)) => drop(self.plan.approvals.insert(host.clone(), new)),
            (Some(_), None) => drop(self.plan.approvals.remove(host)),
        }
        // A wave that put it off is over: it joins the present one.
        if awaited && wave < self.wave {
            self.give_turn(host, WhyOwnTurn::PutOff);
        }
        if awaited && wave <= self.wave {
            self.bake_since = None;
        }
        // Its cell may have leave to start it from before.
        if self.awaits_approval(host).is_some()
            && let Some(progress) = self.cells.get_mut(&cell)
        {
            progress.narrowed |= progress.withdraw(host);
            self.open.forget();
        }
        self.tell_approved();
        self.close(&cell, now);
    }

    /// Has the cells told which hosts may be out although each is alone.
    fn tell_approved(&mut self) {
        let needed = self.plan.approvals.iter();
        let approved = needed.filter(|(_, needed)| self.is_approved(needed));
        let approved: Vec<HostId> = approved.map(|(host, _)| host.clone()).collect();
        for (cell, assignment) in &mut self.plan.assignments {
            let mut is_news = false;
            for floor in assignment.floors.iter_mut().filter(|f| f.may_be_approved()) {
                let lone = approved.iter().filter(|host| floor.hosts.contains(*host));
                let lone: BTreeSet<HostId> = lone.cloned().collect();
                is_news |= floor.lone_hosts != lone;
                floor.lone_hosts = lone;
            }
            if is_news {
                assignment.revision += 1;
                self.cells.entry(cell.clone()).or_default().assigned = false;
            }
        }
    }

    pub(super) fn approved(
        &mut self,
        by: &OperatorId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), RolloutError> {
        let rollout = self.plan.rollout.clone();
        let who = self.awaited_approvers();
        if who.is_empty() {
            return Err(RolloutError::NoApprovalAwaited { rollout });
        }
        if !who.contains(by) {
            let (by, who) = (by.clone(), who.into_iter().collect());
            return Err(RolloutError::NoApprover { rollout, by, who });
        }
        self.approvals.push(Approval {
            by: by.clone(),
            reason: reason.to_owned(),
            at: now,
        });
        self.tell_approved();
        let is_due =
            |host: &&HostId| self.awaits_approval(host).is_none() && !self.has_own_turn(host);
        let due: Vec<HostId> = self.put_off().filter(is_due).cloned().collect();
        for host in due {
            self.give_turn(&host, WhyOwnTurn::PutOff);
        }
        let cells: Vec<CellId> = self.cells.keys().cloned().collect();
        for cell in cells {
            self.close(&cell, now);
        }
        Ok(())
    }

    /// Who may approve something that waits for it. Empty: nothing does.
    fn awaited_approvers(&self) -> BTreeSet<OperatorId> {
        match self.phase {
            Phase::Running | Phase::Paused { .. } => {}
            Phase::Aborting | Phase::RollingBack | Phase::Ended { .. } => return BTreeSet::new(),
        }
        let hosts = self.plan.approvals.keys();
        let needed = hosts.filter_map(|host| self.awaits_approval(host));
        needed.flat_map(|needed| &needed.by).cloned().collect()
    }

    /// Whether a host waits for its approval while a later wave may still take it.
    pub(super) fn is_put_off(&self, host: &HostId) -> bool {
        let next = usize::try_from(self.wave.0).map_or(usize::MAX, |wave| wave + 1);
        next < self.plan.waves.len() && self.awaits_approval(host).is_some()
    }

    /// Hosts that earlier waves put off and that are not over.
    pub(super) fn put_off(&self) -> impl Iterator<Item = &HostId> {
        let hosts = self.plan.approvals.keys();
        hosts.filter(|host| {
            self.wave_of(host).is_some_and(|wave| wave < self.wave) && !self.is_over(host)
        })
    }

    /// How many hosts of the present wave, counted as left out, wait for their approval alone.
    pub(super) fn left_out_unapproved(&self) -> usize {
        let in_wave = self.cells.keys().flat_map(|cell| self.wave_hosts(cell));
        in_wave
            .filter(|host| !self.judged.contains(*host) && !self.was_counted(host))
            .filter(|host| !self.outcomes.contains_key(host))
            .filter(|host| self.awaits_approval(host).is_some())
            .count()
    }

    /// Holds each host of this wave or an earlier one that waits for its approval, and each that has its turn
    /// in this one by itself.
    pub(super) fn hold_for_approval(&self, decision: &mut RolloutDecision) {
        for host in self.plan.approvals.keys() {
            let is_due = self.wave_of(host).is_some_and(|wave| wave <= self.wave);
            let is_due = is_due || self.has_own_turn(host);
            let Some(needed) = self.awaits_approval(host).filter(|_| is_due) else {
                continue;
            };
            let reason = Reason::Approval {
                what: needed.group.clone(),
                by: needed.by.iter().cloned().collect(),
            };
            decision.holds.push(self.host_hold(host, reason));
        }
    }

    fn wave_of(&self, host: &HostId) -> Option<WaveIndex> {
        self.plan.hosts.get(host).map(|planned| planned.wave)
    }
}
