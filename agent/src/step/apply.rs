//! Changes the host. What it had is on disk before anything is changed.

mod config;
mod packages;

use super::{
    Steps,
    hooks::Point,
    record::{Before, Phase, Was},
};
use crate::actions::{Applied, StageRequest};
use cofferdam_engine::{failure::Failure, order::Order, patch::Content};
use std::time::Duration;
use tokio::time::Instant;

impl Steps {
    /// Makes sure that all bits are there, keeps what the host has, and changes it. Hooks may say no
    /// until the change has begun.
    pub(super) async fn apply_content(&self, order: &Order) -> Result<Applied, Failure> {
        let step = (Instant::now(), order.deadlines.apply);
        let request = StageRequest {
            rollout: order.grant.rollout.clone(),
            lock_digest: order.grant.lock_digest,
            content: order.content.clone(),
            conffiles: order.conffiles.clone(),
            kernel_fallback: order.kernel_fallback,
            one_way: order.one_way,
            rate_kib: None,
        };
        // What was not staged is fetched on a drained host: as fast as that allows, and nobody is waited for.
        self.stage_bits(&request, Duration::ZERO).await?;
        if !self.has_begun(order)? {
            self.run_hooks(Point::PreApply, order, step).await?;
        }
        self.stop_traffic("patching", order).await?;
        let _filling = self.keep.filling();
        match &order.content {
            Content::Packages { packages, reach } => {
                let packages = self.of_this_host(packages, reach).await?;
                self.apply_packages(order, &packages).await?;
            }
            Content::Config { config, files } => {
                let change = self.apply_config(order, config, files);
                self.outside.drift.account(change).await?;
            }
            Content::Noop => {
                self.begin(order, Was::Noop)?;
                return Ok(Applied {
                    needs_reboot: false,
                });
            }
        }
        let effect = self.take_effect(order).await?;
        Ok(Applied {
            needs_reboot: effect.reboot.is_some(),
        })
    }

    /// Whether an earlier, interrupted apply of this rollout has written what the host had, and no
    /// later rollout has changed that since.
    fn has_begun(&self, order: &Order) -> Result<bool, Failure> {
        let before = self.records.before(&order.grant.rollout)?;
        let Some(before) = before.filter(|before| before.phase == Phase::Begun) else {
            return Ok(false);
        };
        let later = self.records.later_than(&before)?;
        Ok(later.iter().all(|(_, other)| other.phase == Phase::Undone))
    }

    /// Writes what the host has, once: what is found after an interruption may be half changed.
    fn begin(&self, order: &Order, was: Was) -> Result<(), Failure> {
        if self.has_begun(order)? {
            return Ok(());
        }
        let before = Before {
            number: self.records.next_number()?,
            lock_digest: order.grant.lock_digest,
            phase: Phase::Begun,
            was,
            exceptions: Vec::new(),
        };
        Ok(self.records.save_before(&order.grant.rollout, &before)?)
    }
}
