//! What apt tells a program of `DPkg::Pre-Install-Pkgs`: versions 1, 2 and 3 of its protocol.
//!
//! ```text
//! VERSION 3                                        version 1 has only the names of files
//! DPkg::Options::=--force-confold                  the whole configuration
//! ...
//!                                                  an empty line
//! tea 1 all none < 2 all none /var/.../tea.deb     name, old, arch, multi-arch, <, new, ..., file
//! tea 1 < 2 /var/.../tea.deb                       the same in version 2
//! milk 1 amd64 none > - - none **REMOVE**          `-` is no version
//! ```

use super::{
    dpkg,
    transaction::{Target, Transaction},
};
use crate::guard::asker::printable;
use std::collections::BTreeMap;

/// The key of the options that apt gives dpkg.
const DPKG_OPTIONS: &str = "dpkg::options::";

/// Reads what apt says. What is not understood is left out, and makes the names unknown.
pub fn parse(text: &str) -> Transaction {
    let Some((head, rest)) = text.split_once('\n') else {
        return by_files(text);
    };
    let version = head.strip_prefix("VERSION ").map(str::trim);
    let Some(version @ ("2" | "3")) = version else {
        return by_files(text);
    };
    let (configuration, packages) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let mut transaction = by_lines(version, packages);
    let options: Vec<String> = configuration.lines().filter_map(dpkg_option).collect();
    transaction.target = dpkg::target(&options);
    transaction
}

/// Version 1: the files that are to be unpacked. Those that are only removed are not told.
fn by_files(text: &str) -> Transaction {
    let files = text.lines().filter(|line| !line.is_empty());
    Transaction {
        packages: files.map(printable).collect(),
        names: None,
        target: Target::Machine,
    }
}

fn by_lines(version: &str, text: &str) -> Transaction {
    let mut changes = BTreeMap::new();
    let mut understood = true;
    for line in text.lines().filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split(' ').collect();
        let (name, old, new) = match (version, fields.as_slice()) {
            ("2", [name, old, _, new, _, ..]) | ("3", [name, old, _, _, _, new, _, _, _, ..]) => {
                (*name, *old, *new)
            }
            _ => {
                understood = false;
                continue;
            }
        };
        // One package stands here several times: unpacked, then configured.
        changes
            .entry(name.to_owned())
            .or_insert_with(|| printable(&change(name, old, new)));
    }
    Transaction {
        packages: changes.values().cloned().collect(),
        names: understood.then(|| changes.into_keys().collect()),
        target: Target::Machine,
    }
}

fn change(name: &str, old: &str, new: &str) -> String {
    match (old, new) {
        ("-", new) => format!("{name} {new}, new"),
        (old, "-") => format!("{name} {old}, to be removed"),
        (old, new) if old == new => format!("{name} {new}"),
        (old, new) => format!("{name} {old} -> {new}"),
    }
}

/// The value of a line of the configuration, when it is an option for dpkg.
fn dpkg_option(line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let is_option = key.to_ascii_lowercase().starts_with(DPKG_OPTIONS);
    is_option.then(|| unquoted(value))
}

/// apt writes what could be taken for something else as `%` and two hexadecimal digits.
fn unquoted(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%');
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_3_says_what_becomes_of_each_package() {
        let transaction = parse(include_str!("samples/apt-version-3"));
        assert_eq!(transaction.target, Target::Machine);
        assert_eq!(
            transaction.packages,
            ["milk 1, to be removed", "tea 1 -> 2"]
        );
        let names = transaction.names.unwrap();
        assert_eq!(names, ["milk", "tea"]);
    }

    #[test]
    fn version_2_says_so_too() {
        let text = "VERSION 2\nAPT=\n\ntea - < 2 /x/tea_2_all.deb\ntea - < 2 **CONFIGURE**\n";
        let transaction = parse(text);
        assert_eq!(transaction.packages, ["tea 2, new"]);
        assert_eq!(transaction.names, Some(vec!["tea".to_owned()]));
    }

    #[test]
    fn version_1_has_only_the_names_of_files_which_prove_nothing() {
        let transaction = parse("/var/cache/apt/archives/tea_2_all.deb\n");
        assert_eq!(
            transaction.packages,
            ["/var/cache/apt/archives/tea_2_all.deb"]
        );
        assert_eq!(transaction.names, None);
    }

    #[test]
    fn another_root_is_no_business_of_this_machine() {
        let text = "VERSION 3\nDPkg::Options::=--root%3d/srv\nDPkg::Options::=--force-x\n\n";
        assert_eq!(
            parse(text).target,
            Target::Machine,
            "a root that is not there"
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("var/lib/dpkg")).unwrap();
        let root = folder.path().display();
        let text = format!("VERSION 3\nDPkg::Options::=--root={root}\n\n");
        assert_eq!(parse(&text).target, Target::Elsewhere);
    }

    #[test]
    fn garbage_names_no_package_and_breaks_nothing() {
        for garbage in [
            "",
            "\n",
            "VERSION 3",
            "VERSION 3\n\n\n",
            "VERSION 9\n\ntea 1 < 2 x\n",
            "VERSION 3\nDPkg::Options::=%\n\ntea 1\n",
            "VERSION 2\n%%%=\u{fffd}\n\n \n",
        ] {
            let transaction = parse(garbage);
            assert_ne!(
                transaction.names.map(|names| names.is_empty()),
                Some(false),
                "{garbage:?}"
            );
        }
    }

    #[test]
    fn what_apt_quotes_is_unquoted() {
        for (quoted, value) in [
            ("%2droot%3D/a%20b", "-root=/a b"),
            ("%", "%"),
            ("%zz", "%zz"),
        ] {
            assert_eq!(unquoted(quoted), value);
        }
    }
}
