//! Goes back to what the host had, by what was written before it was changed, and nothing else.

mod config;
mod packages;

use super::{
    Steps,
    record::{Phase, Was},
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    order::Order,
};

impl Steps {
    /// Undoes a rollout on this host. One that changed nothing, is undone already or was followed
    /// by another of the same packages or file leaves nothing to undo.
    pub(super) async fn roll_back(&self, order: &Order) -> Result<(), Failure> {
        let rollout = &order.grant.rollout;
        let Some(mut before) = self.records.before(rollout)? else {
            // Staged and no more: apply never began.
            return match self.records.staged(rollout)? {
                Some(_) => Ok(()),
                None => Err(unknown(order)),
            };
        };
        match before.phase {
            Phase::Undone | Phase::Superseded => return Ok(()),
            Phase::Begun => {}
        }
        match &before.was {
            Was::Packages { packages } => self.roll_back_packages(order, packages).await?,
            Was::Config(config) => self.roll_back_config(config).await?,
            Was::Noop => {}
        }
        before.phase = Phase::Undone;
        Ok(self.records.save_before(rollout, &before)?)
    }
}

fn unknown(order: &Order) -> Failure {
    let detail = format!("this host has no record of rollout {}", order.grant.rollout);
    Failure::new(FailureKind::NoWayBack, detail)
}
