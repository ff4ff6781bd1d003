//! Brings new packages into the keep: from the region's artefact store, or from the repositories.
//!
//! One host of a region fetches a file from the repositories and brings it to the store; the others
//! wait for that, but not for ever, and fetch it themselves when the store cannot be asked.

use super::{
    Steps,
    packages::{Staging, exactly},
};
use crate::{
    artefact,
    packages::archive::{self, Exactly},
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    patch::{LockedFile, LockedPackage},
};
use cofferdam_proto::artefact::{
    FindArtefacts, PackageFile, SuppliedArtefact, WantedArtefact, Whereabouts,
};
use std::{collections::BTreeSet, fs, num::NonZeroU32, path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// How long a staging waits for others in all (guess: a third of what a staging may take).
pub(in crate::step) const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// The least wait between two questions: the store holds one back until it knows more.
pub(super) const LEAST_WAIT: Duration = Duration::from_secs(1);

/// How often a store that cannot be reached is asked again: its coordinator starts anew within seconds.
const AWAY_TRIES: u32 = 10;

/// Where each of some packages is to be had from.
#[derive(Default)]
struct Sources<'a> {
    stored: Vec<&'a LockedPackage>,
    /// From the repositories, for the store too.
    to_bring: Vec<&'a LockedPackage>,
    /// From the repositories, for this host.
    own: Vec<&'a LockedPackage>,
}

impl<'a> Sources<'a> {
    fn own(packages: &[&'a LockedPackage]) -> Self {
        Self {
            own: packages.to_vec(),
            ..Self::default()
        }
    }
}

impl Steps {
    /// Brings packages into the keep and proves their hashes.
    pub(super) async fn bring(
        &self,
        staging: &Staging,
        mut missing: Vec<&LockedPackage>,
    ) -> Result<(), Failure> {
        let (mut refused, mut away) = (None, 0);
        loop {
            missing.retain(|package| !self.keep.package(package.sha256).exists());
            if missing.is_empty() {
                return Ok(());
            }
            let mut sources = match self.sources(staging, &missing).await {
                Ok(sources) => sources,
                Err(failure) if failure.kind == FailureKind::Network && away < AWAY_TRIES => {
                    away += 1;
                    sleep(LEAST_WAIT).await;
                    continue;
                }
                Err(failure) => {
                    tracing::info!(%failure, "every package comes from the repositories");
                    Sources::own(&missing)
                }
            };
            let stored = std::mem::take(&mut sources.stored);
            for package in &stored {
                if let Err(failure) = self.take_stored(staging, package).await {
                    tracing::warn!(%failure, "asks the repositories instead");
                    sources.own.push(*package);
                }
            }
            let is_waiting = sources.to_bring.is_empty() && sources.own.is_empty();
            match refused.take() {
                // The repositories do not have it, and neither does anybody else.
                Some(failure) if !is_waiting => return Err(failure),
                earlier => refused = earlier,
            }
            if is_waiting && stored.is_empty() {
                sleep(LEAST_WAIT).await;
            } else if !is_waiting
                && let Err(failure) = self.take_from_archive(staging, &sources).await
            {
                // Another host may have what this one's repositories do not.
                self.give_up(&sources.to_bring).await;
                refused = Some(failure);
            }
        }
    }

    /// Asks the store where packages are to be had from. Those that are on their way are nowhere.
    async fn sources<'a>(
        &self,
        staging: &Staging,
        missing: &[&'a LockedPackage],
    ) -> Result<Sources<'a>, Failure> {
        let wanted = self.wanted(missing).await?;
        let found = self.ask_store(wanted).await?;
        let mut sources = Sources::default();
        for (package, found) in missing.iter().zip(found) {
            match found {
                Whereabouts::Stored(_) => sources.stored.push(package),
                Whereabouts::Bring => sources.to_bring.push(package),
                Whereabouts::Wait { reason } if Instant::now() < staging.patient_until => {
                    tracing::info!(package.name, reason, "waits for the artefact store");
                }
                Whereabouts::Wait { reason } | Whereabouts::Elsewhere { reason } => {
                    tracing::info!(package.name, reason, "asks the repositories");
                    sources.own.push(package);
                }
            }
        }
        Ok(sources)
    }

    async fn take_stored(&self, staging: &Staging, package: &LockedPackage) -> Result<(), Failure> {
        let into = self.keep.incoming(&staging.folder)?.join("stored.deb");
        let file = LockedFile {
            sha256: package.sha256,
            size: package.size,
        };
        self.fetch_stored(&file, staging.rate, &into).await?;
        let label = self.manager.label(&into).await?;
        self.keep.take_package(&into, &label).await?;
        Ok(())
    }

    /// Fetches a file from the store, no faster than `rate` KiB a second, and proves its hash.
    pub(super) async fn fetch_stored(
        &self,
        file: &LockedFile,
        rate: Option<NonZeroU32>,
        into: &Path,
    ) -> Result<(), Failure> {
        artefact::fetch(&*self.outside.artefacts, file, rate, into).await
    }

    async fn take_from_archive(
        &self,
        staging: &Staging,
        sources: &Sources<'_>,
    ) -> Result<(), Failure> {
        let all = [sources.to_bring.as_slice(), sources.own.as_slice()].concat();
        self.fetch_locked(staging, &all).await?;
        for package in &sources.to_bring {
            self.supply_locked(package).await;
        }
        Ok(())
    }

    /// Takes packages from the repositories into the keep.
    pub(super) async fn fetch_locked(
        &self,
        staging: &Staging,
        packages: &[&LockedPackage],
    ) -> Result<(), Failure> {
        let wanted: Vec<Exactly<'_>> = packages.iter().map(|package| exactly(package)).collect();
        let folder = self.fetch(staging, &wanted).await?;
        for deb in archive::files_in(&folder, self.manager.format())? {
            self.take_locked(&deb, packages).await?;
        }
        let is_missing = |package: &&&LockedPackage| !self.keep.package(package.sha256).exists();
        if let Some(package) = packages.iter().find(is_missing) {
            let detail = format!(
                "{} did not bring {} {}",
                self.manager.name(),
                package.name,
                package.version
            );
            return Err(Failure::new(FailureKind::NotFound, detail));
        }
        Ok(())
    }

    /// Brings a kept package to the store. It is no loss to this host when that fails.
    pub(super) async fn supply_locked(&self, package: &LockedPackage) {
        let supplied = self.package_file(exactly(package)).await;
        let artefact = supplied
            .ok()
            .and_then(|file| self.kept_artefact(file, package.sha256));
        if let Some(artefact) = artefact {
            self.supply_kept(artefact).await;
        }
    }

    /// A kept package as the store is told of it. Absent: it is not there any more.
    pub(super) fn kept_artefact(
        &self,
        package: PackageFile,
        digest: Digest,
    ) -> Option<SuppliedArtefact> {
        let size = fs::metadata(self.keep.package(digest)).ok()?.len();
        let file = LockedFile {
            sha256: digest,
            size,
        };
        Some(SuppliedArtefact { package, file })
    }

    /// Brings a kept package to the store, as far as it takes it.
    pub(super) async fn supply_kept(&self, artefact: SuppliedArtefact) {
        let digest = artefact.file.sha256;
        let path = self.keep.package(digest);
        match self.outside.artefacts.supply(artefact, &path).await {
            Ok(()) => tracing::info!(%digest, "brought a package to the artefact store"),
            Err(failure) => tracing::warn!(%failure, "the artefact store goes without"),
        }
    }

    /// Tells the store what this host cannot bring, so that another one does.
    pub(super) async fn give_up(&self, packages: &[&LockedPackage]) {
        if let Ok(cannot) = self.wanted(packages).await {
            self.cannot_bring(cannot).await;
        }
    }

    pub(super) async fn cannot_bring(&self, cannot: Vec<WantedArtefact>) {
        if cannot.is_empty() {
            return;
        }
        let wanted = Vec::new();
        // Whoever waits is told when this host has taken too long.
        let told = self
            .outside
            .artefacts
            .find(FindArtefacts { wanted, cannot });
        if let Err(failure) = told.await {
            tracing::debug!(%failure, "the store does not know that a package is not to be had");
        }
    }

    pub(super) async fn ask_store(
        &self,
        wanted: Vec<WantedArtefact>,
    ) -> Result<Vec<Whereabouts>, Failure> {
        let cannot = Vec::new();
        let asked = FindArtefacts { wanted, cannot };
        self.outside.artefacts.find(asked).await
    }

    pub(super) async fn wanted(
        &self,
        packages: &[&LockedPackage],
    ) -> Result<Vec<WantedArtefact>, Failure> {
        let platform = self.platform().await?;
        let wanted = packages.iter().map(|package| WantedArtefact {
            package: PackageFile {
                platform: platform.clone(),
                name: package.name.clone(),
                version: package.version.clone(),
            },
            locked: Some(LockedFile {
                sha256: package.sha256,
                size: package.size,
            }),
            has_it: false,
            refused: BTreeSet::new(),
        });
        Ok(wanted.collect())
    }

    /// A version of a package on this host's platform.
    pub(super) async fn package_file(&self, of: Exactly<'_>) -> Result<PackageFile, Failure> {
        Ok(PackageFile {
            platform: self.platform().await?,
            name: of.name.to_owned(),
            version: of.version.to_owned(),
        })
    }
}
