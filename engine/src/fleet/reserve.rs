//! Hosts that operators take and give back: the same ledger, floors and tokens as for rollouts.
//!
//! A host is granted whether it is connected or not, so that one that is down can be kept for its
//! repair; one that is out already, because it fell by itself or is silent, costs its groups nothing.
//! A token that some cell holds is that cell's, in use or not: a reservation never counts on getting it
//! back.

use super::{Fleet, FleetError, FleetEvent};
use crate::{
    allotment::{Balance, Part, Standing},
    cell::{Cell, CellEvent, Member},
    floor::Group,
    id::{CellId, HostId, OperatorId},
    ledger::{Holder, Occupancy},
    policy::{FloorRule, LONGEST_RESERVATION},
    reservation::{Reservation, ReservationError, ReservationLeft},
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

impl Fleet {
    /// The reservation that an operator has of a host. Absent: none has one that still lasts.
    pub fn reservation(&self, host: &HostId, now: Timestamp) -> Option<ReservationLeft> {
        let (cell, _) = self.host(host)?;
        let entry = cell.ledger().entry(host)?;
        let Holder::Operator { by, reason, until } = &entry.holder else {
            return None;
        };
        let left = until.since(now);
        (!left.is_zero()).then(|| ReservationLeft {
            token: entry.token,
            by: by.clone(),
            reason: reason.clone(),
            left,
        })
    }

    /// An operator takes hosts, or keeps those that it has for another time.
    pub(super) fn reserved(
        &mut self,
        hosts: &BTreeSet<HostId>,
        by: &OperatorId,
        reason: &str,
        lasts: Duration,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        if lasts.is_zero() || lasts > LONGEST_RESERVATION {
            return Err(ReservationError::Lasts { lasts }.into());
        }
        let mut more = BTreeSet::new();
        for host in hosts {
            let (cell, member) = self.known(host)?;
            self.is_free(cell, host, by)?;
            if !is_out_already(cell, member) {
                more.insert(host);
            }
        }
        self.have_room(&more)?;
        let reservation = Reservation {
            by: by.clone(),
            reason: reason.to_owned(),
            until: now.after(lasts),
        };
        for host in hosts {
            let event = CellEvent::Reserved {
                host: host.clone(),
                reservation: reservation.clone(),
            };
            self.tell_home(host, event, now)?;
        }
        Ok(())
    }

    /// An operator gives hosts back.
    pub(super) fn unreserved(
        &mut self,
        hosts: &BTreeSet<HostId>,
        by: &OperatorId,
        force: bool,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let mut tokens = Vec::new();
        for host in hosts {
            let (cell, _) = self.known(host)?;
            let host = host.clone();
            let Some(entry) = cell.ledger().entry(&host) else {
                return Err(ReservationError::NotReserved { host }.into());
            };
            match &entry.holder {
                Holder::Operator { by: other, .. } if other != by && !force => {
                    let by = other.clone();
                    return Err(ReservationError::OfAnother { host, by }.into());
                }
                Holder::Operator { .. } => tokens.push((host, entry.token)),
                Holder::Rollout { .. } | Holder::AtHost { .. } | Holder::Itself => {
                    return Err(ReservationError::NotReserved { host }.into());
                }
            }
        }
        for (host, token) in tokens {
            let event = CellEvent::Unreserved {
                host: host.clone(),
                token,
            };
            self.tell_home(&host, event, now)?;
        }
        Ok(())
    }

    fn known(&self, host: &HostId) -> Result<(&Cell, &Member), FleetError> {
        let known = self.host(host);
        known.ok_or_else(|| FleetError::NoHost(host.clone()))
    }

    fn tell_home(
        &mut self,
        host: &HostId,
        event: CellEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let host = host.clone();
        self.apply(&FleetEvent::Host { host, event }, now)
    }

    /// Whether nobody else has a host, as its cell says that is heard of.
    fn is_free(&self, cell: &Cell, host: &HostId, by: &OperatorId) -> Result<(), ReservationError> {
        let host = host.clone();
        if self.silent.contains_key(cell.id()) {
            let cell = cell.id().clone();
            return Err(ReservationError::Silent { host, cell });
        }
        let Some(entry) = cell.ledger().entry(&host) else {
            return Ok(());
        };
        let holder = entry.holder.clone();
        match (&holder, &entry.occupancy) {
            (Holder::Itself, _) => Ok(()),
            (Holder::Operator { by: other, .. }, _) if other == by => Ok(()),
            (Holder::Rollout { .. }, Occupancy::Casualty { why, .. }) => {
                Err(ReservationError::Lost {
                    host,
                    by: Box::new(holder),
                    why: why.clone(),
                })
            }
            (Holder::Operator { .. } | Holder::Rollout { .. } | Holder::AtHost { .. }, _) => {
                let by = Box::new(holder);
                Err(ReservationError::Held { host, by })
            }
        }
    }

    /// Whether every group keeps its allowance with these hosts out too.
    fn have_room(&self, more: &BTreeSet<&HostId>) -> Result<(), ReservationError> {
        for (rule, groups) in self.groups_of(more) {
            for (group, parts) in self.parts(&rule, &groups, more) {
                let found = Balance::of(parts.values(), rule.min_in_service);
                if found.short == 0 {
                    continue;
                }
                let is_asked = |host: &&&HostId| {
                    let known = self.host(host);
                    known.is_some_and(|(_, member)| Group::of(&rule, &member.host) == group)
                };
                let asked = more.iter().filter(is_asked).count();
                let holders = parts.iter().filter(|(_, part)| part.tokens > 0);
                return Err(ReservationError::Floor {
                    group: group.to_string(),
                    out: found.out - asked,
                    more: asked,
                    allowance: found.allowance,
                    tokens_with: holders.map(|(cell, _)| (*cell).clone()).collect(),
                });
            }
        }
        Ok(())
    }

    /// The groups that hosts are in: by the default rules, and by the limits of rollouts at work that
    /// bind a host of the same group.
    fn groups_of(&self, hosts: &BTreeSet<&HostId>) -> BTreeMap<FloorRule, BTreeSet<Group>> {
        let groups = |rule: &FloorRule, hosts: &mut dyn Iterator<Item = &HostId>| {
            let members = hosts.filter_map(|host| self.host(host));
            let groups = members.map(|(_, member)| Group::of(rule, &member.host));
            groups.collect::<BTreeSet<Group>>()
        };
        let mut all = BTreeMap::new();
        for rule in FloorRule::defaults() {
            let theirs = groups(&rule, &mut hosts.iter().copied());
            all.insert(rule, theirs);
        }
        let works = self.cells.values().flat_map(|cell| cell.work().values());
        for floor in works.flat_map(|work| &work.assignment.floors) {
            let bound = groups(&floor.rule, &mut floor.hosts.iter());
            let theirs = groups(&floor.rule, &mut hosts.iter().copied());
            let entry = all.entry(floor.rule.clone()).or_default();
            entry.extend(theirs.intersection(&bound).cloned());
        }
        all
    }

    /// How each cell stands in some groups of a rule, with some hosts out that are not. A host that the
    /// owner has not heard of yet counts as out.
    fn parts(
        &self,
        rule: &FloorRule,
        groups: &BTreeSet<Group>,
        more: &BTreeSet<&HostId>,
    ) -> BTreeMap<Group, BTreeMap<&CellId, Part>> {
        let mut all: BTreeMap<Group, BTreeMap<&CellId, Part>> = BTreeMap::new();
        if groups.is_empty() {
            return all;
        }
        for (name, cell) in self.cells.iter() {
            for (host, member) in cell.members() {
                let group = Group::of(rule, &member.host);
                if !groups.contains(&group) {
                    continue;
                }
                let rights = cell.allotment().rights_of(rule, &group);
                let part = all
                    .entry(group)
                    .or_default()
                    .entry(name)
                    .or_insert_with(|| Part::of(Standing::default(), rights));
                part.standing.members += 1;
                part.standing.out += usize::from(cell.is_out(host) || more.contains(host));
            }
        }
        all
    }
}

/// Whether a host is in the ledger, or was heard of and is silent. One that was not heard of yet may
/// well serve.
fn is_out_already(cell: &Cell, member: &Member) -> bool {
    let is_silent = member.heard && !member.is_connected();
    cell.ledger().holds(&member.host.id) || is_silent
}
