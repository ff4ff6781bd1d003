//! How every group of the rollouts at work stands, over all cells.
//!
//! All cells are counted once. Who asks again and again keeps the census, and has it take in what changed
//! in the cells since. A link between two processes will carry each cell's standings; where both are one
//! process, what a cell says is of this moment and under its newest allotment.

use super::{Fleet, terms::Terms};
use crate::{
    allotment::{Balance, Part, Rights, Standing},
    by_name::ByName,
    cell::{Cell, Lacking, Troubled, ZoneCounts},
    floor::Group,
    id::CellId,
    policy::FloorRule,
    time::{Timestamp, earlier},
};
use std::collections::{BTreeMap, BTreeSet};

/// The groups of all rules that bind a rollout somewhere.
#[derive(Debug, Clone)]
pub(super) struct Census {
    /// The rules that bind rollouts at work, in order.
    pub(super) rules: Vec<FloorRule>,
    /// The groups that those make, in order of rule and group.
    pub(super) groups: Vec<Whole>,
    /// When members that were not heard of yet count as out. Nothing: all were, or count already.
    pub(super) settles_at: Option<Timestamp>,
    /// The zones of the cells' services.
    zones: ZoneCounts,
    cells: ByName<CellId, InCell>,
    /// The groups that changed since nothing was left to do, by their places. Nothing: any may have.
    changed: Option<BTreeSet<usize>>,
    /// Whether every cell keeps counts by every rule, so that what changes in it is known.
    is_counted: bool,
}

/// A group over all cells.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    pub(super) rule: FloorRule,
    pub(super) group: Group,
    pub(super) parts: BTreeMap<CellId, PartOf>,
}

/// A cell's part of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartOf {
    pub(super) part: Part,
    /// What the cell was told last of the group. Nothing where it keeps no counts by its rule.
    pub(super) told: Option<Rights>,
    /// Whether the rule binds a rollout that works in the cell.
    pub(super) is_bound: bool,
}

/// What was counted of a cell.
#[derive(Debug, Clone)]
struct InCell {
    /// How often it had changed.
    revision: u64,
    /// How often it had found new places for its groups.
    layout: u64,
    /// How often its counts had changed.
    counted: u64,
    /// Its groups, by their places in the cell.
    seats: BTreeMap<usize, Seat>,
    /// The places of all of its groups in the census, in order.
    wholes: Vec<usize>,
    /// The rules that it would not count by itself.
    to_count: Vec<FloorRule>,
}

/// Where a group of a cell is counted.
#[derive(Debug, Clone, Copy)]
struct Seat {
    whole: Option<usize>,
    zone: Option<usize>,
    standing: Standing,
}

impl Whole {
    /// How it stands.
    pub(super) fn balance(&self) -> Balance {
        let parts = self.parts.values().map(|of| &of.part);
        Balance::of(parts, self.rule.min_in_service)
    }
}

impl Census {
    /// Counts all cells. Nothing when no rollout works in any.
    pub(super) fn of(fleet: &Fleet, now: Timestamp) -> Option<Self> {
        let defaults = FloorRule::defaults();
        let terms = Terms::of(fleet, &defaults)?;
        let cells = || fleet.cells.values();
        let views = || cells().flat_map(|cell| terms.groups(cell));
        let bound = views().filter(|view| terms.rules.contains(view.rule));
        let names: BTreeSet<(&FloorRule, &Group)> = bound.map(|v| (v.rule, v.group)).collect();
        let mut census = Self {
            rules: terms.rules.iter().map(|rule| (*rule).clone()).collect(),
            groups: names.iter().map(|of| Whole::empty(*of)).collect(),
            settles_at: None,
            zones: ZoneCounts::of(views()),
            cells: ByName::default(),
            changed: None,
            is_counted: cells().all(|cell| terms.is_counted(cell)),
        };
        let places: BTreeMap<_, _> = names.into_iter().zip(0..).collect();
        for cell in cells() {
            census.count(cell, &terms, &places, now);
        }
        Some(census)
    }

    fn count(
        &mut self,
        cell: &Cell,
        terms: &Terms<'_>,
        places: &BTreeMap<(&FloorRule, &Group), usize>,
        now: Timestamp,
    ) {
        let settles_at = cell.settled_at();
        let mut seats = BTreeMap::new();
        let mut wholes = Vec::new();
        for view in terms.groups(cell) {
            let standing = cell.standing(&view, now >= settles_at);
            let whole = places.get(&(view.rule, view.group)).copied();
            let zone = self.zones.add(&view, standing);
            let is_own = cell.counts_by(view.rule);
            if is_own {
                let seat = Seat {
                    whole,
                    zone,
                    standing,
                };
                seats.insert(view.place, seat);
            }
            let Some(whole) = whole else { continue };
            if view.unheard > 0 && now < settles_at {
                self.settles_at = earlier(self.settles_at, Some(settles_at));
            }
            let part = PartOf {
                part: Part::of(standing, view.rights),
                told: is_own.then_some(view.rights),
                is_bound: terms.binds(cell, view.rule),
            };
            self.groups[whole].parts.insert(cell.id().clone(), part);
            wholes.push(whole);
        }
        wholes.sort_unstable();
        let in_cell = InCell {
            revision: cell.revision(),
            layout: cell.groups().layout(),
            counted: cell.groups().revision(),
            seats,
            wholes,
            to_count: terms.rules_to_count(cell),
        };
        self.cells.insert(cell.id().clone(), in_cell);
    }

    /// Takes in what changed in the cells of the same fleet, which are the same, with the same work and
    /// members, and of which no others changed than those named. Whether it could: else all are to be
    /// counted anew.
    pub(super) fn keep_up(&mut self, fleet: &Fleet, named: &[CellId], now: Timestamp) -> bool {
        if !self.is_counted || self.settles_at.is_some() || self.cells.len() != fleet.cells.len() {
            return false;
        }
        let Self {
            cells,
            groups,
            zones,
            changed,
            ..
        } = self;
        for name in named {
            let (Some(known), Some(cell)) = (cells.get_mut(name), fleet.cells.get(name)) else {
                return false;
            };
            if known.revision == cell.revision() {
                continue;
            }
            if known.layout != cell.groups().layout() {
                return false;
            }
            known.revision = cell.revision();
            if known.counted == cell.groups().revision() {
                continue;
            }
            let has_settled = now >= cell.settled_at();
            for view in cell.groups().changed_since(known.counted) {
                let Some(seat) = known.seats.get_mut(&view.place) else {
                    return false;
                };
                let standing = cell.standing(&view, has_settled);
                zones.change(seat.zone, seat.standing, standing);
                seat.standing = standing;
                let Some(whole) = seat.whole else { continue };
                if let Some(of) = groups[whole].parts.get_mut(name) {
                    of.part = Part::of(standing, view.rights);
                    of.told = Some(view.rights);
                }
                changed.get_or_insert_default().insert(whole);
            }
            known.counted = cell.groups().revision();
        }
        true
    }

    /// Takes note that nothing is left to do.
    pub(super) fn rest(&mut self) {
        self.changed = Some(BTreeSet::new());
    }

    /// The places of the groups that may have changed since nothing was left to do.
    pub(super) fn changed(&self) -> Vec<usize> {
        match &self.changed {
            Some(changed) => changed.iter().copied().collect(),
            None => (0..self.groups.len()).collect(),
        }
    }

    /// The cells of the groups that changed since nothing was left to do. Nothing: any group may have.
    pub(super) fn cells_of_changed(&self) -> Option<impl Iterator<Item = &CellId>> {
        let changed = self.changed.as_ref()?.iter();
        Some(changed.flat_map(|place| self.groups[*place].parts.keys()))
    }

    /// Whether any cell may have to be told something, and not those of changed groups alone.
    pub(super) fn is_new(&self) -> bool {
        self.changed.is_none()
    }

    /// The zones that have more out than their allowance.
    pub(super) fn troubled(&self) -> Troubled {
        self.zones.troubled()
    }

    /// The places of a cell's groups, in order.
    pub(super) fn groups_of(&self, cell: &CellId) -> &[usize] {
        self.cells.get(cell).map_or(&[], |known| &known.wholes)
    }

    /// The rules that a cell would not count by itself.
    pub(super) fn rules_to_count(&self, cell: &CellId) -> &[FloorRule] {
        self.cells.get(cell).map_or(&[], |known| &known.to_count)
    }

    /// The place of a group that a cell lacks.
    pub(super) fn place_of(&self, cell: &CellId, lacking: Lacking) -> Option<usize> {
        self.cells.get(cell)?.seats.get(&lacking.0)?.whole
    }
}

impl Whole {
    fn empty((rule, group): (&FloorRule, &Group)) -> Self {
        Self {
            rule: rule.clone(),
            group: group.clone(),
            parts: BTreeMap::new(),
        }
    }
}
