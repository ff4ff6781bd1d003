//! Single points of failure: what needs an approval is not taken, and not passed over at the end,
//! without one.

use super::wave;
use crate::{id::HostId, rollout::Rollout, warrant::Outcome};

/// Whether somebody who may has approved that this host is out.
pub(super) fn is_given(rollout: &Rollout, host: &HostId) -> bool {
    let needed = rollout.plan().approvals.get(host);
    needed.is_some_and(|needed| {
        rollout
            .approvals()
            .iter()
            .any(|yes| needed.by.contains(&yes.by))
    })
}

/// Whether a host waits for an approval that nobody has given.
pub(super) fn is_awaited(rollout: &Rollout, host: &HostId) -> bool {
    rollout.plan().approvals.contains_key(host) && !is_given(rollout, host)
}

/// A host that needs an approval and was never taken, nor left out by anybody, nor held for good.
pub(super) fn passed_over(rollout: &Rollout) -> Option<String> {
    let is_held = |host: &HostId| {
        let planned = rollout.plan().hosts.get(host);
        planned.is_some_and(|planned| wave::is_held_for_good(rollout, planned))
    };
    let is_open = |host: &&HostId| {
        let outcome = rollout.outcomes().get(*host);
        is_awaited(rollout, host)
            && matches!(outcome, None | Some(Outcome::Waiting))
            && !is_held(host)
    };
    let open = rollout.plan().approvals.keys().find(is_open);
    open.map(|host| format!("host {host} still awaits an approval"))
}
