//! Hosts that come after a rollout's start: how one is fitted into a plan that was made without it.
//!
//! A late host goes to the last wave, behind all that was planned. Of a stratum that no host has passed
//! it is proved alone, as every host is (the second opinion); nothing of it starts beside another.

use super::{Plan, PlannedHost};
use crate::{
    id::{CellId, HostId, WaveIndex},
    inventory::{Host, PATCHER},
    policy::{FloorRule, LateJoin},
    select::Selection,
    services::Dependencies,
    spec::{Limit, Spec, WindowRule},
    stratum::{Delta, Stratum},
    warrant::{Assignment, FloorAssignment, WindowAssignment},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What a plan keeps to judge hosts by that come after it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateRules {
    /// Which hosts the rollout is for.
    pub selection: Selection,
    /// What becomes of those that come late.
    pub join: LateJoin,
    /// Whether the rollout stays when its waves are over.
    pub standing: bool,
    /// Whether it is a repair: none comes late to one.
    #[serde(default)]
    pub repair: bool,
    /// The limits of the file. Absent: made before they were kept, and none are taken.
    #[serde(default)]
    limits: Vec<Limit>,
    /// The windows of the file.
    #[serde(default)]
    windows: Vec<WindowRule>,
}

impl LateRules {
    pub(super) fn of(spec: &Spec) -> Self {
        Self {
            selection: spec.selection().clone(),
            join: spec.late_join(),
            standing: spec.is_standing(),
            repair: spec.is_repair(),
            limits: spec.limits().to_vec(),
            windows: spec.windows().to_vec(),
        }
    }
}

/// A host that comes late, as the fleet knows it.
pub struct LateHost<'a> {
    /// Labels and facts.
    pub host: &'a Host,
    /// Its cell.
    pub cell: &'a CellId,
    /// Its strata under the rollout.
    pub strata: Vec<Stratum>,
    /// What the patch changes on it. Nothing: no packages.
    pub delta: Option<Delta>,
    /// Its service's direct dependencies, and those of its direct dependants on it.
    pub dependencies: Dependencies,
}

impl fmt::Debug for LateHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, cell) = (&self.host.id, self.cell);
        write!(f, "LateHost({host} of {cell})")
    }
}

impl Plan {
    /// Takes a late host into the last wave. Whether it could: not when the plan keeps no rules, or
    /// has no host that shows what its cells are told.
    pub(crate) fn take_late(&mut self, late: &LateHost<'_>) -> bool {
        let last = self.waves.len().checked_sub(1);
        let last = last.and_then(|last| u32::try_from(last).ok());
        let (Some(rules), Some(last)) = (&self.late, last) else {
            return false;
        };
        let Some(assignment) = self.assignment_with(late, rules) else {
            return false;
        };
        self.assignments.insert(late.cell.clone(), assignment);
        let strata = self.places_of(&late.strata);
        let host = &late.host.id;
        let planned = PlannedHost {
            cell: late.cell.clone(),
            wave: WaveIndex(last),
            strata,
        };
        self.hosts.insert(host.clone(), planned);
        self.add_to_last_wave(late.cell, host, late.host.is_marked(PATCHER));
        true
    }

    /// Has a planned host be of other strata: the patch changes something else on it than was assumed.
    pub(crate) fn take_as_it_is(
        &mut self,
        host: &HostId,
        delta: Option<Delta>,
        strata: &[Stratum],
    ) {
        let strata = self.places_of(strata);
        let Some(planned) = self.hosts.get_mut(host) else {
            return;
        };
        planned.strata = strata;
        if let Some(assignment) = self.assignments.get_mut(&planned.cell) {
            assignment.assume(host, delta);
            assignment.revision += 1;
        }
    }

    fn add_to_last_wave(&mut self, cell: &CellId, host: &HostId, is_patcher: bool) {
        // A host that was deleted and is born again may stand in an earlier wave still.
        for wave in &mut self.waves {
            wave.order.remove(host);
            for slice in wave.slices.values_mut() {
                slice.retain(|other| other != host);
            }
        }
        let Some(wave) = self.waves.last_mut() else {
            return;
        };
        wave.add(cell, host);
        if is_patcher {
            wave.order.behind.push(host.clone());
        }
    }

    fn places_of(&mut self, strata: &[Stratum]) -> Vec<u32> {
        let mut places: Vec<u32> = strata.iter().map(|of| self.place_of(of)).collect();
        places.sort_unstable();
        places
    }

    /// The place of a stratum, which is new at the end.
    fn place_of(&mut self, stratum: &Stratum) -> u32 {
        let known = self.strata.iter().position(|known| known == stratum);
        let place = known.unwrap_or_else(|| {
            self.strata.push(stratum.clone());
            self.strata.len() - 1
        });
        u32::try_from(place).expect("hosts have fewer strata than 2^32")
    }

    /// What the host's cell is told from now on.
    fn assignment_with(&self, late: &LateHost<'_>, rules: &LateRules) -> Option<Assignment> {
        let host = late.host;
        let limit = rules.limits.iter().find(|limit| limit.matches(host))?;
        let mut assignment = match self.assignments.get(late.cell) {
            Some(assignment) => assignment.clone(),
            None => self.empty_assignment(late.cell)?,
        };
        assignment.revision += 1;
        let (host_id, revision) = (host.id.clone(), assignment.revision);
        assignment.late.insert(host_id, revision);
        let at_once = &mut assignment.pace.at_once_per_cell;
        *at_once = limit
            .at_once_per_cell
            .min(match assignment.hosts.is_empty() {
                true => usize::MAX,
                false => *at_once,
            });
        bind_windows(&mut assignment, &rules.windows, host);
        assignment.assume(&host.id, late.delta);
        assignment.hosts.insert(host.id.clone());
        for rule in &limit.floors {
            let floor = assignment.floor_of(rule);
            floor.hosts.insert(host.id.clone());
        }
        Some(assignment)
    }

    /// Its services depend on others as it is said: all cells are told the same. The cells of which the
    /// assignment changed.
    pub(crate) fn depend_on(&mut self, dependencies: &Dependencies) -> Vec<CellId> {
        let mut changed = Vec::new();
        for (cell, assignment) in &mut self.assignments {
            if assignment.dependencies != *dependencies {
                assignment.dependencies.clone_from(dependencies);
                assignment.revision += 1;
                changed.push(cell.clone());
            }
        }
        changed
    }

    /// What a cell is told that has no host of the rollout yet: what all others are.
    pub(super) fn empty_assignment(&self, cell: &CellId) -> Option<Assignment> {
        let other = self.assignments.values().next()?;
        Some(Assignment {
            cell: cell.clone(),
            revision: 0,
            late: BTreeMap::new(),
            hosts: BTreeSet::new(),
            deltas: Vec::new(),
            floors: Vec::new(),
            windows: Vec::new(),
            ..other.clone()
        })
    }
}

impl Assignment {
    /// What it says of a floor rule, which is new at the end.
    pub(super) fn floor_of(&mut self, rule: &FloorRule) -> &mut FloorAssignment {
        let floors = &mut self.floors;
        let known = floors.iter().position(|floor| floor.rule == *rule);
        let place = known.unwrap_or_else(|| {
            floors.push(FloorAssignment {
                rule: rule.clone(),
                hosts: BTreeSet::new(),
                lone_hosts: BTreeSet::new(),
            });
            floors.len() - 1
        });
        &mut floors[place]
    }
}

/// Binds a host that is not yet among the assignment's by the windows that match it, and by no other.
fn bind_windows(assignment: &mut Assignment, rules: &[WindowRule], host: &Host) {
    let all = assignment.hosts.clone();
    let mut bound: BTreeMap<usize, bool> = BTreeMap::new();
    for rule in rules {
        let windows = &mut assignment.windows;
        let known = windows.iter().position(|of| of.window == rule.window);
        let matches = rule.matches(host);
        if known.is_none() && !matches {
            continue;
        }
        let place = known.unwrap_or_else(|| {
            windows.push(WindowAssignment {
                window: rule.window.clone(),
                hosts: Some(BTreeSet::new()),
            });
            windows.len() - 1
        });
        *bound.entry(place).or_default() |= matches;
    }
    for (place, matches) in bound {
        let hosts = &mut assignment.windows[place].hosts;
        let hosts = hosts.get_or_insert_with(|| all.clone());
        if matches {
            hosts.insert(host.id.clone());
        }
    }
}
