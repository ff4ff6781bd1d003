//! What services depend on, declared anew: live rollouts keep to it from then on.

use super::Fleet;
use crate::{
    id::{HostId, RolloutId, ServiceName},
    inventory::SERVICE,
    rollout::Rollout,
    services::{Dependencies, Services},
    time::Timestamp,
};
use std::collections::BTreeSet;

impl Fleet {
    /// Takes the services in. What is out already goes on; the cells of each live rollout are told what
    /// its services depend on now.
    pub(super) fn services_declared(&mut self, services: &Services, now: Timestamp) {
        self.services = services.clone();
        let live = self.rollouts.iter().filter(|(_, of)| of.is_live());
        let renewed: Vec<(RolloutId, Dependencies)> = live
            .map(|(name, rollout)| (name.clone(), self.dependencies_of(rollout)))
            .collect();
        for (name, dependencies) in renewed {
            if let Some(rollout) = self.rollouts.get_mut(&name) {
                rollout.depend_on(&dependencies);
            }
        }
        self.ask_all_anew(now);
    }

    /// The declared dependencies of which at least one end is a service of a rollout.
    fn dependencies_of(&self, rollout: &Rollout) -> Dependencies {
        let service = |host: &HostId| self.host(host)?.1.host.value(SERVICE);
        let services = rollout.plan().hosts.keys().filter_map(service);
        let services: BTreeSet<&str> = services.collect();
        let is_its = |name: &ServiceName| services.contains(name.as_str());
        self.services.touching(is_its)
    }
}
