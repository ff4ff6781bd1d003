//! Proves the way back from a patch of packages before the way forward is taken.

use super::Steps;
use crate::{
    actions::StageRequest,
    packages::{
        archive::{self, Exactly},
        database::Database,
        transaction::Again,
    },
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    id::RolloutId,
    patch::LockedPackage,
};
use std::{fs, path::Path};

impl Steps {
    /// The digests of the packages that are installed now and will not be. What is not to be had
    /// is left out when the rollout allows it.
    pub(super) async fn find_way_back(
        &self,
        request: &StageRequest,
        changed: &[&LockedPackage],
        database: &Database,
    ) -> Result<Vec<Digest>, Failure> {
        let mut found = Vec::new();
        for package in changed {
            let Some(old) = database.0.get(&package.name) else {
                // It is new here: the way back is to remove it.
                continue;
            };
            let old = Exactly {
                name: &package.name,
                version: &old.version,
            };
            match self.find_old(&request.rollout, old).await {
                Ok(digest) => found.push(digest),
                Err(failure) if request.one_way => {
                    tracing::warn!(%failure, "there is no way back from this rollout");
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(found)
    }

    /// Finds an old package in the keep, in apt's cache or in the archive, in this order, and takes
    /// it into the keep.
    async fn find_old(&self, rollout: &RolloutId, old: Exactly<'_>) -> Result<Digest, Failure> {
        if let Some(digest) = self.keep.find_deb(old.name, old.version)?
            && self.is_kept(digest).await?
        {
            return Ok(digest);
        }
        let folder = self.keep.incoming(rollout.as_str())?;
        for cached in self.apt.cached(old)? {
            let copy = folder.join("cached.deb");
            if fs::copy(&cached, &copy).is_err() {
                continue;
            }
            if let Some(digest) = self.take_if(&copy, old).await? {
                return Ok(digest);
            }
        }
        let folder = self.keep.incoming(rollout.as_str())?;
        let transcript = self.transcript(rollout, "stage");
        let fetched = self.apt.fetch(&[old], &folder, &transcript).await;
        for deb in archive::debs_in(&folder)? {
            if let Some(digest) = self.take_if(&deb, old).await? {
                return Ok(digest);
            }
        }
        Err(no_way_back(old, fetched.err()))
    }

    /// Takes a file into the keep if its own control file says that it is the package.
    async fn take_if(&self, deb: &Path, wanted: Exactly<'_>) -> Result<Option<Digest>, Failure> {
        let Ok(label) = self.apt.label(deb).await else {
            return Ok(None);
        };
        if !label.is_of(wanted.name) || label.version != wanted.version {
            return Ok(None);
        }
        Ok(Some(self.keep.take_deb(deb, &label).await?))
    }

    /// What is installed is installed again in thought: that the old files are ones that apt takes,
    /// alone, is all that can be known before the patch.
    pub(super) async fn rehearse_back(&self, way_back: &[Digest]) -> Result<(), Failure> {
        if way_back.is_empty() {
            return Ok(());
        }
        let labels: Vec<_> = way_back
            .iter()
            .filter_map(|&bits| self.keep.label(bits))
            .collect();
        let change = self.install(way_back.iter().copied());
        let simulation = self.apt.rehearse(&change, Again::Yes).await?;
        let planned = simulation.installs.len();
        if planned == labels.len() && simulation.removals.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "the way back would install {planned} packages instead of {}, and remove {}",
            labels.len(),
            simulation.removals.len()
        );
        Err(Failure::new(FailureKind::NoWayBack, detail))
    }
}

/// What is not to be had; a network that failed may have it after all.
fn no_way_back(old: Exactly<'_>, from_archive: Option<Failure>) -> Failure {
    let (name, version) = (old.name, old.version);
    let said = from_archive
        .as_ref()
        .map_or("it brought none", |failure| &failure.detail);
    let detail = format!(
        "no package file of {name} {version}, which is installed: not in the agent's keep, not in \
         apt's cache, not in the archive ({said})"
    );
    match from_archive {
        Some(failure) if failure.kind.may_pass() => Failure::new(failure.kind, detail),
        Some(_) | None => Failure::new(FailureKind::NoWayBack, detail),
    }
}
