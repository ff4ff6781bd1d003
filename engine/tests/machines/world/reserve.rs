//! Operators take hosts, and give them back.

use super::World;
use cofferdam_engine::{
    fleet::{FleetError, FleetEvent},
    id::{HostId, OperatorId},
};
use std::{collections::BTreeSet, time::Duration};

impl World {
    /// An operator takes hosts for a time, all or none.
    pub(crate) fn try_reserve(
        &mut self,
        by: &str,
        hosts: &[HostId],
        lasts: Duration,
    ) -> Result<(), FleetError> {
        self.act(FleetEvent::Reserved {
            hosts: hosts.iter().cloned().collect::<BTreeSet<_>>(),
            by: OperatorId::new(by).expect("a name"),
            reason: "new disk".to_owned(),
            lasts,
        });
        self.acted()
    }

    /// An operator gives hosts back, all or none.
    pub(crate) fn try_unreserve(
        &mut self,
        by: &str,
        hosts: &[HostId],
        force: bool,
    ) -> Result<(), FleetError> {
        self.act(FleetEvent::Unreserved {
            hosts: hosts.iter().cloned().collect::<BTreeSet<_>>(),
            by: OperatorId::new(by).expect("a name"),
            force,
        });
        self.acted()
    }
}
