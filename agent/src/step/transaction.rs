//! What apply and rollback of packages share: waiting for locks, changing, restoring marks.

use super::{
    Steps,
    record::{PackageWas, Was},
};
use crate::packages::{
    LOCK_POLL,
    needs::came_along,
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

    /// Waits until nobody changes packages. What an earlier start of the agent left at work has all of the
    /// step's time for it, and its scripts theirs.
    pub(super) async fn wait_for_package_manager(&self, order: &Order) -> Result<(), Failure> {
        let deadlines = &order.deadlines;
        self.manager
            .see_out(deadlines.apply, deadlines.script)
            .await?;
        self.manager.wait_to_change(self.lock_wait(order)).await
    }

    /// The same on the way back, where what was left at work is ended when half of the step's time is over:
    /// there is nowhere else to go.
    pub(super) async fn wait_to_go_back(&self, order: &Order) -> Result<(), Failure> {
        let deadlines = &order.deadlines;
        let seen_out = self
            .manager
            .see_out(deadlines.apply / 2, deadlines.script)
            .await;
        if let Err(failure) = seen_out {
            tracing::warn!(%failure, "ends what an earlier start of the agent left at work");
            self.manager.end_leftover()?;
        }
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

    /// Marks as automatic what was so before, and what came along with others, or nothing would ever take it off
    /// the host again: apt takes a file by name for a wish.
    pub(super) async fn mark_anew(
        &self,
        rollout: &RolloutId,
        on: Conditions<'_>,
    ) -> Result<(), Failure> {
        let packages = self.packages_before(rollout)?;
        let mut automatic = self.came_along(&packages).await?;
        automatic.extend(were_automatic(&packages));
        self.manager.mark_automatic(&automatic, on).await
    }

    /// The new ones among packages that came along with others.
    async fn came_along<'p>(&self, packages: &'p [PackageWas]) -> Result<Vec<&'p str>, Failure> {
        let (old, new): (Vec<_>, Vec<_>) = packages.iter().partition(|one| one.old.is_some());
        let old: Vec<&str> = old.iter().map(|one| one.name.as_str()).collect();
        let new: Vec<&str> = new.iter().map(|one| one.name.as_str()).collect();
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let needs = self
            .manager
            .needs(&[old.clone(), new.clone()].concat())
            .await?;
        Ok(came_along(&new, &old, &needs).into_iter().collect())
    }

    /// What was there of the packages that a rollout changes. Empty: it has changed none yet, or changes none.
    fn packages_before(&self, rollout: &RolloutId) -> Result<Vec<PackageWas>, Failure> {
        let before = self.records.before(rollout)?;
        Ok(match before.map(|before| before.was) {
            Some(Was::Packages { packages }) => packages,
            Some(Was::Config(_) | Was::Noop) | None => Vec::new(),
        })
    }

    /// Marks as automatic again what was so before: apt takes a file by name for a wish.
    pub(super) async fn restore_marks(
        &self,
        rollout: &RolloutId,
        on: Conditions<'_>,
    ) -> Result<(), Failure> {
        let packages = self.packages_before(rollout)?;
        let automatic: Vec<&str> = were_automatic(&packages).collect();
        self.manager.mark_automatic(&automatic, on).await
    }
}

fn were_automatic(packages: &[PackageWas]) -> impl Iterator<Item = &str> {
    let automatic = packages
        .iter()
        .filter(|package| package.old.as_ref().is_some_and(|old| old.automatic));
    automatic.map(|package| package.name.as_str())
}
