//! The text of a lock file: written when a rollout is planned, read back when it is started.
//!
//! It says its own digest, so that an edit by hand is found before anything is staged.

mod config;
mod upgrade;

#[cfg(test)]
mod tests;

use crate::{
    advisory::AdvisoryIdError,
    digest::{Digest, DigestError},
    document::{self, Mistakes, Table, quote},
    id::{NameError, RolloutId},
    inventory::Platform,
    package::{self, PackageError},
    patch::{LockFile, Locked, LockedPackage, LockedPlatform, MAX_FILES, SourceError},
};
use std::fmt::Write as _;

/// Every mistake of a lock file.
pub type LockErrors = Mistakes<Refusal>;

/// Why a value of a lock file, or how it goes with others, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not a digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// It is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is not a package's name or version.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A part of a platform's name that is none.
    #[error("`{0}` names no release or architecture: letters, digits, `.`, `_` and `-`")]
    Platform(String),
    /// Two entries for one platform.
    #[error("the platform {0} stands there twice; keep one")]
    PlatformTwice(Platform),
    /// Two entries for one package of a platform.
    #[error("the package {0} stands there twice; keep one")]
    PackageTwice(String),
    /// A package of an upgrade that is needed by, or is, one that is not locked.
    #[error(
        "the package {0} is not among the locked ones; make the file anew with `cofferdam plan`"
    )]
    NotLocked(String),
    /// It is not an advisory's id.
    #[error(transparent)]
    Advisory(#[from] AdvisoryIdError),
    /// It is no source of a config file.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It is no path of a host.
    #[error("`{0}` is no path of a file on a host")]
    HostPath(String),
    /// It is no commit.
    #[error("`{0}` is no commit of a git repository")]
    Commit(String),
    /// No file, or more than one patch has.
    #[error("{0} files are no patch: 1 to {MAX_FILES} are")]
    Files(usize),
    /// The digest is not that of the content.
    #[error(
        "the file was edited by hand: what it holds has the digest {actual}; make it anew with `cofferdam plan --relock`"
    )]
    Edited {
        /// The digest of what it holds.
        actual: Digest,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Packages,
    Config,
    Noop,
}

const KINDS: [(&str, Kind); 3] = [
    ("packages", Kind::Packages),
    ("config", Kind::Config),
    ("noop", Kind::Noop),
];

/// Writes a lock file as text that [`parse`] reads back as the same lock file.
pub fn format(lock: &LockFile) -> String {
    let mut text = format!(
        "# Written by `cofferdam plan`: the exact bits that every wave installs.\n\
         # Do not edit it: its digest would no longer match.\n\
         rollout = {}\ndigest = \"{}\"\n",
        quote(&lock.rollout),
        lock.digest()
    );
    match &lock.content {
        Locked::Packages { platforms } => {
            text += "kind = \"packages\"\n";
            for entry in platforms {
                write_platform(&mut text, entry);
            }
        }
        Locked::Config(files) => {
            text += "kind = \"config\"\n";
            config::write(&mut text, files);
        }
        Locked::Noop => text += "kind = \"noop\"\n",
    }
    text
}

fn write_platform(text: &mut String, entry: &LockedPlatform) {
    let Platform {
        os_release,
        architecture,
    } = &entry.platform;
    *text += "\n[[platform]]\n";
    *text += &format!("os_release = {}\n", quote(os_release));
    *text += &format!("architecture = {}\npackages = [\n", quote(architecture));
    for package in &entry.packages {
        let LockedPackage {
            name,
            version,
            sha256,
            size,
        } = package;
        writeln!(
            text,
            "  {{ name = {}, version = {}, sha256 = \"{sha256}\", size = {size} }},",
            quote(name),
            quote(version)
        )
        .expect("a String takes all that is written to it");
    }
    *text += "]\n";
    upgrade::write(text, entry);
}

/// Reads the text of a lock file; `file` is what its mistakes call it.
///
/// # Errors
/// Every mistake of the file, when there is any; a digest that is not that of the content is one.
pub fn parse(file: &str, text: &str) -> Result<LockFile, LockErrors> {
    document::read(file, text, read)
}

fn read(mut top: Table<'_, Refusal>) -> Option<LockFile> {
    top.require("rollout", "rollout = \"openssl-2026-11\"");
    top.require("digest", "digest = \"..\"");
    top.require("kind", "kind = \"packages\"");
    let rollout = top.text("rollout", |text| RolloutId::new(text));
    let written = top.text("digest", Digest::parse);
    let content = match top.choice("kind", &KINDS) {
        Some(Kind::Packages) => platforms(&mut top),
        Some(Kind::Config) => config::read(&mut top),
        Some(Kind::Noop) => Some(Locked::Noop),
        None => {
            top.know(&["platform", "file"]);
            None
        }
    };
    let lock = rollout.zip(content).map(|(rollout, content)| LockFile {
        rollout: rollout.into(),
        content,
    });
    let actual = lock.as_ref().map(LockFile::digest);
    if let (Some(written), Some(actual)) = (written, actual)
        && written != actual
    {
        top.refuse("digest", Refusal::Edited { actual });
    }
    top.finish(&[], &[]);
    lock
}

/// The platforms of a lock file. None at all is possible: then no host can be patched, which the
/// plan says.
fn platforms(top: &mut Table<'_, Refusal>) -> Option<Locked> {
    let tables = top.tables("platform", "[[platform]]").unwrap_or_default();
    let mut platforms: Vec<LockedPlatform> = Vec::new();
    let mut is_whole = true;
    for mut table in tables {
        let read = platform(&mut table);
        let known = read.as_ref().filter(|entry| {
            platforms
                .iter()
                .any(|other| other.platform == entry.platform)
        });
        if let Some(entry) = known {
            let twice = Refusal::PlatformTwice(entry.platform.clone());
            table.refuse("os_release", twice);
        }
        table.finish(&[], &[]);
        is_whole &= read.is_some();
        platforms.extend(read);
    }
    is_whole.then_some(Locked::Packages { platforms })
}

fn platform(table: &mut Table<'_, Refusal>) -> Option<LockedPlatform> {
    table.require("os_release", "os_release = \"debian-12\"");
    table.require("architecture", "architecture = \"amd64\"");
    table.require("packages", "packages = []");
    let os_release = table.text("os_release", platform_part);
    let architecture = table.text("architecture", platform_part);
    let rows = table.tables("packages", "packages")?;
    let mut packages: Vec<LockedPackage> = Vec::new();
    let mut is_whole = true;
    for mut row in rows {
        let read = locked_package(&mut row);
        row.finish(&[], &[]);
        is_whole &= read.is_some();
        packages.extend(read);
    }
    refuse_twice(table, &packages);
    let reach = upgrade::reach(table, &packages);
    let fixes = upgrade::fixes(table);
    let platform = Platform {
        os_release: os_release?,
        architecture: architecture?,
    };
    is_whole.then_some(LockedPlatform {
        platform,
        packages,
        reach: reach?,
        fixes: fixes?,
    })
}

fn refuse_twice(table: &Table<'_, Refusal>, packages: &[LockedPackage]) {
    let mut names: Vec<_> = packages.iter().map(|package| &package.name).collect();
    names.sort();
    for pair in names.windows(2) {
        if pair[0] == pair[1] {
            table.refuse("packages", Refusal::PackageTwice(pair[0].clone()));
        }
    }
}

fn locked_package(row: &mut Table<'_, Refusal>) -> Option<LockedPackage> {
    row.require("name", "name = \"openssl\"");
    row.require("version", "version = \"3.0.15-1\"");
    row.require("sha256", "sha256 = \"..\"");
    row.require("size", "size = 100");
    let name = row.text("name", |text| {
        package::check_name(text).map(|()| text.to_owned())
    });
    let version = row.text("version", |text| {
        package::check_version(text).map(|()| text.to_owned())
    });
    let sha256 = row.text("sha256", Digest::parse);
    let size = row.count("size", 0);
    Some(LockedPackage {
        name: name?,
        version: version?,
        sha256: sha256?,
        size: size?,
    })
}

fn platform_part(text: &str) -> Result<String, Refusal> {
    let is_good = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    if !is_good {
        return Err(Refusal::Platform(text.to_owned()));
    }
    Ok(text.to_owned())
}
