//! The services of a fleet.

use cofferdam_engine::id::{OperatorId, ServiceName};
use serde::Serialize;

/// Declare the services of the fleet, in place of those before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetServicesRequest {
    /// The name of the file, for messages.
    pub file_name: String,
    /// A `services.toml`.
    pub services_text: String,
}

/// The services of a fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServicesView {
    /// Those that are declared, in order of their names.
    pub services: Vec<ServiceView>,
    /// Those that hosts have and nobody declared, in order.
    pub undeclared: Vec<UndeclaredService>,
}

/// One declared service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceView {
    /// Its name.
    pub service: ServiceName,
    /// How much it matters: 1 is the most important.
    pub tier: u32,
    /// Who answers for it.
    pub owners: Vec<OperatorId>,
    /// What it cannot work without, directly.
    pub depends_on: Vec<ServiceName>,
    /// What cannot work without it, directly.
    pub dependants: Vec<ServiceName>,
    /// How many hosts it has.
    pub hosts: u64,
    /// What it is, for people. Empty: not said.
    pub description: String,
}

/// A service that hosts have and nobody declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UndeclaredService {
    /// As its hosts' label has it.
    pub service: String,
    /// How many hosts it has.
    pub hosts: u64,
}
