//! Whether a host may start by its service: a service and those that it depends on directly, or that
//! depend on it, are not worked on at the same moment.
//!
//! What counts is an order that is out, in any cell and by any live work, and not a leave to start:
//! a host that is granted and held by something else keeps nobody waiting. So the rule cannot lock
//! up: what blocks is an order, every order ends by its own deadlines, and a casualty is no order any
//! more (floors count it). It starves nobody for good: a service waits at most until the hosts of
//! its neighbours that the present waves grant are over. A rollback is not held by it, as it is a
//! wish that stands, and what it has out is waited for like any other. A second opinion waits too.
//!
//! The fleet tells each cell what all of them have out. Cells of regions that are processes of their
//! own will be told by the control plane what others have out, and count it longer than it is.

use super::{Cell, Work};
use crate::{
    hold::Reason,
    id::HostId,
    inventory::{Host, SERVICE},
};
use std::collections::BTreeMap;

/// The services that have a host under an order now, each with one such host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AtWork {
    /// Whether a rollout knows of dependencies: else nobody asks.
    is_heeded: bool,
    by_service: BTreeMap<String, HostId>,
}

impl AtWork {
    /// What cells have under orders. Costs nothing where no rollout knows of dependencies.
    pub fn of<'a>(cells: impl Iterator<Item = &'a Cell> + Clone) -> Self {
        let mut at_work = Self {
            is_heeded: Self::is_heeded_by(cells.clone()),
            by_service: BTreeMap::new(),
        };
        if !at_work.is_heeded {
            return at_work;
        }
        for cell in cells {
            let agendas = cell.work.values().map(|work| cell.agenda(work));
            let active = agendas.flat_map(|agenda| agenda.active());
            for member in active.filter_map(|host| cell.members.get(host)) {
                at_work.note(&member.host);
            }
        }
        at_work
    }

    /// Whether a rollout in one of the cells knows of dependencies.
    pub(crate) fn is_heeded_by<'a>(cells: impl Iterator<Item = &'a Cell>) -> bool {
        let mut works = cells.flat_map(|cell| cell.work.values());
        works.any(|work| !work.assignment.dependencies.is_empty())
    }

    /// Whether nothing that counts is at work.
    pub(crate) fn is_nothing(&self) -> bool {
        self.by_service.is_empty()
    }

    /// Counts one more host as under an order.
    pub(super) fn note(&mut self, host: &Host) {
        if self.is_heeded
            && let Some(service) = host.value(SERVICE)
        {
            let first = self.by_service.entry(service.to_owned());
            first.or_insert_with(|| host.id.clone());
        }
    }
}

/// Why a host may not start beside what is at work. Nothing: it may.
pub(super) fn held_by_neighbour(work: &Work, host: &Host, at_work: &AtWork) -> Option<Reason> {
    let dependencies = &work.assignment.dependencies;
    if dependencies.is_empty() {
        return None;
    }
    let service = host.value(SERVICE)?;
    let needs = |one: &str, other: &str| {
        let needed = dependencies.get(one);
        needed.is_some_and(|needed| needed.contains(other))
    };
    let mut others = at_work.by_service.iter();
    let (with, host) = others.find(|(other, _)| needs(service, other) || needs(other, service))?;
    Some(Reason::Dependency {
        service: service.to_owned(),
        with: with.clone(),
        host: host.clone(),
    })
}
