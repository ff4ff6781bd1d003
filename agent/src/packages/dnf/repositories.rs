//! What the repositories offer, by dnf.
//!
//! What an installation would bring is found out by fetching it: dnf resolves it, and each file says itself
//! what it is. So exact bits are known without a word of dnf's tables, and are here when they are staged.

use super::{Dnf, dotted, holder, label};
use crate::{
    host::{command::Command, root::Root},
    packages::{
        archive::{Exactly, files_in},
        database::full_name,
        simulation::{Install, Origin, Simulation},
        transaction::{Again, Change},
        upgrade::source::{Source, Sources},
        waiting,
    },
};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    package::PackageFormat,
    patch::VersionWish,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    time::Duration,
};
use tokio::time::Instant;

/// How long an update may take (guess: dnf's own time-out is 30 s a repository and try).
const UPDATE_DEADLINE: Duration = Duration::from_secs(300);

/// How long fetching a patch's packages may take (guess: 1 GB at 2 Mbit/s).
pub(super) const FETCH_DEADLINE: Duration = Duration::from_secs(4000);

/// What dnf is always told: nothing is asked, a lock is no reason to wait for ever, and an update that
/// misses a repository has failed.
const ALWAYS: [&str; 7] = [
    "--assumeyes",
    "--quiet",
    "--best",
    "--color=never",
    "--setopt=exit_on_lock=True",
    "--setopt=skip_if_unavailable=False",
    "--setopt=keepcache=False",
];

/// The format in which installed packages are asked for their source packages.
const SOURCES: &str = "%{NAME}|%{ARCH}|%{EPOCHNUM}|%{SOURCERPM}\n";

/// Who brings packages to a host with rpm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repositories {
    /// dnf.
    Dnf,
    /// zypper, which is not asked.
    Zypper,
}

impl Repositories {
    /// Who brings them to the hosts of a root.
    pub fn of(root: &Root) -> Self {
        let has = |program: &str| root.join("usr/bin").join(program).exists();
        match has("zypper") && !has("dnf") {
            true => Self::Zypper,
            false => Self::Dnf,
        }
    }
}

impl Dnf {
    /// Brings what dnf knows of the repositories up to date, unless an update that was begun after `since`
    /// has done so. One at a time: those who ask while one runs share the next. Another dnf is waited for,
    /// as long as `lock_wait`.
    ///
    /// # Errors
    /// A [`Failure`] when any repository could not be read whole.
    pub async fn update(&self, since: Instant, lock_wait: Duration) -> Result<(), Failure> {
        // Held while dnf works: being the only one is what it is for.
        let mut updated = self.updated.lock().await;
        if updated.is_some_and(|begun| begun >= since) {
            return Ok(());
        }
        waiting::until_free(|| holder::of_look(&self.root), lock_wait).await?;
        let begun = Instant::now();
        let command = self.dnf()?.args(["--refresh", "makecache"]);
        self.must(&command.deadline(UPDATE_DEADLINE)).await?;
        *updated = Some(begun);
        Ok(())
    }

    /// What an installation from the repositories would do, without doing it.
    ///
    /// # Errors
    /// [`FailureKind::NotFound`] names what no repository has; any other [`Failure`] says why dnf cannot.
    pub async fn simulate(
        &self,
        packages: &BTreeMap<String, VersionWish>,
    ) -> Result<Simulation, Failure> {
        let wishes = packages.iter().map(|(name, wish)| match wish {
            VersionWish::Latest => dotted(name),
            VersionWish::Exactly(version) => Exactly { name, version }.nevra(),
        });
        self.resolve(&["install"], wishes.collect()).await
    }

    /// What the upgrade of these packages to the newest version would do, without doing it. What is only
    /// recommended stays away.
    ///
    /// # Errors
    /// A [`Failure`] that says why dnf cannot.
    pub async fn upgrade_of(&self, names: &[&str]) -> Result<Simulation, Failure> {
        let words = ["--setopt=install_weak_deps=False", "upgrade"];
        let names = names.iter().map(|name| dotted(name)).collect();
        self.resolve(&words, names).await
    }

    /// The upgrades that dnf would make now and that a repository marks as security updates.
    ///
    /// # Errors
    /// A [`Failure`] when dnf cannot be asked, or no repository says which updates those are.
    pub async fn pending(&self) -> Result<Simulation, Failure> {
        let asked = [
            "repoquery",
            "--upgrades",
            "--security",
            "--qf",
            "%{name}|%{arch}",
        ];
        let answer = self.answer(&self.dnf()?.args(asked)).await?;
        let names = names(&answer, &self.architecture().await?);
        if names.is_empty() {
            self.require_advisories().await?;
        }
        let database = self.database().await?;
        let installed = names.into_iter().filter_map(|name| {
            let version = database.0.get(&name)?.version.clone();
            Some(Install {
                name,
                installed: Some(version.clone()),
                version,
                origins: vec![Origin::security()],
            })
        });
        Ok(Simulation {
            installs: installed.collect(),
            removals: Vec::new(),
        })
    }

    /// A repository that says of no update that it is for security is not one whose hosts need none.
    async fn require_advisories(&self) -> Result<(), Failure> {
        let command = self.dnf()?.args(["updateinfo", "list", "--all"]);
        if !self.answer(&command).await?.trim().is_empty() {
            return Ok(());
        }
        let detail =
            "no repository of this host says which updates are for security: name the packages";
        Err(Failure::new(FailureKind::Unsupported, detail))
    }

    /// Fetches what dnf would install into the folder of what was resolved last, and says what it is.
    async fn resolve(&self, words: &[&str], names: Vec<String>) -> Result<Simulation, Failure> {
        let folder = self.emptied(RESOLVED)?;
        let command = self
            .dnf()?
            .args(["--downloadonly", "--destdir"])
            .arg(&folder);
        let command = command.args(words).args(names).deadline(FETCH_DEADLINE);
        self.must(&command).await?;
        let files = files_in(&folder, PackageFormat::Rpm)?;
        if files.is_empty() {
            return Ok(Simulation::default());
        }
        let change = Change {
            install: files,
            remove: Vec::new(),
        };
        self.rehearse(&change, Again::No).await
    }

    /// The source packages of what is installed.
    ///
    /// # Errors
    /// A [`Failure`] when the database cannot be read.
    pub async fn sources(&self) -> Result<Sources, Failure> {
        let architecture = self.architecture().await?;
        let answer = self
            .answer(&self.rpm().args(["-qa", "--qf", SOURCES]))
            .await?;
        Ok(sources(&answer, &architecture))
    }

    /// dnf on this root.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`] when something else brings the packages of this host.
    pub(super) fn dnf(&self) -> Result<Command, Failure> {
        self.dnf_at(None)
    }

    /// The same, fetching no more than `rate` KiB a second. Absent: as the host says.
    ///
    /// # Errors
    /// As [`dnf`](Self::dnf).
    pub(super) fn dnf_at(&self, rate: Option<NonZeroU32>) -> Result<Command, Failure> {
        match self.repositories {
            Repositories::Dnf => {}
            Repositories::Zypper => {
                let detail = "zypper brings the packages of this host, and Cofferdam patches by apt and \
                              dnf only: patch it by zypper, in a reservation of the host";
                return Err(Failure::new(FailureKind::Unsupported, detail));
            }
        }
        let mut command = Command::new("dnf").args(ALWAYS);
        if let Some(rate) = rate.or(self.rate) {
            command = command.arg(format!("--setopt=throttle={rate}k"));
        }
        if self.root.is_machine() {
            return Ok(command.low());
        }
        let root = self.root.path().display();
        Ok(command
            .arg(format!("--installroot={root}"))
            .arg(format!("--setopt=reposdir={root}/etc/yum.repos.d"))
            // It would take the machine's folder of packages for a repository.
            .arg("--disableplugin=local"))
    }
}

/// The folder of what was resolved last, in the agent's own.
pub(super) const RESOLVED: &str = "resolved";

/// Reads lines of `name|architecture`. Those of another form are left out.
pub fn names(text: &str, architecture: &str) -> BTreeSet<String> {
    let names = text.lines().filter_map(|line| {
        let (name, of) = line.split_once('|')?;
        (!name.is_empty()).then(|| full_name(name, of, architecture))
    });
    names.collect()
}

/// Reads the answer to [`SOURCES`]. Lines of another form are left out.
pub fn sources(text: &str, architecture: &str) -> Sources {
    let sources = text.lines().filter_map(|line| {
        let mut columns = line.split('|');
        let (name, of, epoch) = (columns.next()?, columns.next()?, columns.next()?);
        let (source, version) = label::source(columns.next()?)?;
        let version = super::database::version(epoch, &version)?;
        (!name.is_empty()).then(|| {
            let source = Source {
                name: source,
                version,
            };
            (full_name(name, of, architecture), source)
        })
    });
    Sources(sources.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together by hand, in the form of rpm 4.18.0 with [`SOURCES`].
    const SAMPLE: &str = "\
openssl-libs|x86_64|1|openssl-3.0.7-24.el9.src.rpm
glibc|i686|0|glibc-2.34-60.el9.src.rpm
gpg-pubkey|(none)|0|(none)
";

    #[test]
    fn packages_are_found_by_the_source_that_they_are_of() {
        let sources = sources(SAMPLE, "x86_64").0;
        let names: Vec<_> = sources.keys().map(String::as_str).collect();
        assert_eq!(names, ["glibc:i686", "openssl-libs"]);
        assert_eq!(sources["openssl-libs"].version, "1:3.0.7-24.el9");
    }
}
