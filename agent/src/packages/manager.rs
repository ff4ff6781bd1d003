//! The package manager of a host, whichever it is: steps ask all of it the same.

use super::{
    Apt, Dnf,
    archive::{Download, Exactly},
    conffile::Conffiles,
    database::Database,
    needs::Needs,
    scripts,
    simulation::Simulation,
    stanza::Label,
    transaction::{Again, Change, Conditions},
    upgrade::{offer::Offer, source::Sources},
};
use crate::host::leftover;
use cofferdam_engine::{
    failure::Failure,
    package::PackageFormat,
    patch::{LockedPackage, VersionWish},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// apt above dpkg, or dnf above rpm. What each answer means stands at the first.
pub enum Manager {
    /// apt and dpkg.
    Apt(Apt),
    /// dnf and rpm.
    Dnf(Dnf),
}

/// The same of either.
macro_rules! of {
    ($manager:expr, $one:ident => $answer:expr) => {
        match $manager {
            Manager::Apt($one) => $answer,
            Manager::Dnf($one) => $answer,
        }
    };
}

#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each stands at `Apt` and `Dnf`"
)]
impl Manager {
    /// Whose packages they are.
    pub fn format(&self) -> PackageFormat {
        match self {
            Self::Apt(_) => PackageFormat::Deb,
            Self::Dnf(_) => PackageFormat::Rpm,
        }
    }

    /// What people call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Apt(_) => "apt",
            Self::Dnf(_) => "dnf",
        }
    }

    pub async fn architecture(&self) -> Result<String, Failure> {
        of!(self, one => one.architecture().await)
    }

    pub async fn database(&self) -> Result<Database, Failure> {
        of!(self, one => one.database().await)
    }

    /// The file of its database that it writes anew with each change.
    pub async fn book(&self) -> Result<PathBuf, Failure> {
        match self {
            Self::Apt(apt) => Ok(apt.book()),
            Self::Dnf(dnf) => dnf.book().await,
        }
    }

    pub async fn label(&self, file: &Path) -> Result<Label, Failure> {
        of!(self, one => one.label(file).await)
    }

    pub async fn name_of(&self, label: &Label) -> Result<String, Failure> {
        of!(self, one => one.name_of(label).await)
    }

    /// Makes sure that a package file is the installed version of a package. `tree` must not exist.
    pub async fn require_installed_from(
        &self,
        file: &Path,
        name: &str,
        tree: &Path,
    ) -> Result<(), Failure> {
        match self {
            Self::Apt(apt) => apt.require_installed_from(file, name, tree).await,
            Self::Dnf(dnf) => dnf.require_installed_from(file, name).await,
        }
    }

    /// Makes sure that a package file is not much larger than the installed version, before any of it is unpacked.
    /// Of rpm's nothing is.
    pub async fn require_same_size(&self, file: &Path, name: &str) -> Result<(), Failure> {
        match self {
            Self::Apt(apt) => apt.require_same_size(file, name).await,
            Self::Dnf(_) => Ok(()),
        }
    }

    /// Makes sure that a package file is another copy of the installed one, by what says what is in it. Nothing
    /// stands against a forged file. `folder` must be empty.
    pub async fn require_same_build(
        &self,
        file: &Path,
        name: &str,
        folder: &Path,
    ) -> Result<(), Failure> {
        match self {
            Self::Apt(apt) => apt.require_same_build(file, name, folder).await,
            Self::Dnf(dnf) => dnf.require_same_build(file, name).await,
        }
    }

    /// Waits until nobody else changes packages.
    pub async fn wait_to_change(&self, limit: Duration) -> Result<(), Failure> {
        of!(self, one => one.wait_to_change(limit).await)
    }

    /// Waits for a change that an earlier agent began, with a watch over its scripts.
    pub async fn see_out(&self, limit: Duration, script_deadline: Duration) -> Result<(), Failure> {
        let running = of!(self, one => one.running());
        scripts::seen_out(running, limit, script_deadline).await
    }

    /// Ends such a change, with all of its group.
    pub fn end_leftover(&self) -> Result<(), Failure> {
        Ok(leftover::end(of!(self, one => one.running()))?)
    }

    pub async fn update(&self, since: Instant, lock_wait: Duration) -> Result<(), Failure> {
        of!(self, one => one.update(since, lock_wait).await)
    }

    pub async fn simulate(
        &self,
        packages: &BTreeMap<String, VersionWish>,
    ) -> Result<Simulation, Failure> {
        of!(self, one => one.simulate(packages).await)
    }

    pub async fn locked(
        &self,
        wanted: &[Exactly<'_>],
    ) -> Result<Vec<Option<LockedPackage>>, Failure> {
        of!(self, one => one.locked(wanted).await)
    }

    pub async fn fetch(
        &self,
        wanted: &[Exactly<'_>],
        download: Download<'_>,
    ) -> Result<(), Failure> {
        of!(self, one => one.fetch(wanted, download).await)
    }

    pub fn cached(&self, wanted: Exactly<'_>) -> Result<Vec<PathBuf>, Failure> {
        of!(self, one => one.cached(wanted))
    }

    pub async fn pending(&self) -> Result<Simulation, Failure> {
        of!(self, one => one.pending().await)
    }

    pub async fn upgrade_of(&self, names: &[&str]) -> Result<Simulation, Failure> {
        of!(self, one => one.upgrade_of(names).await)
    }

    pub async fn offers(&self, wanted: &[Exactly<'_>]) -> Result<Vec<Option<Offer>>, Failure> {
        of!(self, one => one.offers(wanted).await)
    }

    pub async fn sources(&self) -> Result<Sources, Failure> {
        of!(self, one => one.sources().await)
    }

    pub async fn rehearse(&self, change: &Change, again: Again) -> Result<Simulation, Failure> {
        of!(self, one => one.rehearse(change, again).await)
    }

    pub async fn rehearse_after(
        &self,
        installed: &[PathBuf],
        change: &Change,
        folder: &Path,
    ) -> Result<Simulation, Failure> {
        of!(self, one => one.rehearse_after(installed, change, folder).await)
    }

    pub async fn change(&self, change: &Change, on: Conditions<'_>) -> Result<(), Failure> {
        of!(self, one => one.change(change, on).await)
    }

    pub async fn force(&self, change: &Change, on: Conditions<'_>) -> Result<(), Failure> {
        of!(self, one => one.force(change, on).await)
    }

    pub async fn repair(&self, except: &[&str], on: Conditions<'_>) -> Result<(), Failure> {
        match self {
            Self::Apt(apt) => apt.repair(except, on).await,
            // rpm leaves nothing that it could end without the packages' files.
            Self::Dnf(_) => Ok(()),
        }
    }

    pub async fn automatic(&self) -> Result<BTreeSet<String>, Failure> {
        of!(self, one => one.automatic().await)
    }

    pub async fn mark_automatic(&self, names: &[&str], on: Conditions<'_>) -> Result<(), Failure> {
        of!(self, one => one.mark_automatic(names, on).await)
    }

    /// What each of some packages needs. Of rpm's it is not asked: dnf itself bounds how many kernels stay.
    pub async fn needs(&self, names: &[&str]) -> Result<Needs, Failure> {
        match self {
            Self::Apt(apt) => apt.needs(names).await,
            Self::Dnf(_) => Ok(Needs::new()),
        }
    }

    pub async fn conffiles(&self, names: &[&str]) -> Result<Conffiles, Failure> {
        of!(self, one => one.conffiles(names).await)
    }

    pub async fn conffiles_in(&self, file: &Path) -> Result<Vec<PathBuf>, Failure> {
        of!(self, one => one.conffiles_in(file).await)
    }

    pub async fn unpack(&self, file: &Path, paths: &[&Path], into: &Path) -> Result<(), Failure> {
        of!(self, one => one.unpack(file, paths, into).await)
    }

    pub async fn sums(&self, paths: &[PathBuf]) -> Result<BTreeMap<PathBuf, String>, Failure> {
        of!(self, one => one.sums(paths).await)
    }

    pub async fn foreign_files(&self, names: &[&str]) -> Result<Vec<PathBuf>, Failure> {
        of!(self, one => one.foreign_files(names).await)
    }
}
