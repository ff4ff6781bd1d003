//! Names and versions of packages: what may stand in a package manager's arguments.
//!
//! A package manager reads more than names there: options begin with `-`, apt takes `NAME-` as an
//! order to remove, `/` and `=` choose versions. So both are checked wherever they come in.

mod format;
mod rpm_version;
mod version;

pub use format::PackageFormat;
pub use version::compare_versions;

/// The most bytes of a package's name or version: file names hold both (ext4 has 255).
pub const MAX_PACKAGE_LEN: usize = 200;

/// Why a text is not a package's name or version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// Not a name.
    #[error(
        "`{0}` is not a package name: letters, digits and `+ . _ : -`, beginning with a letter or a digit and not ending in `-`"
    )]
    Name(String),
    /// Not a version.
    #[error(
        "`{0}` is not a package version: letters, digits and `+ . _ : ~ ^ -`, beginning with a letter or a digit"
    )]
    Version(String),
}

/// Checks a package's name.
///
/// # Errors
/// [`PackageError::Name`] when no package can be named so.
pub fn check_name(name: &str) -> Result<(), PackageError> {
    if is_made_of(name, "+._:-") && !name.ends_with('-') {
        return Ok(());
    }
    Err(PackageError::Name(name.to_owned()))
}

/// Checks a package's version.
///
/// # Errors
/// [`PackageError::Version`] when no version can be written so.
pub fn check_version(version: &str) -> Result<(), PackageError> {
    if is_made_of(version, "+._:~^-") {
        return Ok(());
    }
    Err(PackageError::Version(version.to_owned()))
}

fn is_made_of(text: &str, marks: &str) -> bool {
    text.len() <= MAX_PACKAGE_LEN
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_of_real_packages_are_taken() {
        for name in [
            "openssl",
            "g++",
            "libstdc++6",
            "libc6:i386",
            "python3.11",
            "NetworkManager",
        ] {
            assert_eq!(check_name(name), Ok(()));
        }
        for version in [
            "3.0.15-1~deb12u1",
            "1:2.4+dfsg-3",
            "4.18.0-553.el8_10",
            "1.0^git1",
        ] {
            assert_eq!(check_version(version), Ok(()));
        }
    }

    #[test]
    fn what_a_package_manager_reads_otherwise_is_refused() {
        for name in [
            "", "-y", "openssl-", "a=1", "a/sid", "a b", "../a", "a\n", "é",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
        for version in ["", "-1", "1 2", "1;2", "1/2", "1=2"] {
            assert!(check_version(version).is_err(), "{version}");
        }
        assert!(check_name(&"a".repeat(201)).is_err());
    }
}
