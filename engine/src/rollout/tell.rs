//! What a rollout tells its cells: what it is, what they may start, that they must stop.

use super::{CellProgress, Rollout, RolloutCommand, RolloutDecision, Wish};
use crate::{
    id::{CellId, HostId},
    order::Direction,
    time::{Timestamp, earlier},
    warrant::{Outcome, Seal, Stop, StopKind, Warrant},
};

impl Rollout {
    pub(super) fn assign(
        &self,
        decision: &mut RolloutDecision,
        has_part: impl Fn(&CellId) -> bool,
    ) {
        let new = self.cells.iter().filter(|(_, p)| !p.assigned);
        for (cell, _) in new.filter(|(cell, _)| !self.is_silent(cell) && has_part(cell)) {
            if let Some(assignment) = self.plan.assignments.get(cell) {
                decision
                    .commands
                    .push(RolloutCommand::Assign(Box::new(assignment.clone())));
            }
        }
    }

    /// Renews warrants that have hosts left, well before they end.
    pub(super) fn renew(&self, decision: &mut RolloutDecision, now: Timestamp) {
        let mut granted = self.granted().map(|(cell, _)| cell).peekable();
        for (cell, progress) in &self.cells {
            let Wish::Start {
                direction,
                hosts,
                at,
            } = &progress.wish
            else {
                continue;
            };
            while granted.next_if(|other| *other < cell).is_some() {}
            let is_back = |host| self.outcomes.get(host) == Some(&Outcome::RolledBack);
            let is_done = match direction {
                Direction::Patch => granted.peek() != Some(&cell),
                Direction::Rollback => hosts.iter().all(is_back),
            };
            let is_done = is_done && !progress.narrowed;
            if decision.tells(cell) || self.is_silent(cell) || is_done {
                continue;
            }
            let due = at.after(self.plan.warrant / 2);
            if now < due && !progress.untold && !progress.narrowed {
                decision.renews_at = earlier(decision.renews_at, Some(due));
                continue;
            }
            decision
                .commands
                .push(self.warrant(cell, hosts.clone(), *direction));
        }
    }

    /// Takes leave back from cells that have it for hosts which wait for another turn.
    pub(super) fn narrow(&self, decision: &mut RolloutDecision) {
        for (cell, progress) in self.cells.iter().filter(|(_, p)| p.narrowed) {
            if let Wish::Start {
                direction, hosts, ..
            } = &progress.wish
                && !self.is_silent(cell)
            {
                let narrower = self.warrant(cell, hosts.clone(), *direction);
                decision.commands.push(narrower);
            }
        }
    }

    pub(super) fn stop_all(&self, kind: StopKind, reason: &str, decision: &mut RolloutDecision) {
        for (cell, progress) in &self.cells {
            let is_stopped = match &progress.wish {
                Wish::Stop { kind: present } => *present == kind || *present == StopKind::End,
                Wish::Nothing => kind == StopKind::Pause,
                Wish::Start { .. } => false,
            };
            let is_stopped = is_stopped && !progress.untold;
            if progress.was_told() && !is_stopped && !self.is_silent(cell) {
                decision
                    .commands
                    .push(self.stop(cell, progress, kind, reason));
            }
        }
    }

    pub(super) fn stop(
        &self,
        cell: &CellId,
        progress: &CellProgress,
        kind: StopKind,
        reason: &str,
    ) -> RolloutCommand {
        RolloutCommand::Stop(Stop {
            rollout: self.plan.rollout.clone(),
            cell: cell.clone(),
            generation: progress.generation.next(),
            reason: reason.to_owned(),
            kind,
        })
    }

    /// Tells a cell what it may start. It is nobody's turn anew.
    pub(super) fn warrant(
        &self,
        cell: &CellId,
        hosts: Vec<HostId>,
        direction: Direction,
    ) -> RolloutCommand {
        RolloutCommand::Warrant {
            warrant: self.leave(cell, hosts, direction),
            opens: false,
            opinion: None,
        }
    }

    /// The leave to start hosts of a cell.
    pub(super) fn leave(&self, cell: &CellId, hosts: Vec<HostId>, direction: Direction) -> Warrant {
        let generation = self.cells.get(cell).map(|progress| progress.generation);
        Warrant {
            rollout: self.plan.rollout.clone(),
            cell: cell.clone(),
            wave: self.wave,
            generation: generation.unwrap_or_default().next(),
            direction,
            hosts,
            starts_for: self.plan.warrant,
            // The shell signs what it is about to tell.
            seal: Seal::default(),
        }
    }
}
