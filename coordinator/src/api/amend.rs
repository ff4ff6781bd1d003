//! Amends a rollout, or shows what that would change.

use super::{OperatorApi, call, planner::Amendment};
use crate::view;
use cofferdam_engine::{
    diff,
    fleet::FleetEvent,
    id::OperatorId,
    lockfile,
    plan::{Amends, Plan},
};
use cofferdam_proto::{
    operator::{AmendReply, AmendRequest},
    status::{CallError, CallErrorKind},
};

impl OperatorApi {
    /// Plans an amendment, and begins it when it is the one that the operator has seen.
    pub(super) async fn amend_rollout(
        &self,
        by: OperatorId,
        asked: AmendRequest,
    ) -> Result<AmendReply, CallError> {
        let amendment = self.planner().amend(&asked).await?;
        let mut reply = shown(&amendment)?;
        let Some(seen) = asked.seen else {
            return Ok(reply);
        };
        let files = (&amendment.spec, &amendment.lock);
        let plan = self
            .signing
            .look(amendment.plan, files, asked.signed.as_ref())?;
        if seen != plan.rollout_digest {
            let message =
                "the amendment is not the one that was shown: look at the difference again";
            return Err(CallError::new(CallErrorKind::NotNow, message));
        }
        let (rollout, reason) = (asked.rollout, asked.reason);
        let (amendment, signer) = (&plan.rollout, &plan.signer);
        tracing::info!(%by, %rollout, %amendment, digest = %seen, signer, reason, "operator amends a rollout");
        let event = FleetEvent::Amended {
            rollout,
            plan: Box::new(plan),
            by,
            reason,
        };
        call::act(&self.driver, event).await?;
        reply.started = true;
        Ok(reply)
    }
}

fn shown(amendment: &Amendment) -> Result<AmendReply, CallError> {
    let Amendment {
        plan, lock, before, ..
    } = amendment;
    let missing = || CallError::new(CallErrorKind::Internal, "an amendment of nothing");
    let Amends {
        rollout,
        generation,
        ..
    } = plan.amends.clone().ok_or_else(missing)?;
    let lock_text = lockfile::format(lock);
    Ok(AmendReply {
        started: false,
        amends: rollout,
        generation: generation.0,
        plan: view::plan(plan, lock.digest(), &amendment.changes, &amendment.notes),
        passed: amendment.passed,
        away: amendment.away,
        file_diff: difference(&before.file, &plan.file),
        lock_diff: difference(&lock_of(before), &lock_text),
        lock_text,
        amended_digest: Some(before.rollout_digest),
    })
}

fn difference(before: &str, after: &str) -> Vec<String> {
    let lines = diff::lines(before, after).into_iter();
    lines.map(|line| line.to_string()).collect()
}

/// The text of a plan's lock file. Empty of a plan without hosts.
fn lock_of(plan: &Plan) -> String {
    let first = plan.assignments.values().next();
    first.map_or_else(String::new, |assignment| lockfile::format(&assignment.lock))
}
