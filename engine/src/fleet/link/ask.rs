//! What only a region can do, and the region to ask for it.

use crate::{
    fleet::{Fleet, FleetError, FleetEvent, Form},
    id::{HostId, Region},
};

impl Fleet {
    /// The region that an operator's event is for, where this is a control plane. Nothing: it is this
    /// process's own to take in, or to refuse.
    ///
    /// # Errors
    /// [`FleetError::NoHost`] for a host that no region has, [`FleetError::SeveralRegions`] where no
    /// one region has all of them.
    pub fn region_to_ask(&self, event: &FleetEvent) -> Result<Option<Region>, FleetError> {
        if self.form() != Form::Control {
            return Ok(None);
        }
        let mut found: Option<(&HostId, &Region)> = None;
        for host in event.hosts_of_region() {
            let region = self.region_of_host(host);
            let region = region.ok_or_else(|| FleetError::NoHost(host.clone()))?;
            if let Some((one, _)) = found.filter(|(_, of)| *of != region) {
                let (one, other) = (one.clone(), host.clone());
                return Err(FleetError::SeveralRegions { one, other });
            }
            found = Some((host, region));
        }
        Ok(found.map(|(_, region)| region.clone()))
    }

    /// The region that a host is of. Nothing: none has it, or all is one process.
    pub fn region_of_host(&self, host: &HostId) -> Option<&Region> {
        self.region_of(self.homes().get(host)?)
    }
}

impl FleetEvent {
    /// The hosts of an operator's event that a region alone can take in. Empty: it is no such event.
    pub fn hosts_of_region(&self) -> Vec<&HostId> {
        if let Self::Reserved { hosts, .. } | Self::Unreserved { hosts, .. } = self {
            return hosts.iter().collect();
        }
        if let Self::Host { event, .. } = self {
            return event.forgets().into_iter().collect();
        }
        Vec::new()
    }
}
