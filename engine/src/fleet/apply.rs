//! How events change a fleet: each goes to the cell or rollout that it concerns.

use super::{Fleet, FleetError, FleetEvent, Form, News, Told, concern::Concerns};
use crate::{
    calendar::{Calendar, Declared},
    cell::{CellEvent, Hello},
    digest::Digest,
    id::{CellId, HostId, OperatorId, OwnerEpoch, RolloutId},
    inventory::{Host, PackageSet, Platform},
    patch::{Content, LockFile},
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
        self.check_form(event)?;
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
            FleetEvent::Booted { boot_id } => self.booted(boot_id, now),
            FleetEvent::FormTaken { form, store } => self.take_form(*form, *store),
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
            FleetEvent::Cell { cell, event } => self.cell_or_region(cell, event, now),
            FleetEvent::Link { event } => self.link_event(event, now),
            FleetEvent::CellSilent { cell, since } => {
                self.cell_silent(cell, *since);
                Ok(())
            }
            FleetEvent::CellHeard { cell } => {
                self.cell_heard(cell, now);
                Ok(())
            }
            FleetEvent::Gathered { to, hosts } => self.gather_or_tell(to, hosts, now),
            FleetEvent::CalendarDeclared { calendar, by } => {
                self.calendar_declared(calendar, by, now)
            }
            FleetEvent::CordPulled { by, reason } => self.cord_pulled(by, reason, now),
            FleetEvent::CordReleased { .. } => self.cord_released(now),
            FleetEvent::RolloutStarted { plan, by } => self.rollout_started(plan, by, now),
            FleetEvent::Amended {
                rollout,
                plan,
                by,
                reason,
            } => self.amended(rollout, plan, by, reason, now),
            FleetEvent::Rollout { rollout, event } => self.rollout_or_control(rollout, event, now),
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

    pub(super) fn rollout_event(
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
        self.look_at_waiting(rollout, event);
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
        self.tell_cells(&CellEvent::OwnerStarted { epoch }, now)
    }

    fn booted(&mut self, boot_id: &str, now: Timestamp) -> Result<(), FleetError> {
        let before = self.boot.replace(boot_id.to_owned());
        match before.as_deref() == Some(boot_id) {
            true => Ok(()),
            false => self.tell_cells(&CellEvent::Booted, now),
        }
    }

    /// Tells all cells, which are this process' own.
    pub(super) fn tell_cells(
        &mut self,
        event: &CellEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        if self.form == Form::Control {
            return Ok(());
        }
        let cells: Vec<CellId> = self.cells.keys().cloned().collect();
        cells.iter().try_for_each(|cell| self.put(cell, event, now))
    }

    fn host_connected(&mut self, hello: &Hello, now: Timestamp) -> Result<(), FleetError> {
        let home = self.place(&hello.host)?;
        let is_new = self.make_cell(&home, now);
        self.arrive(hello, &home, now)?;
        if is_new {
            self.tell_cell(&home, now)?;
        }
        Ok(())
    }

    /// A host opened a session in a cell that is there, and is its home from now on.
    pub(super) fn arrive(
        &mut self,
        hello: &Hello,
        home: &CellId,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let labels = &hello.host.labels;
        let known = self.host(&hello.host.id);
        let known = known.map(|(_, member)| &member.host);
        let is_known = known.is_some();
        let has_its_labels = known.is_some_and(|known| known.labels == *labels);
        let before = known.filter(|_| !has_its_labels).cloned();
        let hello = Box::new(hello.clone());
        let host = hello.host.clone();
        self.put(home, &CellEvent::HostConnected { hello }, now)?;
        if !is_known {
            self.homes.insert(host.id.clone(), home.clone());
        }
        if !has_its_labels {
            let mut last = self.joined.take(&host.labels, home).filter(|_| !is_known);
            for of in before.iter().chain([&host]) {
                let spread = match last.take() {
                    Some(spread) => self.note_grown(spread, of, home),
                    None => self.note_apart(of),
                };
                self.look_who_is_alone(of, now);
                self.joined.note(&of.labels, home, spread);
            }
        }
        if is_known {
            self.joined.forget();
        }
        self.consider_late(&host.id, now)
    }

    /// Every cell keeps the calendar itself, to keep to it when it is cut off.
    pub(super) fn calendar_declared(
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
        let calendar = calendar.clone();
        if self.form == Form::Control {
            let by = by.clone();
            self.tell_regions(&Told::Calendar { calendar, by });
            return Ok(());
        }
        self.tell_cells(&CellEvent::CalendarDeclared { calendar }, now)
    }

    /// The freeze calendar that is in force. Empty while nobody has declared one.
    pub fn freezes(&self) -> Calendar {
        let declared = self.calendar.as_ref();
        declared.map_or_else(Calendar::default, |declared| declared.calendar.clone())
    }

    pub(super) fn packages(
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
        self.note_news(|| News::Packages {
            digest,
            part,
            of,
            packages: packages.clone(),
        });
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
        let known = event.forgets().and_then(|host| self.host(host));
        let known = known.map(|(_, member)| member.host.clone());
        self.cell_event(&home, event, now)?;
        if let CellEvent::PackagesChanged { .. } = event {
            self.consider_late(host, now)?;
        }
        if let Some(known) = &known {
            self.forget_host(host);
            self.tell_cell(&home, now)?;
            self.drop_empty(&home);
            self.part_from(known, now);
        }
        Ok(())
    }

    /// Nothing is left of a host that was deleted.
    pub(super) fn forget_host(&mut self, host: &HostId) {
        self.apart.remove(host);
        self.homes.remove(host);
        self.denials.forget(host);
        self.forget_left_alone(host);
    }

    /// Looks at the group that a host left.
    pub(super) fn part_from(&mut self, host: &Host, now: Timestamp) {
        self.look_who_is_alone(host, now);
        self.note_apart(host);
    }

    pub(super) fn cell_event(
        &mut self,
        cell: &CellId,
        event: &CellEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        if let CellEvent::Assigned { .. } = event {
            // A cell whose last host was forgotten is gone; its part of a rollout still ends.
            self.make_cell(cell, now);
            self.tell_cell(cell, now)?;
        }
        self.put(cell, event, now)?;
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
        self.check_width(plan)?;
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

    /// The lock file. Nothing of a plan without hosts.
    pub fn lock(&self) -> Option<&LockFile> {
        let first = self.assignments.values().next();
        first.map(|assignment| &assignment.lock)
    }

    /// Its digest. Nothing of a plan without hosts.
    pub fn lock_digest(&self) -> Option<Digest> {
        self.lock().map(LockFile::digest)
    }
}
