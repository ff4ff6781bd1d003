//! Old packages and the region's artefact store: what other hosts had, and what this one has.
//!
//! Nobody signed an old package that the archive dropped, so one that another host brought is taken only
//! if it is what is installed here, by dpkg's own book.

use super::{Steps, bring::LEAST_WAIT, packages::Staging};
use crate::packages::archive::Exactly;
use cofferdam_engine::{digest::Digest, failure::Failure, patch::LockedFile};
use cofferdam_proto::artefact::{PackageFile, WantedArtefact, Whereabouts};
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
        loop {
            let asked = self.ask_store(vec![any_of(&package, false)]).await;
            match asked.map(|found| found.into_iter().next()) {
                Ok(Some(Whereabouts::Stored(file))) => {
                    return Ok(self.take_old_stored(staging, old, &file).await);
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
        let found = self.ask_store(vec![any_of(&package, false)]).await?;
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
                self.cannot_bring(vec![any_of(package, false)]).await;
                None
            }
        }
    }

    async fn take_old_stored(
        &self,
        staging: &Staging,
        old: Exactly<'_>,
        file: &LockedFile,
    ) -> Option<Digest> {
        let taken = self.prove_old_stored(staging, old, file).await;
        taken.unwrap_or_else(|failure| {
            tracing::warn!(%failure, old.name, "what the artefact store has is not taken");
            None
        })
    }

    async fn prove_old_stored(
        &self,
        staging: &Staging,
        old: Exactly<'_>,
        file: &LockedFile,
    ) -> Result<Option<Digest>, Failure> {
        self.require_room_to_stage(file.size)?;
        let folder = self.keep.incoming(&staging.folder)?;
        let into = folder.join("stored.deb");
        self.fetch_stored(file, staging.rate, &into).await?;
        self.manager.require_same_size(&into, old.name).await?;
        let label = self.manager.label(&into).await?;
        self.require_room_to_stage(label.installed_kib.saturating_mul(1024))?;
        let tree = folder.join("tree");
        self.manager
            .require_installed_from(&into, old.name, &tree)
            .await?;
        self.take_if(&into, old).await
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
                offers.push((*digest, self.package_file(of).await?));
            }
        }
        let wanted = offers.iter().map(|(_, package)| any_of(package, true));
        let found = self.ask_store(wanted.collect()).await?;
        for ((digest, package), found) in offers.into_iter().zip(found) {
            match found {
                Whereabouts::Bring => self.supply_kept(package, digest).await,
                Whereabouts::Stored(_)
                | Whereabouts::Wait { .. }
                | Whereabouts::Elsewhere { .. } => {}
            }
        }
        Ok(())
    }
}

/// Any file of a package.
fn any_of(package: &PackageFile, has_it: bool) -> WantedArtefact {
    WantedArtefact {
        package: package.clone(),
        locked: None,
        has_it,
    }
}
