//! Which hosts an operator means.

use super::call;
use cofferdam_engine::{
    fleet::Fleet,
    id::HostId,
    rollout::Rollout,
    select::Selection,
    warrant::{FailedEnd, Outcome},
};
use cofferdam_proto::{
    operator::{ExceptRequest, Whom},
    status::{CallError, CallErrorKind},
};
use std::collections::BTreeSet;

/// The hosts of a rollout that a request means, by the labels and facts that they have now.
pub(super) fn hosts(fleet: &Fleet, asked: &ExceptRequest) -> Result<BTreeSet<HostId>, CallError> {
    let name = &asked.rollout;
    let rollout = fleet.rollouts().get(name);
    let rollout = rollout.ok_or_else(|| call::no_rollout(name))?;
    let (hosts, what) = match &asked.whom {
        Whom::Hosts(hosts) => return Ok(hosts.iter().cloned().collect()),
        Whom::Matching(text) => {
            let selection = Selection::parse(text)
                .map_err(|mistake| CallError::of(CallErrorKind::Invalid, &mistake))?;
            let matches = |host: &HostId| {
                let known = fleet.host(host);
                known.is_some_and(|(_, member)| selection.matches(&member.host))
            };
            let cure = "`cofferdam hosts -o json` shows their labels";
            (
                planned(rollout, matches),
                format!("matches `{selection}`: {cure}"),
            )
        }
        Whom::Stratum(stratum) => {
            let is_of = |host: &HostId| {
                let mut strata = rollout.plan().strata_of(host);
                strata.any(|known| known.to_string() == *stratum)
            };
            let cure = "write it as LABEL=VALUE, as `cofferdam plan` shows it, and a zone with its region, as in zone=r1/b";
            (planned(rollout, is_of), format!("is of {stratum}: {cure}"))
        }
        Whom::Failed => (
            planned(rollout, |host| may_be_retried(fleet, rollout, host)),
            "failed, went back to what it had, and serves".to_owned(),
        ),
    };
    match hosts.is_empty() {
        true => {
            let message = format!("no host of rollout {name} {what}");
            Err(CallError::new(CallErrorKind::Invalid, message))
        }
        false => Ok(hosts),
    }
}

fn planned(rollout: &Rollout, is_meant: impl Fn(&HostId) -> bool) -> BTreeSet<HostId> {
    let hosts = rollout.plan().hosts.keys();
    hosts.filter(|host| is_meant(host)).cloned().collect()
}

fn may_be_retried(fleet: &Fleet, rollout: &Rollout, host: &HostId) -> bool {
    let went_back = matches!(
        rollout.outcomes().get(host),
        Some(Outcome::Failed {
            end: FailedEnd::RolledBack,
            ..
        })
    );
    let serves = fleet
        .host(host)
        .is_some_and(|(_, member)| member.is_connected() && member.in_service);
    went_back && serves && rollout.not_retried(host).is_none()
}
