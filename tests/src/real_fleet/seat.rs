//! Which part of a fleet a coordinator has, and where it is dialled.

use super::{
    network::{BRIDGE_ADDRESS, CONTROL_ADDRESS},
    trouble::{FleetError, part},
};
use cofferdam_engine::{id::Region, identity::Identity};
use std::net::Ipv4Addr;

/// The region of hosts whose machine names none.
const ONLY_REGION: &str = "r1";

/// A part of a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// Control plane and region in one process.
    Both,
    /// The control plane alone.
    Control,
    /// One region alone, by its name.
    Region(&'static str),
}

impl Seat {
    /// Where it listens: each is in a network of its own, and hosts find theirs always at the same address.
    pub fn address(self) -> Ipv4Addr {
        match self {
            Self::Both | Self::Region(_) => BRIDGE_ADDRESS,
            Self::Control => CONTROL_ADDRESS,
        }
    }

    /// What its certificate says.
    ///
    /// # Errors
    /// When the region's name is none.
    pub fn identity(self) -> Result<Identity, FleetError> {
        let name = match self {
            Self::Control => return Ok(Identity::Control),
            Self::Both => ONLY_REGION,
            Self::Region(name) => name,
        };
        let region = Region::new(name).map_err(part("a region's name"))?;
        Ok(Identity::Coordinator(region))
    }

    /// What its config says of it.
    pub fn config(self) -> String {
        match self {
            Self::Both => String::new(),
            Self::Control => "role = \"control\"\n".to_owned(),
            Self::Region(name) => format!(
                "role = \"region\"\nregion = \"{name}\"\ncontrol = [\"{CONTROL_ADDRESS}:7300\"]\n"
            ),
        }
    }

    /// What the configs of its hosts say beyond what all say: tests of regions let hosts wait in their hooks.
    pub fn agent_config(self) -> &'static str {
        match self {
            Self::Both | Self::Control => "",
            Self::Region(_) => "hook_deadline = \"5m\"\n",
        }
    }

    /// Whether operators dial it.
    pub fn has_operators(self) -> bool {
        match self {
            Self::Both | Self::Control => true,
            Self::Region(_) => false,
        }
    }
}
