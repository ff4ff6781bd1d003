//! What rollouts at work must keep to, and how each cell stands by it.

use super::Fleet;
use crate::{
    cell::{Cell, GroupView, Groups},
    id::CellId,
    policy::FloorRule,
};
use std::collections::{BTreeMap, BTreeSet};

/// The rules that bind rollouts at work.
pub(super) struct Terms<'f> {
    /// Those that bind the hosts that no limit names.
    defaults: &'f [FloorRule],
    /// All of them, the default ones among them.
    pub(super) rules: BTreeSet<&'f FloorRule>,
    /// The groups of cells by those that they keep no counts by: they were not told yet, or cannot be
    /// told, since nothing is heard of them.
    uncounted: BTreeMap<CellId, Groups>,
}

impl<'f> Terms<'f> {
    /// Nothing when no rollout works in any cell.
    pub(super) fn of(fleet: &'f Fleet, defaults: &'f [FloorRule]) -> Option<Self> {
        if fleet.cells.values().all(|cell| cell.work().is_empty()) {
            return None;
        }
        let works = fleet.cells.values().flat_map(|cell| cell.work().values());
        let floors = works.flat_map(|work| &work.assignment.floors);
        let rules: BTreeSet<_> = floors.map(|floor| &floor.rule).chain(defaults).collect();
        let uncounted = |cell: &Cell| {
            let unknown = rules.iter().filter(|rule| !cell.counts_by(rule));
            let unknown: Vec<FloorRule> = unknown.map(|rule| (*rule).clone()).collect();
            (!unknown.is_empty()).then(|| cell.counted_by(unknown))
        };
        let cells = fleet.cells.iter();
        let uncounted = cells.filter_map(|(name, cell)| Some((name.clone(), uncounted(cell)?)));
        Some(Self {
            uncounted: uncounted.collect(),
            defaults,
            rules,
        })
    }

    /// Whether a cell keeps counts by all rules.
    pub(super) fn is_counted(&self, cell: &Cell) -> bool {
        !self.uncounted.contains_key(cell.id())
    }

    /// The groups of a cell, by all rules.
    pub(super) fn groups<'t>(&'t self, cell: &'t Cell) -> impl Iterator<Item = GroupView<'t>> {
        let others = self.uncounted.get(cell.id()).into_iter();
        cell.groups().views().chain(others.flat_map(Groups::views))
    }

    /// Whether a rule binds a rollout that works in a cell.
    pub(super) fn binds(&self, cell: &Cell, rule: &FloorRule) -> bool {
        let has_work = !cell.work().is_empty();
        has_work && (self.defaults.contains(rule) || works_under(cell, rule))
    }

    /// The rules that a cell would not count by itself.
    pub(super) fn rules_to_count(&self, cell: &Cell) -> Vec<FloorRule> {
        let knows = |rule: &FloorRule| self.defaults.contains(rule) || works_under(cell, rule);
        let others = self.rules.iter().filter(|rule| !knows(rule));
        others.map(|rule| (*rule).clone()).collect()
    }
}

/// Whether a rule stands in the limits of a rollout that works in a cell.
fn works_under(cell: &Cell, rule: &FloorRule) -> bool {
    let floors = cell
        .work()
        .values()
        .flat_map(|work| &work.assignment.floors);
    floors.into_iter().any(|floor| floor.rule == *rule)
}
