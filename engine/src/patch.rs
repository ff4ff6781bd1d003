//! What a rollout changes on a host, as its file says it and as its lock file fixes it.

mod config;
mod files;
mod source;
#[cfg(test)]
mod tests;

pub use config::{
    ConfigFile, ConfigPatch, FileMode, LockedFile, LockedFrom, LockedSource, OwnerName, Rights,
    RightsError,
};
pub use files::{Files, MAX_FILES};
pub use source::{GitSource, Source, SourceError};

use crate::{
    digest::Digest,
    inventory::{PackageSet, Platform},
    reach::Reach,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
};

/// What a rollout changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Patch {
    /// Packages, by name, each to a wished version.
    Packages {
        /// Name to wish. Not empty.
        packages: BTreeMap<String, VersionWish>,
    },
    /// Every upgrade that the hosts' repositories mark as a security update.
    Security,
    /// The upgrades that an advisory asks for.
    Advisory(AdvisoryPatch),
    /// Config files, as one unit.
    Config(ConfigPatch),
    /// Nothing: practice. Every step runs but what would change the host.
    Noop,
}

impl Patch {
    /// The names that two live rollouts must not share on one host (promise 9): packages by name,
    /// files by path. Those of upgrades stand in the lock file alone.
    pub fn subjects(&self, lock: &LockFile) -> Vec<String> {
        match self {
            Self::Packages { packages } => {
                packages.keys().map(|p| format!("package {p}")).collect()
            }
            Self::Security | Self::Advisory(_) => {
                let names = lock.packages().map(|p| format!("package {}", p.name));
                names.collect::<BTreeSet<_>>().into_iter().collect()
            }
            Self::Config(config) => {
                let paths = config.files.iter().map(|file| file.path.display());
                paths.map(|path| format!("file {path}")).collect()
            }
            Self::Noop => Vec::new(),
        }
    }
}

/// An advisory, and where the operator has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvisoryPatch {
    /// Its id, as in `DSA-5678-1` or `CVE-2026-12345`.
    pub id: String,
    /// The file that holds it, beside the rollout file: of the Debian security tracker, or of OSV.
    pub file: PathBuf,
}

/// The version that a rollout file wishes for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum VersionWish {
    /// The newest that the host's repositories offer when the lock file is made.
    Latest,
    /// Exactly this one.
    Exactly(String),
}

impl From<String> for VersionWish {
    fn from(text: String) -> Self {
        if text == "latest" {
            Self::Latest
        } else {
            Self::Exactly(text)
        }
    }
}

impl From<VersionWish> for String {
    fn from(wish: VersionWish) -> String {
        wish.to_string()
    }
}

impl fmt::Display for VersionWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latest => "latest",
            Self::Exactly(version) => version,
        })
    }
}

/// Whether a run may reboot its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RebootPolicy {
    /// It must not.
    Never,
    /// It reboots when the host says after apply that it needs to.
    #[default]
    IfRequired,
    /// It always reboots.
    Always,
}

/// Whether a run restarts units whose processes still run what it replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// It only says which they are.
    Never,
    /// It restarts them, but those that the host keeps back.
    #[default]
    IfRequired,
}

impl RestartPolicy {
    /// What an order means that was made before there was a choice.
    pub fn of_older() -> Self {
        Self::Never
    }
}

/// How a host comes back from a kernel that a patch brought and that does not boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelFallback {
    /// The new kernel is booted once and becomes the default only after verify; a host whose boot loader
    /// cannot do that does not take the patch.
    #[default]
    OneShot,
    /// By itself it does not: the new kernel is the default at once, as the host's packages have it.
    None,
}

impl KernelFallback {
    /// What an order means that was made before there was a choice.
    pub fn of_older() -> Self {
        Self::None
    }
}

/// What becomes of a config file that came with a package, when the host's people changed it and the
/// new package brings another content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConffilePolicy {
    /// The host's own stays.
    #[default]
    Keep,
    /// The package's takes its place.
    Replace,
    /// The host is not patched.
    Fail,
}

/// Package to policy. One that is not there has the default.
pub type ConffilePolicies = BTreeMap<String, ConffilePolicy>;

/// One package of a lock file: the exact bits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LockedPackage {
    /// The package's name.
    pub name: String,
    /// The exact version.
    pub version: String,
    /// The digest of the package file.
    pub sha256: Digest,
    /// The size of the package file in bytes.
    pub size: u64,
}

/// The exact bits that a patch resolved to. Every wave installs these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockFile {
    /// The rollout that it belongs to, by name.
    pub rollout: String,
    /// What is locked.
    pub content: Locked,
}

/// What a lock file locks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Locked {
    /// The closure of packages for each platform.
    Packages {
        /// Platform to packages, in order of names. A platform that is not here cannot be patched.
        platforms: Vec<LockedPlatform>,
    },
    /// The files of a config patch, in its order.
    Config(Files<LockedSource>),
    /// Nothing, for practice.
    Noop,
}

/// The packages of one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedPlatform {
    /// For which release and architecture.
    pub platform: Platform,
    /// The whole closure: what a host of this platform has installed afterwards, as far as `reach`
    /// puts it there.
    pub packages: Vec<LockedPackage>,
    /// Which of them go on which hosts.
    #[serde(default)]
    pub reach: Reach,
    /// The fixes that they are. Absent: the patch is of no advisory.
    #[serde(default)]
    pub fixes: Option<Fixes>,
}

/// What an advisory says of one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixes {
    /// The advisory's id.
    pub advisory: String,
    /// Source package to the version that fixes it. Empty: the advisory names no fix there.
    pub sources: BTreeMap<String, String>,
}

impl LockFile {
    /// The digest that names this lock file: coverage and warrants go by it. Denials go by
    /// [`Content::bits`], in which the rollout's name has no part.
    pub fn digest(&self) -> Digest {
        let mut text = format!("{}\n", self.rollout);
        match &self.content {
            Locked::Packages { platforms } => {
                for entry in platforms {
                    text += &entry.digested();
                }
            }
            Locked::Config(files) => text.extend(files.iter().map(LockedSource::digested)),
            Locked::Noop => text += "noop\n",
        }
        Digest::of(text)
    }

    /// The bits of every platform, each once: what a denial of this patch names.
    pub fn bits(&self, patch: &Patch) -> BTreeSet<Digest> {
        match &self.content {
            Locked::Packages { platforms } => platforms
                .iter()
                .filter_map(|entry| self.content_for(&entry.platform, patch)?.bits())
                .collect(),
            Locked::Config(files) => match patch {
                Patch::Config(config) => {
                    BTreeSet::from([config.bits(&files.map(|one| one.file.clone()))])
                }
                Patch::Packages { .. } | Patch::Security | Patch::Advisory(_) | Patch::Noop => {
                    BTreeSet::new()
                }
            },
            Locked::Noop => BTreeSet::new(),
        }
    }

    /// Every locked package, platform by platform.
    pub fn packages(&self) -> impl Iterator<Item = &LockedPackage> {
        let platforms: &[LockedPlatform] = match &self.content {
            Locked::Packages { platforms } => platforms,
            Locked::Config(_) | Locked::Noop => &[],
        };
        platforms.iter().flat_map(|entry| &entry.packages)
    }

    /// What a host of this platform is to have. Nothing when the lock file leaves it out.
    pub fn content_for(&self, platform: &Platform, patch: &Patch) -> Option<Content> {
        match (&self.content, patch) {
            (
                Locked::Packages { platforms },
                Patch::Packages { .. } | Patch::Security | Patch::Advisory(_),
            ) => platforms
                .iter()
                .find(|entry| entry.platform == *platform)
                .map(|entry| Content::Packages {
                    packages: entry.packages.clone(),
                    reach: entry.reach.clone(),
                }),
            (Locked::Config(files), Patch::Config(config)) => {
                config.is_locked_by(files).then(|| Content::Config {
                    config: config.clone(),
                    files: files.map(|one| one.file.clone()),
                })
            }
            (Locked::Noop, Patch::Noop) => Some(Content::Noop),
            (Locked::Packages { .. } | Locked::Config(_) | Locked::Noop, _) => None,
        }
    }
}

impl Content {
    /// Whether a host of a platform that has `installed` has nothing to change: what an upgrade brings it has, or is
    /// ahead of. Never so of packages that are named, and of a file.
    pub fn is_nothing_for(&self, platform: &Platform, installed: &PackageSet) -> bool {
        match self {
            Self::Packages { packages, reach } => {
                reach.leaves_alone(packages, platform.package_format(), installed)
            }
            Self::Config { .. } | Self::Noop => false,
        }
    }
}

impl LockedPlatform {
    /// What the lock file's digest is of: one line a package, and what is said beside them.
    fn digested(&self) -> String {
        let mut text = format!("{}\n", self.platform);
        for p in &self.packages {
            text += &format!("{} {} {} {}\n", p.name, p.version, p.sha256, p.size);
        }
        if let Reach::Upgrade { needed_by } = &self.reach {
            text += "upgrade\n";
            for (name, by) in needed_by {
                let by: Vec<&str> = by.iter().map(String::as_str).collect();
                text += &format!("{name} needed by {}\n", by.join(" "));
            }
        }
        if let Some(Fixes { advisory, sources }) = &self.fixes {
            text += &format!("advisory {advisory}\n");
            for (source, version) in sources {
                text += &format!("source {source} {version}\n");
            }
        }
        text
    }
}

/// What one host is to stage and apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Content {
    /// These packages, exactly.
    Packages {
        /// The whole closure for the host's platform.
        packages: Vec<LockedPackage>,
        /// Which of them go on the host.
        #[serde(default)]
        reach: Reach,
    },
    /// These config files.
    Config {
        /// Where they go and what follows.
        config: ConfigPatch,
        /// The exact bits of each, in the same order.
        #[serde(rename = "file")]
        files: Files<LockedFile>,
    },
    /// Nothing, for practice.
    Noop,
}

impl Content {
    /// The digest of what is installed, whatever rollout brings it: what a denial names. Nothing of
    /// practice, which installs nothing.
    pub fn bits(&self) -> Option<Digest> {
        match self {
            Self::Packages { packages, .. } => {
                let mut lines: Vec<String> = packages
                    .iter()
                    .map(|p| format!("{} {} {} {}\n", p.name, p.version, p.sha256, p.size))
                    .collect();
                lines.sort();
                Some(Digest::of(lines.concat()))
            }
            Self::Config { config, files } => Some(config.bits(files)),
            Self::Noop => None,
        }
    }
}
