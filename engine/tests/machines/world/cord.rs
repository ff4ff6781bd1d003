//! Pulls the cord and releases it.

use super::{World, rollout::operator};
use cofferdam_engine::fleet::{FleetError, FleetEvent};

impl World {
    /// An operator pulls the cord.
    pub(crate) fn pull_cord(&mut self) {
        self.try_cord(true).expect("it can always be pulled");
    }

    /// An operator releases it. Refused where it is not pulled.
    pub(crate) fn release_cord(&mut self) -> Result<(), FleetError> {
        self.try_cord(false)
    }

    /// An operator pulls it, or releases it.
    pub(crate) fn try_cord(&mut self, pull: bool) -> Result<(), FleetError> {
        let (by, reason) = (operator(), "smoke".to_owned());
        self.act(match pull {
            true => FleetEvent::CordPulled { by, reason },
            false => FleetEvent::CordReleased { by, reason },
        });
        self.acted()
    }
}
