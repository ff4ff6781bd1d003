//! Single points of failure: what needs an approval is not taken, and not passed over at the end,
//! without one.

use super::{Broken, floor::stand_in, turn, wave};
use crate::{
    fleet::{Fleet, FleetDecision},
    hold::{Reason, Subject},
    id::{HostId, RolloutId},
    rollout::Rollout,
    time::Timestamp,
    warrant::Outcome,
};

/// Whether somebody who may has approved that this host is out.
pub(super) fn is_given(rollout: &Rollout, host: &HostId) -> bool {
    let needed = rollout.plan().approvals.get(host);
    needed.is_some_and(|needed| {
        rollout
            .approvals()
            .iter()
            .any(|yes| needed.by.contains(&yes.by) && yes.at >= needed.since)
    })
}

/// Whether a host waits for an approval that nobody has given. One that is at work does not wait.
pub(super) fn is_awaited(rollout: &Rollout, host: &HostId) -> bool {
    let is_at_work = rollout.outcomes().get(host) == Some(&Outcome::Running);
    let needs_one = rollout.plan().approvals.contains_key(host);
    needs_one && !is_at_work && !is_given(rollout, host)
}

/// Who waits for an approval is alone in one of its groups now, in the whole fleet.
pub(super) fn waiting(fleet: &Fleet, decision: &FleetDecision, all: &mut Vec<Broken>) {
    for hold in &decision.holds {
        if let (Subject::Host { rollout, host }, Reason::Approval { .. }) =
            (&hold.subject, &hold.reason)
            && !is_alone(fleet, rollout, host)
        {
            all.push(Broken {
                promise: 10,
                what: format!("host {host} waits for an approval in {rollout}, and is not alone"),
            });
        }
    }
}

fn is_alone(fleet: &Fleet, rollout: &RolloutId, host: &HostId) -> bool {
    let plan = fleet.rollouts().get(rollout).map(Rollout::plan);
    let (Some(plan), Some((_, member))) = (plan, fleet.host(host)) else {
        return false;
    };
    let floors = plan
        .assignments
        .values()
        .flat_map(|assignment| &assignment.floors);
    let mut binding = floors.filter(|floor| floor.hosts.contains(host));
    binding.any(|floor| {
        let members = fleet
            .cells()
            .values()
            .flat_map(|cell| cell.members().values());
        let alike = members.filter(|other| stand_in(&floor.rule, &other.host, &member.host));
        alike.count() == 1
    })
}

/// A host that needs an approval and was never taken, nor left out by anybody or with its cell, nor held
/// for good.
pub(super) fn passed_over(rollout: &Rollout, now: Timestamp) -> Option<String> {
    let is_held = |host: &HostId| {
        let planned = rollout.plan().hosts.get(host);
        planned.is_some_and(|planned| {
            wave::is_held_for_good(rollout, planned) || turn::is_left(rollout, &planned.cell, now)
        })
    };
    let is_open = |host: &&HostId| {
        let outcome = rollout.outcomes().get(host);
        is_awaited(rollout, host)
            && matches!(outcome, None | Some(Outcome::Waiting))
            && !is_held(host)
    };
    let open = rollout.plan().approvals.keys().find(is_open);
    open.map(|host| format!("host {host} still awaits an approval"))
}
