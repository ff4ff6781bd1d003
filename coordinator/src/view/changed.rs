//! Hosts whose packages changed between the plan and their start.

use super::cluster::listed;
use cofferdam_engine::{id::HostId, rollout::Rollout, stratum::DELTA};

/// Which hosts of a rollout those are, in a line. Nothing: none is.
pub(super) fn among(rollout: &Rollout) -> Option<String> {
    let hosts: Vec<_> = rollout.changed_since_planned().iter().collect();
    (!hosts.is_empty()).then(|| {
        let (count, listed) = (hosts.len(), listed(&hosts));
        format!("{count}: {listed}; each is tried as what it was found to be, not as what the plan assumed")
    })
}

/// What that means for one host of a rollout. Nothing where the plan's assumption still stood.
pub(super) fn of_host(rollout: &Rollout, host: &HostId) -> Option<String> {
    rollout.changed_since_planned().get(host)?;
    let found = rollout.plan().delta_of(host);
    let found = found.map_or_else(String::new, |delta| format!(", a host of {DELTA}={delta}"));
    Some(format!(
        "its packages changed since the plan was made, and what that assumed is no longer so: it is tried as what \
         it was found to be{found}"
    ))
}
