//! Stages packages: the new ones, and a rehearsal of their installation.

use super::Steps;
use crate::{
    actions::StageRequest,
    host::{durable, keep},
    packages::{
        archive::{Download, Exactly},
        database::Database,
        simulation::Simulation,
        transaction::{Again, Change},
    },
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    patch::LockedPackage,
    reach::Reach,
};
use std::{
    collections::BTreeSet,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// One staging of packages.
pub(super) struct Staging {
    /// The folder of the keep that they are fetched into, by its name.
    pub(super) folder: String,
    /// Where it is written down how.
    pub(super) transcript: PathBuf,
    /// Whether a patch without a proved way back is allowed.
    pub(super) one_way: bool,
    /// How much is fetched at most, in KiB a second. Absent: no bound.
    pub(super) rate: Option<NonZeroU32>,
    /// When it began: one update of the lists is enough for all of it.
    pub(super) since: Instant,
    /// Until when others are waited for, who bring something to the artefact store.
    pub(super) patient_until: Instant,
}

impl Steps {
    /// How much a staging fetches: what the host and the rollout both allow.
    pub(in crate::step) fn rate_of(&self, request: &StageRequest) -> Option<NonZeroU32> {
        let both = [self.settings.download_rate_kib, request.rate_kib];
        both.into_iter().flatten().min()
    }

    /// Brings all new and old packages of the closure into the keep and proves that the package manager can use
    /// them without anything else.
    pub(super) async fn stage_packages(
        &self,
        request: &StageRequest,
        packages: &[LockedPackage],
        patience: Duration,
    ) -> Result<BTreeSet<Digest>, Failure> {
        let database = self.manager.database().await?;
        let changed = changed(packages, &database);
        refuse_unready(&database, packages, &changed)?;
        let since = Instant::now();
        let staging = Staging {
            folder: request.rollout.to_string(),
            transcript: self.transcript(&request.rollout, "stage"),
            one_way: request.one_way,
            rate: self.rate_of(request),
            since,
            patient_until: since + patience,
        };
        self.fetch_new(&staging, packages).await?;
        self.require_kernel_fallback(request.kernel_fallback, &changed)
            .await?;
        self.refuse_conffiles(&request.conffiles, &changed).await?;
        let way_back = self.find_way_back(&staging, &changed, &database).await?;
        self.require_room_to_change(&changed).await?;
        self.rehearse_forward(&changed).await?;
        self.rehearse_back(request, &changed, (&way_back, &database))
            .await?;
        let new = packages.iter().map(|package| package.sha256);
        let bits: Vec<Digest> = new.chain(way_back).collect();
        self.offer(&staging, &bits).await;
        Ok(bits.into_iter().collect())
    }

    /// The locked packages that go on this host as it is now. Half installed ones are on it.
    pub(in crate::step) async fn of_this_host(
        &self,
        packages: &[LockedPackage],
        reach: &Reach,
    ) -> Result<Vec<LockedPackage>, Failure> {
        let database = self.manager.database().await?;
        let version = |name: &str| database.0.get(name).map(|entry| entry.version.as_str());
        Ok(reach
            .of(packages, self.manager.format(), version)
            .into_iter()
            .cloned()
            .collect())
    }

    /// Fetches what the keep does not have, and proves its hashes.
    async fn fetch_new(
        &self,
        staging: &Staging,
        packages: &[LockedPackage],
    ) -> Result<(), Failure> {
        let mut missing = Vec::new();
        for package in packages {
            if !self.is_kept(package.sha256).await? {
                // What rotted is in the way of its like.
                durable::remove(&self.keep.package(package.sha256))?;
                missing.push(package);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let bytes = missing.iter().map(|package| package.size).sum();
        self.require_room_to_stage(bytes)?;
        self.bring(staging, missing).await
    }

    /// Takes a fetched file into the keep if it is one of these packages, with the hash that is
    /// locked.
    pub(super) async fn take_locked(
        &self,
        deb: &Path,
        wanted: &[&LockedPackage],
    ) -> Result<(), Failure> {
        let label = self.manager.label(deb).await?;
        let is_it =
            |package: &&&LockedPackage| label.is_version_of(&package.name, &package.version);
        let Some(package) = wanted.iter().find(is_it) else {
            return Ok(());
        };
        let digest = keep::digest_of(deb).await?;
        if digest != package.sha256 {
            return Err(other_bits(package, digest));
        }
        self.keep.take_package(deb, &label).await?;
        Ok(())
    }

    /// Fetches packages as the lists know them; if that fails, once more after an update, so that a
    /// host with good lists asks the repositories for packages only. Says in which folder they are.
    pub(super) async fn fetch(
        &self,
        staging: &Staging,
        wanted: &[Exactly<'_>],
    ) -> Result<PathBuf, Failure> {
        let folder = self.keep.incoming(&staging.folder)?;
        let download = Download {
            folder: &folder,
            transcript: &staging.transcript,
            rate: staging.rate,
        };
        if self.manager.fetch(wanted, download).await.is_ok() {
            return Ok(folder);
        }
        let lock_wait = self.settings.lock_wait;
        let updated = self.manager.update(staging.since, lock_wait).await;
        self.keep.incoming(&staging.folder)?;
        match (self.manager.fetch(wanted, download).await, updated) {
            (Ok(()), _) => Ok(folder),
            // A repository that could not be asked is why a version is not found.
            (Err(failure), Err(update)) if failure.kind == FailureKind::NotFound => Err(update),
            (Err(failure), _) => Err(failure),
        }
    }

    async fn rehearse_forward(&self, changed: &[&LockedPackage]) -> Result<(), Failure> {
        if changed.is_empty() {
            return Ok(());
        }
        let change = self.install(changed.iter().map(|package| package.sha256));
        let simulation = self.manager.rehearse(&change, Again::Yes).await?;
        let wanted = changed
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str()));
        require_exactly(&simulation, wanted.collect())
    }

    /// The installation of some kept packages.
    pub(in crate::step) fn install(&self, bits: impl Iterator<Item = Digest>) -> Change {
        Change {
            install: bits.map(|digest| self.keep.package(digest)).collect(),
            remove: Vec::new(),
        }
    }
}

/// The packages that the host does not have in the wanted version.
pub(in crate::step) fn changed<'a>(
    packages: &'a [LockedPackage],
    database: &Database,
) -> Vec<&'a LockedPackage> {
    let is_other = |package: &&LockedPackage| {
        database.version(&package.name) != Some(package.version.as_str())
    };
    packages.iter().filter(is_other).collect()
}

/// A host whose package database is not sound, or whose people hold one of the packages, is not
/// ready: better said before it is drained.
fn refuse_unready(
    database: &Database,
    packages: &[LockedPackage],
    changed: &[&LockedPackage],
) -> Result<(), Failure> {
    let is_ours = |name: &str| packages.iter().any(|package| package.name == name);
    if let Some(broken) = database.broken().find(|name| !is_ours(name)) {
        let detail = format!("package {broken} is only half installed on this host");
        return Err(Failure::new(FailureKind::PackageManager, detail));
    }
    let is_held = |name: &str| database.0.get(name).is_some_and(|entry| entry.on_hold);
    if let Some(held) = changed.iter().find(|package| is_held(&package.name)) {
        let detail = format!("package {} is on hold on this host", held.name);
        return Err(Failure::new(FailureKind::Unsupported, detail));
    }
    Ok(())
}

/// Every wave installs what the canary proved, so a host that would get more or less is refused.
fn require_exactly(simulation: &Simulation, wanted: BTreeSet<(&str, &str)>) -> Result<(), Failure> {
    let installs = simulation.installs.iter();
    let planned: BTreeSet<_> = installs
        .map(|i| (i.name.as_str(), i.version.as_str()))
        .collect();
    if planned == wanted && simulation.removals.is_empty() {
        return Ok(());
    }
    let odd: Vec<String> = planned
        .symmetric_difference(&wanted)
        .map(|(name, version)| format!("{name} {version}"))
        .chain(
            simulation
                .removals
                .iter()
                .map(|name| format!("{name} (removed)")),
        )
        .collect();
    let detail = format!("this host would not change as locked: {}", odd.join(", "));
    Err(Failure::new(FailureKind::Dependency, detail))
}

pub(super) fn exactly(package: &LockedPackage) -> Exactly<'_> {
    Exactly {
        name: &package.name,
        version: &package.version,
    }
}

fn other_bits(package: &LockedPackage, found: Digest) -> Failure {
    let detail = format!(
        "{} {} has the hash {found}, {} is locked",
        package.name, package.version, package.sha256
    );
    Failure::new(FailureKind::Signature, detail)
}
