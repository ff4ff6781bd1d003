//! Which hosts of a rehearsal need a reboot after a patch.

use crate::{
    inventory::{Host, Platform},
    patch::{LockFile, Locked, RebootPolicy},
    seed,
    share::Share,
};
use std::collections::BTreeSet;

/// Packages that are in use until the host starts anew, by how their names begin: kernels and what every
/// process has loaded. Debian's and Ubuntu's maintainer scripts and `needs-restarting` of dnf ask for a reboot
/// after these.
const IN_USE: [&str; 9] = [
    "linux-image",
    "kernel",
    "libc6",
    "glibc",
    "systemd",
    "dbus",
    "linux-firmware",
    "intel-microcode",
    "amd64-microcode",
];

/// Which hosts need a reboot after a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reboots {
    policy: RebootPolicy,
    /// Absent: all of the platforms.
    share: Option<Share>,
    /// Those for which the lock file has a package that is in use until a reboot.
    platforms: BTreeSet<Platform>,
}

impl Reboots {
    /// Those of a rollout by its lock file. `share` is the share of hosts that need one where the rollout
    /// reboots those that do; absent, the packages tell.
    pub fn of(policy: RebootPolicy, lock: &LockFile, share: Option<Share>) -> Self {
        let platforms = match &lock.content {
            Locked::Packages { platforms } => platforms
                .iter()
                .filter(|entry| {
                    entry
                        .packages
                        .iter()
                        .any(|package| is_in_use(&package.name))
                })
                .map(|entry| entry.platform.clone())
                .collect(),
            Locked::Config(_) | Locked::Noop => BTreeSet::new(),
        };
        Self {
            policy,
            share,
            platforms,
        }
    }

    /// Whether a host needs one, by the seed of a rehearsal.
    pub(super) fn needs(&self, host: &Host, seed: &str) -> bool {
        match (self.policy, self.share) {
            (RebootPolicy::Never, _) => false,
            (RebootPolicy::Always, _) => true,
            (RebootPolicy::IfRequired, Some(share)) => {
                share.picks(seed::of(&[seed, host.id.as_str(), "needs a reboot"]))
            }
            (RebootPolicy::IfRequired, None) => self.platforms.contains(&host.facts.platform),
        }
    }
}

fn is_in_use(package: &str) -> bool {
    IN_USE.iter().any(|start| package.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_and_what_every_process_has_loaded_are_in_use_until_a_reboot() {
        for (package, is_it) in [
            ("linux-image-6.1.0-38-amd64", true),
            ("kernel-core", true),
            ("libc6", true),
            ("systemd", true),
            ("openssl", false),
            ("nginx", false),
        ] {
            assert_eq!(is_in_use(package), is_it, "{package}");
        }
    }
}
