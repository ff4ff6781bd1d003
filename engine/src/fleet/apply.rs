//! How events change a fleet: each goes to the cell or rollout that it concerns.

use super::{Fleet, FleetError, FleetEvent, concern::Concerns};
use crate::{
    calendar::{Calendar, Declared},
    cell::{Cell, CellEvent, Hello},
    digest::Digest,
    id::{CellId, HostId, OperatorId, OwnerEpoch, RolloutId},
    inventory::{PackageSet, Platform},
    patch::Content,
    plan::Plan,
    rollout::RolloutEvent,
    time::Timestamp,
};

/// The most parts that a package set may come in: far above any host's packages.
const MAX_PACKAGE_PARTS: u32 = 1000;
use std::collections::BTreeSet;

impl Fleet {
    /// Applies an event that happened at `now`.
    ///
    /// # Errors
    /// [`FleetError`] when the event does not fit the state; the fleet is as before.
    pub fn apply(&mut self, event: &FleetEvent, now: Timestamp) -> Result<(), FleetError> {
        let concerns = self.concerns(event);
        if !matches!(event, FleetEvent::HostConnected { .. }) {
            self.joined.forget();
        }
        self.take_in(event, now)?;
        match concerns {
            Concerns::Cell => {}
            Concerns::Rollouts => self.changes.rollouts += 1,
            Concerns::All => self.changes.others += 1,
        }
        Ok(())
    }

    fn take_in(&mut self, event: &FleetEvent, now: Timestamp) -> Result<(), FleetError> {
        match event {
            FleetEvent::OwnerStarted { epoch } => self.owner_started(*epoch, now),
            FleetEvent::HostConnected { hello } => self.host_connected(hello, now),
            FleetEvent::Packages {
                digest,
                part,
                of,
                packages,
            } => self.packages(*digest, *part, *of, packages, now),
            FleetEvent::Host { host, event } => self.host_event(host, event, now),
            FleetEvent::Reserved {
                hosts,
                by,
                reason,
                lasts,
            } => self.reserved(hosts, by, reason, *lasts, now),
            FleetEvent::Unreserved { hosts, by, force } => self.unreserved(hosts, by, *force, now),
            FleetEvent::Cell { cell, event } => self.cell_event(cell, event, now),
            FleetEvent::CellSilent { cell, since } => {
                self.cell_silent(cell, *since);
                Ok(())
            }
            FleetEvent::CellHeard { cell } => {
                self.cell_heard(cell, now);
                Ok(())
            }
            FleetEvent::Gathered { to, hosts } => self.gathered(to, hosts, now),
            FleetEvent::CalendarDeclared { calendar, by } => {
                self.calendar_declared(calendar, by, now)
            }
            FleetEvent::RolloutStarted { plan, by } => self.rollout_started(plan, by, now),
            FleetEvent::Amended {
                rollout,
                plan,
                by,
                reason,
            } => self.amended(rollout, plan, by, reason, now),
            FleetEvent::Rollout { rollout, event } => self.rollout_event(rollout, event, now),
            FleetEvent::Denied {
                named,
                place,
                by,
                reason,
            } => self.denied(named, place, by, reason, now),
            FleetEvent::DenialLifted {
                named,
                only_at,
                by,
                reason,
            } => self.denial_lifted(named, only_at.as_ref(), by, reason, now),
            FleetEvent::ServicesDeclared { services, by: _ } => {
                self.services_declared(services, now);
                Ok(())
            }
        }
    }

    fn rollout_event(
        &mut self,
        rollout: &RolloutId,
        event: &RolloutEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let superseded = self.superseded_by(rollout, event)?;
        self.check_retry(rollout, event)?;
        let left = self.denials_left_by(rollout, event, now);
        let known = self.rollouts.get_mut(rollout);
        let known = known.ok_or_else(|| FleetError::NoRollout(rollout.clone()))?;
        known.apply(event, now)?;
        if let Some(hosts) = superseded {
            known.supersede(hosts);
            known.follow(&self.homes);
            self.tell_silence(rollout);
        }
        self.give_back(rollout, event);
        if let RolloutEvent::Summarised { summary } = event {
            self.leave_to_rivals(rollout, summary);
        }
        self.look_who_is_back(rollout, event, now);
        self.lift_by_retry(rollout, event, now)?;
        self.deny(left, now)
    }

    fn owner_started(&mut self, epoch: OwnerEpoch, now: Timestamp) -> Result<(), FleetError> {
        if epoch <= self.epoch {
            return Err(FleetError::StaleEpoch {
                new: epoch,
                present: self.epoch,
            });
        }
        self.epoch = epoch;
        for rollout in self.rollouts.values_mut() {
            rollout.owner_started(now);
        }
        for (_, cell) in self.cells.iter_mut() {
            let event = CellEvent::OwnerStarted { epoch };
            cell.apply(&event, now).map_err(|source| FleetError::Cell {
                cell: cell.id().clone(),
                source,
            })?;
        }
        Ok(())
    }

    fn host_connected(&mut self, hello: &Hello, now: Timestamp) -> Result<(), FleetError> {
        let home = self.place(&hello.host)?;
        let labels = &hello.host.labels;
        let known = self.host(&hello.host.id);
        let known = known.map(|(_, member)| &member.host);
        let is_known = known.is_some();
        let has_its_labels = known.is_some_and(|known| known.labels == *labels);
        let before = known.filter(|_| !has_its_labels).cloned();
        if !is_known {
            self.homes.insert(hello.host.id.clone(), home.clone());
        }
        let is_new = !self.cells.contains_key(&home);
        let cell = self.cell_or_new(&home, now);
        let event = CellEvent::HostConnected {
            hello: Box::new(hello.clone()),
        };
        cell.apply(&event, now).map_err(|source| FleetError::Cell {
            cell: cell.id().clone(),
            source,
        })?;
        if is_new {
            self.tell_cell(&home, now)?;
        }
        if !has_its_labels {
            let mut last = self.joined.take(labels, &home).filter(|_| !is_known);
            for of in before.iter().chain([&hello.host]) {
                let spread = match last.take() {
                    Some(spread) => self.note_grown(spread, of, &home),
                    None => self.note_apart(of),
                };
                self.look_who_is_alone(of, now);
                self.joined.note(&of.labels, &home, spread);
            }
        }
        if is_known {
            self.joined.forget();
        }
        self.consider_late(&hello.host.id, now)
    }

    /// Every cell keeps the calendar itself, to keep to it when it is cut off.
    fn calendar_declared(
        &mut self,
        calendar: &Calendar,
        by: &OperatorId,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        self.calendar = Some(Declared {
            calendar: calendar.clone(),
            by: by.clone(),
            at: now,
        });
        for (id, cell) in self.cells.iter_mut() {
            let calendar = calendar.clone();
            let event = CellEvent::CalendarDeclared { calendar };
            cell.apply(&event, now).map_err(|source| FleetError::Cell {
                cell: id.clone(),
                source,
            })?;
        }
        Ok(())
    }

    /// The freeze calendar that is in force. Empty while nobody has declared one.
    pub fn freezes(&self) -> Calendar {
        let declared = self.calendar.as_ref();
        declared.map_or_else(Calendar::default, |declared| declared.calendar.clone())
    }

    fn packages(
        &mut self,
        digest: Digest,
        part: u32,
        of: u32,
        packages: &PackageSet,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        if part >= of || of > MAX_PACKAGE_PARTS {
            return Err(FleetError::PackagePart { digest, part, of });
        }
        let mut parts = self.package_parts.get(&digest).cloned().unwrap_or_default();
        parts.insert(part, packages.clone());
        if parts.len() < usize::try_from(of).unwrap_or(usize::MAX) {
            self.package_parts.insert(digest, parts);
            return Ok(());
        }
        let whole = PackageSet(parts.into_values().flat_map(|part| part.0).collect());
        if whole.digest() != digest {
            return Err(FleetError::PackageDigest(digest));
        }
        self.package_parts.remove(&digest);
        self.forget_unused_packages();
        self.package_sets.insert(digest, whole);
        self.consider_late_with(&digest, now)
    }

    /// Package sets go with the last host that has them, when the next set comes in: there are never
    /// more of them than hosts, and one.
    fn forget_unused_packages(&mut self) {
        let members = self.cells.values().flat_map(|cell| cell.members().values());
        let used: BTreeSet<Digest> = members.map(|member| member.host.facts.packages).collect();
        self.package_sets.retain(|digest, _| used.contains(digest));
        self.package_parts.retain(|digest, _| used.contains(digest));
    }

    fn host_event(
        &mut self,
        host: &HostId,
        event: &CellEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let home = self
            .homes
            .get(host)
            .ok_or_else(|| FleetError::NoHost(host.clone()))?
            .clone();
        let is_forgotten = matches!(event, CellEvent::HostForgotten { .. });
        let known = is_forgotten.then(|| self.host(host)).flatten();
        let known = known.map(|(_, member)| member.host.clone());
        self.cell_event(&home, event, now)?;
        if let CellEvent::PackagesChanged { .. } = event {
            self.consider_late(host, now)?;
        }
        if let Some(known) = &known {
            self.apart.remove(host);
            self.homes.remove(host);
            self.denials.forget(host);
            self.forget_left_alone(host);
            self.tell_cell(&home, now)?;
            self.drop_empty(&home);
            self.look_who_is_alone(known, now);
            self.note_apart(known);
        }
        Ok(())
    }

    /// A cell, which is made where it is not there.
    pub(super) fn cell_or_new(&mut self, id: &CellId, now: Timestamp) -> &mut Cell {
        let (epoch, calendar) = (self.epoch, self.freezes());
        let made = || Cell::new(id.clone(), epoch, now).under(calendar);
        self.cells.get_or_make(id, made)
    }

    /// An empty cell goes, once no rollout works in it.
    pub(super) fn drop_empty(&mut self, cell: &CellId) {
        let is_empty = |cell: &Cell| cell.members().is_empty() && cell.work().is_empty();
        if self.cells.get(cell).is_some_and(is_empty) {
            self.cells.remove(cell);
        }
    }

    fn cell_event(
        &mut self,
        cell: &CellId,
        event: &CellEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        if let CellEvent::Assigned { .. } = event {
            // A cell whose last host was forgotten is gone; its part of a rollout still ends.
            self.cell_or_new(cell, now);
            self.tell_cell(cell, now)?;
        }
        let known = self
            .cells
            .get_mut(cell)
            .ok_or_else(|| FleetError::NoCell(cell.clone()))?;
        known.apply(event, now).map_err(|source| FleetError::Cell {
            cell: cell.clone(),
            source,
        })?;
        if let CellEvent::Released { .. } = event {
            self.drop_empty(cell);
        }
        Ok(())
    }

    fn rollout_started(
        &mut self,
        plan: &Plan,
        by: &OperatorId,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        if self.rollouts.contains_key(&plan.rollout) {
            return Err(FleetError::RolloutExists(plan.rollout.clone()));
        }
        self.check_homes(plan)?;
        if let Some(denied) = self.denied_to_all(plan) {
            return Err(denied);
        }
        if let Some(conflict) = self.conflict(plan, |_| true) {
            return Err(conflict);
        }
        self.begin(plan, by, now);
        Ok(())
    }
}

impl Plan {
    /// What a host of this platform is to have. Nothing of a plan without hosts, or where the lock file
    /// leaves it out.
    pub fn content_for(&self, platform: &Platform) -> Option<Content> {
        let assignment = self.assignments.values().next()?;
        assignment.content_for(platform)
    }

    /// What the rollout changes on its hosts: packages by name, files by path.
    pub fn subjects(&self) -> Vec<String> {
        let first = self.assignments.values().next();
        first
            .map(|assignment| assignment.patch.subjects(&assignment.lock))
            .unwrap_or_default()
    }

    /// The digest of the lock file. Nothing of a plan without hosts.
    pub fn lock_digest(&self) -> Option<Digest> {
        self.assignments
            .values()
            .next()
            .map(|assignment| assignment.lock.digest())
    }
}
