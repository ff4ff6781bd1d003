//! The running kernel against the newest one that is installed.

use crate::{
    host::{durable::FileError, root::Root},
    packages::choice,
};
use cofferdam_engine::{
    kernel::parts,
    package::{PackageFormat, check_version},
    query::Kernel,
};
use std::{fs, io, path::Path};

/// Where kernels lie, below the root, and how their files begin.
const FOLDER: &str = "boot";
const IMAGE: &str = "vmlinuz-";

/// Where the kernel tells its release, as `uname -r` prints it.
const RUNNING: &str = "/proc/sys/kernel/osrelease";

/// Where the kernel tells how it was built, as `uname -v` prints it.
const BUILT: &str = "/proc/sys/kernel/version";

/// The release of the running kernel, as `uname -r` prints it.
///
/// # Errors
/// [`FileError`] when the kernel does not say.
pub fn running() -> Result<String, FileError> {
    let path = Path::new(RUNNING);
    let text = fs::read_to_string(path).map_err(FileError::of("reading", path))?;
    Ok(text.trim().to_owned())
}

/// The running kernel as queries compare it.
///
/// # Errors
/// [`FileError`] when the kernel does not say.
pub fn running_package() -> Result<Kernel, FileError> {
    let release = running()?;
    let path = Path::new(BUILT);
    let built = fs::read_to_string(path).map_err(FileError::of("reading", path))?;
    Ok(Kernel {
        version: debian_version(&built).unwrap_or(&release).to_owned(),
        release,
    })
}

/// The version of the package that a kernel of Debian's names. Absent: it is another's.
fn debian_version(built: &str) -> Option<&str> {
    let mut words = built.split_whitespace();
    words.find(|word| *word == "Debian")?;
    words
        .next()
        .filter(|version| check_version(version).is_ok())
}

/// The newest installed kernel of the same flavour as the running one, where it is newer. Absent: the
/// running one is the newest, or none is installed, as in a container.
///
/// # Errors
/// [`FileError`] when the folder of kernels cannot be read.
pub fn newer_than(running: &str, root: &Root) -> Result<Option<String>, FileError> {
    let folder = root.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::of("reading", &folder)(error)),
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let names = names.filter_map(|name| Some(name.to_str()?.strip_prefix(IMAGE)?.to_owned()));
    Ok(newest(running, names, choice::format_of(root)))
}

/// The newest of some kernels, if it is newer than the running one and of its flavour. Absent: none is.
pub(crate) fn newest(
    running: &str,
    installed: impl Iterator<Item = String>,
    format: PackageFormat,
) -> Option<String> {
    let (version, flavour) = parts(running);
    let of_its_flavour = installed.filter(|name| parts(name).1 == flavour);
    let newer = of_its_flavour.filter(|name| format.compare(parts(name).0, version).is_gt());
    newer.max_by(|a, b| format.compare(parts(a).0, parts(b).0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest_of(running: &str, installed: &[&str]) -> Option<String> {
        let format = match running.contains(".el9") {
            true => PackageFormat::Rpm,
            false => PackageFormat::Deb,
        };
        let installed = installed.iter().map(|&name| name.to_owned());
        newest(running, installed, format)
    }

    #[test]
    fn a_newer_kernel_of_the_same_flavour_is_found() {
        for (running, installed, expected) in [
            (
                "6.1.0-25-amd64",
                &["6.1.0-25-amd64", "6.1.0-28-amd64"][..],
                Some("6.1.0-28-amd64"),
            ),
            (
                "6.1.0-9-amd64",
                &["6.1.0-10-amd64", "6.1.0-9-amd64"],
                Some("6.1.0-10-amd64"),
            ),
            (
                "6.1.0-28-amd64",
                &["6.1.0-25-amd64", "6.1.0-28-amd64"],
                None,
            ),
            ("6.1.0-25-cloud-amd64", &["6.1.0-28-amd64"], None),
            (
                "5.14.0-427.el9.x86_64",
                &["5.14.0-503.el9.x86_64"],
                Some("5.14.0-503.el9.x86_64"),
            ),
            (
                "5.14.0-70.el9.x86_64",
                &["5.14.0-70.13.1.el9_0.x86_64", "0-rescue-8f1c"],
                Some("5.14.0-70.13.1.el9_0.x86_64"),
            ),
            (
                "6.8.0-1021-aws",
                &["6.8.0-1022-aws", "6.8.0-9999-azure"],
                Some("6.8.0-1022-aws"),
            ),
            ("6.1.0-25-amd64", &[], None),
            ("", &["6.1.0-25-amd64", "-", ""], None),
        ] {
            assert_eq!(
                newest_of(running, installed).as_deref(),
                expected,
                "{running}"
            );
        }
    }

    #[test]
    fn a_kernel_of_debian_tells_its_packages_version() {
        for (built, version) in [
            // In the form of Debian 12, Debian 11 with backports, Ubuntu 24.04 and Red Hat 9; the last one is of a
            // kernel that somebody built by hand.
            (
                "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)\n",
                Some("6.1.119-1"),
            ),
            (
                "#1 SMP Debian 6.1.112-1~bpo11+1 (2024-10-20)\n",
                Some("6.1.112-1~bpo11+1"),
            ),
            (
                "#23-Ubuntu SMP PREEMPT_DYNAMIC Mon Dec  9 23:59:25 UTC 2024\n",
                None,
            ),
            (
                "#1 SMP PREEMPT_DYNAMIC Wed Apr 10 10:29:16 EDT 2024\n",
                None,
            ),
            ("#1 SMP PREEMPT_DYNAMIC @0\n", None),
            ("Debian", None),
            ("Debian (x)", None),
            ("", None),
        ] {
            assert_eq!(debian_version(built), version, "{built}");
        }
    }

    #[test]
    fn kernels_are_looked_for_in_the_roots_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        assert_eq!(newer_than("1.0-a", &root).unwrap(), None);
        fs::create_dir(root.join(FOLDER)).unwrap();
        for name in [
            "vmlinuz-1.1-a",
            "initrd.img-1.2-a",
            "vmlinuz-1.3-b",
            "vmlinuz-",
        ] {
            fs::write(root.join(FOLDER).join(name), "").unwrap();
        }
        assert_eq!(
            newer_than("1.0-a", &root).unwrap().as_deref(),
            Some("1.1-a")
        );
    }
}
