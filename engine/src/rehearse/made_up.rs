//! A lock file of bits that nobody resolved, for rehearsals of rollouts that have none yet.

use crate::{
    digest::Digest,
    inventory::{Host, Platform},
    patch::{
        LockFile, Locked, LockedFile, LockedPackage, LockedPlatform, LockedSource, Patch,
        VersionWish,
    },
    reach::Reach,
    spec::Spec,
};
use std::collections::BTreeSet;

/// How large a made-up package or file is, in bytes.
const SIZE: u64 = 1_000_000;

/// The version of a package of which the newest is wanted: above all others.
const NEWEST: &str = "9999:rehearsed";

/// What a rollout's file says that only a lock file says more of: then no bits can be made up.
pub fn unknown(spec: &Spec) -> Option<&'static str> {
    match spec.patch() {
        Patch::Security => Some("security"),
        Patch::Advisory(_) => Some("advisory"),
        Patch::Packages { .. } | Patch::Config(_) | Patch::Noop => None,
    }
}

/// A lock file for a rollout over hosts, with bits that are not to be had. Nothing where what goes on hosts
/// is [`unknown`] until it was resolved.
pub fn lock_file(spec: &Spec, hosts: &[Host]) -> Option<LockFile> {
    let content = match spec.patch() {
        Patch::Packages { packages } => {
            let platforms: BTreeSet<&Platform> =
                hosts.iter().map(|host| &host.facts.platform).collect();
            let platforms = platforms.into_iter().map(|platform| LockedPlatform {
                platform: platform.clone(),
                packages: packages
                    .iter()
                    .map(|(name, wish)| package(name, wish))
                    .collect(),
                reach: Reach::Every,
                fixes: None,
            });
            Locked::Packages {
                platforms: platforms.collect(),
            }
        }
        Patch::Config(config) => Locked::Config(config.files.map(|file| {
            let bits = LockedFile {
                sha256: Digest::of(file.source.to_string()),
                size: SIZE,
            };
            LockedSource::named(file, bits, None)
        })),
        Patch::Noop => Locked::Noop,
        Patch::Security | Patch::Advisory(_) => return None,
    };
    let rollout = spec.name().to_string();
    Some(LockFile { rollout, content })
}

fn package(name: &str, wish: &VersionWish) -> LockedPackage {
    let version = match wish {
        VersionWish::Latest => NEWEST.to_owned(),
        VersionWish::Exactly(version) => version.clone(),
    };
    LockedPackage {
        name: name.to_owned(),
        sha256: Digest::of(format!("{name} {version}")),
        version,
        size: SIZE,
    }
}
