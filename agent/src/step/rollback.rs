//! Goes back to what the host had, by what was written before it was changed, and nothing else.

mod config;
mod exceptions;
mod packages;
mod room;

use super::{
    Steps,
    record::{Before, Phase, Was},
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    id::RolloutId,
    order::{Direction, Order},
};

impl Steps {
    /// Undoes a rollout on this host. One that changed nothing or is undone already leaves nothing
    /// to undo. Returns what is not as it was before.
    pub(super) async fn roll_back(&self, order: &Order) -> Result<Vec<String>, Failure> {
        let rollout = &order.grant.rollout;
        let Some(mut before) = self.records.before(rollout)? else {
            // Apply never began: it ended before, or the host was staged and no more.
            return match (order.direction, self.records.staged(rollout)?) {
                (Direction::Patch, _) | (Direction::Rollback, Some(_)) => Ok(Vec::new()),
                (Direction::Rollback, None) => Err(unknown(order)),
            };
        };
        match before.phase {
            Phase::Undone => return Ok(before.exceptions),
            Phase::Begun => {}
        }
        self.require_present(rollout, &before).await?;
        self.leave_kernel(order).await?;
        let exceptions = match &before.was {
            Was::Packages { packages } => self.roll_back_packages(order, packages).await?,
            Was::Config(config) => {
                let change = self.roll_back_config(config);
                self.outside.drift.account(change).await?
            }
            Was::Noop => Vec::new(),
        };
        self.say_exceptions(rollout, &exceptions);
        self.forget_kernel(order).await?;
        self.take_effect(order).await?;
        before.phase = Phase::Undone;
        before.exceptions = exceptions::of_report(exceptions);
        self.records.save_before(rollout, &before)?;
        Ok(before.exceptions)
    }

    /// Makes sure that the host stands where the rollout left it, if later ones changed the same:
    /// from anywhere else its way back leads astray.
    async fn require_present(&self, rollout: &RolloutId, before: &Before) -> Result<(), Failure> {
        let later = self.records.later_than(before)?;
        let stands = |(_, other): &&(RolloutId, Before)| other.phase == Phase::Begun;
        if let Some((other, _)) = later.iter().rev().find(stands) {
            return Err(superseded(rollout, other));
        }
        if later.is_empty() {
            return Ok(());
        }
        let strayed = match &before.was {
            Was::Packages { packages } => self.strayed_packages(packages).await?,
            Was::Config(config) => self.strayed_config(config).await?,
            Was::Noop => Vec::new(),
        };
        match strayed.is_empty() {
            true => Ok(()),
            false => Err(astray(rollout, &strayed)),
        }
    }
}

fn unknown(order: &Order) -> Failure {
    let detail = format!("this host has no record of rollout {}", order.grant.rollout);
    Failure::new(FailureKind::NoWayBack, detail)
}

fn superseded(rollout: &RolloutId, later: &RolloutId) -> Failure {
    let detail = format!(
        "no way back from rollout {rollout}: rollout {later} changed the same on this host later and \
         stands; nothing was changed; roll {later} back first"
    );
    Failure::new(FailureKind::NoWayBack, detail)
}

fn astray(rollout: &RolloutId, strayed: &[String]) -> Failure {
    let detail = format!(
        "no way back from rollout {rollout}: {}; nothing was changed; put that right by hand and roll \
         back again, or start a rollout to what is wanted",
        strayed.join(", ")
    );
    Failure::new(FailureKind::NoWayBack, detail)
}
