//! The waves of a plan, and in which order each takes its hosts.

use crate::render::{
    first::first,
    table::{indented, short, table},
};
use cofferdam_proto::operator::{PlannedRegion, PlannedStep, PlannedWave};
use std::time::Duration;

/// The most things that one list names; JSON has all.
const NAMED: usize = 4;

/// One line a wave.
pub(super) fn table_of(waves: &[PlannedWave]) -> String {
    let rows = waves.iter().map(|wave| {
        let cells = wave.slices.iter().filter(|slice| slice.hosts > 0);
        let cells: Vec<String> = cells
            .map(|slice| format!("{} ({})", slice.cell, slice.hosts))
            .collect();
        let waits = [wave.bake_ms, wave.zone_bake_ms, wave.gap_ms];
        let [mut bake, zone_bake, gap] = waits.map(|ms| short(Duration::from_millis(ms)));
        let mut takes = first(NAMED, &cells, ", ");
        if cells.is_empty() {
            bake = "-".to_owned();
            takes = "none: it passes at once".to_owned();
        }
        [
            wave.name.clone(),
            wave.hosts.to_string(),
            bake,
            zone_bake,
            wave.cells_at_once.to_string(),
            gap,
            takes,
        ]
    });
    let headings = [
        "wave",
        "hosts",
        "bake",
        "zone bake",
        "cells at once",
        "gap",
        "cells (hosts)",
    ];
    format!("Waves\n{}", indented(&table(headings, rows.collect())))
}

/// One line a step: what goes side by side, and what one after the other.
pub(super) fn order_of(waves: &[PlannedWave]) -> String {
    let mut rows = Vec::new();
    for wave in waves {
        for (step, number) in wave.steps.iter().zip(1_u32..) {
            let name = if number == 1 { wave.name.as_str() } else { "" };
            rows.push([name.to_owned(), number.to_string(), takes(step)]);
        }
    }
    let shown = table(["wave", "step", "what"], rows);
    match shown.is_empty() {
        true => shown,
        false => format!("\nIn which order\n{}", indented(&shown)),
    }
}

/// As in `r1-a-1 + r1-a-2, then r1-b-1 | r2-a-1`: two regions side by side, the first of which has two
/// zones.
fn takes(step: &PlannedStep) -> String {
    match step {
        PlannedStep::Hosts(hosts) => first(NAMED, hosts, ", "),
        PlannedStep::Regions(regions) => {
            let regions: Vec<String> = regions.iter().map(zones).collect();
            first(NAMED, &regions, " | ")
        }
    }
}

fn zones(region: &PlannedRegion) -> String {
    let zones = region.zones.iter().map(|cells| first(NAMED, cells, " + "));
    zones.collect::<Vec<_>>().join(", then ")
}
