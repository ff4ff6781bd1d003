//! How every group of the rollouts at work stands, over all cells.

use super::{Fleet, terms::Terms};
use crate::{
    allotment::{Balance, Part},
    cell::{Cell, Lacking, Troubled, ZoneCounts},
    floor::Group,
    hold::{Hold, Reason, Subject},
    id::CellId,
    policy::FloorRule,
    time::Timestamp,
};
use std::collections::BTreeMap;

/// A group, and the rule that makes it.
pub(super) type GroupOf<'f> = (&'f FloorRule, &'f Group);

/// The groups of all rules that bind a rollout somewhere.
pub(super) struct Census<'f> {
    pub(super) terms: &'f Terms<'f>,
    /// Each group's parts.
    pub(super) groups: BTreeMap<GroupOf<'f>, BTreeMap<&'f CellId, Part>>,
    /// When members that were not heard of yet count as out. Nothing: all were, or count already.
    pub(super) settles_at: Option<Timestamp>,
    /// The zones of its services.
    zones: ZoneCounts<'f>,
}

impl<'f> Census<'f> {
    /// Takes what the cells say of themselves.
    ///
    /// A link between two processes will carry each cell's standings instead; where both are one
    /// process, what a cell says is of this moment and under its newest allotment.
    pub(super) fn of(fleet: &'f Fleet, terms: &'f Terms<'f>, now: Timestamp) -> Self {
        let mut census = Self {
            terms,
            groups: BTreeMap::new(),
            settles_at: None,
            zones: ZoneCounts::default(),
        };
        for (name, cell) in &fleet.cells {
            census.count(name, cell, now);
        }
        census
    }

    /// The zones that have more out than their allowance.
    pub(super) fn troubled(&self) -> Troubled {
        self.zones.troubled()
    }

    /// Whether a rule binds the hosts that no limit names.
    pub(super) fn is_default(&self, rule: &FloorRule) -> bool {
        self.terms.defaults.contains(rule)
    }

    /// Whether a rule binds a rollout that works in a cell.
    pub(super) fn binds(&self, cell: &Cell, rule: &FloorRule) -> bool {
        let has_work = !cell.work().is_empty();
        has_work && (self.is_default(rule) || works_under(cell, rule))
    }

    /// The rules that a cell would not count by itself.
    pub(super) fn rules_to_count(&self, cell: &Cell) -> Vec<FloorRule> {
        let knows = |rule: &FloorRule| self.is_default(rule) || works_under(cell, rule);
        let others = self.terms.rules.iter().filter(|rule| !knows(rule));
        others.map(|rule| (*rule).clone()).collect()
    }

    fn count(&mut self, name: &'f CellId, cell: &'f Cell, now: Timestamp) {
        let settles_at = cell.settled_at();
        for view in self.terms.groups(cell) {
            let standing = cell.standing(&view, now >= settles_at);
            self.zones.count(&view, standing);
            if !self.terms.rules.contains(view.rule) {
                continue;
            }
            if view.unheard > 0 && now < settles_at {
                let earlier = self.settles_at.unwrap_or(settles_at);
                self.settles_at = Some(earlier.min(settles_at));
            }
            let right = cell.allotment().right(view.rule, view.group);
            let part = Part::of(standing, right);
            let parts = self.groups.entry((view.rule, view.group)).or_default();
            parts.insert(name, part);
        }
    }

    /// The balance of one of its groups.
    pub(super) fn balance(of: GroupOf<'_>, parts: &BTreeMap<&CellId, Part>) -> Balance {
        Balance::of(parts.values(), of.0.min_in_service)
    }

    /// Says of groups with members in several cells how the whole stands, where a cell could only
    /// say how it stands itself.
    pub(super) fn explain(&self, holds: &mut [Hold], lacking: &BTreeMap<&CellId, Vec<Lacking>>) {
        for hold in holds {
            let (Subject::Slice { cell, .. }, Reason::Floor { group, .. }) =
                (&hold.subject, &hold.reason)
            else {
                continue;
            };
            let lacked = lacking.get(cell).map_or(&[][..], Vec::as_slice);
            let is_meant = |(rule, of): &GroupOf<'_>| {
                of.name == *group || lacked.iter().any(|l| l.rule == **rule && l.group == **of)
            };
            let named = self
                .groups
                .iter()
                .filter(|(of, parts)| is_meant(of) && parts.contains_key(cell));
            let tightest = named.min_by_key(|(of, parts)| {
                let balance = Self::balance(**of, parts);
                balance.allowance.saturating_sub(balance.out)
            });
            let Some((of, parts)) = tightest else {
                continue;
            };
            let balance = Self::balance(*of, parts);
            let (out, allowance) = (balance.out, balance.allowance);
            let holders = parts.iter().filter(|(_, part)| part.tokens > 0);
            let with: Vec<CellId> = holders.map(|(cell, _)| (*cell).clone()).collect();
            let group = of.1.to_string();
            hold.reason = match parts.len() {
                1 => Reason::Floor {
                    group,
                    out,
                    allowance,
                },
                _ => Reason::Token {
                    group,
                    out,
                    allowance,
                    with,
                },
            };
        }
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
