//! From a rollout file to its plan: read, resolve, check, plan.

mod amendment;
mod config;

pub(super) use amendment::Amendment;

use super::call;
use crate::{
    artefact::ArtefactStore,
    driver::{DriverHandle, Stopping},
    resolve::{
        self, ResolveErrors, Resolved,
        upgrade::{self, Upgrades},
    },
    view::Situation,
};
use cofferdam_engine::{
    advisory::Advisory,
    by_name::ByHost,
    calendar::Calendar,
    denial::Denials,
    digest::Digest,
    document::Places,
    fleet::Fleet,
    id::{CellId, HostId, RolloutId},
    inventory::{Host, PackageSet},
    lint::{self, Finding, Severity},
    lockfile,
    patch::{AdvisoryPatch, LockFile, Locked, Patch},
    plan::{self, Plan, PlanInput, PlatformChange},
    services::Services,
    spec::Spec,
    time::Timestamp,
};
use cofferdam_proto::{
    operator::PlanRequest,
    status::{CallError, CallErrorKind},
};
use std::collections::{BTreeMap, BTreeSet};

/// Makes plans.
#[derive(Debug)]
pub(super) struct Planner<'a> {
    pub(super) driver: &'a DriverHandle,
    pub(super) artefacts: &'a ArtefactStore,
}

/// A plan and the lock file that it is of.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) lock: LockFile,
    /// The rollout file.
    pub(super) spec: Spec,
    /// What becomes of the hosts' packages.
    pub(super) changes: Vec<PlatformChange>,
    /// What was found while the lock file was resolved, one line each.
    pub(super) notes: Vec<String>,
    /// What may be wrong with it.
    pub(super) findings: Vec<Finding>,
}

impl Planned {
    /// The text of the lock file.
    pub(super) fn lock_text(&self) -> String {
        lockfile::format(&self.lock)
    }
}

impl Planner<'_> {
    /// Plans a rollout file; resolves its lock file when there is none yet.
    ///
    /// # Errors
    /// [`CallError`] with every mistake of the file, of the lock file, or of the plan.
    pub(super) async fn plan(&self, asked: &PlanRequest) -> Result<Planned, CallError> {
        let (lock_text, advisory) = (asked.lock_text.as_deref(), asked.advisory.as_ref());
        let (file_name, spec_text) = (&asked.file_name, &asked.spec_text);
        let (spec, lock, mut notes) = self.read(file_name, spec_text, lock_text, advisory).await?;
        let places = Places::of(&asked.file_name, &asked.spec_text);
        let inventory = self.inventory().await?;
        if inventory.rollouts.contains(spec.name()) {
            notes.push(format!(
                "there is a rollout {} already, and a name is used once: to start this, give it another",
                spec.name()
            ));
        }
        let input = inventory.input();
        let plan = Plan::make(&spec, &lock, &input)
            .map_err(|errors| refuse(&lint::of_errors(&spec, &errors, &input, &places)))?;
        let findings = lint::of_plan(&spec, &plan, &input, &places);
        Ok(Planned {
            changes: plan::changes(&spec, &lock, &input, &plan),
            plan,
            spec,
            lock,
            notes,
            findings,
        })
    }

    /// Reads and checks a rollout file and its lock file, which is resolved when there is none yet.
    async fn read(
        &self,
        file_name: &str,
        spec_text: &str,
        lock_text: Option<&str>,
        advisory: Option<&Advisory>,
    ) -> Result<(Spec, LockFile, Vec<String>), CallError> {
        let spec = Spec::parse(file_name, spec_text)
            .map_err(|mistakes| CallError::of(CallErrorKind::Invalid, &mistakes))?;
        let mut notes = Vec::new();
        let lock = match lock_text {
            Some(text) => read_lock(&spec, text)?,
            None => self.lock(&spec, advisory, &mut notes).await?,
        };
        if let Locked::Config(files) = &lock.content {
            config::check_named(&spec, files)?;
            self.check_artefacts(files)?;
        }
        Ok((spec, lock, notes))
    }

    /// Everything that is wrong with a rollout file, or may be, beside the hosts as they are.
    /// Resolves nothing: without a lock file, see [`lint::with_fleet`].
    ///
    /// # Errors
    /// [`CallError`] when the lock file is wrong.
    pub(super) async fn lint(&self, asked: &PlanRequest) -> Result<Vec<Finding>, CallError> {
        let spec = match Spec::parse(&asked.file_name, &asked.spec_text) {
            Ok(spec) => spec,
            Err(mistakes) => return Ok(lint::mistakes(&mistakes)),
        };
        let lock = asked.lock_text.as_deref();
        let lock = lock.map(|text| read_lock(&spec, text)).transpose()?;
        let places = Places::of(&asked.file_name, &asked.spec_text);
        let inventory = self.inventory().await?;
        let input = inventory.input();
        Ok(lint::with_fleet(&spec, lock.as_ref(), &input, &places))
    }

    /// Resolves what a rollout wishes to exact bits.
    async fn lock(
        &self,
        spec: &Spec,
        advisory: Option<&Advisory>,
        notes: &mut Vec<String>,
    ) -> Result<LockFile, CallError> {
        let (driver, selection) = (self.driver, spec.selection());
        let content = match spec.patch() {
            Patch::Packages { packages } => {
                let resolved = resolve::platforms(driver, selection, packages).await;
                locked(resolved, notes)?
            }
            Patch::Security => {
                let upgrades = Upgrades::Security;
                locked(
                    upgrade::platforms(driver, selection, &upgrades).await,
                    notes,
                )?
            }
            Patch::Advisory(patch) => {
                let upgrades = Upgrades::Advisory(advisory_of(patch, advisory)?);
                locked(
                    upgrade::platforms(driver, selection, &upgrades).await,
                    notes,
                )?
            }
            Patch::Config(config) => Locked::Config(self.lock_config(config)?),
            Patch::Noop => Locked::Noop,
        };
        let rollout = spec.name().to_string();
        Ok(LockFile { rollout, content })
    }

    /// The inventory as it is now. A plan of 25,000 hosts takes a moment, which the driver must not
    /// wait for, so it is copied out.
    async fn inventory(&self) -> Result<Inventory, CallError> {
        let look = |situation: Situation<'_>| Inventory::of(situation.fleet, situation.now);
        self.driver.ask(look).await.map_err(call::stopping)
    }
}

fn read_lock(spec: &Spec, text: &str) -> Result<LockFile, CallError> {
    let file = format!("{}.lock", spec.name());
    lockfile::parse(&file, text)
        .map_err(|mistakes| CallError::of(CallErrorKind::Invalid, &mistakes))
}

/// The errors among what was found, one line each.
fn refuse(findings: &[Finding]) -> CallError {
    let errors = findings
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let lines: Vec<String> = errors.map(ToString::to_string).collect();
    CallError::new(CallErrorKind::NotNow, lines.join("\n"))
}

/// What a plan needs to know of a fleet.
#[derive(Debug)]
struct Inventory {
    hosts: BTreeMap<HostId, Host>,
    cells: ByHost<CellId>,
    package_sets: BTreeMap<Digest, PackageSet>,
    denials: Denials,
    casualties: BTreeSet<HostId>,
    unready: BTreeSet<HostId>,
    services: Services,
    calendar: Calendar,
    /// The names that are taken.
    rollouts: BTreeSet<RolloutId>,
    /// When this was so.
    now: Timestamp,
}

impl Inventory {
    fn of(fleet: &Fleet, now: Timestamp) -> Self {
        Self {
            hosts: fleet.inventory(),
            cells: fleet.homes().clone(),
            package_sets: fleet.package_sets().clone(),
            denials: fleet.denials().clone(),
            casualties: fleet.casualties(),
            unready: fleet.unready(),
            services: fleet.services().clone(),
            calendar: fleet.freezes(),
            rollouts: fleet.rollouts().keys().cloned().collect(),
            now,
        }
    }

    fn input(&self) -> PlanInput<'_> {
        PlanInput {
            hosts: &self.hosts,
            cells: &self.cells,
            package_sets: &self.package_sets,
            denials: &self.denials,
            casualties: &self.casualties,
            unready: &self.unready,
            services: &self.services,
            calendar: &self.calendar,
            now: self.now,
        }
    }
}

/// What a patch of packages resolved to.
fn locked(
    resolved: Result<Result<Resolved, ResolveErrors>, Stopping>,
    notes: &mut Vec<String>,
) -> Result<Locked, CallError> {
    let resolved = resolved
        .map_err(call::stopping)?
        .map_err(|errors| CallError::of(resolve_kind(&errors), &errors))?;
    notes.extend(resolved.notes);
    Ok(Locked::Packages {
        platforms: resolved.platforms,
    })
}

/// The advisory that was sent along, if it is the one that the rollout file names.
fn advisory_of(patch: &AdvisoryPatch, sent: Option<&Advisory>) -> Result<Advisory, CallError> {
    let sent = sent.filter(|advisory| advisory.id == patch.id).cloned();
    sent.ok_or_else(|| {
        let message = format!(
            "the lock file of {} is made where {} is: use `cofferdam plan`",
            patch.id,
            patch.file.display()
        );
        CallError::new(CallErrorKind::Invalid, message)
    })
}

fn resolve_kind(errors: &ResolveErrors) -> CallErrorKind {
    match errors.may_pass() {
        true => CallErrorKind::Unavailable,
        false => CallErrorKind::NotNow,
    }
}
