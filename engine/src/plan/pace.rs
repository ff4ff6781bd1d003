//! How many hosts of a cell may be out at once, where limits of several numbers meet in it.

use super::{Warning, planned::Planned, selected::Selected};
use crate::{id::CellId, spec::Spec};
use std::collections::{BTreeMap, BTreeSet};

/// The smallest number of the limits of a cell's planned hosts: it counts for all of them together.
pub(super) fn at_once(spec: &Spec, hosts: &[&Selected<'_>]) -> usize {
    let limits = hosts.iter().map(|host| host.common.limit);
    let limits = limits.filter_map(|limit| spec.limits().get(limit));
    let least = limits.map(|limit| limit.at_once_per_cell).min();
    least.unwrap_or(spec.pace().at_once_per_cell)
}

/// Says in how many cells a limit's number binds hosts of another limit, too. Nothing where it does in none.
pub(super) fn warning(spec: &Spec, planned: &Planned<'_, '_>) -> Option<Warning> {
    let mut numbers: BTreeMap<&CellId, BTreeSet<usize>> = BTreeMap::new();
    for (class, _) in &planned.classes {
        let limit = spec.limits().get(class.limit);
        let number = limit.map(|limit| limit.at_once_per_cell);
        numbers.entry(class.cell).or_default().extend(number);
    }
    numbers.retain(|_, numbers| numbers.len() > 1);
    let least = numbers.values().filter_map(BTreeSet::first).min();
    least.map(|least| Warning::LimitsMeet {
        cells: numbers.len(),
        least: *least,
    })
}
