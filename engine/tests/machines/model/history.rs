//! Plays a history: what happens, then peace, then people who put everything right.

use super::{
    moves::{APPROVERS, Move, carry_out},
    setup::Setup,
};
use crate::{
    split::{Split, is_controls},
    world::World,
};
use cofferdam_engine::{
    fleet::{Fleet, FleetEvent},
    rollout::Action,
    time::Timestamp,
};
use std::{fmt, time::Duration};

/// How long everything may take to come to rest by itself: every deadline, and waits between tries.
const PEACE: Duration = Duration::from_secs(4 * 3600);

/// Things that happen while nothing comes down to regions.
const LOST: usize = 12;

/// Times that people resume what paused before they wonder.
const PATIENCE: usize = 12;

/// Why a history failed.
pub(crate) struct Failed {
    what: Vec<String>,
    sketch: String,
}

impl Failed {
    /// Whether it is the same failure, as far as its first words tell.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let first = |failed: &Self| {
            let words = failed.what.first().map(|what| what.split(' ').take(3));
            words.map(|words| words.collect::<Vec<_>>().join(" "))
        };
        first(self) == first(other)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for what in &self.what {
            writeln!(f, "* {what}")?;
        }
        write!(f, "{}", self.sketch)
    }
}

/// Plays a history to its end.
pub(crate) fn play(setup: &Setup, moves: &[Move]) -> Result<(), Failed> {
    let world = &mut setup.world();
    for (wait, deed) in moves {
        world.advance(*wait);
        check(world, Vec::new())?;
        carry_out(world, setup, deed);
        check(world, Vec::new())?;
    }
    come_to_rest(world)?;
    put_right(world, setup)?;
    check(world, stored(world, setup))
}

/// Faults cease. What is left may wait for people, and says so.
fn come_to_rest(world: &mut World) -> Result<(), Failed> {
    world.model.clear();
    world.mend_cells();
    for host in world.hosts_now() {
        world.mend(&host);
        world.start_agent(&host);
    }
    world.advance(PEACE);
    let mut wrong = world.unfinished();
    for (name, rollout) in world.owner.fleet.rollouts() {
        if rollout.is_live() && world.holds().is_empty() {
            wrong.push(format!("{name} neither ended nor holds"));
        }
    }
    check(world, wrong)
}

/// People repair hosts and resume rollouts, until everything is over.
fn put_right(world: &mut World, setup: &Setup) -> Result<(), Failed> {
    world.release_cord().ok();
    for host in world.hosts_now() {
        world.repair(&host);
        // A host that was made a group of its own may never be out, and waits for people.
        world.relabel(&host, "web");
    }
    setup.add_spares(world);
    for _ in 0..PATIENCE {
        world.advance(PEACE);
        check(world, Vec::new())?;
        let live: Vec<_> = world
            .owner
            .fleet
            .rollouts()
            .iter()
            .filter(|(_, rollout)| rollout.is_live())
            .map(|(name, rollout)| (name.to_string(), rollout.phase().name()))
            .collect();
        if live.is_empty() {
            let mut wrong = world.unfinished();
            wrong.extend(world.untrue_at_the_end());
            return check(world, wrong);
        }
        for (name, phase) in live {
            for by in APPROVERS {
                world.try_approve(&name, by).ok();
            }
            if phase == "paused" {
                world.try_ask(&name, Action::Resume).ok();
            }
            // A rollout that stands for hosts to come ends when somebody says so.
            let stands = world
                .holds()
                .iter()
                .any(|hold| hold.reason.rule() == "standing");
            if stands && phase == "running" {
                world.try_ask(&name, Action::Abort).ok();
            }
        }
    }
    check(world, vec!["rollouts that never end".to_owned()])
}

/// What is wrong with what was stored.
fn stored(world: &World, setup: &Setup) -> Vec<String> {
    let mut wrong = Vec::new();
    if world.owner.replayed() != world.owner.fleet {
        wrong.push("the replayed fleet is another".to_owned());
    }
    wrong.extend(taken_apart(world, setup));
    wrong.extend(lost_on_the_way(world, setup));
    if setup.reads_back {
        let is_kept = |event: &FleetEvent| {
            let text = serde_json::to_string(event).expect("an event can be written");
            serde_json::from_str::<FleetEvent>(&text).is_ok_and(|read| read == *event)
        };
        let lost = world.owner.log.iter().find(|(_, event)| !is_kept(event));
        wrong.extend(lost.map(|(_, event)| format!("reads back as another: {event:?}")));
    }
    wrong
}

/// What would have come of it otherwise in processes of their own for control plane and regions.
fn taken_apart(world: &World, setup: &Setup) -> Vec<String> {
    let log = &world.owner.log;
    let mut split = Split::new(setup.cell_size);
    for (at, event) in log {
        split.take(event, *at);
        if split.is_wide {
            return Vec::new();
        }
    }
    let found = split.differences(&world.owner.fleet);
    match found.is_empty() {
        true => copied(split, world),
        false => first_difference(log, setup).unwrap_or(found),
    }
}

/// What regions have not heard that came to nothing on its way, in the middle of the history, while all that they
/// told still came.
fn lost_on_the_way(world: &World, setup: &Setup) -> Vec<String> {
    let log = &world.owner.log;
    let is_told =
        |event: &FleetEvent| matches!(event, FleetEvent::Cell { event, .. } if is_controls(event));
    // Where the world cut a cell off, what it lost is in nobody's log.
    let is_cut = |event: &FleetEvent| matches!(event, FleetEvent::CellSilent { .. });
    if log.iter().any(|(_, event)| is_cut(event)) {
        return Vec::new();
    }
    let told = (0..log.len()).filter(|place| is_told(&log[*place].1));
    let told: Vec<usize> = told.collect();
    let Some(from) = told.get(told.len() / 2) else {
        return Vec::new();
    };
    let mut end = (from + LOST).min(log.len());
    // What a rollout notes that it tells, and the telling, are two events.
    while log.get(end).is_some_and(|(_, event)| is_told(event)) {
        end += 1;
    }
    let mut split = Split::new(setup.cell_size);
    for (place, (at, event)) in log.iter().enumerate().take(end) {
        split.is_deaf = place >= *from;
        split.take(event, *at);
    }
    // While the cord is pulled nothing is told but stops where a rollout stays.
    if split.is_wide || split.control.cord().is_some() {
        return Vec::new();
    }
    let (now, _) = log[end - 1];
    let regions: Vec<_> = split.control.regions().cloned().collect();
    for region in &regions {
        split.lose(region, now.after(Duration::from_millis(1)), now);
    }
    split.is_deaf = false;
    split.decide(now);
    split.carry(now);
    split.owed()
}

/// What is otherwise once every region has told all of its cells at once.
fn copied(mut split: Split, world: &World) -> Vec<String> {
    let last = world.owner.log.last();
    split.copy_all(last.map_or(Timestamp(0), |(at, _)| *at));
    let found = split.differences(&world.owner.fleet);
    let found = found.into_iter().map(|what| format!("by a copy, {what}"));
    found.collect()
}

fn first_difference(log: &[(Timestamp, FleetEvent)], setup: &Setup) -> Option<Vec<String>> {
    let mut split = Split::new(setup.cell_size);
    let mut whole = Fleet::with_cells_of(setup.cell_size);
    log.iter().find_map(|(at, event)| {
        split.take(event, *at);
        whole.apply(event, *at).ok()?;
        let found = split.differences(&whole);
        (!found.is_empty()).then(|| vec![format!("taken apart, after {event:?}: {found:?}")])
    })
}

fn check(world: &World, mut what: Vec<String>) -> Result<(), Failed> {
    what.extend(world.owner.broken.iter().cloned());
    what.extend(world.untrue());
    if what.is_empty() {
        return Ok(());
    }
    let sketch = world.sketch();
    Err(Failed { what, sketch })
}
