//! Regions whose cells are mirrored here, as explanations tell of them. Nothing where all is one process.

use super::{Situation, explain::ago};
use cofferdam_engine::{
    id::{CellId, Region},
    rollout::Rollout,
};
use std::collections::BTreeMap;

/// The region of a cell, and how its link stands.
pub(super) fn of_cell(situation: Situation<'_>, cell: &CellId) -> Option<String> {
    let region = situation.fleet.region_of(cell)?;
    Some(match unheard(situation, region) {
        Some(since) => format!("{region}, {since}; the rest is as it told last"),
        None => format!("{region}, linked"),
    })
}

/// The regions of a rollout's cells that are not heard of, each with those cells.
pub(super) fn unheard_of(situation: Situation<'_>, rollout: &Rollout) -> Vec<String> {
    let mut unheard_of: BTreeMap<&Region, Vec<&str>> = BTreeMap::new();
    for cell in rollout.cells().keys() {
        if let Some(region) = situation.fleet.region_of(cell) {
            unheard_of.entry(region).or_default().push(cell.as_str());
        }
    }
    let told = |(region, cells): (&Region, Vec<&str>)| {
        let since = unheard(situation, region)?;
        Some(format!("{region}, {since}: {}", cells.join(", ")))
    };
    unheard_of.into_iter().filter_map(told).collect()
}

fn unheard(situation: Situation<'_>, region: &Region) -> Option<String> {
    let since = situation.fleet.silent_since(region)?;
    let since = ago(since, situation.now);
    Some(format!("nothing is heard of it since {since}"))
}
