//! Hosts that an operator took or gave back.

use crate::render::{View, table::short};
use cofferdam_engine::{id::HostId, time::Timestamp};
use serde::Serialize;

/// Hosts were taken.
#[derive(Debug, Serialize)]
pub struct Reserved {
    /// Which.
    pub reserved: Vec<HostId>,
    /// When that ends by itself.
    pub until_ms: Timestamp,
    /// The moment at which it is looked at.
    #[serde(skip)]
    pub now: Timestamp,
}

impl View for Reserved {
    fn text(&self) -> String {
        let lasts = short(self.until_ms.since(self.now));
        format!("{} reserved for {lasts}\n", named(&self.reserved))
    }
}

/// Hosts were given back.
#[derive(Debug, Serialize)]
pub struct Released {
    /// Which.
    pub released: Vec<HostId>,
}

impl View for Released {
    fn text(&self) -> String {
        format!("{} released\n", named(&self.released))
    }
}

fn named(hosts: &[HostId]) -> String {
    let names: Vec<&str> = hosts.iter().map(HostId::as_str).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(", "))
}
