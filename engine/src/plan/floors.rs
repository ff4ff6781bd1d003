//! The capacity groups that a rollout's floors make, and how many hosts they let out.

use super::{
    Cure, NeededApproval, PlanError, WideGroup,
    approval::Approvers,
    class::Known,
    planned::Planned,
    selected::{Common, Place, Selected},
};
use crate::{
    floor::{Group, allowance, own_share},
    id::{CellId, HostId},
    inventory::{Host, ZONE},
    policy::FloorRule,
    services::Services,
    share::Share,
    spec::Spec,
    time::Timestamp,
    warrant::FloorAssignment,
};
use std::collections::{BTreeMap, BTreeSet};

/// The floors of a rollout: one entry a rule of a limit, in order of the file.
#[derive(Debug)]
pub(super) struct Floors<'a>(Vec<Floor<'a>>);

/// One rule of a limit.
#[derive(Debug)]
struct Floor<'a> {
    rule: &'a FloorRule,
    /// The limit's place in the file.
    limit: usize,
    /// The rule's place in its limit.
    rank: usize,
    /// Each cell's parts of the groups that have hosts which the rollout takes and the rule binds.
    parts: BTreeMap<&'a CellId, Vec<Part<'a>>>,
}

/// A cell's part of a group.
#[derive(Debug)]
struct Part<'a> {
    group: Group,
    /// How many of its members are at each place that has a host which the rule binds. A group that is made by
    /// other labels than service and zone has several.
    homes: BTreeMap<Place<'a>, usize>,
    /// How many of it may be out by the cell's own share.
    share: usize,
    whole: Whole,
}

/// The parts of a group in all cells.
struct Together<'a> {
    lets_out: usize,
    homes: BTreeMap<Place<'a>, usize>,
}

/// All of a group that a part is of.
#[derive(Debug, Clone, Copy)]
struct Whole {
    cells: usize,
    members: usize,
    allowance: usize,
    /// What rounding leaves over.
    tokens: usize,
}

impl<'a> Floors<'a> {
    /// Finds the groups of all rules.
    pub(super) fn find(spec: &'a Spec, known: &Known<'a>, planned: &Planned<'_, 'a>) -> Self {
        let mut floors = Vec::new();
        for (limit, of) in spec.limits().iter().enumerate() {
            let classes = planned.classes.iter().map(|(class, _)| *class);
            let bound: Vec<_> = classes.filter(|class| class.limit == limit).collect();
            for (rank, rule) in of.floors.iter().enumerate() {
                floors.push(Floor {
                    rule,
                    limit,
                    rank,
                    parts: parts(rule, known, &bound),
                });
            }
        }
        Self(floors)
    }

    /// What binds the planned hosts of one cell.
    pub(super) fn assignments(
        &self,
        cell: &CellId,
        planned: &[&Selected<'a>],
    ) -> Vec<FloorAssignment> {
        let bind = self.0.iter().filter(|floor| floor.parts.contains_key(cell));
        let assignments = bind.map(|floor| FloorAssignment {
            rule: floor.rule.clone(),
            hosts: planned
                .iter()
                .filter(|host| host.common.limit == floor.limit)
                .map(|host| host.host.id.clone())
                .collect(),
            lone_hosts: BTreeSet::new(),
        });
        assignments.collect()
    }

    /// How many of a cell's planned hosts may be out at once, by the strictest rule: its own shares,
    /// and of a group that leaves it none the one token that it works with.
    pub(super) fn width(&self, cell: &CellId) -> usize {
        let mut widths: BTreeMap<usize, BTreeMap<usize, usize>> = BTreeMap::new();
        for floor in self.0.iter().filter(|floor| floor.parts.contains_key(cell)) {
            let width = floor.parts_of(cell).map(Part::width).sum();
            widths
                .entry(floor.limit)
                .or_default()
                .insert(floor.rank, width);
        }
        let strictest = widths.values().filter_map(|ranks| ranks.values().min());
        strictest.sum()
    }

    /// How many hosts of each place may be out at once, by the strictest rule that binds one of its
    /// planned hosts: with all tokens of its groups.
    pub(super) fn allowances(&self) -> BTreeMap<Place<'a>, usize> {
        let mut strictest: BTreeMap<Place<'a>, usize> = BTreeMap::new();
        for floor in &self.0 {
            for (place, allowance) in floor.allowances() {
                let least = strictest.entry(place).or_insert(allowance);
                *least = allowance.min(*least);
            }
        }
        strictest
    }

    /// The groups that have members in several cells, each once, in order.
    pub(super) fn wide(&self) -> Vec<WideGroup> {
        let mut wide = BTreeMap::new();
        for floor in &self.0 {
            let parts = floor.parts.values().flatten();
            for part in parts.filter(|part| part.whole.cells > 1) {
                wide.entry((&part.group, floor.rule)).or_insert(part.whole);
            }
        }
        let groups = wide.into_iter().map(|((group, rule), whole)| WideGroup {
            group: group.to_string(),
            region: group.region.clone(),
            min_in_service: rule.min_in_service,
            cells: whole.cells,
            members: whole.members,
            allowance: whole.allowance,
            tokens: whole.tokens,
        });
        groups.collect()
    }

    /// The planned hosts that may be out only when somebody approved it. Refuses groups that never let a
    /// planned host out, and of which nobody may approve it.
    ///
    /// What a repair takes is out already: no floor keeps it in, and nobody need say yes.
    pub(super) fn for_people(
        &self,
        spec: &Spec,
        services: &Services,
        planned: &Planned<'_, 'a>,
        errors: &mut Vec<PlanError>,
    ) -> BTreeMap<HostId, NeededApproval> {
        if spec.is_repair() {
            return BTreeMap::new();
        }
        let approvers = Approvers::new(spec, services);
        self.refuse_stuck(approvers, errors);
        self.approvals(approvers, planned)
    }

    /// The planned hosts that may be out only when somebody approved it: each is alone in a group
    /// that lets none out.
    fn approvals(
        &self,
        approvers: Approvers<'_>,
        planned: &Planned<'_, 'a>,
    ) -> BTreeMap<HostId, NeededApproval> {
        let mut needed = BTreeMap::new();
        for (host, group) in self.0.iter().flat_map(|floor| floor.lone(planned)) {
            let by = approvers.of(host.common.home.service);
            let group = format!("{group} in {}", host.common.cell);
            let since = Timestamp::default();
            let approval = NeededApproval { group, by, since };
            needed.entry(host.host.id.clone()).or_insert(approval);
        }
        needed
    }

    /// Refuses the groups that never let a planned host out, and of which nobody may approve it.
    fn refuse_stuck(&self, approvers: Approvers<'_>, errors: &mut Vec<PlanError>) {
        let mut stuck: BTreeMap<Cure, BTreeSet<String>> = BTreeMap::new();
        for floor in &self.0 {
            for (cell, parts) in &floor.parts {
                let stuck_parts = parts.iter().filter(|part| part.whole.allowance == 0);
                let is_owned = |place: &Place<'_>| !approvers.of(place.service).is_empty();
                let has_approver =
                    |part: &&Part<'_>| floor.lets_approved(part) && part.homes.keys().any(is_owned);
                for part in stuck_parts.filter(|part| !has_approver(part)) {
                    let name = match part.whole.cells {
                        1 => format!("{} in {cell}", part.group),
                        cells => format!("{} in {cells} cells", part.group),
                    };
                    stuck.entry(part.cure()).or_default().insert(name);
                }
            }
        }
        errors.extend(stuck.into_iter().map(|(cure, groups)| PlanError::Stuck {
            groups: groups.into_iter().collect(),
            cure,
        }));
    }
}

impl<'a> Floor<'a> {
    /// How many hosts of each place that it binds may be out at once: of a group that several places are in, at
    /// each as many as that group lets out.
    fn allowances(&self) -> BTreeMap<Place<'a>, usize> {
        let mut groups: BTreeMap<&Group, Together<'a>> = BTreeMap::new();
        for part in self.parts.values().flatten() {
            let group = groups.entry(&part.group).or_insert_with(|| Together {
                lets_out: part.whole.tokens,
                homes: BTreeMap::new(),
            });
            group.lets_out = part.whole.allowance.min(group.lets_out + part.share);
            for (home, members) in &part.homes {
                *group.homes.entry(*home).or_default() += members;
            }
        }
        let mut allowances = BTreeMap::new();
        for group in groups.into_values() {
            for (home, members) in group.homes {
                *allowances.entry(home).or_default() += members.min(group.lets_out);
            }
        }
        allowances
    }

    fn parts_of(&self, cell: &CellId) -> impl Iterator<Item = &Part<'a>> {
        self.parts.get(cell).into_iter().flatten()
    }

    /// Whether the one host of a group may be out when somebody approved it. Where all of a group must
    /// stay, its file says that nobody may.
    fn lets_approved(&self, part: &Part<'_>) -> bool {
        let is_stuck = part.whole.allowance == 0;
        is_stuck && part.cure() == Cure::Lone && self.rule.min_in_service < Share::ALL
    }

    /// Those of the planned hosts that are alone in a group which lets none out, with that group.
    fn lone<'s>(
        &'s self,
        planned: &'s Planned<'_, 'a>,
    ) -> impl Iterator<Item = (&'s Selected<'a>, Group)> {
        let parts = self.parts.iter();
        let parts = parts.flat_map(|(cell, parts)| parts.iter().map(|part| (*cell, part)));
        let lone: BTreeSet<(&CellId, &Group)> = parts
            .filter(|(_, part)| self.lets_approved(part))
            .map(|(cell, part)| (cell, &part.group))
            .collect();
        let has_lone = !lone.is_empty();
        planned
            .hosts()
            .filter(move |host| has_lone && host.common.limit == self.limit)
            .map(|host| (host, Group::of(self.rule, host.host)))
            .filter(move |(host, group)| lone.contains(&(host.common.cell, group)))
    }
}

impl Part<'_> {
    fn cure(&self) -> Cure {
        match self.whole.members {
            0 | 1 => Cure::Lone,
            _ => Cure::AllMustStay,
        }
    }

    fn width(&self) -> usize {
        self.share.max(self.whole.allowance.min(1))
    }
}

/// What a cell has of a group.
struct Met<'a> {
    /// One of its members.
    host: &'a Host,
    members: usize,
    homes: BTreeMap<Place<'a>, usize>,
}

impl<'a> Met<'a> {
    fn new(host: &'a Host) -> Self {
        Self {
            host,
            members: 0,
            homes: BTreeMap::new(),
        }
    }
}

/// Each cell's parts of the groups that a rule makes of the hosts of the bound classes. All hosts of
/// the inventory count as members.
fn parts<'a>(
    rule: &FloorRule,
    known: &Known<'a>,
    bound: &[&Common<'a>],
) -> BTreeMap<&'a CellId, Vec<Part<'a>>> {
    // Names of groups are long: they are told apart by the values that make them.
    let is_in_region = rule.group_by.iter().any(|label| label == ZONE);
    let key = |home: Place<'a>, host: &'a Host| -> Vec<Option<&'a str>> {
        let region = is_in_region.then_some(home.region);
        let labels = rule.group_by.iter();
        let values = labels.map(|label| home.value(label).or_else(|| host.value(label)));
        [region].into_iter().chain(values).collect()
    };
    let mut groups: BTreeMap<Vec<_>, BTreeMap<&CellId, Met<'a>>> = BTreeMap::new();
    for class in bound {
        groups.entry(key(class.home, class.host)).or_default();
    }
    let homes: BTreeSet<Place<'_>> = bound.iter().map(|class| class.home).collect();
    for class in &known.classes {
        let Some((cell, home)) = class.home else {
            continue;
        };
        if let Some(cells) = groups.get_mut(&key(home, class.host)) {
            let met = cells.entry(cell).or_insert_with(|| Met::new(class.host));
            met.members += class.members;
            if homes.contains(&home) {
                *met.homes.entry(home).or_default() += class.members;
            }
        }
    }
    let mut parts: BTreeMap<&CellId, Vec<Part<'_>>> = BTreeMap::new();
    for cells in groups.into_values() {
        let whole = whole(rule, cells.values().map(|met| met.members));
        for (cell, met) in cells {
            parts.entry(cell).or_default().push(Part {
                group: Group::of(rule, met.host),
                homes: met.homes,
                share: own_share(met.members, rule.min_in_service),
                whole,
            });
        }
    }
    parts
}

fn whole(rule: &FloorRule, parts: impl Iterator<Item = usize>) -> Whole {
    let (mut cells, mut members, mut shares, mut has_small) = (0, 0, 0_usize, false);
    for part in parts {
        let share = own_share(part, rule.min_in_service);
        cells += 1;
        members += part;
        shares += share;
        has_small |= share == 0;
    }
    let allowance = allowance(members, rule.min_in_service);
    // Where nothing is left over for a cell without a share, another one lends one of its.
    let lent = usize::from(has_small && shares == allowance).min(allowance);
    Whole {
        cells,
        members,
        allowance,
        tokens: allowance.saturating_sub(shares) + lent,
    }
}
