//! Old packages and the region's artefact store: what other hosts had, and what this one has.
//!
//! Nobody signed an old package that the archive dropped, so one that another host brought is taken only
//! if it is what is installed here, by dpkg's own book.

use super::{Steps, bring::LEAST_WAIT, packages::Staging};
use crate::packages::archive::Exactly;
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    patch::LockedFile,
};
use cofferdam_proto::artefact::{
    MAX_BUILDS, PackageFile, SuppliedArtefact, WantedArtefact, Whereabouts,
};
use std::{collections::BTreeSet, path::Path};
use tokio::time::{Instant, sleep};

impl Steps {
    /// Finds an old package in the artefact store, and proves that it is what is installed. Where
    /// nobody brought it yet, this host looks in the archive, for the store too.
    pub(super) async fn old_in_store(
        &self,
        staging: &Staging,
        old: Exactly<'_>,
    ) -> Result<Option<Digest>, Failure> {
        let package = self.package_file(old).await?;
        let mut wanted = any_of(&package);
        loop {
            let asked = self.ask_store(vec![wanted.clone()]).await;
            match asked.map(|found| found.into_iter().next()) {
                Ok(Some(Whereabouts::Stored(file))) => {
                    match self.take_old_stored(staging, old, &file).await {
                        Ok(None)
                            if wanted.refused.len() < MAX_BUILDS
                                && wanted.refused.insert(file.sha256) => {}
                        Ok(taken) => return Ok(taken),
                        Err(failure) => {
                            tracing::warn!(%failure, old.name, "the artefact store cannot be used");
                            return Ok(None);
                        }
                    }
                }
                Ok(Some(Whereabouts::Wait { reason }))
                    if Instant::now() < staging.patient_until =>
                {
                    tracing::info!(old.name, reason, "waits for the artefact store");
                    sleep(LEAST_WAIT).await;
                }
                Ok(Some(Whereabouts::Bring)) => {
                    let brought = self.old_to_bring(staging, old, &package).await;
                    if brought.is_some() || Instant::now() >= staging.patient_until {
                        return Ok(brought);
                    }
                    // The store may not have heard that this host cannot.
                    sleep(LEAST_WAIT).await;
                }
                Ok(Some(Whereabouts::Wait { .. } | Whereabouts::Elsewhere { .. }) | None)
                | Err(_) => return Ok(None),
            }
        }
    }

    /// Finds an old package in the archive, where the store lacks it and nobody else brings it.
    pub(super) async fn old_for_store(
        &self,
        staging: &Staging,
        old: Exactly<'_>,
    ) -> Result<Option<Digest>, Failure> {
        let package = self.package_file(old).await?;
        let found = self.ask_store(vec![any_of(&package)]).await?;
        match found.first() {
            Some(Whereabouts::Bring) => Ok(self.old_to_bring(staging, old, &package).await),
            Some(
                Whereabouts::Stored(_) | Whereabouts::Wait { .. } | Whereabouts::Elsewhere { .. },
            )
            | None => Ok(None),
        }
    }

    /// Finds an old package that this host is to bring in the archive. Nothing: it gives up.
    async fn old_to_bring(
        &self,
        staging: &Staging,
        old: Exactly<'_>,
        package: &PackageFile,
    ) -> Option<Digest> {
        match self.old_in_archive(staging, old).await {
            Ok(digest) => Some(digest),
            Err(failure) => {
                tracing::info!(%failure, old.name, "the artefact store goes without");
                self.cannot_bring(vec![any_of(package)]).await;
                None
            }
        }
    }

    /// Takes what the store has, if it is what is installed. Nothing: it is another file, and is to be refused.
    async fn take_old_stored(
        &self,
        staging: &Staging,
        old: Exactly<'_>,
        file: &LockedFile,
    ) -> Result<Option<Digest>, Failure> {
        self.require_room_to_stage(file.size)?;
        let folder = self.keep.incoming(&staging.folder)?;
        let stored = folder.join("stored.deb");
        self.fetch_stored(file, staging.rate, &stored).await?;
        match self.take_proved(&stored, old, &folder.join("tree")).await {
            Ok(digest) => Ok(Some(digest)),
            Err(failure) if failure.kind == FailureKind::DiskFull => Err(failure),
            Err(other) => {
                tracing::warn!(%other, old.name, "what the artefact store has is not taken");
                Ok(None)
            }
        }
    }

    async fn take_proved(
        &self,
        stored: &Path,
        old: Exactly<'_>,
        tree: &Path,
    ) -> Result<Digest, Failure> {
        self.manager.require_same_size(stored, old.name).await?;
        let label = self.manager.label(stored).await?;
        if !label.is_version_of(old.name, old.version) {
            let detail = format!("it is {} {}", label.name, label.version);
            return Err(Failure::new(FailureKind::Signature, detail));
        }
        self.require_room_to_stage(label.installed_kib.saturating_mul(1024))?;
        self.manager
            .require_installed_from(stored, old.name, tree)
            .await?;
        Ok(self.keep.take_package(stored, &label).await?)
    }

    /// Offers kept packages to the store, and brings those that it lacks.
    pub(super) async fn offer(&self, staging: &Staging, kept: &[Digest]) {
        if kept.is_empty() {
            return;
        }
        if let Err(failure) = self.try_to_offer(kept).await {
            let folder = &staging.folder;
            tracing::debug!(%failure, folder, "old packages are not offered to the store");
        }
    }

    async fn try_to_offer(&self, kept: &[Digest]) -> Result<(), Failure> {
        let mut offers = Vec::new();
        for digest in kept {
            if let Some(label) = self.keep.label(*digest) {
                let name = self.manager.name_of(&label).await?;
                let of = Exactly {
                    name: &name,
                    version: &label.version,
                };
                let package = self.package_file(of).await?;
                offers.extend(self.kept_artefact(package, *digest));
            }
        }
        let found = self
            .ask_store(offers.iter().map(offer_of).collect())
            .await?;
        for (artefact, found) in offers.into_iter().zip(found) {
            match found {
                Whereabouts::Bring => self.supply_kept(artefact).await,
                Whereabouts::Stored(_)
                | Whereabouts::Wait { .. }
                | Whereabouts::Elsewhere { .. } => {}
            }
        }
        Ok(())
    }
}

/// Any file of a package.
fn any_of(package: &PackageFile) -> WantedArtefact {
    WantedArtefact {
        package: package.clone(),
        locked: None,
        has_it: false,
        refused: BTreeSet::new(),
    }
}

/// Just this file: what another host brought of the same package may be no way back for this one.
fn offer_of(artefact: &SuppliedArtefact) -> WantedArtefact {
    WantedArtefact {
        locked: Some(artefact.file.clone()),
        has_it: true,
        ..any_of(&artefact.package)
    }
}
