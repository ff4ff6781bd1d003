//! What rpm's database says is installed.

use crate::packages::database::{Database, Entry, State, full_name};
use cofferdam_engine::package::PackageFormat;
use std::collections::{BTreeMap, btree_map};

/// The format in which rpm is asked.
pub const FORMAT: &str = "%{NAME}|%{ARCH}|%{EPOCHNUM}|%{VERSION}-%{RELEASE}\n";

/// The keys that packages are signed with lie among the packages, and are none.
const KEY: &str = "gpg-pubkey";

/// Packages of which several versions are meant to be installed side by side begin so: kernels, what is
/// built for one, and keys.
const SIDE_BY_SIDE: [&str; 3] = ["kernel", "kmod-", KEY];

/// Reads the answer to [`FORMAT`]. Lines of another form are left out. A package in two versions is what
/// an interrupted rpm leaves: the old one goes last. Of a kernel it is meant so, and the newest counts.
pub fn parse(text: &str, architecture: &str) -> Database {
    let mut database = BTreeMap::new();
    for (name, version) in text.lines().filter_map(|line| package(line, architecture)) {
        let entry = Entry {
            version,
            state: State::Whole,
            on_hold: false,
        };
        match database.entry(name) {
            btree_map::Entry::Vacant(place) => {
                place.insert(entry);
            }
            btree_map::Entry::Occupied(mut place) => {
                let state = state_of_several(place.key());
                let known: &mut Entry = place.get_mut();
                if PackageFormat::Rpm
                    .compare(&entry.version, &known.version)
                    .is_gt()
                {
                    *known = entry;
                }
                known.state = state;
            }
        }
    }
    Database(database)
}

fn state_of_several(name: &str) -> State {
    match is_side_by_side(name) {
        true => State::Whole,
        false => State::Broken,
    }
}

/// Whether several versions of a package are meant to be installed side by side, by its name.
pub fn is_side_by_side(name: &str) -> bool {
    SIDE_BY_SIDE.iter().any(|begin| name.starts_with(begin))
}

fn package(line: &str, native: &str) -> Option<(String, String)> {
    let mut columns = line.split('|');
    let (name, architecture) = (columns.next()?, columns.next()?);
    let version = version(columns.next()?, columns.next()?)?;
    if name.is_empty() || name == KEY {
        return None;
    }
    Some((full_name(name, architecture, native), version))
}

/// `[epoch:]version-release`; an epoch of 0 is not said, as dnf does not say it either.
pub fn version(epoch: &str, version: &str) -> Option<String> {
    let is_whole = version.len() > 1 && version.contains('-');
    match epoch {
        _ if !is_whole => None,
        "0" => Some(version.to_owned()),
        epoch if !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("{epoch}:{version}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together by hand, in the form of rpm 4.18.0 with [`FORMAT`].
    const SAMPLE: &str = "\
bash|x86_64|0|5.1.8-6.el9
openssl|x86_64|1|3.0.7-24.el9
glibc|x86_64|0|2.34-60.el9
glibc|i686|0|2.34-60.el9
tzdata|noarch|0|2024a-1.el9
kernel-core|x86_64|0|5.14.0-70.13.1.el9
kernel-core|x86_64|0|5.14.0-70.el9
gpg-pubkey|(none)|0|fd431d51-4ae0493b
cut|x86_64|0|2-1
cut|x86_64|0|1-1
";

    #[test]
    fn packages_have_names_and_versions() {
        let database = parse(SAMPLE, "x86_64");
        let all: Vec<(&str, &str, State)> = database
            .0
            .iter()
            .map(|(name, entry)| (name.as_str(), entry.version.as_str(), entry.state))
            .collect();
        let expected = [
            ("bash", "5.1.8-6.el9", State::Whole),
            ("cut", "2-1", State::Broken),
            ("glibc", "2.34-60.el9", State::Whole),
            ("glibc:i686", "2.34-60.el9", State::Whole),
            ("kernel-core", "5.14.0-70.13.1.el9", State::Whole),
            ("openssl", "1:3.0.7-24.el9", State::Whole),
            ("tzdata", "2024a-1.el9", State::Whole),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn garbage_is_no_package() {
        for garbage in [
            "",
            "|",
            "a|b|c",
            "a|b|x|1-1",
            "a|b|0|-",
            "a|b||1-1",
            "|b|0|1-1",
        ] {
            assert_eq!(parse(garbage, "x86_64"), Database::default(), "{garbage}");
        }
    }
}
