//! Proves the way back from a patch of packages before the way forward is taken.

use super::{Steps, packages::Staging};
use crate::{
    actions::StageRequest,
    packages::{
        archive::{self, Exactly},
        database::Database,
        simulation::Simulation,
        transaction::Change,
    },
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    patch::LockedPackage,
};
use std::{fs, path::Path};

impl Steps {
    /// The digests of the packages that are installed now and will not be. What is not to be had
    /// is left out when the rollout allows it.
    pub(super) async fn find_way_back(
        &self,
        staging: &Staging,
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
            match self.find_old(staging, old).await {
                Ok(digest) => found.push(digest),
                Err(failure) if staging.one_way => {
                    tracing::warn!(%failure, "there is no way back from this rollout");
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(found)
    }

    /// Finds an old package in the keep, in apt's cache, in the region's artefact store or in the archive,
    /// in this order, and takes it into the keep.
    async fn find_old(&self, staging: &Staging, old: Exactly<'_>) -> Result<Digest, Failure> {
        if let Some(digest) = self.old_on_host(staging, old).await? {
            return Ok(digest);
        }
        if let Some(digest) = self.old_in_store(staging, old).await? {
            return Ok(digest);
        }
        self.old_in_archive(staging, old).await
    }

    /// Finds an old package in the keep or in apt's cache.
    pub(super) async fn old_on_host(
        &self,
        staging: &Staging,
        old: Exactly<'_>,
    ) -> Result<Option<Digest>, Failure> {
        if let Some(digest) = self.old_in_keep(old.name, old.version).await? {
            return Ok(Some(digest));
        }
        let folder = self.keep.incoming(&staging.folder)?;
        for cached in self.manager.cached(old)? {
            let copy = folder.join("cached.deb");
            if fs::copy(&cached, &copy).is_err() {
                continue;
            }
            if let Some(digest) = self.take_if(&copy, old).await? {
                return Ok(Some(digest));
            }
        }
        Ok(None)
    }

    /// Finds what is installed of a package in the keep.
    pub(in crate::step) async fn old_in_keep(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Option<Digest>, Failure> {
        for digest in self.keep.find_packages(name, version)? {
            let is_whole = self.is_kept(digest).await?;
            if is_whole
                && self
                    .is_installed_one(&self.keep.package(digest), name)
                    .await?
            {
                return Ok(Some(digest));
            }
        }
        Ok(None)
    }

    /// Whether a package file that nobody forged is what is installed, and not another build of the same version.
    /// It is no answer where nobody can tell.
    async fn is_installed_one(&self, file: &Path, name: &str) -> Result<bool, Failure> {
        let folder = self.keep.incoming(&format!("{name}.control"))?;
        match self.manager.require_same_build(file, name, &folder).await {
            Ok(()) => Ok(true),
            Err(other) if other.kind == FailureKind::Signature => {
                tracing::info!(%other, name, "a file with the installed version is not what is installed");
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Finds an old package in the archive.
    pub(super) async fn old_in_archive(
        &self,
        staging: &Staging,
        old: Exactly<'_>,
    ) -> Result<Digest, Failure> {
        let folder = match self.fetch(staging, &[old]).await {
            Ok(folder) => folder,
            Err(failure) => return Err(no_way_back(old, &failure)),
        };
        for deb in archive::files_in(&folder, self.manager.format())? {
            if let Some(digest) = self.take_if(&deb, old).await? {
                return Ok(digest);
            }
        }
        let other = Failure::new(
            FailureKind::NotFound,
            "the repositories brought another package",
        );
        Err(no_way_back(old, &other))
    }

    /// Takes a file into the keep if it is what is installed of the package.
    pub(super) async fn take_if(
        &self,
        deb: &Path,
        wanted: Exactly<'_>,
    ) -> Result<Option<Digest>, Failure> {
        let Ok(label) = self.manager.label(deb).await else {
            return Ok(None);
        };
        if !label.is_version_of(wanted.name, wanted.version) {
            return Ok(None);
        }
        if !self.is_installed_one(deb, wanted.name).await? {
            return Ok(None);
        }
        Ok(Some(self.keep.take_package(deb, &label).await?))
    }

    /// Goes back in thought, from where the patch leads: what the package manager would do then with
    /// the old files alone is just to put them back, and to take away what the patch brings.
    pub(super) async fn rehearse_back(
        &self,
        request: &StageRequest,
        changed: &[&LockedPackage],
        (way_back, database): (&[Digest], &Database),
    ) -> Result<(), Failure> {
        if changed.is_empty() {
            return Ok(());
        }
        let is_new = |package: &&&LockedPackage| !database.0.contains_key(&package.name);
        let brought = changed.iter().filter(is_new);
        let back = Change {
            remove: brought.map(|package| package.name.clone()).collect(),
            ..self.install(way_back.iter().copied())
        };
        let forward = self.install(changed.iter().map(|package| package.sha256));
        let folder = self.keep.incoming(&format!("{}.back", request.rollout))?;
        let wrong = match self
            .manager
            .rehearse_after(&forward.install, &back, &folder)
            .await
        {
            Ok(plan) if does_just(&plan, &back) => return Ok(()),
            Ok(plan) => format!(
                "the package manager would do something else: {}",
                in_words(&plan)
            ),
            Err(failure) => failure.detail,
        };
        if request.one_way {
            tracing::warn!(wrong, "the way back from this rollout is not proved");
            return Ok(());
        }
        let detail = format!("the old packages cannot be installed again: {wrong}");
        Err(Failure::new(FailureKind::NoWayBack, detail))
    }
}

fn does_just(plan: &Simulation, back: &Change) -> bool {
    let mut removals = plan.removals.clone();
    removals.sort();
    let mut wanted = back.remove.clone();
    wanted.sort();
    plan.installs.len() == back.install.len() && removals == wanted
}

fn in_words(plan: &Simulation) -> String {
    let installs = plan.installs.iter();
    let installs = installs.map(|one| format!("{} {}", one.name, one.version));
    let removals = plan.removals.iter().map(|name| format!("{name} (removed)"));
    installs.chain(removals).collect::<Vec<_>>().join(", ")
}

/// What is not to be had; a network that failed may have it after all.
fn no_way_back(old: Exactly<'_>, from_archive: &Failure) -> Failure {
    let (name, version) = (old.name, old.version);
    let kind = if from_archive.kind.may_pass() {
        from_archive.kind
    } else {
        FailureKind::NoWayBack
    };
    let detail = format!(
        "no package file of {name} {version}, which is installed: not in the agent's keep, not in \
         the package manager's cache, not in the region's artefact store, not in the archive ({})",
        from_archive.detail
    );
    Failure::new(kind, detail)
}
