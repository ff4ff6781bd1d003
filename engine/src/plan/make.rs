//! Makes a plan of a rollout, its lock file and an inventory.

use super::{
    Blast, Estimate, Plan, PlanError, PlanErrors, PlannedHost, PlannedWave, Warning,
    choice::Choice,
    denied::Denied,
    floors::Floors,
    impact::Touched,
    late::LateRules,
    match_lock, pace,
    planned::Planned,
    proof::Proof,
    region::{RegionOrder, Regions},
    selected::{Chosen, Selected},
    strata::{Strata, place},
    upgrade,
    wave::{self, Waves},
    when,
};
use crate::{
    by_name::ByHost,
    calendar::Calendar,
    cells,
    coverage::Coverage,
    denial::Denials,
    digest::Digest,
    id::{CellId, HostId, WaveIndex},
    inventory::{Host, PackageSet},
    patch::LockFile,
    policy::Pace,
    services::Services,
    spec::Spec,
    stratum::{Delta, Stratum},
    time::Timestamp,
    warrant::{Assignment, DeltaAssignment, WindowAssignment},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a plan is made of beside its rollout.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// All known hosts.
    pub hosts: &'a BTreeMap<HostId, Host>,
    /// The cell of each host that has one.
    pub cells: &'a ByHost<CellId>,
    /// The package sets that hosts have, by digest. One that is not known is no error: its hosts
    /// are a stratum of their own.
    pub package_sets: &'a BTreeMap<Digest, PackageSet>,
    /// Bits that are not installed again: hosts to which they are denied are left out.
    pub denials: &'a Denials,
    /// The hosts that are out and nobody is at work on: a repair takes those and no others.
    pub casualties: &'a BTreeSet<HostId>,
    /// The hosts that could not be started now. The first wave takes them only where no other host will
    /// do, since it would wait for them.
    pub unready: &'a BTreeSet<HostId>,
    /// When it is made: waivers may be over.
    pub now: Timestamp,
    /// The declared services.
    pub services: &'a Services,
    /// The freeze calendar: what of it lies in the way is warned of.
    pub calendar: &'a Calendar,
}

impl Plan {
    /// Makes a plan. The same inputs make the same plan.
    ///
    /// # Errors
    /// Every reason why none can be made, each with its cure.
    pub fn make(spec: &Spec, lock: &LockFile, input: &PlanInput<'_>) -> Result<Self, PlanErrors> {
        Self::make_for(spec, lock, input, &|_| true)
    }

    /// The same, of those hosts alone that may be taken.
    pub(super) fn make_for(
        spec: &Spec,
        lock: &LockFile,
        input: &PlanInput<'_>,
        may_be_taken: &dyn Fn(&HostId) -> bool,
    ) -> Result<Self, PlanErrors> {
        let mut errors = match_lock::errors(spec, lock);
        let choice = Choice::make(spec, lock, input, may_be_taken, &mut errors);
        let waves = Waves::take(spec, &choice.selected, choice.strata.count());
        let planned = waves.planned();
        let floors = Floors::find(spec, &choice.known, &planned);
        let approvals = floors.for_people(spec, input.services, &planned, &mut errors);
        let regions = Regions::of(&choice.selected);
        let orders = regions.orders(spec, &choice.selected, &mut errors);
        let proof = Proof::of(spec, input.now, &planned, &choice.strata);
        proof.refuse(&mut errors);
        none(errors)?;
        let coverage = proof.judged();
        let touched = Touched::of(input.services, &planned);
        let draft = Draft {
            spec,
            touched: &touched,
            lock,
            rollout_digest: rollout_digest(spec, lock),
            selected: &choice.selected,
            planned: &planned,
            floors: &floors,
            denied: &choice.denied,
        };
        let left_alone = upgrade::left_alone(choice.unaffected.count, choice.selected.hosts.len());
        let of_waves = left_alone.chain(waves.warnings).collect();
        let (planned_waves, assignments) = (draft.waves(&regions, &orders), draft.assignments());
        let estimate = draft.estimate(&planned_waves, &assignments);
        let of_proof = proof.warnings(choice.strata.unknown_deltas).into_iter();
        let of_proof = of_proof.chain(when::warnings(spec, input, &planned, estimate));
        let (strata, hosts) = listed(&planned, &choice.strata, &coverage);
        Ok(Self {
            rollout: spec.name().clone(),
            rollout_digest: draft.rollout_digest,
            severity: spec.severity(),
            profile: spec.profile(),
            warnings: draft.warnings(of_waves, of_proof.collect()),
            estimate,
            brake: spec.brake().clone(),
            hosts_left_out: spec.hosts_left_out(),
            warrant: spec.warrant(),
            unknown_after: spec.unknown_after(),
            approvals,
            approvers: spec.approvers().clone(),
            late: Some(LateRules::of(spec)),
            blast: Blast::of(&choice, &planned, &floors, &touched),
            waves: planned_waves,
            coverage,
            waived: proof.waived(),
            strata,
            hosts,
            assignments,
            amends: None,
            signer: None,
            file: spec.to_string(),
        })
    }
}

/// No reason stands against a plan, or all that do.
fn none(errors: Vec<PlanError>) -> Result<(), PlanErrors> {
    match errors.is_empty() {
        true => Ok(()),
        false => Err(PlanErrors(errors)),
    }
}

/// The digest of a rollout: of what its file means and what its lock file holds.
pub fn rollout_digest(spec: &Spec, lock: &LockFile) -> Digest {
    digest_of(spec.digest(), lock.digest())
}

/// The same, of the digests of both.
pub(crate) fn digest_of(spec: Digest, lock: Digest) -> Digest {
    Digest::of(format!("{spec}\n{lock}\n"))
}

/// The strata of the planned hosts, and the hosts.
fn listed(
    planned: &Planned<'_, '_>,
    strata: &Strata<'_>,
    coverage: &Coverage,
) -> (Vec<Stratum>, ByHost<PlannedHost>) {
    let mut is_kept = vec![false; strata.count()];
    for number in planned.classes.iter().flat_map(|(class, _)| &class.strata) {
        is_kept[place(*number)] = true;
    }
    let (kept, ranks) = strata.ranked(coverage, |number| is_kept[place(number)]);
    let ranked = planned.classes.iter().map(|(class, _)| {
        let of = class.strata.iter().filter_map(|number| ranks.get(number));
        let mut strata: Vec<u32> = of.copied().collect();
        strata.sort_unstable();
        (class.place, strata)
    });
    let ranked: BTreeMap<usize, Vec<u32>> = ranked.collect();
    let hosts = planned.hosts.iter().map(|(host, wave)| {
        let planned = PlannedHost {
            cell: host.common.cell.clone(),
            wave: *wave,
            strata: ranked[&host.common.place].clone(),
        };
        (host.host.id.clone(), planned)
    });
    (kept, hosts.collect())
}

/// Everything that the parts of a plan are made of.
struct Draft<'d, 'a> {
    spec: &'d Spec,
    touched: &'d Touched<'a>,
    lock: &'d LockFile,
    rollout_digest: Digest,
    selected: &'d Chosen<'a>,
    planned: &'d Planned<'d, 'a>,
    floors: &'d Floors<'a>,
    denied: &'d Denied<'a>,
}

impl<'d, 'a> Draft<'d, 'a> {
    /// The waves, each of which opens its regions in an order.
    fn waves(&self, regions: &Regions<'a>, orders: &[RegionOrder<'a>]) -> Vec<PlannedWave> {
        let mut hosts: BTreeMap<WaveIndex, Vec<&Selected<'_>>> = BTreeMap::new();
        for (host, wave) in &self.planned.hosts {
            hosts.entry(*wave).or_default().push(host);
        }
        let waves = self.spec.waves().iter().zip((0..).map(WaveIndex));
        waves
            .zip(orders)
            .map(|((wave, index), order)| {
                let hosts = hosts.remove(&index).unwrap_or_default();
                wave::planned(wave, &hosts, regions, order, index == WaveIndex(0))
            })
            .collect()
    }

    fn assignments(&self) -> BTreeMap<CellId, Assignment> {
        let mut cells: Vec<Vec<&Selected<'a>>> = vec![Vec::new(); self.selected.cells.len()];
        for host in self.planned.hosts() {
            cells[host.common.cell_place].push(host);
        }
        let cells = self.selected.cells.iter().zip(cells);
        let assignments = cells
            .filter(|(_, hosts)| !hosts.is_empty())
            .map(|(cell, hosts)| ((*cell).clone(), self.assignment(cell, &hosts)));
        assignments.collect()
    }

    fn assignment(&self, cell: &CellId, hosts: &[&Selected<'a>]) -> Assignment {
        let spec = self.spec;
        Assignment {
            rollout: spec.name().clone(),
            rollout_digest: self.rollout_digest,
            signed: None,
            cell: cell.clone(),
            revision: 0,
            late: BTreeMap::new(),
            profile: spec.profile(),
            patch: spec.patch().clone(),
            lock: self.lock.clone(),
            reboot: spec.reboot(),
            restart: spec.restart(),
            kernel_fallback: spec.kernel_fallback(),
            conffiles: spec.conffiles().clone(),
            one_way: spec.is_one_way(),
            repair: spec.is_repair(),
            hosts: hosts.iter().map(|host| host.host.id.clone()).collect(),
            deltas: deltas(hosts),
            pace: Pace {
                at_once_per_cell: pace::at_once(spec, hosts),
                ..spec.pace().clone()
            },
            deadlines: spec.deadlines().clone().into(),
            health: spec.health().clone(),
            traffic: spec.traffic().clone(),
            retry: spec.retry().clone(),
            rollback: spec.rollback().clone(),
            brake: spec.brake().clone(),
            floors: self.floors.assignments(cell, hosts),
            windows: windows(spec, hosts),
            dependencies: self.touched.dependencies(),
        }
    }

    fn estimate(
        &self,
        waves: &[PlannedWave],
        assignments: &BTreeMap<CellId, Assignment>,
    ) -> Estimate {
        let at_once = assignments
            .iter()
            .map(|(cell, assignment)| (cell.clone(), assignment.pace.at_once_per_cell))
            .collect();
        Estimate::of(self.spec, waves, self.floors, &at_once)
    }

    /// The planned hosts whose labels say another place than their cell's, when there are any.
    fn moved(&self) -> Option<Warning> {
        let moved = self.planned.classes.iter().map(|(class, _)| *class);
        let moved = moved.filter(|class| !cells::is_of_place(class.host, class.cell));
        let moved: BTreeSet<usize> = moved.map(|class| class.place).collect();
        let hosts = self.planned.hosts();
        let hosts = hosts.filter(|host| moved.contains(&host.common.place));
        let hosts: Vec<HostId> = hosts.map(|host| host.host.id.clone()).collect();
        (!hosts.is_empty()).then_some(Warning::Moved { hosts })
    }

    fn warnings(&self, of_waves: Vec<Warning>, of_proof: Vec<Warning>) -> Vec<Warning> {
        let mut warnings = vec![Warning::NoGate {
            services: self.touched.services(),
        }];
        warnings.extend(self.spec.is_repair().then_some(Warning::Repair));
        warnings.extend(self.denied.warning());
        warnings.extend(self.moved());
        warnings.extend(pace::warning(self.spec, self.planned));
        warnings.extend(of_waves);
        warnings.extend(of_proof);
        let (planned, selected) = (self.planned.hosts.len(), self.selected.hosts.len());
        let undeclared = self.touched.undeclared();
        if !undeclared.is_empty() {
            warnings.push(Warning::Undeclared {
                services: undeclared,
            });
        }
        if planned < selected {
            warnings.push(Warning::NotAll {
                hosts: selected - planned,
                of: selected,
            });
        }
        warnings
    }
}

/// What the patch changes on the hosts of a cell.
fn deltas(hosts: &[&Selected<'_>]) -> Vec<DeltaAssignment> {
    let first = hosts.first().and_then(|host| host.common.delta);
    if hosts.iter().all(|host| host.common.delta == first) {
        let all = first.map(|delta| DeltaAssignment { delta, hosts: None });
        return all.into_iter().collect();
    }
    let mut by_delta: BTreeMap<Delta, BTreeSet<HostId>> = BTreeMap::new();
    for host in hosts {
        if let Some(delta) = host.common.delta {
            let of = by_delta.entry(delta).or_default();
            of.insert(host.host.id.clone());
        }
    }
    let by_delta = by_delta.into_iter().map(|(delta, hosts)| DeltaAssignment {
        delta,
        hosts: Some(hosts),
    });
    by_delta.collect()
}

/// The windows of a rollout that bind hosts of a cell.
fn windows(spec: &Spec, hosts: &[&Selected<'_>]) -> Vec<WindowAssignment> {
    let mut windows = Vec::new();
    for rule in spec.windows() {
        let bound: BTreeSet<HostId> = hosts
            .iter()
            .filter(|host| rule.matches(host.host))
            .map(|host| host.host.id.clone())
            .collect();
        if bound.is_empty() {
            continue;
        }
        windows.push(WindowAssignment {
            window: rule.window.clone(),
            hosts: (bound.len() < hosts.len()).then_some(bound),
        });
    }
    windows
}
