//! Whether a statement covers what an agent is told to do.
//!
//! An order may say many things that a statement does not name: when, how fast, in which wave. What it
//! installs and may disturb is named, so that whoever passes orders on can make them no others.

use super::{Bits, Place, Statement, conffiles};
use crate::{
    date::Date,
    digest::Digest,
    id::RolloutId,
    inventory::{Host, Platform},
    order::Order,
    patch::{ConffilePolicies, Content, KernelFallback, RebootPolicy, RestartPolicy},
    select::Selection,
    spec,
    time::Timestamp,
};

/// What an agent is told to fetch, or to fetch and install.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The rollout that it is said to be of.
    pub rollout: &'a RolloutId,
    /// The digest of the lock file that it is said to be of.
    pub lock: Digest,
    /// The bits.
    pub content: &'a Content,
    /// What becomes of changed config files of packages.
    pub conffiles: &'a ConffilePolicies,
    /// Whether a patch without a proved way back is allowed.
    pub one_way: bool,
    /// How the host comes back from a new kernel that does not boot.
    pub kernel_fallback: KernelFallback,
    /// What a run of it may disturb. Absent: it is only fetched.
    pub run: Option<RunTerms>,
}

/// What a run may disturb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunTerms {
    /// The digest of the rollout that it is said to be of.
    pub rollout_digest: Digest,
    /// Whether it may reboot.
    pub reboot: RebootPolicy,
    /// Whether it restarts units.
    pub restart: RestartPolicy,
}

impl<'a> From<&'a Order> for Change<'a> {
    fn from(order: &'a Order) -> Self {
        Self {
            rollout: &order.grant.rollout,
            lock: order.grant.lock_digest,
            content: &order.content,
            conffiles: &order.conffiles,
            one_way: order.one_way,
            kernel_fallback: order.kernel_fallback,
            run: Some(RunTerms {
                rollout_digest: order.grant.rollout_digest,
                reboot: order.reboot,
                restart: order.restart,
            }),
        }
    }
}

/// What was signed is something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCovered {
    /// Its time is over.
    #[error("what was signed was good until {0}")]
    Over(Date),
    /// Another rollout.
    #[error("what was signed is rollout {signed}, and this is {asked}")]
    OtherRollout {
        /// The rollout of the statement.
        signed: RolloutId,
        /// The rollout that was asked for.
        asked: RolloutId,
    },
    /// The same name, and another rollout file, lock file or generation.
    #[error("another {0} than the one that was signed")]
    Other(&'static str),
    /// Nothing is signed for hosts of this platform.
    #[error("nothing was signed for {0}")]
    NothingFor(Platform),
    /// Other bits for this platform.
    #[error("other bits than those that were signed for {0}")]
    OtherBits(Platform),
    /// The host is none of those that it is for.
    #[error("what was signed is for hosts with {0}, and this host is none")]
    NotSelected(Selection),
    /// A run that may disturb more or less.
    #[error("`{key}` is {asked}, and {signed} was signed")]
    OtherTerm {
        /// The key of the rollout file.
        key: &'static str,
        /// What was signed.
        signed: &'static str,
        /// What was asked for.
        asked: &'static str,
    },
}

impl Statement {
    /// Holds what an agent is told to do against what was signed. `host` is what the agent itself
    /// knows of its host, and `now` what its clock says.
    ///
    /// # Errors
    /// [`NotCovered`] with the first difference.
    pub fn covers(
        &self,
        change: &Change<'_>,
        host: &Host,
        now: Timestamp,
    ) -> Result<(), NotCovered> {
        if now >= self.until.end() {
            return Err(NotCovered::Over(self.until));
        }
        if *change.rollout != self.rollout {
            return Err(NotCovered::OtherRollout {
                signed: self.rollout.clone(),
                asked: change.rollout.clone(),
            });
        }
        self.covers_files(change)?;
        self.covers_bits(change.content, &host.facts.platform)?;
        self.covers_terms(change)?;
        if !self.selection.matches(host) {
            return Err(NotCovered::NotSelected(self.selection.clone()));
        }
        Ok(())
    }

    fn covers_files(&self, change: &Change<'_>) -> Result<(), NotCovered> {
        if change.lock != self.lock {
            return Err(NotCovered::Other("lock file"));
        }
        let rollout_digest = change.run.map(|run| run.rollout_digest);
        if rollout_digest.is_some_and(|digest| digest != self.rollout_digest()) {
            return Err(NotCovered::Other("rollout file or generation"));
        }
        if conffiles(change.conffiles) != self.conffiles {
            return Err(NotCovered::Other("set of `conffiles`"));
        }
        Ok(())
    }

    /// The bits must be those of the host's own platform.
    fn covers_bits(&self, content: &Content, platform: &Platform) -> Result<(), NotCovered> {
        let is_here = |bits: &&Bits| match &bits.place {
            Place::Platform(place) => place == platform,
            Place::Anywhere => true,
        };
        let signed = self.bits.iter().find(is_here);
        let signed = signed.ok_or_else(|| NotCovered::NothingFor(platform.clone()))?;
        if *signed != Bits::of(content, platform) {
            return Err(NotCovered::OtherBits(platform.clone()));
        }
        Ok(())
    }

    fn covers_terms(&self, change: &Change<'_>) -> Result<(), NotCovered> {
        let yes_or_no = |flag| if flag { "true" } else { "false" };
        let one_way = [self.one_way, change.one_way].map(yes_or_no);
        same_term("one_way", one_way)?;
        let fallback = [self.kernel_fallback, change.kernel_fallback];
        let fallback = fallback.map(|one| spec::word(&spec::KERNEL_FALLBACKS, one));
        same_term("kernel_fallback", fallback)?;
        let Some(run) = change.run else {
            return Ok(());
        };
        let reboot = [self.reboot, run.reboot].map(|reboot| spec::word(&spec::REBOOTS, reboot));
        same_term("reboot", reboot)?;
        let restart =
            [self.restart, run.restart].map(|restart| spec::word(&spec::RESTARTS, restart));
        same_term("restart", restart)
    }
}

fn same_term(key: &'static str, [signed, asked]: [&'static str; 2]) -> Result<(), NotCovered> {
    match signed == asked {
        true => Ok(()),
        false => Err(NotCovered::OtherTerm { key, signed, asked }),
    }
}
