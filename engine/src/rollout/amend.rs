//! How a rollout gives hosts away to a variant of its patch.

use super::{NotExcepted, Rollout, RolloutError};
use crate::{
    exception::Word,
    id::{Generation, HostId, OperatorId, RolloutId},
    plan::{Amends, Plan},
    time::Timestamp,
    warrant::{Change, FailedEnd, Outcome},
};

/// The generation of a rollout's own patch.
const OWN: u64 = 1;

impl Rollout {
    /// The rollouts that amend it, in order.
    pub fn amended_by(&self) -> &[RolloutId] {
        &self.amended_by
    }

    /// What the next rollout that amends it says of that.
    pub fn next_amendment(&self) -> Amends {
        let before = u64::try_from(self.amended_by.len()).unwrap_or(u64::MAX);
        Amends {
            rollout: self.plan.rollout.clone(),
            rollout_digest: self.plan.rollout_digest,
            generation: Generation(OWN.saturating_add(before).saturating_add(1)),
        }
    }

    /// Whether an amendment is for the host: this rollout planned it, and it has not passed, nor been
    /// lost in its run. One that is at work is waited for.
    pub fn may_be_amended(&self, host: &HostId) -> bool {
        let stays = matches!(
            self.outcomes.get(host),
            Some(
                Outcome::Passed
                    | Outcome::RolledBack
                    | Outcome::Gone
                    | Outcome::Failed {
                        end: FailedEnd::Silent,
                        ..
                    }
                    | Outcome::Skipped {
                        change: Change::Unknown,
                        ..
                    }
            )
        );
        let may_run = !self.is_over(host) && self.may_work_unheard(host);
        self.plan.hosts.contains_key(host) && !stays && !may_run
    }

    /// Gives the hosts of an amendment away.
    ///
    /// # Errors
    /// [`RolloutError`] when the amendment was planned for another state of the rollout, or the
    /// rollout is neither running nor paused.
    pub(crate) fn amend(
        &mut self,
        plan: &Plan,
        by: &OperatorId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), RolloutError> {
        if plan.amends.as_ref() != Some(&self.next_amendment()) {
            return Err(RolloutError::OtherAmendment {
                rollout: self.plan.rollout.clone(),
                amendment: plan.rollout.clone(),
            });
        }
        let word = Word::Exclude;
        let refused = |why| RolloutError::NotExcepted {
            rollout: self.plan.rollout.clone(),
            word,
            why,
        };
        self.allows(word).map_err(refused)?;
        let strangers = plan.hosts.keys().filter(|host| !self.may_be_amended(host));
        let strangers: Vec<(HostId, &'static str)> = strangers
            .map(|host| (host.clone(), "is not of it any more, or has passed"))
            .collect();
        if !strangers.is_empty() {
            return Err(refused(NotExcepted::Hosts(strangers)));
        }
        let hosts = plan.hosts.keys().filter(|host| self.may_be_excluded(host));
        let hosts: Vec<HostId> = hosts.cloned().collect();
        let reason = match reason.is_empty() {
            true => format!("amended by {}", plan.rollout),
            false => format!("amended by {}: {reason}", plan.rollout),
        };
        self.take_word(word, hosts, by, &reason, now)?;
        self.amended_by.push(plan.rollout.clone());
        Ok(())
    }
}
