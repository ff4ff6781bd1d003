//! What apply and rollback of packages share: waiting for locks, changing, restoring marks.

use super::{Steps, record::Was};
use crate::packages::{
    LOCK_POLL,
    transaction::{Change, Conditions},
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    id::RolloutId,
    order::Order,
};
use std::{path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// The conditions under which an order changes packages.
pub(super) fn conditions<'a>(order: &Order, transcript: &'a Path) -> Conditions<'a> {
    Conditions {
        deadline: order.deadlines.apply,
        script_deadline: order.deadlines.script,
        transcript,
    }
}

impl Steps {
    /// How long this order may wait for another program: as the host says, and at most half of
    /// what apply has, so that there is time left to do it.
    pub(super) fn lock_wait(&self, order: &Order) -> Duration {
        self.settings.lock_wait.min(order.deadlines.apply / 2)
    }

    pub(super) async fn wait_for_package_manager(&self, order: &Order) -> Result<(), Failure> {
        self.manager.wait_to_change(self.lock_wait(order)).await
    }

    /// Makes a change; again when another program took the lock between the look and the act.
    pub(super) async fn change(
        &self,
        change: &Change,
        on: Conditions<'_>,
        lock_wait: Duration,
    ) -> Result<(), Failure> {
        let until = Instant::now() + lock_wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.manager.wait_to_change(left).await?;
            match self.manager.change(change, on).await {
                Err(failure) if failure.kind == FailureKind::Locked && !left.is_zero() => {
                    sleep(LOCK_POLL).await;
                }
                result => return result,
            }
        }
    }

    /// Marks as automatic again what was so before: apt takes a file by name for a wish.
    pub(super) async fn restore_marks(
        &self,
        rollout: &RolloutId,
        on: Conditions<'_>,
    ) -> Result<(), Failure> {
        let Some(before) = self.records.before(rollout)? else {
            return Ok(());
        };
        let Was::Packages { packages } = &before.was else {
            return Ok(());
        };
        let automatic: Vec<&str> = packages
            .iter()
            .filter(|package| package.old.as_ref().is_some_and(|old| old.automatic))
            .map(|package| package.name.as_str())
            .collect();
        self.manager.mark_automatic(&automatic, on).await
    }
}
