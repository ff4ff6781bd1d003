//! The waves of a plan, as operators see them.

use super::{
    bounds::MAX_ENTRIES,
    field::{At, FieldError, Problem},
    read, write,
};
use crate::{
    operator::{PlannedRegion, PlannedSlice, PlannedStep, PlannedWave},
    v1::{self, planned_step::Takes},
};
use cofferdam_engine::id::CellId;

impl From<PlannedWave> for v1::PlannedWave {
    fn from(wave: PlannedWave) -> Self {
        Self {
            name: write::line(&wave.name),
            bake_ms: wave.bake_ms,
            hosts: wave.hosts,
            slices: write::list(wave.slices),
            steps: write::list(wave.steps),
            cells_at_once: wave.cells_at_once,
            gap_ms: wave.gap_ms,
            zone_bake_ms: wave.zone_bake_ms,
        }
    }
}

impl TryFrom<v1::PlannedWave> for PlannedWave {
    type Error = FieldError;
    fn try_from(wire: v1::PlannedWave) -> Result<Self, FieldError> {
        Ok(Self {
            name: read::filled_line(wire.name).at("name")?,
            bake_ms: wire.bake_ms,
            hosts: wire.hosts,
            slices: read::list(wire.slices, MAX_ENTRIES).at("slices")?,
            steps: read::list(wire.steps, MAX_ENTRIES).at("steps")?,
            cells_at_once: read::from_one(wire.cells_at_once).at("cells_at_once")?,
            gap_ms: wire.gap_ms,
            zone_bake_ms: wire.zone_bake_ms,
        })
    }
}

impl From<PlannedSlice> for v1::PlannedSlice {
    fn from(slice: PlannedSlice) -> Self {
        Self {
            cell: slice.cell.into(),
            hosts: slice.hosts,
        }
    }
}

impl TryFrom<v1::PlannedSlice> for PlannedSlice {
    type Error = FieldError;
    fn try_from(wire: v1::PlannedSlice) -> Result<Self, FieldError> {
        Ok(Self {
            cell: read::name(wire.cell).at("cell")?,
            hosts: wire.hosts,
        })
    }
}

impl From<PlannedStep> for v1::PlannedStep {
    fn from(step: PlannedStep) -> Self {
        let takes = match step {
            PlannedStep::Hosts(hosts) => Takes::Hosts(v1::HostNames {
                hosts: write::names(hosts),
            }),
            PlannedStep::Regions(regions) => Takes::Turn(v1::PlannedTurn {
                regions: write::list(regions),
            }),
        };
        Self { takes: Some(takes) }
    }
}

impl TryFrom<v1::PlannedStep> for PlannedStep {
    type Error = FieldError;
    fn try_from(wire: v1::PlannedStep) -> Result<Self, FieldError> {
        Ok(match read::required(wire.takes).at("takes")? {
            Takes::Hosts(named) if named.hosts.is_empty() => {
                return Err(Problem::Empty).at("hosts");
            }
            Takes::Hosts(named) => Self::Hosts(read::names(named.hosts).at("hosts")?),
            Takes::Turn(turn) => {
                Self::Regions(read::list(turn.regions, MAX_ENTRIES).at("regions")?)
            }
        })
    }
}

impl From<PlannedRegion> for v1::PlannedRegion {
    fn from(region: PlannedRegion) -> Self {
        Self {
            zones: write::list(region.zones),
        }
    }
}

impl TryFrom<v1::PlannedRegion> for PlannedRegion {
    type Error = FieldError;
    fn try_from(wire: v1::PlannedRegion) -> Result<Self, FieldError> {
        Ok(Self {
            zones: read::list(wire.zones, MAX_ENTRIES).at("zones")?,
        })
    }
}

impl From<Vec<CellId>> for v1::PlannedZone {
    fn from(cells: Vec<CellId>) -> Self {
        Self {
            cells: write::names(cells),
        }
    }
}

impl TryFrom<v1::PlannedZone> for Vec<CellId> {
    type Error = FieldError;
    fn try_from(wire: v1::PlannedZone) -> Result<Self, FieldError> {
        read::names(wire.cells).at("cells")
    }
}
