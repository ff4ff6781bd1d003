//! How much a package file that nobody vouches for becomes when it is unpacked: a few kilobytes may fill a disk.

use super::other;
use crate::{
    host::command::Command,
    packages::{Apt, whole},
};
use cofferdam_engine::failure::Failure;
use std::path::Path;

/// The size of an installed package by dpkg's book, in KiB; what is in it is a little more or less, since each
/// file is rounded up there.
const SIZE: &str = "${Installed-Size}\n";

/// How many times that its files may have in all, and what the smallest may have, in bytes.
const TIMES: u64 = 2;
const LEAST: u64 = 1 << 20;

/// The most that its control files may have in all, in bytes: they are unpacked to be looked at (guess: 1.5 MB in
/// Debian 12's largest, which has the sums of 30,000 files).
const MOST_CONTROL: usize = 4 << 20;

impl Apt {
    /// Makes sure that a package file is not much larger than the installed package, before any of it is unpacked.
    ///
    /// # Errors
    /// [`FailureKind::Signature`](cofferdam_engine::failure::FailureKind::Signature) when it is; any other
    /// [`Failure`] says why nobody knows.
    pub async fn require_same_size(&self, deb: &Path, name: &str) -> Result<(), Failure> {
        // What is too long to be kept is counted, and goes nowhere.
        let control = Command::new("dpkg-deb").arg("--ctrl-tarfile").arg(deb);
        let control = self.must(&control).await?.stdout;
        if control.missing > 0 || control.bytes.len() > MOST_CONTROL {
            return Err(other(deb, "has more control files than any package"));
        }
        let contents = Command::new("dpkg-deb").arg("--contents").arg(deb);
        let listed = self.must(&contents).await?;
        whole(&contents, &listed)?;
        let kib = self.query_of(SIZE, &[name]).await?;
        let installed = kib.trim().parse::<u64>().unwrap_or_default();
        let most = installed
            .saturating_mul(1024)
            .saturating_mul(TIMES)
            .max(LEAST);
        match sum(&listed.stdout.text()) > most {
            true => Err(other(deb, "is far larger than what is installed")),
            false => Ok(()),
        }
    }
}

/// The bytes of all files of a list, as tar prints it. What has no size has none.
fn sum(listed: &str) -> u64 {
    let sizes = listed
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2));
    let sizes = sizes.filter_map(|size| size.parse::<u64>().ok());
    sizes.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::lab::{Deb, Lab};
    use cofferdam_engine::failure::FailureKind;
    use std::fs;

    #[tokio::test]
    async fn a_small_file_that_would_fill_the_disk_is_seen_before_it_is_unpacked() {
        let lab = Lab::new();
        let tea = Deb::new("tea", "1");
        lab.install(&[tea]);
        let whole = lab.publish(tea);
        let path = lab.path("repo/tea_1_all.deb");
        let apt = lab.apt();
        apt.require_same_size(&path, "tea").await.unwrap();
        for (place, bytes) in [("usr/share/tea/zeros", 2 << 20), ("DEBIAN/zeros", 5 << 20)] {
            let forged = lab.forge(&whole, |tree| {
                fs::write(tree.join(place), vec![0; bytes]).unwrap();
            });
            assert!(forged.size < 20 << 10, "{forged:?}");
            let failure = apt.require_same_size(&path, "tea").await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Signature, "{place}: {failure}");
            lab.publish(tea);
        }
    }

    #[test]
    fn what_has_no_size_has_none() {
        // `dpkg-deb --contents` 1.21.22; the last line is of a device.
        let listed = "drwxr-xr-x root/root         0 2026-11-16 10:17 ./boot/\n\
            -rw-r--r-- root/root        83 2026-11-16 10:17 ./boot/System.map\n\
            crw-r--r-- root/root       1,3 2026-11-16 10:17 ./dev/null\n\nx\n";
        assert_eq!(sum(listed), 83);
        assert_eq!(sum("a b 18446744073709551615\na b 9\n"), u64::MAX);
    }
}
