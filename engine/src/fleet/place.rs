//! Which cell a new host goes to.

use super::{Fleet, FleetError};
use crate::{
    cell::Cell,
    id::CellId,
    inventory::{Host, REGION, SERVICE, ZONE},
    policy::CELL_SIZE,
};

/// The most parts that a package set may come in: far above any host's packages.
const MAX_PACKAGE_PARTS: u32 = 1000;

impl Fleet {
    /// The cell of a host: the one that it is in; else one of its zone that has members of its
    /// service and room; else one of its zone with room; else a new one.
    pub(super) fn place(&self, host: &Host) -> Result<CellId, FleetError> {
        if let Some(home) = self.homes.get(&host.id) {
            return Ok(home.clone());
        }
        let label = |label: &'static str| {
            host.value(label).ok_or_else(|| FleetError::NoLabel {
                host: host.id.clone(),
                label,
            })
        };
        let (region, zone, service) = (label(REGION)?, label(ZONE)?, label(SERVICE)?);
        let prefix = format!("{region}-{zone}-");
        let roomy: Vec<&Cell> = self
            .cells
            .values()
            .filter(|cell| is_of(cell, region, zone) && cell.members().len() < CELL_SIZE)
            .collect();
        let kin = roomy.iter().find(|cell| {
            cell.members()
                .values()
                .any(|member| member.host.value(SERVICE) == Some(service))
        });
        if let Some(cell) = kin.or(roomy.first()) {
            return Ok(cell.id().clone());
        }
        let name = |number: usize| {
            CellId::new(format!("{prefix}{number}")).map_err(|source| FleetError::CellName {
                host: host.id.clone(),
                source,
            })
        };
        let mut number = 1;
        while self.cells.contains_key(&name(number)?) {
            number += 1;
        }
        name(number)
    }

    pub(super) fn check_part(part: u32, of: u32) -> bool {
        part < of && of <= MAX_PACKAGE_PARTS
    }
}

fn is_of(cell: &Cell, region: &str, zone: &str) -> bool {
    cell.members().values().next().is_none_or(|member| {
        member.host.value(REGION) == Some(region) && member.host.value(ZONE) == Some(zone)
    }) && cell.id().as_str().starts_with(&format!("{region}-{zone}-"))
}
