//! Operators take hosts, and give them back; a person at a host opens a window there.

use super::World;
use cofferdam_engine::{
    cell::CellEvent,
    fleet::{FleetError, FleetEvent},
    guard::{GuardNews, GuardState, WindowLeft},
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

    /// A host tells of the window that a person opened there, or that none is open.
    pub(crate) fn try_tell_window(
        &mut self,
        host: &HostId,
        lasts: Option<Duration>,
    ) -> Result<(), FleetError> {
        let window = lasts.map(|left| WindowLeft {
            opened: self.now.0,
            by: "uid 1000".to_owned(),
            reason: "full disk".to_owned(),
            left,
        });
        let news = Box::new(GuardNews {
            state: GuardState::default(),
            window,
            log: 0,
            events: Vec::new(),
        });
        let host = host.clone();
        let event = CellEvent::GuardTold {
            host: host.clone(),
            news,
        };
        self.act(FleetEvent::Host { host, event });
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
