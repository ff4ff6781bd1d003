//! Puts the old packages back.

use super::Steps;
use crate::{
    packages::{
        database::{Database, State},
        transaction::{Again, Change, Conditions},
    },
    step::{
        conffiles::Folder,
        record::{ConffileWas, PackageWas},
        transaction::conditions,
    },
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    order::Order,
};
use std::{collections::BTreeSet, path::PathBuf};

/// What has to happen to one package on the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Return<'a> {
    /// It is as it was.
    Done,
    /// It is neither what it was nor what the rollout made of it: others changed it since, and it
    /// stays so.
    LeftAlone,
    /// Its old file is installed.
    Install(Digest),
    /// It was not there, and goes.
    Remove(&'a str),
    /// Its old file was never to be had.
    Impossible(&'a str),
}

impl Steps {
    pub(super) async fn roll_back_packages(
        &self,
        order: &Order,
        packages: &[PackageWas],
    ) -> Result<Vec<String>, Failure> {
        if let Err(failure) = self.make_room(order).await {
            tracing::warn!(%failure, "no room is made on a full disk");
        }
        self.wait_to_go_back(order).await?;
        let change = self.put_packages_back(order, packages);
        self.outside.drift.account(change).await
    }

    async fn put_packages_back(
        &self,
        order: &Order,
        packages: &[PackageWas],
    ) -> Result<Vec<String>, Failure> {
        let transcript = self.transcript(&order.grant.rollout, "rollback");
        let on = conditions(order, &transcript);
        let replaced: Vec<&str> = packages.iter().map(|one| one.name.as_str()).collect();
        if let Err(failure) = self.manager.repair(&replaced, on).await {
            // It may be what the patch broke.
            tracing::warn!(%failure, "dpkg could not end what was interrupted");
        }
        let change = self.way_back(packages).await?;
        let (conffiles, strayed) = self.conffiles_to_put_back(packages).await?;
        // Before the old packages: their scripts read them.
        self.put_conffiles_back(&conffiles, Folder::Awaited).await?;
        if !change.is_empty() {
            self.return_by_apt(&change, on, order).await?;
        }
        let left = self.way_back(packages).await?;
        if !left.is_empty() {
            // apt itself may be what the patch broke, and it takes nothing that is on hold.
            self.manager.force(&left, on).await?;
        }
        let left = self.way_back(packages).await?;
        if !left.is_empty() {
            let detail = format!("after the rollback, there is still to do: {left:?}");
            return Err(Failure::new(FailureKind::PackageManager, detail));
        }
        self.put_conffiles_back(&conffiles, Folder::Made).await?;
        self.restore_marks(&order.grant.rollout, on).await?;
        self.exceptions(packages, &strayed).await
    }

    /// The config files of packages that go back, and the paths of those that people changed since the
    /// patch, which are theirs. Of packages that go, those that were there before them, from an earlier
    /// installation or by hand; the rest stays, as with any package that is removed.
    async fn conffiles_to_put_back<'a>(
        &self,
        packages: &'a [PackageWas],
    ) -> Result<(Vec<&'a ConffileWas>, BTreeSet<PathBuf>), Failure> {
        let database = self.manager.database().await?;
        let goes_back = |was: &&PackageWas| return_of(was, &database) != Return::LeftAlone;
        let files = packages.iter().filter(goes_back).flat_map(|was| {
            let is_to_be = |file: &&ConffileWas| was.old.is_some() || file.old.is_some();
            was.conffiles.iter().filter(is_to_be)
        });
        let mut files: Vec<&ConffileWas> = files.collect();
        let strayed = self.strayed_conffiles(&files).await?;
        files.retain(|file| !strayed.contains(&file.path));
        Ok((files, strayed))
    }

    /// What is neither as it was nor as the rollout made it, in words. Empty: nothing.
    pub(super) async fn strayed_packages(
        &self,
        packages: &[PackageWas],
    ) -> Result<Vec<String>, Failure> {
        let database = self.manager.database().await?;
        let is_strange = |was: &&PackageWas| return_of(was, &database) == Return::LeftAlone;
        let strayed = packages.iter().filter(is_strange);
        Ok(strayed.map(|was| in_words(was, &database)).collect())
    }

    /// What is still to be done to be back. Empty: nothing.
    async fn way_back(&self, packages: &[PackageWas]) -> Result<Change, Failure> {
        let database = self.manager.database().await?;
        let mut change = Change::default();
        for package in packages {
            match return_of(package, &database) {
                Return::Done => {}
                Return::LeftAlone => {
                    tracing::warn!(package.name, "changed since by others: left as it is");
                }
                Return::Install(digest) => {
                    let old = package.old.as_ref().map_or("", |old| &old.version);
                    let what = format!("{} {old}", package.name);
                    self.require_kept(digest, &what).await?;
                    change.install.push(self.keep.package(digest));
                }
                Return::Remove(name) => change.remove.push(name.to_owned()),
                Return::Impossible(name) => {
                    let detail = format!("the old file of {name} was not to be had (one_way)");
                    return Err(Failure::new(FailureKind::NoWayBack, detail));
                }
            }
        }
        Ok(change)
    }

    /// Goes back by apt, which knows the right order. What it cannot do is left for dpkg, but for a
    /// lock or a full disk, with which dpkg fares no better.
    async fn return_by_apt(
        &self,
        change: &Change,
        on: Conditions<'_>,
        order: &Order,
    ) -> Result<(), Failure> {
        match self.manager.rehearse(change, Again::Yes).await {
            Ok(simulation) => require_named(&simulation.removals, change)?,
            Err(failure) if !change.remove.is_empty() => {
                // It could take more off than is named, and nobody would know. dpkg does not.
                tracing::warn!(%failure, "the package manager cannot say how it would go back");
                return Ok(());
            }
            // Where nothing is named, it takes nothing off.
            Err(_) => {}
        }
        match self.change(change, on, self.lock_wait(order)).await {
            Err(failure) if failure.kind.may_pass() => Err(failure),
            Err(failure) => {
                tracing::warn!(%failure, "the package manager cannot go back");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

/// A package that others need may be needed by what people installed since: dpkg would break that.
fn require_named(removals: &[String], change: &Change) -> Result<(), Failure> {
    let is_named = |name: &&String| change.remove.contains(name);
    match removals.iter().find(|name| !is_named(name)) {
        None => Ok(()),
        Some(other) => {
            let detail = format!("the way back would also remove {other}");
            Err(Failure::new(FailureKind::Dependency, detail))
        }
    }
}

fn return_of<'a>(package: &'a PackageWas, database: &Database) -> Return<'a> {
    let name = package.name.as_str();
    let now = database.0.get(name);
    let back = match &package.old {
        None if now.is_none() => return Return::Done,
        None => Return::Remove(name),
        Some(old) => old.sha256.map_or(Return::Impossible(name), Return::Install),
    };
    let Some(now) = now.filter(|now| now.state == State::Whole) else {
        // Gone, or half installed: this rollout's doing.
        return back;
    };
    match &package.old {
        Some(old) if old.version == now.version => Return::Done,
        Some(_) | None if now.version == package.new_version => back,
        Some(_) | None => Return::LeftAlone,
    }
}

fn in_words(package: &PackageWas, database: &Database) -> String {
    let now = database.version(&package.name);
    let old = package.old.as_ref().map(|old| old.version.as_str());
    format!(
        "{} is at {} and not at {}, to which the rollout brought it from {}",
        package.name,
        now.unwrap_or("none"),
        package.new_version,
        old.unwrap_or("none")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{packages::database::Entry, step::record::OldPackage};
    use std::collections::BTreeMap;

    fn package(old: Option<Option<Digest>>) -> PackageWas {
        PackageWas {
            name: "tool".to_owned(),
            new_version: "2".to_owned(),
            conffiles: Vec::new(),
            old: old.map(|sha256| OldPackage {
                version: "1".to_owned(),
                sha256,
                automatic: false,
                on_hold: false,
            }),
        }
    }

    fn host(now: Option<(&str, State)>) -> Database {
        let entry = now.map(|(version, state)| {
            let entry = Entry {
                version: version.to_owned(),
                state,
                on_hold: false,
            };
            ("tool".to_owned(), entry)
        });
        Database(BTreeMap::from_iter(entry))
    }

    #[test]
    fn each_package_has_its_own_way_back() {
        use State::{Broken, Whole};
        let old = Digest::of("old");
        let install = || Return::Install(old);
        let cases = [
            (Some(Some(old)), Some(("2", Whole)), install()),
            (Some(Some(old)), Some(("1", Whole)), Return::Done),
            (Some(Some(old)), Some(("1", Broken)), install()),
            (Some(Some(old)), Some(("2", Broken)), install()),
            (Some(Some(old)), None, install()),
            (Some(Some(old)), Some(("3", Whole)), Return::LeftAlone),
            (Some(None), Some(("2", Whole)), Return::Impossible("tool")),
            (Some(None), Some(("1", Whole)), Return::Done),
            (None, Some(("2", Whole)), Return::Remove("tool")),
            (None, Some(("2", Broken)), Return::Remove("tool")),
            (None, Some(("3", Whole)), Return::LeftAlone),
            (None, None, Return::Done),
        ];
        for (was, now, expected) in cases {
            assert_eq!(
                return_of(&package(was), &host(now)),
                expected,
                "{was:?} {now:?}"
            );
        }
    }
}
