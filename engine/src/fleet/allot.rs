//! What each cell is told of the groups that reach beyond it: corrections first, then tokens.
//!
//! Tokens go to a cell that has a host which nothing but its groups holds, one of each group that the
//! host lacks, and only when all of them are there: so no cell keeps one token while it waits for
//! another. They stay with the cell until another one lacks them while they are idle, or until there
//! are fewer of them; with a cell that is not heard of, until it is.

use super::{
    Fleet, FleetCommand,
    census::{Census, PartOf, Whole},
};
use crate::{
    allotment::{Allotment, Balance, Part, Right, Rights},
    cell::{Cell, Lacking},
    id::CellId,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// The parts of groups that change, as they are from now on: by the group's place in the census.
type Changes<'c> = BTreeMap<(usize, &'c CellId), Part>;

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
    pub(super) fn correct(&self, census: &Census, now: Timestamp) -> Vec<FleetCommand> {
        let mut changes = Changes::new();
        let changed = census.changed();
        for &place in &changed {
            let whole = &census.groups[place];
            let mut short = whole.balance().short;
            for (cell, of) in whole.parts.iter().filter(|(cell, _)| self.hears(cell)) {
                let back = of.part.idle(whole.rule.min_in_service).min(short);
                if back > 0 {
                    short -= back;
                    let tokens = of.part.tokens - back;
                    changes.insert((place, cell), Part { tokens, ..of.part });
                }
            }
        }
        if census.is_new() {
            return self.allot_to(self.cells.keys(), census, &changes, now);
        }
        let wrong = changed
            .iter()
            .flat_map(|place| told_wrong(&census.groups[*place], now));
        let cells: BTreeSet<&CellId> = wrong.chain(concerned(census, &changes)).collect();
        self.allot_to(cells.into_iter(), census, &changes, now)
    }

    /// Hands free tokens to cells that lack them.
    pub(super) fn hand_out(
        &self,
        census: &Census,
        lacking: &BTreeMap<&CellId, &[Lacking]>,
        now: Timestamp,
    ) -> Vec<FleetCommand> {
        let mut free: BTreeMap<usize, usize> = BTreeMap::new();
        let mut changes = Changes::new();
        for (cell, lacking) in lacking.iter().filter(|(cell, _)| self.hears(cell)) {
            let wanted = lacking.iter().filter_map(|of| census.place_of(cell, *of));
            let wanted: Vec<usize> = wanted.collect();
            for place in &wanted {
                let balance = || census.groups[*place].balance();
                free.entry(*place).or_insert_with(|| balance().free);
            }
            if wanted.iter().any(|place| free[place] == 0) {
                continue;
            }
            for place in wanted {
                free.entry(place).and_modify(|free| *free -= 1);
                if let Some((cell, of)) = census.groups[place].parts.get_key_value(*cell) {
                    let tokens = of.part.tokens + 1;
                    changes.insert((place, cell), Part { tokens, ..of.part });
                }
            }
        }
        self.allot_changes(census, &changes, now)
    }

    /// Takes idle tokens from cells for the first cell that could start a host with them.
    pub(super) fn take_back(
        &self,
        census: &Census,
        lacking: &BTreeMap<&CellId, &[Lacking]>,
        now: Timestamp,
    ) -> Vec<FleetCommand> {
        let mut cells = lacking.iter().filter(|(cell, _)| self.hears(cell));
        match cells.find_map(|(cell, lacking)| self.freed(census, cell, lacking)) {
            Some(changes) => self.allot_changes(census, &changes, now),
            None => Vec::new(),
        }
    }

    fn allot_changes(
        &self,
        census: &Census,
        changes: &Changes<'_>,
        now: Timestamp,
    ) -> Vec<FleetCommand> {
        if changes.is_empty() {
            return Vec::new();
        }
        let cells: BTreeSet<&CellId> = concerned(census, changes).collect();
        self.allot_to(cells.into_iter(), census, changes, now)
    }

    /// Tells cells that are heard of what they have, after some parts changed.
    fn allot_to<'c>(
        &self,
        cells: impl Iterator<Item = &'c CellId>,
        census: &Census,
        changes: &Changes<'_>,
        now: Timestamp,
    ) -> Vec<FleetCommand> {
        let mut balances: BTreeMap<usize, Balance> = BTreeMap::new();
        let mut commands = Vec::new();
        for name in cells.filter(|name| self.hears(name)) {
            let Some(cell) = self.cells.get(name) else {
                continue;
            };
            let mut all = Vec::new();
            for &place in census.groups_of(name) {
                let whole = &census.groups[place];
                let Some(of) = whole.parts.get(name) else {
                    continue;
                };
                let balance = balances.entry(place);
                let balance = balance.or_insert_with(|| balance_after(place, whole, changes));
                let part = changes.get(&(place, name)).unwrap_or(&of.part);
                let rights = rights(whole, of, part, balance, now);
                if rights.say_something() {
                    all.push(Right::new(&whole.rule, &whole.group, rights));
                }
            }
            let allotment = Allotment {
                generation: cell.allotment().generation,
                rules: census.rules_to_count(name).to_vec(),
                rights: all,
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
        census: &'c Census,
        cell: &CellId,
        lacking: &[Lacking],
    ) -> Option<Changes<'c>> {
        let mut changes = Changes::new();
        let places = lacking.iter().filter_map(|of| census.place_of(cell, *of));
        for place in places {
            let whole = &census.groups[place];
            if whole.balance().free > 0 {
                continue;
            }
            let (from, part) = self.freed_of(whole, cell)?;
            changes.insert((place, from), part);
        }
        (!changes.is_empty()).then_some(changes)
    }

    /// The part of a group that gives up an idle token, or lends of its share where the group has no
    /// token and the cell no share.
    fn freed_of<'c>(&self, whole: &'c Whole, cell: &CellId) -> Option<(&'c CellId, Part)> {
        let min = whole.rule.min_in_service;
        let heard = whole.parts.iter().filter(|(other, _)| self.hears(other));
        let mut heard = heard.map(|(other, of)| (other, of.part));
        let mut others = heard.clone().filter(|(other, _)| *other != cell);
        if let Some((holder, part)) = others.find(|(_, part)| part.idle(min) > 0) {
            let tokens = part.tokens - 1;
            return Some((holder, Part { tokens, ..part }));
        }
        let has_share = whole.parts.get(cell);
        let has_share = has_share.is_some_and(|of| of.part.share(min) > 0);
        if has_share || whole.balance().tokens > 0 {
            return None;
        }
        let (lender, part) = heard.by_ref().max_by_key(|(_, part)| part.share(min))?;
        let lent = part.lent + 1;
        (part.share(min) > 0).then_some((lender, Part { lent, ..part }))
    }
}

/// The cells of a group that were told otherwise than it stands now.
fn told_wrong(whole: &Whole, now: Timestamp) -> impl Iterator<Item = &CellId> {
    let balance = whole.balance();
    let is_wrong = move |(_, of): &(&CellId, &PartOf)| {
        let rights = rights(whole, of, &of.part, &balance, now);
        of.told != Some(rights)
    };
    let wrong = whole.parts.iter().filter(is_wrong);
    wrong.map(|(cell, _)| cell)
}

/// The cells of the groups that change: to each of them the tokens of another may be news.
fn concerned<'c>(
    census: &'c Census,
    changes: &Changes<'_>,
) -> impl Iterator<Item = &'c CellId> + use<'c> {
    let groups: BTreeSet<usize> = changes.keys().map(|(place, _)| *place).collect();
    let wholes = groups.into_iter().map(|place| &census.groups[place]);
    wholes.flat_map(|whole| whole.parts.keys())
}

/// How a group stands once parts of it have changed.
fn balance_after(place: usize, whole: &Whole, changes: &Changes<'_>) -> Balance {
    let after = |(cell, of): (&CellId, &PartOf)| *changes.get(&(place, cell)).unwrap_or(&of.part);
    let after: Vec<Part> = whole.parts.iter().map(after).collect();
    Balance::of(after.iter(), whole.rule.min_in_service)
}

/// What a cell may have out of a group beside its own share, with this part of it.
fn rights(whole: &Whole, of: &PartOf, part: &Part, balance: &Balance, now: Timestamp) -> Rights {
    let min = whole.rule.min_in_service;
    let elsewhere = balance.short.saturating_sub(part.over(min));
    let room = part.share(min) + part.tokens;
    // What is out here alone the cell sees for itself.
    let is_wide = whole.parts.len() > 1;
    let stranded = of
        .told
        .filter(|_| of.is_bound && is_wide && balance.is_stranded());
    Rights {
        tokens: part.tokens,
        lent: part.lent,
        overdrawn: if of.is_bound { elsewhere.min(room) } else { 0 },
        is_closed: of.is_bound && balance.allowance == 0,
        stranded_since: stranded.map(|told| told.stranded_since.unwrap_or(now)),
    }
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
