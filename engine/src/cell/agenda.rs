//! Which jobs of a rollout's work are to be looked at, and when: a decision asks, and goes through none of
//! the others.

use super::{
    Cell, CellEvent, Job, Work, brake, candidate,
    line::{InLine, Line},
    stage, tend,
};
use crate::{
    id::{HostId, RolloutId},
    tally::Tally,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// The jobs of a work that anything may have to be done for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Agenda {
    entries: BTreeMap<HostId, Entry>,
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
    /// Attempts and failures that nobody has judged.
    tally: Tally,
}

/// What one job is on the agenda for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Entry {
    /// Whether an order is out.
    is_active: bool,
    /// When that is given up. Nothing: none is out, or nobody is there to give it up for.
    late_at: Option<Timestamp>,
    /// Whether its host is to be told something about its order, whatever the time.
    is_pending: bool,
    /// When its host is to be asked to stage. Nothing: it need not, or cannot, be asked.
    stage_at: Option<Timestamp>,
    /// Where it stands among those that the present warrant wants started. Nothing: it is none of them.
    in_line: Option<InLine>,
    /// From when on nothing of its own keeps it from that. Nothing: something does until it changes.
    ready_at: Option<Timestamp>,
    /// Whether it failed, as the brake counts it. Nothing: the brake does not count it.
    attempted: Option<bool>,
}

impl Entry {
    fn of(cell: &Cell, work: &Work, host: &HostId, job: &Job) -> Self {
        let Some(member) = cell.members.get(host) else {
            // Nobody is there to be told or asked.
            return Self {
                is_active: job.active().is_some(),
                attempted: brake::counted(work, host, job),
                ..Self::default()
            };
        };
        let active = job.active();
        let direction = work.direction();
        let is_wanted = |direction| job.turn.is_some() && candidate::is_wanted(job, direction);
        let is_wanted = direction.is_some_and(is_wanted);
        Self {
            is_active: active.is_some(),
            late_at: active.map(|active| tend::given_up_at(cell, work, active, member)),
            is_pending: active.is_some_and(|active| tend::is_pending(work, host, active, member)),
            stage_at: stage::due(work, host, job, member),
            in_line: is_wanted.then(|| InLine::of(cell, member, job)),
            ready_at: candidate::ready_at(member, job, work).filter(|_| is_wanted),
            attempted: brake::counted(work, host, job),
        }
    }
}

impl Agenda {
    fn of(cell: &Cell, work: &Work) -> Self {
        let mut agenda = Self::default();
        for (host, job) in &work.jobs {
            agenda.set(host, Entry::of(cell, work, host, job));
        }
        agenda
    }

    /// Takes a job in as it is now. Whether that may change who can be started.
    fn set(&mut self, host: &HostId, entry: Entry) -> bool {
        let before = self.entries.remove(host).unwrap_or_default();
        let concerns_starts = before.in_line.is_some()
            || entry.in_line.is_some()
            || before.is_active != entry.is_active;
        if before != entry {
            self.put(host, &before, false);
            self.put(host, &entry, true);
        }
        self.entries.insert(host.clone(), entry);
        concerns_starts
    }

    /// Puts a host where its entry says, or takes it away from there.
    fn put(&mut self, host: &HostId, entry: &Entry, is_there: bool) {
        let is_wanted = entry.in_line.is_some();
        let is_unready = is_wanted && entry.ready_at.is_none();
        keep(&mut self.active, host, is_there, entry.is_active);
        keep(&mut self.pending, host, is_there, entry.is_pending);
        keep(&mut self.wanted, host, is_there, is_wanted);
        keep(&mut self.unready, host, is_there, is_unready);
        keep_at(&mut self.ready, host, is_there, entry.ready_at);
        keep_at(&mut self.late, host, is_there, entry.late_at);
        keep_at(&mut self.staging, host, is_there, entry.stage_at);
        match (&entry.in_line, is_there) {
            (None, _) => {}
            (Some(at), true) => self.line.add(host, at),
            (Some(at), false) => self.line.remove(host, at),
        }
        match (entry.attempted, is_there) {
            (None, _) => {}
            (Some(has_failed), true) => self.tally.add(has_failed),
            (Some(has_failed), false) => self.tally.remove(has_failed),
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
    pub(super) fn unready(&self, now: Timestamp) -> BTreeSet<&HostId> {
        let not_yet = self.ready.iter().rev().take_while(|(at, _)| *at > now);
        let not_yet = not_yet.map(|(_, host)| host);
        not_yet.chain(&self.unready).collect()
    }

    /// Those with an order that is to be looked at now: that somebody waits for, or that is late.
    pub(super) fn to_tend(&self, now: Timestamp) -> BTreeSet<&HostId> {
        due(&self.late, now).chain(&self.pending).collect()
    }

    /// When the next order is late.
    pub(super) fn next_late(&self, now: Timestamp) -> Option<Timestamp> {
        next(&self.late, now)
    }

    /// Those that are to be asked to stage now.
    pub(super) fn to_stage(&self, now: Timestamp) -> BTreeSet<&HostId> {
        due(&self.staging, now).collect()
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

fn keep(hosts: &mut BTreeSet<HostId>, host: &HostId, is_there: bool, is_meant: bool) {
    match (is_meant, is_there) {
        (false, _) => {}
        (true, true) => drop(hosts.insert(host.clone())),
        (true, false) => drop(hosts.remove(host)),
    }
}

fn keep_at(
    hosts: &mut BTreeSet<(Timestamp, HostId)>,
    host: &HostId,
    is_there: bool,
    at: Option<Timestamp>,
) {
    match (at, is_there) {
        (None, _) => {}
        (Some(at), true) => drop(hosts.insert((at, host.clone()))),
        (Some(at), false) => drop(hosts.remove(&(at, host.clone()))),
    }
}

/// Those whose time has come.
fn due(hosts: &BTreeSet<(Timestamp, HostId)>, now: Timestamp) -> impl Iterator<Item = &HostId> {
    let due = hosts.iter().take_while(move |(at, _)| *at <= now);
    due.map(|(_, host)| host)
}

/// When the next one's time comes.
fn next(hosts: &BTreeSet<(Timestamp, HostId)>, now: Timestamp) -> Option<Timestamp> {
    hosts.iter().map(|(at, _)| *at).find(|at| *at > now)
}

impl Cell {
    /// The agenda of a rollout's work.
    pub(super) fn agenda<'w>(&self, work: &'w Work) -> &'w Agenda {
        work.agenda.get(|| Agenda::of(self, work))
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
            | CellEvent::Assigned { .. }
            | CellEvent::Excepted { .. }
            | CellEvent::Warranted { .. }
            | CellEvent::Stopped { .. }
            | CellEvent::Braked { .. } => self.forget_agendas(),
            CellEvent::CalendarDeclared { .. }
            | CellEvent::Allotted { .. }
            | CellEvent::DenialsTold { .. }
            | CellEvent::Released { .. } => true,
            CellEvent::Summarised { .. } | CellEvent::DriftTold { .. } => false,
        }
    }

    fn forget_agendas(&mut self) -> bool {
        self.work.values_mut().for_each(|work| work.agenda.forget());
        true
    }

    fn keep_on_agendas(&mut self, host: &HostId) -> bool {
        let entry = |(name, work): (&RolloutId, &Work)| {
            let job = work.jobs.get(host)?;
            Some((name.clone(), Entry::of(self, work, host, job)))
        };
        let entries: Vec<_> = self.work.iter().filter_map(entry).collect();
        let mut may_start = false;
        for (name, entry) in entries {
            let work = self.work.get_mut(&name);
            let agenda = work.and_then(|work| work.agenda.get_mut());
            may_start |= agenda.is_none_or(|agenda| agenda.set(host, entry));
        }
        may_start
    }

    /// Whether the agendas that it keeps are what making them anew comes to. Costs a look at every job: for
    /// tests.
    pub fn is_agenda_right(&self) -> bool {
        let mut works = self.work.values();
        works.all(|work| work.agenda.is_right(&Agenda::of(self, work)))
    }
}
