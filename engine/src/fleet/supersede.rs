//! Rollbacks beside later rollouts: what a later one changed in the same way stays as that one left it
//! (promise 12).
//!
//! Where the later one is taken back as well, the patch of the earlier one comes back with it. So an
//! earlier one that is being taken back waits for that, and goes on with those hosts; one that is over may
//! be taken back once more.

use super::{Fleet, FleetError, conflict::first_shared};
use crate::{
    hold::{Hold, Reason, Subject},
    id::{HostId, RolloutId},
    rollout::{Action, Phase, Rollout, RolloutCommand, RolloutDecision, RolloutEvent},
    warrant::{Outcome, Summary},
};
use std::collections::BTreeSet;

impl Fleet {
    /// The hosts that a later rollout changed in the same way, when an operator asks to take back a
    /// rollout that is over. Nothing of any other event.
    ///
    /// # Errors
    /// [`FleetError::Conflict`] while a live rollout changes the same on a host;
    /// [`FleetError::Superseded`] when nothing is left to take back.
    pub(super) fn superseded_by(
        &self,
        rollout: &RolloutId,
        event: &RolloutEvent,
    ) -> Result<Option<BTreeSet<HostId>>, FleetError> {
        let asks_back = matches!(
            event,
            RolloutEvent::Asked {
                action: Action::Rollback,
                ..
            }
        );
        let over = self.rollouts.get(rollout).filter(|known| !known.is_live());
        let Some(known) = over.filter(|_| asks_back) else {
            return Ok(None);
        };
        let counts = |host: &HostId| known.claims(host) || known.may_have_it(host);
        if let Some(conflict) = self.conflict(known.plan(), counts) {
            return Err(conflict);
        }
        let mut superseded = BTreeSet::new();
        let mut first = None;
        for (name, subject, later) in self.later_than(rollout, known) {
            let hosts = known.plan().hosts.keys();
            let changed = |host: &&HostId| known.may_have_it(host) && has_it(later, host);
            let hosts: Vec<HostId> = hosts.filter(changed).cloned().collect();
            let Some(host) = hosts.first().cloned() else {
                continue;
            };
            superseded.extend(hosts);
            first.get_or_insert_with(|| FleetError::Superseded {
                rollout: rollout.clone(),
                later: name.clone(),
                subject,
                host,
            });
        }
        let mut hosts = known.plan().hosts.keys();
        let is_left = hosts.any(|host| known.may_have_it(host) && !superseded.contains(host));
        match first {
            Some(refusal) if !is_left => Err(refusal),
            Some(_) | None => Ok(Some(superseded)),
        }
    }

    /// Gives hosts that a later rollout gave up, as it heard or now that it is over, back to those that left
    /// them to it and are being taken back still.
    pub(super) fn give_back(&mut self, later: &RolloutId, event: &RolloutEvent) {
        if self
            .rollouts
            .values()
            .all(|known| known.superseded().is_empty())
        {
            return;
        }
        let given_up: Vec<HostId> = match (event, self.rollouts.get(later)) {
            (RolloutEvent::Summarised { summary }, _) => summary.changed.keys().cloned().collect(),
            (RolloutEvent::Ended { .. }, Some(over)) => over.plan().hosts.keys().cloned().collect(),
            (_, _) => return,
        };
        let mut back = Vec::new();
        for (name, earlier) in self.rollouts.iter().filter(|(name, _)| *name != later) {
            let left = earlier.superseded();
            if left.is_empty() || !earlier.is_live() {
                continue;
            }
            let laters: Vec<_> = self.later_than(name, earlier).collect();
            let stays = |host: &&HostId| {
                let mut laters = laters.iter();
                laters.any(|(_, _, by)| has_it(by, host) || (by.is_live() && by.claims(host)))
            };
            let hosts = given_up.iter();
            let hosts = hosts.filter(|host| left.contains(*host) && !stays(host));
            back.push((name.clone(), hosts.cloned().collect::<Vec<_>>()));
        }
        for (name, hosts) in back {
            if let Some(earlier) = self.rollouts.get_mut(&name) {
                earlier.take_over(&hosts);
            }
        }
    }

    /// Leaves hosts to other rollouts which took them meanwhile: they were deleted, came back, and turn out
    /// to have the patch of one that is being taken back.
    pub(super) fn leave_to_rivals(&mut self, rollout: &RolloutId, summary: &Summary) {
        let Some(known) = self.rollouts.get(rollout).filter(|known| known.goes_back()) else {
            return;
        };
        let rivals = self.rivals(known.plan());
        let is_taken = |host: &&HostId| {
            let mut rivals = rivals.iter();
            known.claims(host) && rivals.any(|rival| self.is_theirs(rival, host))
        };
        let taken: BTreeSet<HostId> = summary.changed.keys().filter(is_taken).cloned().collect();
        if let Some(known) = self.rollouts.get_mut(rollout).filter(|_| !taken.is_empty()) {
            known.leave_to_others(taken);
        }
    }

    /// Keeps a rollout that is taken back from its end while a later one is taking back hosts that were
    /// left to it: they have the patch of this one then.
    pub(super) fn await_later(&self, rollout: &Rollout, decision: &mut RolloutDecision) {
        if *rollout.phase() != Phase::RollingBack || rollout.superseded().is_empty() {
            return;
        }
        let name = &rollout.plan().rollout;
        let awaited = self.later_than(name, rollout).find_map(|(later, _, by)| {
            let mut left = rollout.superseded().iter();
            let host = left.find(|host| takes_back(by, host))?;
            Some((later.clone(), host.clone()))
        });
        let Some((later, host)) = awaited else { return };
        let since = rollout.phase_since();
        let is_end = |command: &RolloutCommand| matches!(command, RolloutCommand::End { .. });
        let before = decision.commands.len();
        decision.commands.retain(|command| !is_end(command));
        if decision.commands.len() < before {
            let (rollout, reason) = (name.clone(), Reason::Later { later, host });
            decision.holds.push(Hold {
                subject: Subject::Rollout { rollout },
                reason,
                since,
            });
        }
    }

    /// The rollouts that began after one and change the same, each with a thing that both change.
    fn later_than<'a>(
        &'a self,
        rollout: &'a RolloutId,
        known: &'a Rollout,
    ) -> impl Iterator<Item = (&'a RolloutId, String, &'a Rollout)> {
        let subjects = known.plan().subjects();
        let others = self.rollouts.iter();
        others.filter_map(move |(name, later)| {
            let is_later = name != rollout && later.started_at() >= known.started_at();
            let subject = first_shared(&subjects, later.plan()).filter(|_| is_later)?;
            Some((name, subject, later))
        })
    }
}

/// Whether a rollout changed a host, and left it so.
fn has_it(rollout: &Rollout, host: &HostId) -> bool {
    rollout.outcomes().get(host) == Some(&Outcome::Passed)
}

/// Whether a rollout is taking a host back.
fn takes_back(rollout: &Rollout, host: &HostId) -> bool {
    rollout.is_live() && rollout.goes_back() && rollout.claims(host)
}
