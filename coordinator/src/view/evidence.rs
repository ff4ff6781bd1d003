//! What a rollout proved so far: how many hosts of each stratum passed.

use super::Situation;
use cofferdam_engine::{counts::Counts, id::RolloutId, rollout::Rollout, warrant::Outcome};
use cofferdam_proto::operator::{RolloutEvidence, StratumEvidence};

/// What a rollout proved. Nothing when there is none of this name.
pub(crate) fn evidence(situation: Situation<'_>, name: &RolloutId) -> Option<RolloutEvidence> {
    let rollout = situation.fleet.rollouts().get(name)?;
    Some(RolloutEvidence {
        rollout_digest: rollout.plan().rollout_digest,
        strata: strata(rollout),
    })
}

fn strata(rollout: &Rollout) -> Vec<StratumEvidence> {
    let plan = rollout.plan();
    let mut outcomes: Vec<Vec<&Outcome>> = vec![Vec::new(); plan.strata.len()];
    for (host, planned) in &plan.hosts {
        let outcome = rollout.outcomes().get(host).unwrap_or(&Outcome::Waiting);
        for place in &planned.strata {
            let of_stratum = usize::try_from(*place).ok();
            if let Some(theirs) = of_stratum.and_then(|place| outcomes.get_mut(place)) {
                theirs.push(outcome);
            }
        }
    }
    let counted = |(stratum, theirs): (&_, Vec<&Outcome>)| {
        let hosts = super::rollout::count(theirs.len());
        let counts = Counts::of(theirs.into_iter());
        StratumEvidence {
            stratum: ToString::to_string(stratum),
            hosts,
            passed: super::rollout::count(counts.passed),
            failed: super::rollout::count(counts.went_wrong()),
        }
    };
    plan.strata.iter().zip(outcomes).map(counted).collect()
}
