//! The kernels that a package file brings.

use super::{Apt, Dnf, Manager, whole};
use crate::host::command::Command;
use cofferdam_engine::failure::Failure;
use std::{collections::BTreeSet, path::Path};

/// What stands in the name of every package that brings a kernel, in all distributions known here. Others are
/// not unpacked to look.
const NAMES: [&str; 2] = ["linux", "kernel"];

impl Manager {
    /// The releases of the kernels that a package file brings, as `uname -r` prints them.
    ///
    /// # Errors
    /// A [`Failure`] when it is no package, or a damaged one.
    pub async fn kernels(&self, name: &str, file: &Path) -> Result<BTreeSet<String>, Failure> {
        if !NAMES.iter().any(|part| name.contains(part)) {
            return Ok(BTreeSet::new());
        }
        let listed = match self {
            Self::Apt(apt) => apt.contents(file).await?,
            Self::Dnf(dnf) => dnf.contents(file).await?,
        };
        Ok(releases(&listed))
    }
}

impl Apt {
    async fn contents(&self, file: &Path) -> Result<String, Failure> {
        let command = Command::new("dpkg-deb").arg("--contents").arg(file);
        let output = self.must(&command).await?;
        whole(&command, &output)?;
        Ok(output.stdout.text())
    }
}

impl Dnf {
    async fn contents(&self, file: &Path) -> Result<String, Failure> {
        self.ask_file(file, "[%{FILENAMES}\n]").await
    }
}

/// Lines that end in a path each.
fn releases(listed: &str) -> BTreeSet<String> {
    let paths = listed
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    paths.filter_map(release).map(ToOwned::to_owned).collect()
}

fn release(path: &str) -> Option<&str> {
    let path = path.trim_start_matches('.').trim_start_matches("/usr");
    let in_boot = || path.strip_prefix("/boot/vmlinuz-");
    let in_modules = || path.strip_prefix("/lib/modules/")?.strip_suffix("/vmlinuz");
    let release = in_boot().or_else(in_modules)?;
    (!release.is_empty() && !release.contains('/')).then_some(release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_found_by_their_files() {
        // `dpkg-deb --contents` 1.21.22 of Debian's linux-image-6.1.0-56-cloud-amd64, some of its lines; then the
        // form of `rpm -qp` for Red Hat 9's kernel-core.
        let debian = "drwxr-xr-x root/root         0 2026-11-16 10:17 ./boot/\n\
            -rw-r--r-- root/root        83 2026-11-16 10:17 ./boot/System.map-6.1.0-56-cloud-amd64\n\
            -rw-r--r-- root/root  14186432 2026-11-16 10:17 ./boot/vmlinuz-6.1.0-56-cloud-amd64\n\
            -rw-r--r-- root/root     31625 2026-11-16 10:17 ./lib/modules/6.1.0-56-cloud-amd64/kernel/x.ko\n";
        let red_hat = "/boot/config-5.14.0-503.el9.x86_64\n/lib/modules/5.14.0-503.el9.x86_64/vmlinuz\n\
            /lib/modules/5.14.0-503.el9.x86_64/.vmlinuz.hmac\n";
        let found = |listed| releases(listed).into_iter().collect::<Vec<_>>();
        assert_eq!(found(debian), ["6.1.0-56-cloud-amd64"]);
        assert_eq!(found(red_hat), ["5.14.0-503.el9.x86_64"]);
        assert_eq!(found("./boot/vmlinuz-\n./boot/vmlinuz-a/b\n\n"), [""; 0]);
    }
}
