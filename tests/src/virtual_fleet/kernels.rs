//! The kernels that machines have and get: two of the archive of this machine's Debian.

use crate::real_fleet::trouble::{FleetError, file, succeed};
use std::{
    cmp::Reverse,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// How the packages of kernels for virtual machines are named, around their release.
const NAME: (&str, &str) = ("linux-image-", "-cloud-amd64");

/// What machines need of a kernel's modules: folders, each with what stays of it.
const NEEDED: [(&str, &[&str]); 4] = [
    ("drivers", &["virtio", "block", "net"]),
    ("drivers/net", &["virtio_net.ko", "net_failover.ko"]),
    ("fs", &["ext4", "jbd2", "mbcache.ko"]),
    ("net", &["core"]),
];

/// A few ten megabytes.
const WITHIN: Duration = Duration::from_secs(300);

/// Two kernels, by their releases as `uname -r` prints them.
#[derive(Debug, Clone)]
pub struct Kernels {
    /// What machines begin with.
    pub old: String,
    /// The one after it.
    pub new: String,
}

impl Kernels {
    /// The two newest that the lists of this machine's apt know, of one line.
    ///
    /// # Errors
    /// When it knows no two.
    pub fn of_this_machine() -> Result<Self, FleetError> {
        let mut command = std::process::Command::new("apt-cache");
        command
            .args(["pkgnames", "linux-image-"])
            .env("LC_ALL", "C");
        let listed = command.output().map_err(|source| FleetError::Start {
            command: "apt-cache pkgnames".to_owned(),
            source,
        })?;
        two_newest(&String::from_utf8_lossy(&listed.stdout)).ok_or_else(|| {
            let why = "apt knows no two kernels for virtual machines: run `apt-get update`";
            FleetError::Refused(why.to_owned())
        })
    }

    /// The package of a kernel.
    pub fn package(&self, release: &str) -> String {
        format!("{}{release}", NAME.0)
    }

    /// Fetches the newer one's package and unpacks it into a folder, which must not be there.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn unpack_new(&self, beside: &Path, into: &Path) -> Result<(), FleetError> {
        fs::create_dir_all(beside).map_err(file("make", beside))?;
        let mut fetch = Command::new("apt-get");
        fetch
            .args(["--quiet", "download"])
            .arg(self.package(&self.new));
        fetch.current_dir(beside).env("LC_ALL", "C");
        succeed(fetch, WITHIN).await?;
        let found = fs::read_dir(beside).map_err(file("read", beside))?;
        let is_deb = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "deb");
        let deb = found.flatten().map(|entry| entry.path()).find(is_deb);
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("--raw-extract").args(deb).arg(into);
        succeed(unpack, WITHIN).await?;
        slim(&into.join(format!("lib/modules/{}/kernel", self.new)))
    }
}

/// Takes away what no machine here has or mounts: most of the package, which is fetched and hashed by emulation.
fn slim(modules: &Path) -> Result<(), FleetError> {
    for (folder, needed) in NEEDED {
        let folder = modules.join(folder);
        let found = fs::read_dir(&folder).map_err(file("read", &folder))?;
        for entry in found.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if needed.iter().any(|needed| name == **needed) {
                continue;
            }
            let removed = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            removed.map_err(file("remove", &path))?;
        }
    }
    Ok(())
}

/// Of releases as `6.1.0-56-cloud-amd64`: a version, and a number that counts up.
fn two_newest(listed: &str) -> Option<Kernels> {
    let release = |line: &str| {
        let middle = line.trim().strip_prefix(NAME.0)?.strip_suffix(NAME.1)?;
        let (line, number) = middle.split_once('-')?;
        let number: u32 = number.parse().ok()?;
        let is_version = line.chars().all(|c| c.is_ascii_digit() || c == '.');
        is_version.then(|| (line.to_owned(), number))
    };
    let mut found: Vec<(String, u32)> = listed.lines().filter_map(release).collect();
    found.sort_by_key(|(_, number)| Reverse(*number));
    found.dedup();
    let (line, number) = found.first()?;
    let (_, before) = found
        .iter()
        .find(|(other, count)| other == line && count < number)?;
    let named = |number: &u32| format!("{line}-{number}{}", NAME.1);
    Some(Kernels {
        old: named(before),
        new: named(number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_newest_of_one_line_are_found() {
        let listed = "linux-image-6.1.0-9-cloud-amd64\nlinux-image-6.1.0-55-cloud-amd64-dbg\n\
            linux-image-6.1.0-10-cloud-amd64\nlinux-image-6.12.107+deb12-cloud-amd64\n\
            linux-image-cloud-amd64\nlinux-image-6.1.0-10-amd64\n";
        let found = two_newest(listed).unwrap();
        assert_eq!(found.old, "6.1.0-9-cloud-amd64");
        assert_eq!(found.new, "6.1.0-10-cloud-amd64");
        assert!(two_newest("linux-image-6.1.0-9-cloud-amd64").is_none());
    }
}
