//! Which part of the fleet a driver takes over.

use crate::link::Ring;
use cofferdam_engine::{
    fleet::{Fleet, FleetEvent, Form, LinkEvent},
    id::{HostId, Incarnation},
    time::Timestamp,
};
use cofferdam_proto::{session::FromAgent, tls::Credentials};
use tokio::sync::mpsc;

/// A part of a fleet.
#[derive(Debug)]
pub(crate) struct Part {
    /// Which.
    pub(crate) form: Form,
    /// Names the store if this is the first time that it has this part.
    pub(crate) drawn: Incarnation,
    /// What names the boot of the machine. Absent: nobody can tell.
    pub(crate) boot_id: Option<String>,
    /// Where news of its cells go.
    pub(crate) ring: Ring,
    /// Where answers of its hosts go that the control plane asked.
    pub(crate) answers: mpsc::Sender<(HostId, FromAgent)>,
    /// What warrants are signed with. Absent: its certificate does not name the control plane, and they are not.
    pub(crate) signer: Option<Credentials>,
}

impl Part {
    /// What happens when it is taken on: it is another than before, or regions have yet to be heard. The machine of a
    /// region may have booted.
    pub(super) fn taken_on(&self, fleet: &Fleet, now: Timestamp) -> Vec<FleetEvent> {
        let mut taken = self.taken_up(fleet, now);
        let boot_id = self.boot_id.clone().filter(|_| self.form == Form::Region);
        let has_booted = boot_id.filter(|boot_id| fleet.boot() != Some(boot_id));
        taken.extend(has_booted.map(|boot_id| FleetEvent::Booted { boot_id }));
        taken
    }

    fn taken_up(&self, fleet: &Fleet, now: Timestamp) -> Vec<FleetEvent> {
        if fleet.form() != self.form {
            let (form, store) = (self.form, self.drawn);
            return vec![FleetEvent::FormTaken { form, store }];
        }
        let silent = |region: &_| FleetEvent::Link {
            event: LinkEvent::Silent {
                region: Clone::clone(region),
                since: now,
            },
        };
        fleet.regions().map(silent).collect()
    }
}
