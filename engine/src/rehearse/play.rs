//! Plays a rollout over a modelled fleet, from its plan to its end.

use super::{
    Modelled, Reboots, beginning, bound, left, notes,
    observe::Observer,
    report::{Report, since},
    scenario::{Costs, Event, Scenario},
    stage::Stage,
    watch::Watch,
    world::{HeldTo, Owner, START, World},
};
use crate::{
    calendar::Calendar,
    digest::Digest,
    fleet::FleetEvent,
    hold::Hold,
    id::{HostId, OperatorId},
    inventory::{Host, PackageSet},
    modelled_fleet::Beginning,
    patch::LockFile,
    plan::{Plan, PlanErrors, PlanInput},
    policy::CELL_SIZE,
    rollout::Rollout,
    services::Services,
    spec::Spec,
    time::millis,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long hosts are left alone before a rollout starts: longer than what is quiet takes.
const QUIET: Duration = Duration::from_secs(300);

/// When a rehearsal is given up: nothing that a rollout waits for takes longer (guess).
pub const MOST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Up to so many hosts all promises are checked at every step: what that takes grows with their square, and
/// is a second for so many (measured).
const EACH_STEP: usize = 200;

/// How long nothing may happen to a rollout that stands still before it is left to a person.
pub(super) const STILL: Duration = Duration::from_secs(2 * 3600);

/// What a rehearsal is made of.
#[derive(Debug, Clone, Copy)]
pub struct Rehearsal<'a> {
    /// The rollout.
    pub spec: &'a Spec,
    /// Its bits.
    pub lock: &'a LockFile,
    /// The hosts. All but those that a fault lets be born later connect before the rollout starts.
    pub hosts: &'a [Host],
    /// How they stand then, and what is denied to them.
    pub beginning: &'a Beginning,
    /// What is installed on them, by digest.
    pub package_sets: &'a BTreeMap<Digest, PackageSet>,
    /// The declared services.
    pub services: &'a Services,
    /// The freeze calendar.
    pub calendar: &'a Calendar,
    /// How long things take and what goes wrong.
    pub scenario: &'a Scenario,
    /// What chance is drawn from.
    pub seed: u64,
}

impl Rehearsal<'_> {
    /// Plays it. The same rehearsal comes to the same report.
    ///
    /// # Errors
    /// Every reason why there is no plan.
    pub fn play(&self) -> Result<Report, PlanErrors> {
        let held = match self.hosts.len() <= EACH_STEP {
            true => HeldTo::EachStep,
            false => HeldTo::EachCommand,
        };
        let (mut world, plan) = self.begin(held)?;
        let mut observer = Observer::new(&plan, &world.agents, world.now);
        let mut stage = Stage::new(self, &plan, world.now);
        let mut watch = Watch::new(&stage, &world);
        world.touched = Some(Vec::new());
        let mut touched = Vec::new();
        run(&mut world, &mut stage, |world| {
            world.take_touched(&mut touched);
            for agent in touched.drain(..) {
                let Some(at) = world.agents.at(agent) else {
                    continue;
                };
                let host = &at.host.id;
                match world.forgotten.contains(host) {
                    true => observer.forget(agent, at, world.now),
                    false => {
                        observer.look(agent, at, world.dead.contains(&agent), world.now);
                    }
                }
                watch.look(world, host);
            }
            watch.follow(world, &plan.rollout);
            watch.step(world);
            if observer.sample(world.now) {
                watch.sample(world);
            }
        });
        let holds = watch.end(&mut world);
        Ok(self.report((&world, &holds), &plan, observer, &stage, watch))
    }

    /// How long it takes when coordination takes no time, in milliseconds: that of
    /// [`Report::took_without_coordination_ms`]. It is another rehearsal, and may be played beside the first.
    ///
    /// # Errors
    /// Every reason why there is no plan.
    pub fn without_coordination_ms(&self) -> Result<u64, PlanErrors> {
        self.took_ms_in(&Scenario {
            costs: Costs::link_only(Duration::ZERO),
            ..self.scenario.clone()
        })
    }

    /// How long it takes in another scenario, in milliseconds: nothing else is asked.
    pub(super) fn took_ms_in(&self, scenario: &Scenario) -> Result<u64, PlanErrors> {
        let other = Rehearsal { scenario, ..*self };
        let (mut world, plan) = other.begin(HeldTo::Nothing)?;
        let start = world.now;
        let mut stage = Stage::new(&other, &plan, start);
        run(&mut world, &mut stage, |_| {});
        Ok(since(start, stage.ended_at(&world)))
    }

    /// A world in which all hosts are connected and the rollout has just been started.
    fn begin(&self, held: HeldTo) -> Result<(World<Modelled>, Plan), PlanErrors> {
        let share = self.scenario.needs_reboot;
        let reboots = Reboots::of(self.spec.reboot(), self.lock, share);
        let model = Modelled::new(self.scenario, self.hosts, self.seed, reboots);
        let mut owner = Owner::with_cells_of(CELL_SIZE).held_to(held);
        owner.package_sets = self.package_sets.clone();
        let start = self.scenario.start.unwrap_or(START);
        let mut world = World::starting_at(start, owner, model);
        let unborn = self.unborn(&world.model);
        for host in self.hosts.iter().filter(|host| !unborn.contains(&host.id)) {
            world.join(host.clone());
        }
        beginning::connect(&mut world, self.beginning);
        world.advance(QUIET);
        let by = operator();
        let (services, calendar) = (self.services.clone(), self.calendar.clone());
        world.act(FleetEvent::ServicesDeclared {
            services,
            by: by.clone(),
        });
        world.act(FleetEvent::CalendarDeclared {
            calendar,
            by: by.clone(),
        });
        beginning::deny(&mut world, self.beginning);
        world.advance(Duration::ZERO);
        let plan = self.plan(&world)?;
        world.costs = self.scenario.costs;
        world.act(FleetEvent::RolloutStarted {
            plan: Box::new(plan.clone()),
            by,
        });
        Ok((world, plan))
    }

    /// The hosts that are not there from the start.
    fn unborn(&self, model: &Modelled) -> BTreeSet<HostId> {
        let come = self.scenario.faults.iter();
        let come = come.filter(|fault| fault.event() == Some(Event::HostsCome));
        let come = come.flat_map(|fault| model.pick(&fault.hosts, &fault.name, self.hosts));
        come.cloned().collect()
    }

    /// The plan of the rollout over the fleet as it is.
    pub(super) fn plan(&self, world: &World<Modelled>) -> Result<Plan, PlanErrors> {
        let fleet = &world.owner.fleet;
        let input = PlanInput {
            hosts: &fleet.inventory(),
            cells: fleet.homes(),
            package_sets: fleet.package_sets(),
            denials: fleet.denials(),
            casualties: &fleet.casualties(),
            unready: &fleet.unready(),
            now: world.now,
            services: self.services,
            calendar: self.calendar,
        };
        Plan::make(self.spec, self.lock, &input)
    }

    fn report(
        &self,
        (world, holds): (&World<Modelled>, &[Hold]),
        plan: &Plan,
        observer: Observer,
        stage: &Stage<'_>,
        watch: Watch,
    ) -> Report {
        let start = watch.start();
        let ended = stage.ended_at(world);
        let rollout = world.owner.fleet.rollouts().get(&plan.rollout);
        let phase = rollout.map_or_else(String::new, |rollout| rollout.phase().name().to_owned());
        let planned = rollout.map_or(plan, Rollout::plan).hosts.len();
        let broken = [&world.owner.broken, &observer.groups.broken].into_iter();
        let broken = each_once(broken.flatten().cloned().chain(watch.doubled(world)));
        let (patched, unpatched) = (observer.patched(), observer.unpatched(&world.agents));
        let lost = observer.lost(&world.agents);
        let harmed = observer.harmed.iter().cloned().collect();
        let groups = observer.groups.peaks();
        let (slices, points) = observer.course(world.now);
        let refusals = world.owner.refusals.iter().map(ToString::to_string);
        let faults = watch.faults(world);
        let took_ms = since(start, ended);
        Report {
            rollout: plan.rollout.clone(),
            seed: self.seed,
            hosts: self.hosts.len(),
            planned,
            phase,
            has_stalled: stage.has_stalled(world),
            took_ms,
            went_back_ms: stage.went_back_at(world).map(|at| since(at, ended)),
            took_without_coordination_ms: None,
            bound_ms: millis(bound::bound(plan, self.hosts.iter(), &world.model)),
            patched,
            unpatched,
            harmed,
            out_at_the_end: lost,
            groups,
            notes: notes::of(&faults, took_ms, stage, self.beginning),
            faults,
            pauses: watch.pauses.clone(),
            holds: watch.holds(),
            left: left::left(world, plan, holds),
            acts: stage.acted(),
            refused: stage.refused.iter().cloned().chain(refusals).collect(),
            broken,
            checks: watch.checks(),
            warnings: plan.warnings.iter().map(ToString::to_string).collect(),
            slices,
            points,
        }
    }
}

/// Lines in their order, each the first time alone: a promise that stays broken is broken at each step.
fn each_once(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut known = BTreeSet::new();
    lines.filter(|line| known.insert(line.clone())).collect()
}

/// Lets everything happen until the rollout is over, or stands still. `follow` is called after each thing.
fn run(
    world: &mut World<Modelled>,
    stage: &mut Stage<'_>,
    mut follow: impl FnMut(&mut World<Modelled>),
) {
    let until = world.now.after(MOST);
    while !world.owner.is_stuck && !stage.is_over(world) {
        let next = [world.next_at(), stage.next_at(world)];
        let next = next.into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= until) else {
            break;
        };
        stage.set(world, next);
        world.step(next);
        follow(world);
    }
}

/// Who does everything in a rehearsal that an operator does.
pub(super) fn operator() -> OperatorId {
    OperatorId::new("rehearsal").expect("the word is a name")
}
