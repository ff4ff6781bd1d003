//! Boots a new kernel once, and makes it the default only when the host was found well with it. Whoever brought
//! it: one that people or an earlier patch installed and nobody booted yet is what a reboot would take, whatever
//! this patch changes.
//!
//! ```text
//! stage    a new kernel, and GRUB that cannot boot one once: refused
//! apply    kernel.json: installing ---> the running kernel is pinned ---> packages
//! reboot   (of a patch without packages: here)
//!          the next boot, and no later one, is the new kernel's ---> kernel.json: tried
//! verify   the old one runs: it did not boot. Else checks, and: default ---> kernel.json: proved
//! rollback the new one runs: the old one is the default, kernel.json: going-back, reboot;
//!          then packages, by the old kernel ---> kernel.json: back
//! ```
//!
//! Whatever ends a trial before it is proved, a power cut among it, leaves the old kernel as the default.

use super::Steps;
use crate::{
    boot_loader::Grub,
    effect::kernel,
    host::{boot, durable, unit},
    kernel_trial::PROVED,
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    order::Order,
    package::PackageFormat,
    patch::{KernelFallback, LockedPackage},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, path::Path, rc::Rc};

/// What a host had and has of kernels, in one rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The release of the kernel that ran before, as `uname -r` prints it.
    pub old: String,
    /// The release of the kernel that the reboot is to take.
    pub new: String,
    /// The boot loader's saved entry before. Absent: there was none.
    pub default_entry: Option<String>,
    /// How far it is.
    #[serde(flatten)]
    pub phase: TrialPhase,
}

/// How far a trial is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum TrialPhase {
    /// The old kernel is pinned as the default; the new one is on the host, or comes.
    Installing,
    /// It was to be booted once.
    Tried,
    /// The host was well with it, and it is the default.
    Proved,
    /// The host was told to reboot with the old one.
    GoingBack {
        /// The boot that is to end.
        boot_id: String,
    },
    /// The old one runs, and the new one is gone.
    Back,
}

impl Trial {
    /// Whether the new kernel is not proved yet, and not given up.
    fn is_open(&self) -> bool {
        matches!(self.phase, TrialPhase::Installing | TrialPhase::Tried)
    }
}

impl Steps {
    /// Makes sure that a new kernel, among staged packages or on the host already, can be booted once, before
    /// anything is drained for it.
    pub(super) async fn require_kernel_fallback(
        &self,
        fallback: KernelFallback,
        changed: &[&LockedPackage],
    ) -> Result<(), Failure> {
        if self.new_kernel(fallback, changed).await?.is_none() {
            return Ok(());
        }
        let grub = Grub::ready(Rc::clone(&self.outside.runner)).await?;
        grub.require_entry(&kernel::running()?)
    }

    /// Pins the running kernel before packages bring a newer one: from here on nothing but a proof makes that one
    /// the default, whatever scripts of packages do to the menu. The trial that follows, if there is a newer one.
    pub(super) async fn pin_kernel(
        &self,
        order: &Order,
        changed: &[&LockedPackage],
    ) -> Result<Option<Trial>, Failure> {
        let rollout = &order.grant.rollout;
        let earlier = self.records.kernel(rollout)?;
        let (grub, trial) = match earlier.filter(|trial| trial.phase == TrialPhase::Installing) {
            Some(trial) => (self.grub(), trial),
            None => {
                let Some(new) = self.new_kernel(order.kernel_fallback, changed).await? else {
                    return Ok(None);
                };
                let grub = Grub::ready(Rc::clone(&self.outside.runner)).await?;
                let trial = Trial {
                    old: kernel::running()?,
                    new,
                    default_entry: grub.default_entry().await?,
                    phase: TrialPhase::Installing,
                };
                self.records.save_kernel(rollout, &trial)?;
                (grub, trial)
            }
        };
        tracing::info!(
            kernel = trial.old,
            "stays the default until {} is proved",
            trial.new
        );
        grub.pin(&trial.old).await?;
        Ok(Some(trial))
    }

    /// Lets the reboot that follows be the new kernel's, and no later one.
    pub(super) async fn arm_kernel(&self, order: &Order) -> Result<(), Failure> {
        let rollout = &order.grant.rollout;
        let open = self.records.kernel(rollout)?.filter(Trial::is_open);
        let trial = match open {
            Some(trial) => Some(trial),
            None => self.pin_kernel(order, &[]).await?,
        };
        let Some(trial) = trial else {
            return Ok(());
        };
        let deadlines = &order.deadlines;
        let within = deadlines.reboot + deadlines.verify;
        self.grub().arm(&trial.new, &trial.old, within).await?;
        self.save_phase(order, trial, TrialPhase::Tried)
    }

    /// Makes sure that the host runs the kernel that was to be tried.
    pub(super) fn require_new_kernel(&self, order: &Order) -> Result<(), Failure> {
        let trial = self.records.kernel(&order.grant.rollout)?;
        let Some(trial) = trial.filter(Trial::is_open) else {
            return Ok(());
        };
        let running = kernel::running()?;
        if running == trial.new {
            return Ok(());
        }
        let detail = format!(
            "kernel {} did not boot: the host came back by itself with {running}",
            trial.new
        );
        Err(Failure::new(FailureKind::Kernel, detail))
    }

    /// Makes the kernel that the host was found well with the default, and ends the trial's timer.
    pub(super) async fn prove_kernel(&self, order: &Order) -> Result<(), Failure> {
        let Some(trial) = self.records.kernel(&order.grant.rollout)? else {
            return Ok(());
        };
        if trial.is_open() {
            let former = trial.default_entry.as_deref();
            self.grub().settle(&trial.new, former).await?;
            tracing::info!(kernel = trial.new, "is proved, and the default from now on");
            self.save_phase(order, trial, TrialPhase::Proved)?;
        } else if trial.phase != TrialPhase::Proved {
            return Ok(());
        }
        Ok(durable::write(Path::new(PROVED), b"")?)
    }

    /// Goes back to the old kernel, by a reboot where the new one runs: that can be taken off the host by another
    /// one only. Does not end where the host goes down.
    pub(super) async fn leave_kernel(&self, order: &Order) -> Result<(), Failure> {
        let Some(trial) = self.records.kernel(&order.grant.rollout)? else {
            return Ok(());
        };
        if trial.phase == TrialPhase::Back || kernel::running()? != trial.new {
            return Ok(());
        }
        let boot_id = boot::id()?;
        if let TrialPhase::GoingBack { boot_id: left } = &trial.phase
            && *left != boot_id
        {
            let detail = format!(
                "the host came back with {} and not with {}",
                trial.new, trial.old
            );
            return Err(Failure::new(FailureKind::Kernel, detail));
        }
        let grub = self.grub();
        grub.disarm().await?;
        grub.pin(&trial.old).await?;
        tracing::info!(kernel = trial.old, "is booted again");
        self.save_phase(order, trial, TrialPhase::GoingBack { boot_id })?;
        unit::reboot(&*self.outside.runner).await?;
        std::future::pending().await
    }

    /// Forgets the trial once its packages are gone: the default is as it was.
    pub(super) async fn forget_kernel(&self, order: &Order) -> Result<(), Failure> {
        let Some(trial) = self.records.kernel(&order.grant.rollout)? else {
            return Ok(());
        };
        if trial.phase != TrialPhase::Back && kernel::running()? == trial.old {
            let former = trial.default_entry.as_deref();
            self.grub().settle(&trial.old, former).await?;
        }
        self.save_phase(order, trial, TrialPhase::Back)
    }

    fn save_phase(
        &self,
        order: &Order,
        mut trial: Trial,
        phase: TrialPhase,
    ) -> Result<(), Failure> {
        trial.phase = phase;
        Ok(self.records.save_kernel(&order.grant.rollout, &trial)?)
    }

    fn grub(&self) -> Grub {
        Grub::known(Rc::clone(&self.outside.runner))
    }

    /// The kernel that a reboot after these packages would take and that is to be tried first. Absent: none is
    /// newer, or it need not be.
    async fn new_kernel(
        &self,
        fallback: KernelFallback,
        changed: &[&LockedPackage],
    ) -> Result<Option<String>, Failure> {
        if fallback == KernelFallback::None || !self.settings.root.is_machine() {
            return Ok(None);
        }
        let mut brought = BTreeSet::new();
        for package in changed {
            let file = self.keep.package(package.sha256);
            brought.extend(self.manager.kernels(&package.name, &file).await?);
        }
        let running = kernel::running()?;
        let on_host = kernel::newer_than(&running, &self.settings.root)?;
        to_try(&running, brought, on_host, self.manager.format())
    }
}

/// The newest of the kernels that packages bring and of the newest on the host, where it is newer than the running
/// one.
fn to_try(
    running: &str,
    brought: BTreeSet<String>,
    on_host: Option<String>,
    format: PackageFormat,
) -> Result<Option<String>, Failure> {
    if brought.contains(running) {
        return Err(in_place(running));
    }
    let all = brought.into_iter().chain(on_host);
    Ok(kernel::newest(running, all, format))
}

fn in_place(running: &str) -> Failure {
    let detail = format!(
        "the patch writes over the files of {running}, which runs: there would be no kernel to go back to. Set \
         `kernel_fallback = \"none\"` in [patch] to go on without one"
    );
    Failure::new(FailureKind::Unsupported, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_reboot_would_take_is_tried_whoever_brought_it() {
        for (brought, on_host, expected) in [
            (&["2-a"][..], None, Some("2-a")),
            (&[], Some("3-a"), Some("3-a")),
            (&["2-a"], Some("3-a"), Some("3-a")),
            (&["4-a"], Some("3-a"), Some("4-a")),
            (&["2-b"], Some("3-a"), Some("3-a")),
            (&[], None, None),
        ] {
            let brought: BTreeSet<String> = brought.iter().map(|&one| one.to_owned()).collect();
            let on_host = on_host.map(str::to_owned);
            let found = to_try("1-a", brought, on_host, PackageFormat::Deb).unwrap();
            assert_eq!(found.as_deref(), expected);
        }
        let running = BTreeSet::from(["1-a".to_owned()]);
        let failure = to_try("1-a", running, Some("3-a".to_owned()), PackageFormat::Deb);
        assert_eq!(failure.unwrap_err().kind, FailureKind::Unsupported);
    }
}
