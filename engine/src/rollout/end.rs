//! What becomes of hosts that a rollout is done without.
//!
//! Each planned host has an outcome then. Where its cell is unknown nobody knows better: what the cell
//! says when it is heard of again is taken in as the truth. Hosts that were held with their stratum were
//! not touched.

use super::{End, Phase, Rollout};
use crate::{
    id::HostId,
    warrant::{LeftOutCause, Outcome},
};

impl Rollout {
    /// Gives every host that a rollout is done without an outcome.
    pub(super) fn leave_out_the_rest(&mut self, end: End) {
        match end {
            End::Done => {}
            End::Aborted | End::RolledBack => return,
        }
        let open = self.plan.hosts.iter();
        let open = open.filter(|(host, _)| !self.is_over(host));
        let left = open.map(|(host, planned)| {
            let (reason, cause) = match self.is_silent(&planned.cell) {
                true => (
                    format!(
                        "nothing was heard of cell {} when the rollout ended",
                        planned.cell
                    ),
                    LeftOutCause::CellUnknown,
                ),
                false => {
                    let held = self.conviction_of(host);
                    let held = held.map(|stratum| format!("held with {stratum}"));
                    let reason = held.unwrap_or_else(|| "the rollout ended without it".to_owned());
                    (reason, LeftOutCause::Other)
                }
            };
            (host.clone(), Outcome::LeftOut { reason, cause })
        });
        let left: Vec<(HostId, Outcome)> = left.collect();
        for (host, outcome) in left {
            self.take_outcome(&host, outcome);
        }
    }

    /// What a host is that its cell calls waiting, where the rollout was done without it. Nothing where it
    /// was not.
    pub(super) fn left_at_the_end(&self, host: &HostId) -> Option<Outcome> {
        let outcome = self.outcomes.get(host)?;
        let is_done = self.phase == Phase::Ended { end: End::Done };
        let is_left_out = matches!(outcome, Outcome::LeftOut { .. });
        if self.is_left_at_the_end(host) || (is_done && is_left_out) {
            return Some(outcome.clone());
        }
        let stopped = is_done && *outcome == Outcome::Running;
        stopped.then(|| Outcome::LeftOut {
            reason: "the rollout ended before its change began".to_owned(),
            cause: LeftOutCause::Other,
        })
    }

    /// Whether a host is left out because nothing was heard of its cell when the rollout ended.
    pub(super) fn is_left_at_the_end(&self, host: &HostId) -> bool {
        matches!(
            self.outcomes.get(host),
            Some(Outcome::LeftOut {
                cause: LeftOutCause::CellUnknown,
                ..
            })
        )
    }
}
