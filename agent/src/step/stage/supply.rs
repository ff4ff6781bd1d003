//! Brings packages to the region's artefact store before anybody stages them.
//!
//! The coordinator asks for this when a lock file is made: one host of each package set brings what the
//! store lacks of the new packages, and what it has itself of the old ones. Nothing of it stays here.

use super::{
    Steps, bring,
    packages::{Staging, changed},
};
use crate::{host::durable, packages::archive::Exactly};
use cofferdam_engine::{digest::Digest, failure::Failure, patch::LockedPackage};
use cofferdam_proto::artefact::{SupplyRequest, Whereabouts};
use std::{fs, io};
use tokio::time::Instant;

/// The folder of the keep, and the transcript. No rollout's name begins so.
const PURPOSE: &str = ".supply";

impl Steps {
    /// Brings what the store lacks. What cannot be had others may bring, or nobody.
    pub(in crate::step) async fn supply_packages(
        &self,
        request: &SupplyRequest,
    ) -> Result<(), Failure> {
        let filling = self.keep.filling();
        let supplied = self.supply_all(request).await;
        drop(filling);
        self.sweep_keep().await?;
        supplied
    }

    async fn supply_all(&self, request: &SupplyRequest) -> Result<(), Failure> {
        let transcript = self.settings.state_dir.join("supply.log");
        match fs::remove_file(&transcript) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "the last transcript stays");
            }
            Ok(()) | Err(_) => {}
        }
        let since = Instant::now();
        let staging = Staging {
            folder: PURPOSE.to_owned(),
            transcript,
            one_way: true,
            rate: self.settings.download_rate_kib,
            since,
            patient_until: since + bring::PATIENCE,
        };
        let packages = self.of_this_host(&request.packages, &request.reach).await?;
        self.supply_new(&staging, &packages).await?;
        self.supply_old(&staging, &packages).await
    }

    async fn supply_new(
        &self,
        staging: &Staging,
        packages: &[LockedPackage],
    ) -> Result<(), Failure> {
        let packages: Vec<&LockedPackage> = packages.iter().collect();
        if packages.is_empty() {
            return Ok(());
        }
        let wanted = self.wanted(&packages).await?;
        let found = self.ask_store(wanted).await?;
        let asked = packages.iter().zip(found);
        let to_bring = asked.filter(|(_, found)| *found == Whereabouts::Bring);
        let to_bring: Vec<&LockedPackage> = to_bring.map(|(package, _)| *package).collect();
        let mut missing = Vec::new();
        for package in &to_bring {
            if !self.is_kept(package.sha256).await? {
                durable::remove(&self.keep.package(package.sha256))?;
                missing.push(*package);
            }
        }
        if let Err(failure) = self.fetch_to_supply(staging, &missing).await {
            self.give_up(&to_bring).await;
            return Err(failure);
        }
        for package in to_bring {
            self.supply_locked(package).await;
        }
        Ok(())
    }

    async fn fetch_to_supply(
        &self,
        staging: &Staging,
        missing: &[&LockedPackage],
    ) -> Result<(), Failure> {
        if missing.is_empty() {
            return Ok(());
        }
        self.require_room_to_stage(missing.iter().map(|package| package.size).sum())?;
        self.fetch_locked(staging, missing).await
    }

    /// Offers what the packages replace here, as far as it is on the host or still in the archive.
    async fn supply_old(
        &self,
        staging: &Staging,
        packages: &[LockedPackage],
    ) -> Result<(), Failure> {
        let database = self.manager.database().await?;
        let mut kept: Vec<Digest> = Vec::new();
        for package in changed(packages, &database) {
            let Some(old) = database.0.get(&package.name) else {
                continue;
            };
            let old = Exactly {
                name: &package.name,
                version: &old.version,
            };
            let found = match self.old_on_host(staging, old).await? {
                Some(digest) => Some(digest),
                None => self.old_for_store(staging, old).await?,
            };
            kept.extend(found);
        }
        self.offer(staging, &kept).await;
        Ok(())
    }
}
