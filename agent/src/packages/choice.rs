//! Which package manager a host has.

use super::{Apt, Dnf, Manager, dnf::Repositories};
use crate::host::{
    command::Runner,
    durable::{self, FileError},
    os_release,
    root::Root,
};
use cofferdam_engine::package::PackageFormat;
use std::{num::NonZeroU32, path::Path, rc::Rc};

/// Where dpkg has its database, below the root.
const DPKG: &str = "var/lib/dpkg/status";

/// Where rpm has its, below the root: Fedora's and SUSE's place, Red Hat's, and Debian's.
pub(crate) const RPM_FOLDERS: [&str; 3] = ["usr/lib/sysimage/rpm", "var/lib/rpm", "root/.rpmdb"];

/// The files of that database, by the kinds of it that rpm has had.
pub(crate) const RPM_FILES: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];

/// Distributions of rpm's, as os-release names those that others are like.
const OF_RPM: [&str; 4] = ["fedora", "rhel", "centos", "suse"];

/// Files that tell the distribution, below the root.
const RELEASE_FILES: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// Whose packages a root has: by the database that it has; where it has both, by its distribution. One
/// without any has dpkg's.
pub fn format_of(root: &Root) -> PackageFormat {
    let is_there = |path: &str| root.join(path).exists();
    let has_rpm = RPM_FOLDERS.iter().any(|folder| {
        RPM_FILES
            .iter()
            .any(|file| is_there(&format!("{folder}/{file}")))
    });
    match (is_there(DPKG), has_rpm) {
        (_, false) => PackageFormat::Deb,
        (false, true) => PackageFormat::Rpm,
        (true, true) if is_of_rpm(root) => PackageFormat::Rpm,
        (true, true) => PackageFormat::Deb,
    }
}

fn is_of_rpm(root: &Root) -> bool {
    let ids = RELEASE_FILES.iter().flat_map(|file| {
        // What cannot be read says nothing.
        let text = durable::read(&root.join(file)).ok().flatten();
        os_release::ids(&String::from_utf8_lossy(&text.unwrap_or_default()))
    });
    ids.into_iter().any(|id| OF_RPM.contains(&id.as_str()))
}

impl Manager {
    /// Takes the package manager of a root: the one that the host's people say, or else the one that it
    /// has. It fetches no more than `rate` KiB a second; absent: as fast as it can.
    ///
    /// # Errors
    /// [`FileError`] when the files and folders that it needs of ours cannot be made.
    pub fn of_host(
        root: Root,
        told: Option<PackageFormat>,
        state_dir: &Path,
        runner: Rc<dyn Runner>,
        rate: Option<NonZeroU32>,
    ) -> Result<Self, FileError> {
        Ok(match told.unwrap_or_else(|| format_of(&root)) {
            PackageFormat::Deb => Self::Apt(Apt::new(root, state_dir, runner, rate)?),
            PackageFormat::Rpm => {
                let repositories = Repositories::of(&root);
                Self::Dnf(Dnf::new(root, state_dir, runner, rate, repositories)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_host_has_what_its_databases_say_and_of_two_what_its_distribution_says() {
        use PackageFormat::{Deb, Rpm};
        let rpm = "var/lib/rpm/rpmdb.sqlite";
        let rocky = "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n";
        for (files, release, expected) in [
            (&[] as &[&str], rocky, Deb),
            (&[DPKG], rocky, Deb),
            (&[rpm], "ID=debian\n", Rpm),
            (&["usr/lib/sysimage/rpm/Packages.db"], "", Rpm),
            (&[DPKG, rpm], "ID=debian\n", Deb),
            (&[DPKG, rpm], rocky, Rpm),
            (&[DPKG, rpm], "", Deb),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let root = Root::new(folder.path()).unwrap();
            for file in files {
                let path = root.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
            fs::create_dir_all(root.join("etc")).unwrap();
            fs::write(root.join("etc/os-release"), release).unwrap();
            assert_eq!(format_of(&root), expected, "{files:?} {release}");
        }
    }
}
