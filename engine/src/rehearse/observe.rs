//! Watches the hosts of a world themselves, beside what its coordinator believes.

use super::{
    report::{GroupPeak, Point, Slice, since},
    world::{Agent, Agents, ByNumber, Number},
};
use crate::{
    id::{CellId, HostId, WaveIndex},
    inventory::{Host, REGION, SERVICE, ZONE},
    plan::{GroupBlast, Plan},
    run::{Ending, RunState},
    time::Timestamp,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The most points of time that are kept: past that every second one goes.
const MOST_POINTS: usize = 600;

/// By then a coordinator knows of a host that fell: twice as long as an end of a session takes to notice.
const NOTICED: Duration = Duration::from_secs(60);

/// How a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// It serves, and nobody was at work on it.
    Untouched,
    /// A run is under way.
    Running,
    /// It has the patch.
    Patched,
    /// Its run failed, and it serves with what it had.
    Failed,
    /// It does not serve, and nobody is at work on it.
    Lost,
}

impl Stands {
    /// Whether its run went wrong, or it fell.
    fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Lost)
    }
}

/// What is known of a host.
#[derive(Debug, Clone, Copy)]
struct Seen {
    stands: Stands,
    is_out: bool,
    /// Its capacity group.
    group: Option<usize>,
    /// Its slice.
    slice: Option<usize>,
}

/// A capacity group.
#[derive(Debug)]
struct Group {
    /// How many of it are out.
    out: usize,
    /// Those of them that fell by themselves, each with when a coordinator knows of it at the latest: of a
    /// host that only falls silent it never does, since that may serve still.
    fallen: BTreeMap<HostId, Timestamp>,
    peak: GroupPeak,
}

/// Watches hosts.
#[derive(Debug)]
pub(super) struct Observer {
    start: Timestamp,
    seen: ByNumber<Seen>,
    /// The place of each group.
    places: BTreeMap<String, usize>,
    groups: Vec<Group>,
    slices: Vec<(usize, Slice)>,
    pub(super) harmed: BTreeSet<HostId>,
    now: Point,
    points: Vec<Point>,
    /// How far points are apart, in milliseconds.
    every: u64,
}

impl Observer {
    pub(super) fn new(plan: &Plan, start: Timestamp) -> Self {
        let groups: Vec<Group> = plan.blast.groups.iter().map(untouched).collect();
        let names = groups.iter().enumerate();
        let places = names.map(|(place, group)| (group.peak.group.clone(), place));
        Self {
            start,
            seen: ByNumber::default(),
            places: places.collect(),
            groups,
            slices: Vec::new(),
            harmed: BTreeSet::new(),
            now: Point::default(),
            points: Vec::new(),
            every: 1000,
        }
    }

    /// Takes in who is to be watched.
    pub(super) fn follow(&mut self, plan: &Plan, agents: &Agents) {
        let mut slices: BTreeMap<(&CellId, WaveIndex), usize> = BTreeMap::new();
        for (number, agent) in agents.numbered() {
            let planned = plan.hosts.get(&agent.host.id);
            let slice = planned.map(|planned| {
                let key = (&planned.cell, planned.wave);
                *slices.entry(key).or_insert_with(|| {
                    self.slices
                        .push((0, empty_slice(plan, &planned.cell, planned.wave)));
                    self.slices.len() - 1
                })
            });
            if let Some(slice) = slice {
                self.slices[slice].1.hosts += 1;
            }
            let seen = self.first_seen(&agent.host, slice);
            // Approved, it goes out beside what the floor lets out.
            if plan.approvals.contains_key(&agent.host.id)
                && let Some(group) = seen.group.and_then(|group| self.groups.get_mut(group))
            {
                group.peak.allowance += 1;
            }
            self.seen.insert(number, seen);
        }
    }

    /// A host that nothing has happened to.
    fn first_seen(&self, host: &Host, slice: Option<usize>) -> Seen {
        let label = |name| host.value(name).unwrap_or_default();
        let group = group_name(label(REGION), label(ZONE), label(SERVICE));
        Seen {
            stands: Stands::Untouched,
            is_out: false,
            group: self.places.get(&group).copied(),
            slice,
        }
    }

    /// Takes in a host that came later, which is in no slice of the plan.
    fn come(&mut self, number: Number, host: &Host) {
        let seen = self.first_seen(host, None);
        if let Some(group) = seen.group.and_then(|group| self.groups.get_mut(group)) {
            group.peak.members += 1;
            group.peak.came += 1;
        }
        self.seen.insert(number, seen);
    }

    /// Looks at a host to which something happened.
    pub(super) fn look(&mut self, number: Number, agent: &Agent, now: Timestamp) {
        if self.seen.get(number).is_none() {
            self.come(number, &agent.host);
        }
        let Some(seen) = self.seen.get_mut(number) else {
            return;
        };
        let (before, at) = (*seen, since(self.start, now));
        let is_up = agent.process.is_some() || is_rebooting(agent);
        let is_out = !agent.in_service() || !is_up;
        let stands = stands(agent, is_up, is_out);
        if before.stands == stands && before.is_out == is_out {
            return;
        }
        *seen = Seen {
            stands,
            is_out,
            ..before
        };
        let has_failed = agent
            .open()
            .is_some_and(|run| run.failure().is_some() && run.is_drained());
        if stands.is_bad() || has_failed {
            self.harmed.insert(agent.host.id.clone());
        }
        self.count(before.stands, false);
        self.count(stands, true);
        let fell = stands == Stands::Lost && agent.open().is_none() && !has_failed_run(agent);
        let known = match is_up {
            true => now.after(NOTICED),
            false => Timestamp(u64::MAX),
        };
        self.note_fallen(before, &agent.host.id, fell.then_some(known));
        if before.is_out != is_out {
            self.count_out(before, is_out, stands, now);
        }
        self.note_slice(before, stands, at);
    }

    /// A host is gone: it is of no group any more.
    pub(super) fn forget(&mut self, number: Number, host: &HostId) {
        let Some(seen) = self.seen.remove(number) else {
            return;
        };
        self.count(seen.stands, false);
        self.note_fallen(seen, host, None);
        if seen.is_out {
            self.count_out(seen, false, Stands::Untouched, self.start);
        }
    }

    /// Notes when it is known of a host that it fell by itself. Nothing: it did not, or no longer.
    fn note_fallen(&mut self, seen: Seen, host: &HostId, known: Option<Timestamp>) {
        let group = seen.group.and_then(|group| self.groups.get_mut(group));
        match (group, known) {
            (Some(group), Some(known)) => {
                group.fallen.entry(host.clone()).or_insert(known);
            }
            (Some(group), None) => {
                group.fallen.remove(host);
            }
            (None, _) => {}
        }
    }

    fn count(&mut self, stands: Stands, is_more: bool) {
        let count = match stands {
            Stands::Untouched => return,
            Stands::Running => &mut self.now.running,
            Stands::Patched => &mut self.now.patched,
            Stands::Failed => &mut self.now.failed,
            Stands::Lost => &mut self.now.lost,
        };
        step(count, is_more);
    }

    fn count_out(&mut self, before: Seen, is_out: bool, stands: Stands, now: Timestamp) {
        step(&mut self.now.out, is_out);
        let group = before.group.and_then(|group| self.groups.get_mut(group));
        let Some(group) = group else {
            return;
        };
        step(&mut group.out, is_out);
        // What falls by itself nobody let out, and nobody knows of at once.
        let unnoticed = group.fallen.values().filter(|known| now < **known);
        let known = group.out.saturating_sub(unnoticed.count());
        if known > group.peak.most_out && stands == Stands::Running {
            group.peak.most_out = known;
            group.peak.at_ms = since(self.start, now);
        }
    }

    fn note_slice(&mut self, before: Seen, stands: Stands, at: u64) {
        let slice = before.slice.and_then(|slice| self.slices.get_mut(slice));
        let Some((begun, slice)) = slice else {
            return;
        };
        match stands {
            Stands::Running => {
                if *begun == 0 {
                    slice.began_ms = at;
                }
                *begun += 1;
            }
            Stands::Patched | Stands::Failed | Stands::Lost => slice.ended_ms = at,
            Stands::Untouched => {}
        }
        if stands.is_bad() && !before.stands.is_bad() {
            slice.failed += 1;
        }
    }

    /// Notes how all stands at a moment, if it is far enough from the last one.
    pub(super) fn sample(&mut self, now: Timestamp) -> bool {
        let at_ms = since(self.start, now);
        let due = self
            .points
            .last()
            .is_none_or(|last| at_ms >= last.at_ms + self.every);
        if !due {
            return false;
        }
        self.points.push(Point { at_ms, ..self.now });
        if self.points.len() > MOST_POINTS {
            let mut number = 0;
            self.points.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.every *= 2;
        }
        true
    }

    /// The groups, the one that came closest to its allowance first.
    pub(super) fn groups(&self) -> Vec<GroupPeak> {
        let groups = self.groups.iter().map(|group| group.peak.clone());
        let mut groups: Vec<GroupPeak> = groups.collect();
        groups.sort_by_key(|peak| {
            let fullness = peak.most_out * 1000 / peak.allowance.max(1);
            (Reverse(fullness), peak.group.clone())
        });
        groups
    }

    /// The slices that began, in that order, and all points.
    pub(super) fn course(mut self, now: Timestamp) -> (Vec<Slice>, Vec<Point>) {
        let at_ms = since(self.start, now);
        self.points.push(Point { at_ms, ..self.now });
        let begun = self.slices.into_iter().filter(|(begun, _)| *begun > 0);
        let mut slices: Vec<Slice> = begun.map(|(_, slice)| slice).collect();
        slices.sort_by_key(|slice| (slice.began_ms, slice.cell.clone()));
        (slices, self.points)
    }

    /// How many hosts have the patch.
    pub(super) fn patched(&self) -> usize {
        self.now.patched
    }

    /// The hosts that do not serve and are not worked on.
    pub(super) fn lost(&self, agents: &Agents) -> Vec<HostId> {
        let is_lost = |number| {
            let seen = self.seen.get(number);
            seen.is_some_and(|seen| seen.stands == Stands::Lost)
        };
        let lost = agents.numbered().filter(|(number, _)| is_lost(*number));
        lost.map(|(_, agent)| agent.host.id.clone()).collect()
    }
}

/// A group of which nobody was out yet.
fn untouched(group: &GroupBlast) -> Group {
    let peak = GroupPeak {
        group: group_name(&group.region, &group.zone, &group.service),
        members: group.members,
        allowance: group.allowance,
        came: 0,
        most_out: 0,
        at_ms: 0,
    };
    Group {
        out: 0,
        fallen: BTreeMap::new(),
        peak,
    }
}

/// One more, or one less.
fn step(count: &mut usize, is_more: bool) {
    *count = match is_more {
        true => *count + 1,
        false => count.saturating_sub(1),
    };
}

/// What a capacity group is called.
fn group_name(region: &str, zone: &str, service: &str) -> String {
    format!("{region}/{zone} {service}")
}

fn empty_slice(plan: &Plan, cell: &CellId, wave: WaveIndex) -> Slice {
    let name = plan.wave(wave).map(|wave| wave.name.to_string());
    Slice {
        cell: cell.clone(),
        wave: name.unwrap_or_default(),
        hosts: 0,
        began_ms: 0,
        ended_ms: 0,
        failed: 0,
    }
}

/// Whether its process is away because a run reboots it.
fn is_rebooting(agent: &Agent) -> bool {
    agent
        .open()
        .is_some_and(|run| run.state() == RunState::Rebooting)
}

/// Whether its last run ended otherwise than well.
fn has_failed_run(agent: &Agent) -> bool {
    let run = agent.journal.run.as_ref();
    run.is_some_and(|run| run.failure().is_some())
}

fn stands(agent: &Agent, is_up: bool, is_out: bool) -> Stands {
    if agent.open().is_some() && is_up {
        return Stands::Running;
    }
    let ended = agent
        .journal
        .run
        .as_ref()
        .map(|run| (run.state(), run.failure().is_some()));
    match ended {
        _ if is_out => Stands::Lost,
        Some((RunState::Ended(Ending::Patched), _)) => Stands::Patched,
        Some((RunState::Ended(_), true)) => Stands::Failed,
        Some(_) | None => Stands::Untouched,
    }
}
