//! Who an agent is.

use cofferdam_engine::{id::HostId, inventory::Labels};
use cofferdam_proto::dial::{Place, Ways};

/// Who an agent is and whom it dials. The same for production and simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its host.
    pub host: HostId,
    /// The host's labels.
    pub labels: Labels,
    /// What names the host's current boot.
    pub boot_id: String,
    /// The agent's version.
    pub version: String,
    /// The coordinators that it dials, in turn. Not empty.
    pub coordinators: Vec<Place>,
    /// By which way it dials them.
    pub ways: Ways,
}
