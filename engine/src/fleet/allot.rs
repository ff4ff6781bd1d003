//! What each cell is told of the groups that reach beyond it: corrections first, then tokens.
//!
//! Tokens go to a cell that has a host which nothing but its groups holds, one of each group that the
//! host lacks, and only when all of them are there: so no cell keeps one token while it waits for
//! another. They stay with the cell until another one lacks them while they are idle, or until there
//! are fewer of them; with a cell that is not heard of, until it is.

use super::{
    Fleet, FleetCommand,
    census::{Census, GroupOf},
};
use crate::{
    allotment::{Allotment, Balance, Part, Right},
    cell::{Cell, Lacking},
    id::CellId,
};
use std::collections::BTreeMap;

/// The parts of groups that change, as they are from now on.
type Changes<'f> = BTreeMap<(&'f CellId, GroupOf<'f>), Part>;

impl Fleet {
    /// Takes all back where no rollout works anywhere: nobody starts a host under it.
    pub(super) fn allot_nothing(&self) -> Vec<FleetCommand> {
        let nothing = Allotment::default();
        let cells = self.cells.iter().filter(|(name, _)| self.hears(name));
        cells
            .filter_map(|(name, cell)| allot(name, cell, nothing.clone()))
            .collect()
    }

    /// Tells cells what changed by itself: rules to count by, tokens that there are no more, overdrafts
    /// and groups that may have none out.
    pub(super) fn correct(&self, census: &Census<'_>) -> Vec<FleetCommand> {
        let mut changes = Changes::new();
        for (of, parts) in &census.groups {
            let mut short = Census::balance(*of, parts).short;
            for (cell, part) in parts.iter().filter(|(cell, _)| self.hears(cell)) {
                let back = part.idle(of.0.min_in_service).min(short);
                if back > 0 {
                    short -= back;
                    let tokens = part.tokens - back;
                    changes.insert((*cell, *of), Part { tokens, ..*part });
                }
            }
        }
        self.allot_all(census, &changes)
    }

    /// Hands free tokens to cells that lack them.
    pub(super) fn hand_out(
        &self,
        census: &Census<'_>,
        lacking: &BTreeMap<&CellId, Vec<Lacking>>,
    ) -> Vec<FleetCommand> {
        let mut free: BTreeMap<GroupOf<'_>, usize> = BTreeMap::new();
        let mut changes = Changes::new();
        for (cell, lacking) in lacking.iter().filter(|(cell, _)| self.hears(cell)) {
            let wanted: Vec<_> = lacking.iter().filter_map(|of| found(census, of)).collect();
            for (of, parts) in &wanted {
                let balance = Census::balance(*of, parts);
                free.entry(*of).or_insert(balance.free);
            }
            if wanted.iter().any(|(of, _)| free[of] == 0) {
                continue;
            }
            for (of, parts) in wanted {
                free.entry(of).and_modify(|free| *free -= 1);
                if let Some(part) = parts.get(*cell) {
                    let tokens = part.tokens + 1;
                    changes.insert((*cell, of), Part { tokens, ..*part });
                }
            }
        }
        match changes.is_empty() {
            true => Vec::new(),
            false => self.allot_all(census, &changes),
        }
    }

    /// Takes idle tokens from cells for the first cell that could start a host with them.
    pub(super) fn take_back(
        &self,
        census: &Census<'_>,
        lacking: &BTreeMap<&CellId, Vec<Lacking>>,
    ) -> Vec<FleetCommand> {
        let mut cells = lacking.iter().filter(|(cell, _)| self.hears(cell));
        match cells.find_map(|(cell, lacking)| self.freed(census, cell, lacking)) {
            Some(changes) => self.allot_all(census, &changes),
            None => Vec::new(),
        }
    }

    fn allot_all(&self, census: &Census<'_>, changes: &Changes<'_>) -> Vec<FleetCommand> {
        let mut rights: BTreeMap<&CellId, Vec<Right>> = BTreeMap::new();
        for (of, parts) in &census.groups {
            let after = |(cell, part): (&&'_ CellId, &Part)| {
                let changed = changes.get(&(*cell, *of)).copied();
                changed.unwrap_or(*part)
            };
            let after: Vec<Part> = parts.iter().map(after).collect();
            let balance = Balance::of(after.iter(), of.0.min_in_service);
            for (cell, part) in parts.keys().zip(&after) {
                let elsewhere = balance.short.saturating_sub(part.over(of.0.min_in_service));
                let room = part.share(of.0.min_in_service) + part.tokens;
                let cell_bound = self.cells.get(*cell);
                let is_bound = cell_bound.is_some_and(|cell| census.binds(cell, of.0));
                let right = Right {
                    rule: of.0.clone(),
                    group: of.1.clone(),
                    tokens: part.tokens,
                    lent: part.lent,
                    overdrawn: if is_bound { elsewhere.min(room) } else { 0 },
                    is_closed: is_bound && balance.allowance == 0,
                };
                if right.says_something() {
                    rights.entry(cell).or_default().push(right);
                }
            }
        }
        let mut commands = Vec::new();
        for (name, cell) in self.cells.iter().filter(|(name, _)| self.hears(name)) {
            let allotment = Allotment {
                generation: cell.allotment().generation,
                rules: census.rules_to_count(cell),
                rights: rights.remove(name).unwrap_or_default(),
            };
            commands.extend(allot(name, cell, allotment));
        }
        commands
    }

    /// Whether a cell is heard of: what is allotted to one that is not stays as it is.
    fn hears(&self, cell: &CellId) -> bool {
        !self.silent.contains_key(cell)
    }

    /// What frees a token of each group that a cell lacks. Nothing when not all of them can be freed now.
    fn freed<'c>(
        &self,
        census: &'c Census<'_>,
        cell: &CellId,
        lacking: &'c [Lacking],
    ) -> Option<Changes<'c>> {
        let mut changes = Changes::new();
        for (of, parts) in lacking.iter().filter_map(|of| found(census, of)) {
            if Census::balance(of, parts).free > 0 {
                continue;
            }
            let (from, part) = self.freed_of(of, parts, cell)?;
            changes.insert((from, of), part);
        }
        (!changes.is_empty()).then_some(changes)
    }

    /// The part of a group that gives up an idle token, or lends of its share where the group has no
    /// token and the cell no share.
    fn freed_of<'c>(
        &self,
        of: GroupOf<'c>,
        parts: &BTreeMap<&'c CellId, Part>,
        cell: &CellId,
    ) -> Option<(&'c CellId, Part)> {
        let min = of.0.min_in_service;
        let heard = parts.iter().filter(|(other, _)| self.hears(other));
        let mut others = heard.clone().filter(|(other, _)| **other != cell);
        if let Some((holder, part)) = others.find(|(_, part)| part.idle(min) > 0) {
            let tokens = part.tokens - 1;
            return Some((holder, Part { tokens, ..*part }));
        }
        let has_share = parts.get(cell).is_some_and(|part| part.share(min) > 0);
        if has_share || Census::balance(of, parts).tokens > 0 {
            return None;
        }
        let (lender, part) = heard.max_by_key(|(_, part)| part.share(min))?;
        let lent = part.lent + 1;
        (part.share(min) > 0).then_some((*lender, Part { lent, ..*part }))
    }
}

fn found<'c>(
    census: &'c Census<'_>,
    of: &'c Lacking,
) -> Option<(GroupOf<'c>, &'c BTreeMap<&'c CellId, Part>)> {
    let (of, parts) = census.groups.get_key_value(&(&of.rule, &of.group))?;
    Some((*of, parts))
}

/// Tells a cell what it has. Nothing when it knows.
fn allot(name: &CellId, cell: &Cell, mut allotment: Allotment) -> Option<FleetCommand> {
    if allotment.says_as(cell.allotment()) {
        return None;
    }
    allotment.generation = cell.allotment().generation.next();
    Some(FleetCommand::Allot {
        cell: name.clone(),
        allotment: Box::new(allotment),
    })
}
