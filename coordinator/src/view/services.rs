//! The services of the fleet.

use super::rollout::count;
use cofferdam_engine::{fleet::Fleet, inventory::SERVICE};
use cofferdam_proto::operator::{ServiceView, ServicesView, UndeclaredService};
use std::collections::BTreeMap;

/// Every declared service, and every other one that a host has.
pub(crate) fn services(fleet: &Fleet) -> ServicesView {
    let members = fleet
        .cells()
        .values()
        .flat_map(|cell| cell.members().values());
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for service in members.filter_map(|member| member.host.value(SERVICE)) {
        *hosts.entry(service).or_default() += 1;
    }
    let declared = fleet.services();
    let dependants = declared.dependants();
    let services = declared.all().iter().map(|(name, service)| ServiceView {
        service: name.clone(),
        tier: service.tier.into(),
        owners: service.owners.iter().cloned().collect(),
        depends_on: service.depends_on.iter().cloned().collect(),
        dependants: dependants
            .get(name)
            .into_iter()
            .flatten()
            .map(|dependant| (*dependant).clone())
            .collect(),
        hosts: count(hosts.get(name.as_str()).copied().unwrap_or(0)),
        description: service.description.clone(),
    });
    let others = hosts
        .iter()
        .filter(|(name, _)| declared.get(name).is_none());
    let undeclared = others.map(|(name, hosts)| UndeclaredService {
        service: (*name).to_owned(),
        hosts: count(*hosts),
    });
    ServicesView {
        services: services.collect(),
        undeclared: undeclared.collect(),
    }
}
