//! Config files of packages: what the order wants of those that people changed, and the way back.
//!
//! dpkg asks about a config file that people changed and whose new package brings another content. It is
//! never let ask: it keeps the host's own. Where the order wants the package's, that is put in place
//! before dpkg comes, which then finds nothing to ask; where it wants neither, the host is refused. rpm
//! never asks: of a file that its package marks so it keeps the host's own, of others it sets that aside,
//! and it is put back.
//!
//! What a patch may change of them is kept before it begins, content, mode and owner, and put back when
//! the host goes back, before the old packages come, whose scripts read it. What people changed since the
//! patch is theirs and stays.

mod back;

pub(super) use back::Folder;

use super::{
    Steps,
    record::{ConffileWas, Left, PackageWas, Was},
};
use crate::{
    config_file::{Attributes, FileState, Place},
    host::{
        durable::{self, FileError},
        keep,
    },
    packages::stanza::base,
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    id::RolloutId,
    order::Order,
    patch::{ConffilePolicies, ConffilePolicy, LockedPackage},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// What dpkg and rpm leave beside a config file: the content that it did not take, or took the place of.
const LITTER: [&str; 6] = [
    "dpkg-dist",
    "dpkg-new",
    "dpkg-old",
    BROUGHT,
    "rpmorig",
    ASIDE,
];

/// What rpm calls a content that it did not take, and one that it took the place of.
const BROUGHT: &str = "rpmnew";
const ASIDE: &str = "rpmsave";

/// A config file that dpkg would ask about.
struct Question {
    package: String,
    path: PathBuf,
    /// What the package brings, in a file of the keep's incoming folder.
    brought: PathBuf,
}

impl Steps {
    /// Refuses packages that would meet a changed config file, where the order says so.
    pub(super) async fn refuse_conffiles(
        &self,
        policies: &ConffilePolicies,
        changed: &[&LockedPackage],
    ) -> Result<(), Failure> {
        let met = self
            .questions(policies, ConffilePolicy::Fail, changed)
            .await?;
        let met: Vec<String> = met
            .iter()
            .map(|one| format!("{} of {}", one.path.display(), one.package))
            .collect();
        if met.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "changed on this host, and the new package brings another: {}; nothing was changed; \
             `conffiles` in [patch] says \"fail\"",
            met.join(", ")
        );
        Err(Failure::new(FailureKind::Conffile, detail))
    }

    /// Puts what packages bring in the place of changed config files, where the order says so.
    pub(super) async fn replace_conffiles(
        &self,
        policies: &ConffilePolicies,
        changed: &[&LockedPackage],
    ) -> Result<(), Failure> {
        let replaced = self
            .questions(policies, ConffilePolicy::Replace, changed)
            .await?;
        for one in replaced {
            let place = Place::find(&self.settings.root, &one.path)?;
            let like = match FileState::standing_at(place.path()).await? {
                Some(like) => Some(like),
                // Its labels are those of the agent's own folder, where it was unpacked.
                None => FileState::standing_at(&one.brought)
                    .await?
                    .map(|brought| FileState {
                        attributes: Attributes::new(),
                        ..brought
                    }),
            };
            let (path, package) = (one.path.display(), &one.package);
            tracing::info!(%path, package, "the package's config file takes the host's place");
            place.prepare(&one.brought, like.as_ref())?.place()?;
        }
        Ok(())
    }

    /// The config files of packages with this policy that dpkg would ask about.
    async fn questions(
        &self,
        policies: &ConffilePolicies,
        policy: ConffilePolicy,
        changed: &[&LockedPackage],
    ) -> Result<Vec<Question>, Failure> {
        let is_meant =
            |package: &&&LockedPackage| policies.get(base(&package.name)) == Some(&policy);
        let meant: Vec<&&LockedPackage> = changed.iter().filter(is_meant).collect();
        let names: Vec<&str> = meant.iter().map(|package| package.name.as_str()).collect();
        let mut book = self.manager.conffiles(&names).await?.0;
        let mut questions = Vec::new();
        for package in meant {
            let known = book.remove(&package.name).unwrap_or_default();
            questions.extend(self.questions_of(package, &known).await?);
        }
        Ok(questions)
    }

    async fn questions_of(
        &self,
        package: &LockedPackage,
        known: &BTreeMap<PathBuf, String>,
    ) -> Result<Vec<Question>, Failure> {
        let deb = self.keep.package(package.sha256);
        let mut places = BTreeMap::new();
        for path in self.manager.conffiles_in(&deb).await? {
            let place = self.settings.root.resolve(&path);
            let place = place.map_err(FileError::of("looking up", &path))?;
            places.insert(path, place);
        }
        let all: Vec<PathBuf> = places.values().cloned().collect();
        let there = self.manager.sums(&all).await?;
        let now = |(path, place)| (path, there.get::<PathBuf>(&place));
        let mut candidates: BTreeMap<PathBuf, _> = places.into_iter().map(now).collect();
        // As it came is as good as never touched; neither known nor there is new.
        candidates.retain(|path, now| known.get(path) != *now);
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let folder = self.keep.incoming(&package.sha256.to_string())?;
        let paths: Vec<&Path> = candidates.keys().map(PathBuf::as_path).collect();
        self.manager.unpack(&deb, &paths, &folder).await?;
        let brought = |path: &Path| folder.join(path.strip_prefix("/").unwrap_or(path));
        let sums: Vec<PathBuf> = paths.iter().map(|path| brought(path)).collect();
        let sums = self.manager.sums(&sums).await?;
        let asks = candidates.into_iter().filter_map(|(path, now)| {
            let brought = brought(&path);
            let new = sums.get(&brought);
            (new != now && new != known.get(&path)).then(|| Question {
                package: package.name.clone(),
                path,
                brought,
            })
        });
        Ok(asks.collect())
    }

    /// Keeps the config files that these packages have or bring, as they are now.
    pub(super) async fn keep_conffiles(
        &self,
        rollout: &RolloutId,
        changed: &[&LockedPackage],
    ) -> Result<BTreeMap<String, Vec<ConffileWas>>, Failure> {
        let names: Vec<&str> = changed
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        let mut book = self.manager.conffiles(&names).await?.0;
        let mut kept = BTreeMap::new();
        for package in changed {
            let known = book.remove(&package.name).unwrap_or_default();
            let mut paths: BTreeSet<PathBuf> = known.into_keys().collect();
            paths.extend(
                self.manager
                    .conffiles_in(&self.keep.package(package.sha256))
                    .await?,
            );
            let mut files = Vec::new();
            for path in paths {
                // Where there is no such folder, or no plain file, dpkg has nothing to ask either.
                let Ok(place) = Place::find(&self.settings.root, &path) else {
                    continue;
                };
                files.push(ConffileWas {
                    old: place.keep_old(&self.keep, rollout.as_str()).await?,
                    litter: litter(place.path()).into_iter().collect(),
                    left: Left::Unknown,
                    left_as: None,
                    path,
                });
            }
            kept.insert(package.name.clone(), files);
        }
        Ok(kept)
    }

    /// Puts the host's own content back where rpm set it aside, as it does with config files that their
    /// package does not mark to be kept, unless the order wants the package's. That then lies beside it, as
    /// with those that are.
    pub(super) async fn keep_own_conffiles(&self, order: &Order) -> Result<(), Failure> {
        let Some(before) = self.records.before(&order.grant.rollout)? else {
            return Ok(());
        };
        let Was::Packages { packages } = &before.was else {
            return Ok(());
        };
        let is_kept = |package: &&PackageWas| {
            order.conffiles.get(base(&package.name)) != Some(&ConffilePolicy::Replace)
        };
        for file in packages
            .iter()
            .filter(is_kept)
            .flat_map(|one| &one.conffiles)
        {
            let (Some(old), Ok(place)) = (&file.old, Place::find(&self.settings.root, &file.path))
            else {
                continue;
            };
            let (aside, brought) = (beside(place.path(), ASIDE), beside(place.path(), BROUGHT));
            let is_own = aside.is_file() && keep::digest_of(&aside).await? == old.sha256;
            if !is_own || place.digest().await? == Some(old.sha256) {
                continue;
            }
            if place.path().exists() {
                durable::rename(place.path(), &brought)?;
            }
            durable::rename(&aside, place.path())?;
        }
        Ok(())
    }
}

/// The names of what dpkg left beside a file.
fn litter(path: &Path) -> BTreeSet<String> {
    let all = LITTER.map(|ending| beside(path, ending));
    let there = all.iter().filter(|path| path.exists());
    let names = there.filter_map(|path| path.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.{ending}"))
}
