//! Which jobs of a rollout's work are to be looked at, and when: a decision asks, and goes through none of
//! the others.

mod entry;

pub(super) use self::entry::Entry;

use super::{Cell, CellEvent, Work, line::Line};
use crate::{
    id::HostId,
    kept::Kept,
    tally::Tally,
    time::{Timestamp, earlier},
};
use std::collections::BTreeSet;

/// The jobs of a work that anything may have to be done for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Agenda {
    active: BTreeSet<HostId>,
    pending: BTreeSet<HostId>,
    late: BTreeSet<(Timestamp, HostId)>,
    staging: BTreeSet<(Timestamp, HostId)>,
    line: Line,
    wanted: BTreeSet<HostId>,
    /// Those of them that something of their own holds until it changes.
    unready: BTreeSet<HostId>,
    /// The others, each with when nothing of its own holds it any more.
    ready: BTreeSet<(Timestamp, HostId)>,
    /// When those that something of their own holds are held by something else, or left out.
    turns: BTreeSet<(Timestamp, HostId)>,
    /// When they may be left out.
    patience: BTreeSet<(Timestamp, HostId)>,
    /// Attempts and failures that nobody has judged.
    tally: Tally,
}

impl Agenda {
    /// Takes a job in that was taken in as `noted`, as it is now. Whether that may change who can be started.
    fn set(&mut self, host: &HostId, noted: &mut Kept<Entry>, entry: Entry) -> bool {
        let before = noted.get_mut().map(std::mem::take).unwrap_or_default();
        if before != entry {
            self.put(host, &before, &entry);
        }
        let has_turned = before.is_active != entry.is_active;
        let may_start = before.is_wanted() || entry.is_wanted() || has_turned;
        noted.keep(entry);
        may_start
    }

    /// Puts a host where its entry says, and takes it away from where it stood before.
    fn put(&mut self, host: &HostId, before: &Entry, entry: &Entry) {
        keep(&mut self.active, host, before.is_active, entry.is_active);
        keep(&mut self.pending, host, before.is_pending, entry.is_pending);
        keep_at(&mut self.late, host, before.late_at, entry.late_at);
        if before.before() != entry.before() {
            self.put_before(host, before, entry);
        }
        if let Some(has_failed) = before.attempted {
            self.tally.remove(has_failed);
        }
        if let Some(has_failed) = entry.attempted {
            self.tally.add(has_failed);
        }
    }

    /// The same of what there is to do before it is ordered.
    fn put_before(&mut self, host: &HostId, before: &Entry, entry: &Entry) {
        let (was, is) = (before.is_wanted(), entry.is_wanted());
        keep(&mut self.wanted, host, was, is);
        let (was, is) = (before.is_unready(), entry.is_unready());
        keep(&mut self.unready, host, was, is);
        let (before, now) = (before.before(), entry.before());
        keep_at(&mut self.ready, host, before.ready_at, now.ready_at);
        keep_at(&mut self.staging, host, before.stage_at, now.stage_at);
        if before.held != now.held {
            let (was, is) = (before.held.turns(), now.held.turns());
            keep_all(&mut self.turns, host, was, is);
            let (was, is) = (before.held.ends(), now.held.ends());
            keep_all(&mut self.patience, host, was, is);
        }
        if (&before.in_line, before.ready_at) == (&now.in_line, now.ready_at) {
            return;
        }
        if let Some(at) = &before.in_line {
            self.line.remove(host, at);
        }
        if let Some(at) = &now.in_line {
            self.line.add(host, at, now.ready_at);
        }
    }

    /// The hosts with an order that is not over.
    pub(super) fn active(&self) -> &BTreeSet<HostId> {
        &self.active
    }

    /// The hosts that the present warrant wants started, by their groups.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// The hosts that the present warrant wants started.
    pub(super) fn wanted(&self) -> &BTreeSet<HostId> {
        &self.wanted
    }

    /// Those of them that something of their own holds now.
    pub(super) fn unready(&self, now: Timestamp) -> Vec<&HostId> {
        let not_yet = self.ready.iter().rev().take_while(|(at, _)| *at > now);
        let not_yet = not_yet.map(|(_, host)| host);
        each_once(not_yet.chain(&self.unready))
    }

    /// Those that may be left out for something of their own that holds them, where neither windows nor
    /// freezes give them more time.
    pub(super) fn impatient(&self, now: Timestamp) -> Vec<&HostId> {
        each_once(due(&self.patience, now))
    }

    /// When next something of their own holds them otherwise, or no more, or they may be left out for it.
    pub(super) fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        earlier(next(&self.turns, now), next(&self.patience, now))
    }

    /// Those with an order that is to be looked at now: that somebody waits for, or that is late.
    pub(super) fn to_tend(&self, now: Timestamp) -> Vec<&HostId> {
        each_once(due(&self.late, now).chain(&self.pending))
    }

    /// When the next order is late.
    pub(super) fn next_late(&self, now: Timestamp) -> Option<Timestamp> {
        next(&self.late, now)
    }

    /// Those that are to be asked to stage now.
    pub(super) fn to_stage(&self, now: Timestamp) -> Vec<&HostId> {
        each_once(due(&self.staging, now))
    }

    /// When the next host is to be asked to stage.
    pub(super) fn next_staging(&self, now: Timestamp) -> Option<Timestamp> {
        next(&self.staging, now)
    }

    /// Attempts and failures that nobody has judged.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }
}

fn keep(hosts: &mut BTreeSet<HostId>, host: &HostId, before: bool, now: bool) {
    match (before, now) {
        (false, false) | (true, true) => {}
        (false, true) => drop(hosts.insert(host.clone())),
        (true, false) => drop(hosts.remove(host)),
    }
}

fn keep_at(
    hosts: &mut BTreeSet<(Timestamp, HostId)>,
    host: &HostId,
    before: Option<Timestamp>,
    now: Option<Timestamp>,
) {
    if before == now {
        return;
    }
    if let Some(at) = before {
        hosts.remove(&(at, host.clone()));
    }
    if let Some(at) = now {
        hosts.insert((at, host.clone()));
    }
}

fn keep_all(
    hosts: &mut BTreeSet<(Timestamp, HostId)>,
    host: &HostId,
    before: [Option<Timestamp>; 3],
    now: [Option<Timestamp>; 3],
) {
    // One that goes may be one that comes.
    for at in before {
        keep_at(hosts, host, at, None);
    }
    for at in now {
        keep_at(hosts, host, None, at);
    }
}

/// Those whose time has come.
fn due(hosts: &BTreeSet<(Timestamp, HostId)>, now: Timestamp) -> impl Iterator<Item = &HostId> {
    let due = hosts.iter().take_while(move |(at, _)| *at <= now);
    due.map(|(_, host)| host)
}

/// Hosts in the order of their names, each once. Most often there are few.
fn each_once<'a>(hosts: impl Iterator<Item = &'a HostId>) -> Vec<&'a HostId> {
    let mut hosts: Vec<&HostId> = hosts.collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// When the next one's time comes.
fn next(hosts: &BTreeSet<(Timestamp, HostId)>, now: Timestamp) -> Option<Timestamp> {
    let later = (Timestamp(now.0.saturating_add(1)), HostId::least());
    hosts.range(later..).next().map(|(at, _)| *at)
}

impl Cell {
    /// The agenda of a rollout's work.
    pub(super) fn agenda<'w>(&self, work: &'w Work) -> &'w Agenda {
        work.agenda.get(|| {
            let mut agenda = Agenda::default();
            for (host, job) in &work.jobs {
                let entry = job.noted.get(|| Entry::of(self, work, host, job));
                agenda.put(host, &Entry::default(), entry);
            }
            agenda
        })
    }

    /// Keeps the agendas in step with an event that was just applied. Whether that may change who can be
    /// started, beside how the groups are counted. `has_moved`: groups have got other places.
    pub(super) fn keep_agendas(&mut self, event: &CellEvent, has_moved: bool) -> bool {
        if has_moved {
            return self.forget_agendas();
        }
        match event {
            CellEvent::HostConnected { hello } => self.keep_on_agendas(&hello.host.id),
            CellEvent::Ordered { order } => self.keep_on_agendas(&order.host),
            CellEvent::HostDisconnected { host }
            | CellEvent::PackagesChanged { host, .. }
            | CellEvent::GuardTold { host, .. }
            | CellEvent::HostForgotten { host }
            | CellEvent::Reserved { host, .. }
            | CellEvent::Unreserved { host, .. }
            | CellEvent::Reported { host, .. }
            | CellEvent::Claimed { host, .. }
            | CellEvent::StageAsked { host, .. }
            | CellEvent::Resent { host, .. }
            | CellEvent::ClaimAnswered { host, .. }
            | CellEvent::Withdrawn { host, .. }
            | CellEvent::GaveUp { host, .. } => self.keep_on_agendas(host),
            CellEvent::OwnerStarted { .. }
            | CellEvent::Booted
            | CellEvent::Assigned { .. }
            | CellEvent::Excepted { .. }
            | CellEvent::CordTold { .. }
            | CellEvent::Stopped { .. }
            | CellEvent::Braked { .. } => self.forget_agendas(),
            // One that is more than a renewal has the agenda made anew by itself.
            CellEvent::Warranted { .. }
            | CellEvent::CalendarDeclared { .. }
            | CellEvent::Allotted { .. }
            | CellEvent::DenialsTold { .. }
            | CellEvent::Released { .. } => true,
            CellEvent::Summarised { .. }
            | CellEvent::DriftTold { .. }
            | CellEvent::EffectTold { .. } => false,
        }
    }

    fn forget_agendas(&mut self) -> bool {
        self.work.values_mut().for_each(Work::forget_agenda);
        true
    }

    fn keep_on_agendas(&mut self, host: &HostId) -> bool {
        let mut may_start = false;
        for place in 0..self.work.len() {
            let entry = self.work.values().nth(place).and_then(|work| {
                let job = work.jobs.get(host)?;
                Some(Entry::of(self, work, host, job))
            });
            if let (Some(entry), Some(work)) = (entry, self.work.values_mut().nth(place)) {
                may_start |= work.keep_on_agenda(host, entry);
            }
        }
        may_start
    }

    /// Whether the agendas that it keeps are what making them anew comes to. Costs a look at every job: for
    /// tests.
    pub fn is_agenda_right(&self) -> bool {
        let mut works = self.work.values();
        works.all(|work| {
            let mut agenda = Agenda::default();
            let mut jobs = work.jobs.iter();
            let is_right = jobs.all(|(host, job)| {
                let entry = Entry::of(self, work, host, job);
                agenda.put(host, &Entry::default(), &entry);
                job.noted.is_right(&entry)
            });
            is_right && work.agenda.is_right(&agenda)
        })
    }
}

impl Work {
    /// Has its agenda made anew.
    pub(super) fn forget_agenda(&mut self) {
        if self.agenda.take().is_some() {
            self.jobs.values_mut().for_each(|job| job.noted.forget());
        }
    }

    /// Keeps its agenda in step with a job. Whether that may change who can be started.
    fn keep_on_agenda(&mut self, host: &HostId, entry: Entry) -> bool {
        match (self.agenda.get_mut(), self.jobs.get_mut(host)) {
            (Some(agenda), Some(job)) => agenda.set(host, &mut job.noted, entry),
            (Some(_), None) => false,
            (None, _) => true,
        }
    }
}
