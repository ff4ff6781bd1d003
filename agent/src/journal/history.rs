//! What the agent knows: its records, applied one after the other.

use super::Record;
use crate::{actions::Flag, outbox::Outbox};
use cofferdam_engine::{
    digest::Digest,
    id::{CellId, Generation, Incarnation, OrderKey, RolloutId},
    order::{Direction, Order},
    report::{Refusal, ReportBody},
    run::{Ending, Run, RunError, RunEvent, RunState, Standing},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the agent knows of its past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    incarnation: Incarnation,
    /// Whether a journal before this one was lost, and no run has put the flag up since.
    forgot: bool,
    run: Option<Run>,
    boot_id: Option<String>,
    refused: Option<RefusedOrder>,
    outbox: Outbox,
    denied: BTreeSet<Digest>,
    /// The newest generation that was accepted of each rollout and cell, the latest accepted last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    granted: Vec<Granted>,
}

/// A generation of which an order was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Granted {
    rollout: RolloutId,
    cell: CellId,
    generation: Generation,
}

/// The most rollouts whose generations are remembered: many times what one host has at once, and a warrant
/// of an older one has ended (guess).
const MOST_GRANTED: usize = 16;

/// The newest order that was not accepted. It counts as seen: it is never run later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedOrder {
    /// The order.
    pub key: OrderKey,
    /// Its digest.
    pub digest: Digest,
    /// The answer that it got.
    pub refusal: Refusal,
}

/// A record does not follow from those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// It moves a run, and none is open.
    #[error("no run is open")]
    NoRun,
    /// It opens a run while another one is open.
    #[error("the run of order {0} is open")]
    Open(OrderKey),
    /// It moves the run in a way in which it cannot move.
    #[error("the run cannot move so")]
    Run(#[from] RunError),
}

impl Granted {
    fn is_of(&self, order: &Order) -> bool {
        self.rollout == order.grant.rollout && self.cell == order.grant.cell
    }
}

impl History {
    /// The history of an agent that knows nothing yet.
    pub fn begin(incarnation: Incarnation) -> Self {
        Self {
            incarnation,
            forgot: false,
            run: None,
            boot_id: None,
            refused: None,
            outbox: Outbox::default(),
            denied: BTreeSet::new(),
            granted: Vec::new(),
        }
    }

    /// The history of an agent that lost the one before.
    pub fn begin_again(incarnation: Incarnation) -> Self {
        Self {
            forgot: true,
            ..Self::begin(incarnation)
        }
    }

    /// Learns one record.
    ///
    /// # Errors
    /// [`HistoryError`] when it does not follow from what is known; nothing has changed then.
    pub fn apply(&mut self, record: &Record) -> Result<(), HistoryError> {
        match record {
            Record::Snapshot { history } => *self = (**history).clone(),
            Record::Accepted { order, at, granted } => self.accept(order, *at, *granted)?,
            Record::Moved { event, at, boot_id } => self.advance(event, *at, boot_id)?,
            Record::Refused {
                key,
                digest,
                refusal,
            } => self.refuse(*key, *digest, refusal),
            Record::Said { body } => self.outbox.push(self.incarnation, body.clone()),
            Record::Acknowledged { up_to } => self.outbox.acknowledge(*up_to),
        }
        Ok(())
    }

    /// The number of this journal.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The newest run, over or not. Absent: there was none.
    pub fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// The run that is not over. Absent: none is open.
    pub fn open(&self) -> Option<&Run> {
        self.run.as_ref().filter(|run| !run.state().is_over())
    }

    /// How the newest run ended, to be said again. Absent: there was none, or it is not over and says more.
    pub fn ended(&self) -> Option<ReportBody> {
        let run = self.run.as_ref();
        run.filter(|run| run.state().is_over()).map(state_of)
    }

    /// The newest order that was refused. Absent: none was.
    pub fn refused(&self) -> Option<&RefusedOrder> {
        self.refused.as_ref()
    }

    /// The newest order that was seen. Absent: none was.
    pub fn newest(&self) -> Option<OrderKey> {
        let run = self.run.as_ref().map(|run| run.order().key);
        run.max(self.refused.as_ref().map(|refused| refused.key))
    }

    /// Whether the host went back from an order's bits for good. Older releases remembered them by
    /// the digest of their lock file.
    pub fn denies(&self, order: &Order) -> bool {
        let bits = order.content.bits();
        self.denied.contains(&order.grant.lock_digest)
            || bits.is_some_and(|bits| self.denied.contains(&bits))
    }

    /// The newest generation of which an order of the same rollout and cell was accepted, as it was signed where
    /// anybody looked. Absent: none was.
    pub fn generation_of(&self, order: &Order) -> Option<Generation> {
        let known = self.granted.iter().find(|known| known.is_of(order));
        known.map(|known| known.generation)
    }

    /// What is to be said.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Where the flag belongs. Absent: nobody knows, or the open run is about to put it up; it stays
    /// where it is.
    pub fn flag(&self) -> Option<Flag> {
        let run = self.run.as_ref();
        match run.map(Run::state) {
            Some(RunState::Readmitting(_)) => None,
            Some(_) | None if run.is_some_and(Run::is_drained) => Some(Flag::Down),
            Some(_) | None if self.forgot => None,
            Some(_) | None => Some(Flag::Up),
        }
    }

    /// The latest moment that stands in it. Absent: no run was ever accepted.
    pub fn latest(&self) -> Option<Timestamp> {
        self.run.as_ref().map(Run::entered_at)
    }

    /// What a start under a boot means to the open run. Absent: none is open.
    pub fn resumption(&self, boot_id: &str) -> Option<RunEvent> {
        let run = self.open()?;
        let other_boot = self.boot_id.as_deref() != Some(boot_id);
        let rebooted = run.state() == RunState::Rebooting && other_boot;
        Some(if rebooted {
            RunEvent::Rebooted
        } else {
            RunEvent::Resumed
        })
    }

    fn accept(
        &mut self,
        order: &Order,
        at: Timestamp,
        granted: Option<Generation>,
    ) -> Result<(), HistoryError> {
        if let Some(open) = self.open() {
            return Err(HistoryError::Open(open.order().key));
        }
        if order.asked_again {
            self.denied.remove(&order.grant.lock_digest);
            self.denied
                .retain(|bits| order.content.bits() != Some(*bits));
        }
        self.note_generation(order, granted);
        let standing = self.run.as_ref().map_or(Standing::Free, Run::leaves);
        self.run = Some(Run::accept_by(standing, order.clone(), at));
        self.report_state();
        Ok(())
    }

    /// What was signed counts: the order is its coordinator's word.
    fn note_generation(&mut self, order: &Order, granted: Option<Generation>) {
        let grant = &order.grant;
        let generation = granted
            .unwrap_or(grant.generation)
            .max(self.generation_of(order).unwrap_or_default());
        self.granted.retain(|known| !known.is_of(order));
        let excess = (self.granted.len() + 1).saturating_sub(MOST_GRANTED);
        self.granted.drain(..excess);
        self.granted.push(Granted {
            rollout: grant.rollout.clone(),
            cell: grant.cell.clone(),
            generation,
        });
    }

    fn advance(
        &mut self,
        event: &RunEvent,
        at: Timestamp,
        boot_id: &str,
    ) -> Result<(), HistoryError> {
        let run = self.run.as_mut().ok_or(HistoryError::NoRun)?;
        let before = run.state();
        run.apply(event.clone(), at)?;
        if self.boot_id.as_deref() != Some(boot_id) {
            self.boot_id = Some(boot_id.to_owned());
        }
        if run.state() == before {
            return Ok(());
        }
        if let RunState::Ended(ending) = run.state() {
            let is_in_service = !matches!(ending, Ending::Cancelled | Ending::Quarantined);
            self.forgot &= !is_in_service;
            // Promise 12: what an order rolled back is not installed again from the same bits.
            let went_back = ending == Ending::RolledBack;
            if went_back && run.order().direction == Direction::Rollback {
                self.denied.extend(run.order().content.bits());
            }
        }
        self.report_state();
        Ok(())
    }

    fn report_state(&mut self) {
        if let Some(body) = self.run.as_ref().map(state_of) {
            self.outbox.push(self.incarnation, body);
        }
    }

    fn refuse(&mut self, key: OrderKey, digest: Digest, refusal: &Refusal) {
        if self.newest() < Some(key) && *refusal != Refusal::OtherHost {
            self.refused = Some(RefusedOrder {
                key,
                digest,
                refusal: refusal.clone(),
            });
        }
        let refusal = refusal.clone();
        self.outbox
            .push(self.incarnation, ReportBody::Refused { key, refusal });
    }
}

fn state_of(run: &Run) -> ReportBody {
    ReportBody::Entered {
        key: run.order().key,
        state: run.state(),
        failure: run.failure().cloned(),
        exceptions: run.exceptions().to_vec(),
    }
}
