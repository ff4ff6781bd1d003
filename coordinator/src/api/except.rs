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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::tests::every_outcome;
    use cofferdam_engine::{exception::Word, id::RolloutId};

    fn meant(whom: Whom) -> Result<Vec<String>, String> {
        let asked = ExceptRequest {
            rollout: RolloutId::new("practice").unwrap(),
            word: Word::Exclude,
            whom,
            reason: "the driver hangs".to_owned(),
        };
        let hosts = hosts(&every_outcome(), &asked).map_err(|error| error.to_string())?;
        Ok(hosts.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn hosts_are_meant_by_their_names_a_selection_a_stratum_or_how_they_failed() {
        let matching = |text: &str| Whom::Matching(text.to_owned());
        let of = |stratum: &str| Whom::Stratum(stratum.to_owned());
        let named = HostId::new("web-5").unwrap();
        assert_eq!(meant(Whom::Hosts(vec![named])).unwrap(), ["web-5"]);
        let two = matching("service == \"web\" and host in (\"web-1\", \"web-7\")");
        assert_eq!(meant(two).unwrap(), ["web-1", "web-7"]);
        assert_eq!(meant(of("zone=r1/a")).unwrap().len(), 9);
        assert_eq!(meant(of("kernel=6.1")).unwrap().len(), 9);
        assert_eq!(meant(Whom::Failed).unwrap(), ["web-2", "web-3"]);
    }

    #[test]
    fn whoever_means_nobody_is_told_how_it_is_written() {
        let stratum = meant(Whom::Stratum("zone=a".to_owned())).unwrap_err();
        assert!(
            stratum.contains("is of zone=a: write it as LABEL=VALUE"),
            "{stratum}"
        );
        let none = meant(Whom::Matching("service == \"db\"".to_owned())).unwrap_err();
        assert!(none.contains("cofferdam hosts -o json"), "{none}");
        assert!(meant(Whom::Matching("service =".to_owned())).is_err());
    }
}
