//! The capacity groups of a rollout's own floors, as the hosts themselves fill them.

use super::step;
use crate::{
    floor::{self, Group},
    id::HostId,
    inventory::Host,
    plan::Plan,
    policy::FloorRule,
    rehearse::{
        report::{GroupPeak, GroupPoint, since},
        world::{Agents, ByNumber, Number},
    },
    share::Share,
    time::Timestamp,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
};

/// Of so many groups it is told how they stood over time: the fullest.
const COURSES: usize = 12;

/// The most moments that are told of a group: past that, the worst of each stretch.
const MOST_POINTS: usize = 240;

/// All groups that hosts of a rollout are of.
#[derive(Debug)]
pub(in crate::rehearse) struct Groups {
    start: Timestamp,
    rules: Vec<FloorRule>,
    places: BTreeMap<(usize, Group), usize>,
    groups: Vec<Counted>,
    /// The groups of each host.
    of_host: ByNumber<Box<[usize]>>,
    /// What was out of a group beyond its allowance, once a group.
    pub(in crate::rehearse) broken: Vec<String>,
}

/// A group with its counts.
#[derive(Debug)]
struct Counted {
    /// How much of it must stay, by its floor.
    min: Share,
    members: usize,
    /// The most members that it ever had: who left was one a moment ago.
    largest: usize,
    /// Members that go out beside what the floor lets out, since somebody approves them.
    approved: usize,
    out: usize,
    /// Those of them that fell by themselves, each with when a coordinator knows of it at the latest: of a
    /// host that only falls silent it never does, since that may serve still.
    fallen: BTreeMap<HostId, Timestamp>,
    peak: GroupPeak,
    /// How many were out, each time that changed.
    course: Vec<(u64, usize)>,
}

impl Groups {
    pub(super) fn of(plan: &Plan, agents: &Agents, start: Timestamp) -> Self {
        let mut groups = Self {
            start,
            rules: Vec::new(),
            places: BTreeMap::new(),
            groups: Vec::new(),
            of_host: ByNumber::default(),
            broken: Vec::new(),
        };
        for floor in plan.assignments.values().flat_map(|of| &of.floors) {
            let known = groups.rules.iter().position(|rule| *rule == floor.rule);
            let rule = known.unwrap_or_else(|| {
                groups.rules.push(floor.rule.clone());
                groups.rules.len() - 1
            });
            for host in floor.hosts.iter().filter_map(|host| agents.get(host)) {
                groups.make(rule, &host.host);
            }
        }
        for (number, agent) in agents.numbered() {
            groups.seat(
                number,
                &agent.host,
                plan.approvals.contains_key(&agent.host.id),
            );
        }
        for group in &mut groups.groups {
            group.peak.members = group.members;
            group.peak.allowance = group.allowance();
        }
        groups
    }

    fn make(&mut self, rule: usize, host: &Host) {
        let Some(of) = self.rules.get(rule) else {
            return;
        };
        let Entry::Vacant(place) = self.places.entry((rule, Group::of(of, host))) else {
            return;
        };
        let peak = GroupPeak {
            group: named(&place.key().1),
            min_in_service: of.min_in_service.to_string(),
            members: 0,
            allowance: 0,
            came: 0,
            most_out: 0,
            at_ms: 0,
            course: Vec::new(),
        };
        place.insert(self.groups.len());
        self.groups.push(Counted {
            min: of.min_in_service,
            members: 0,
            largest: 0,
            approved: 0,
            out: 0,
            fallen: BTreeMap::new(),
            peak,
            course: Vec::new(),
        });
    }

    fn seat(&mut self, number: Number, host: &Host, is_approved: bool) {
        let rules = self.rules.iter().enumerate();
        let places = rules.filter_map(|(place, rule)| {
            let group = Group::of(rule, host);
            self.places.get(&(place, group)).copied()
        });
        let places: Box<[usize]> = places.collect();
        for place in &places {
            if let Some(group) = self.groups.get_mut(*place) {
                group.members += 1;
                group.largest = group.largest.max(group.members);
                group.approved += usize::from(is_approved);
            }
        }
        self.of_host.insert(number, places);
    }

    /// A host comes that was not there at the start.
    pub(super) fn come(&mut self, number: Number, host: &Host) {
        self.seat(number, host, false);
        self.each(number, |group| group.peak.came += 1);
    }

    /// A host is gone.
    pub(super) fn forget(&mut self, number: Number, host: &HostId, is_out: bool, now: Timestamp) {
        self.note_fallen(number, host, None);
        if is_out {
            self.count_out(number, false, false, now);
        }
        self.each(number, |group| step(&mut group.members, false));
        self.of_host.remove(number);
    }

    /// Notes when it is known of a host that it fell by itself. Nothing: it did not, or no longer.
    pub(super) fn note_fallen(&mut self, number: Number, host: &HostId, known: Option<Timestamp>) {
        self.each(number, |group| match known {
            Some(known) => {
                group.fallen.entry(host.clone()).or_insert(known);
            }
            None => {
                group.fallen.remove(host);
            }
        });
    }

    /// One more of a host's groups is out, or one less; `is_start` is whether a run took it out.
    pub(super) fn count_out(
        &mut self,
        number: Number,
        is_out: bool,
        is_start: bool,
        now: Timestamp,
    ) {
        let at_ms = since(self.start, now);
        let places = self.of_host.get(number).map_or(&[][..], |places| places);
        for place in places {
            let Some(group) = self.groups.get_mut(*place) else {
                continue;
            };
            step(&mut group.out, is_out);
            group.course.push((at_ms, group.out));
            if !is_start {
                continue;
            }
            // What falls by itself nobody let out, and nobody knows of at once.
            let unnoticed = group.fallen.values().filter(|known| now < **known);
            let known = group.out.saturating_sub(unnoticed.count());
            if known <= group.peak.most_out {
                continue;
            }
            let allowance = group.allowance();
            if known > allowance && group.peak.most_out <= allowance {
                let name = &group.peak.group;
                let broken = format!("{known} of {name} were out at once, and {allowance} may be");
                self.broken.push(broken);
            }
            group.peak.most_out = known;
            group.peak.at_ms = at_ms;
        }
    }

    fn each(&mut self, number: Number, mut change: impl FnMut(&mut Counted)) {
        let places = self.of_host.get(number).map_or(&[][..], |places| places);
        for place in places {
            if let Some(group) = self.groups.get_mut(*place) {
                change(group);
            }
        }
    }

    /// The groups, the one that came closest to its allowance first. Of the first ones, how they stood over
    /// time, too.
    pub(in crate::rehearse) fn peaks(&self) -> Vec<GroupPeak> {
        let mut groups: Vec<&Counted> = self.groups.iter().collect();
        groups.sort_by_key(|group| {
            let peak = &group.peak;
            let fullness = peak.most_out * 1000 / peak.allowance.max(1);
            (Reverse(fullness), Reverse(peak.members), &peak.group)
        });
        let peaks = groups.iter().enumerate();
        peaks
            .map(|(place, group)| GroupPeak {
                course: match place < COURSES {
                    true => thinned(&group.course),
                    false => Vec::new(),
                },
                ..group.peak.clone()
            })
            .collect()
    }
}

impl Counted {
    /// How many of it may be out.
    fn allowance(&self) -> usize {
        floor::allowance(self.largest, self.min) + self.approved
    }
}

/// What a group is called.
fn named(group: &Group) -> String {
    match &group.region {
        Some(region) => format!("{region}: {group}"),
        None => group.to_string(),
    }
}

/// How many were out, in so many moments as can be told: of stretches that are as long as each other the most.
fn thinned(course: &[(u64, usize)]) -> Vec<GroupPoint> {
    let (Some((first, _)), Some((last, _))) = (course.first(), course.last()) else {
        return Vec::new();
    };
    let most = u64::try_from(MOST_POINTS).unwrap_or(u64::MAX);
    let stretch = ((last - first) / most).max(1);
    let mut points: Vec<GroupPoint> = Vec::new();
    let (mut worst, mut left): (BTreeMap<u64, usize>, BTreeMap<u64, usize>) = Default::default();
    let mut before = 0;
    for (at_ms, out) in course {
        let begins = first + (at_ms - first) / stretch * stretch;
        let most = worst.entry(begins).or_insert(before);
        *most = (*most).max(*out);
        left.insert(begins, *out);
        before = *out;
    }
    let starts: BTreeSet<u64> = worst.keys().copied().collect();
    for begins in starts {
        let (out, after) = (worst[&begins], left[&begins]);
        points.push(GroupPoint { at_ms: begins, out });
        let ends = begins + stretch;
        if after != out && !worst.contains_key(&ends) {
            points.push(GroupPoint {
                at_ms: ends,
                out: after,
            });
        }
    }
    points
}
