//! The same of rpm's database, which only rpm itself can read.

use super::{Installed, InstalledError};
use crate::{
    host::{
        command::{Command, Runner as _},
        durable::FileError,
        process::Processes,
        root::Root,
    },
    packages::{choice, dnf::database},
};
use std::{collections::BTreeSet, path::PathBuf};

/// The format in which rpm is asked.
const FORMAT: &str = "%{NAME}|%{ARCH}|%{EPOCHNUM}|%{VERSION}-%{RELEASE}\n";

/// The files of the database of a root. What rpm writes beside them first is in them when it ends.
pub(super) fn places(root: &Root) -> Vec<PathBuf> {
    let files = choice::RPM_FOLDERS.iter().flat_map(|folder| {
        let files = choice::RPM_FILES.iter();
        files.map(move |file| root.join(&format!("{folder}/{file}")))
    });
    files.filter(|file| file.exists()).collect()
}

/// Asks rpm what is installed on a root. Called beside the agent's one thread.
///
/// # Errors
/// [`InstalledError`] when rpm cannot be asked.
pub(super) fn read(root: &Root) -> Result<Installed, InstalledError> {
    let command = Command::new("rpm")
        .arg("--root")
        .arg(root.path())
        .args(["-qa", "--qf", FORMAT]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(FileError::of("starting rpm on", root.path()))?;
    let output = runtime.block_on(Processes.run(&command))?;
    if !output.is_success() || output.stdout.missing > 0 {
        let said = output.stderr.text();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        return Err(InstalledError::NotTold(said));
    }
    Ok(parse(&output.stdout.text()))
}

/// Reads the answer to [`FORMAT`]. Lines of another form are left out. Of what is installed in several
/// versions all are named: of kernels and of keys that is meant so, of all else an interrupted rpm left it.
pub(super) fn parse(text: &str) -> Installed {
    let mut installed = Installed::default();
    let mut unfinished = BTreeSet::new();
    for line in text.lines() {
        let mut columns = line.split('|');
        let (Some(name), Some(architecture), Some(epoch), Some(version)) = (
            columns.next(),
            columns.next(),
            columns.next(),
            columns.next(),
        ) else {
            continue;
        };
        let Some(version) = database::version(epoch, version) else {
            continue;
        };
        if name.is_empty() || architecture.is_empty() {
            continue;
        }
        let key = format!("{name}:{architecture}");
        match installed.packages.get_mut(&key) {
            None => drop(installed.packages.insert(key, version)),
            Some(known) => {
                let mut all: BTreeSet<&str> = known.split(", ").collect();
                all.insert(&version);
                *known = all.into_iter().collect::<Vec<_>>().join(", ");
                if !database::is_side_by_side(name) {
                    unfinished.insert(key);
                }
            }
        }
    }
    installed.unfinished = unfinished.into_iter().collect();
    installed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::dnf::lab::{Rpm, RpmLab};
    use proptest::prelude::*;

    /// Put together by hand, in the form of rpm 4.18.0 with [`FORMAT`].
    const SAMPLE: &str = "\
bash|x86_64|0|5.1.8-6.el9
kernel-core|x86_64|0|5.14.0-70.el9
kernel-core|x86_64|0|5.14.0-427.el9
gpg-pubkey|(none)|0|fd431d51-4ae0493b
gpg-pubkey|(none)|0|5a6340b3-6229229e
cut|noarch|1|2-1
cut|noarch|1|1-1
";

    #[test]
    fn what_is_installed_in_several_versions_has_them_all() {
        let installed = parse(SAMPLE);
        let all: Vec<(&str, &str)> = installed
            .packages
            .iter()
            .map(|(name, version)| (name.as_str(), version.as_str()))
            .collect();
        let expected = [
            ("bash:x86_64", "5.1.8-6.el9"),
            ("cut:noarch", "1:1-1, 1:2-1"),
            ("gpg-pubkey:(none)", "5a6340b3-6229229e, fd431d51-4ae0493b"),
            ("kernel-core:x86_64", "5.14.0-427.el9, 5.14.0-70.el9"),
        ];
        assert_eq!(all, expected);
        assert_eq!(installed.unfinished, ["cut:noarch"]);
        for garbage in ["", "a|b|c", "|x|0|1-1", "a||0|1-1", "a|b|0|-"] {
            assert_eq!(parse(garbage), Installed::default(), "{garbage}");
        }
    }

    proptest! {
        #[test]
        fn whatever_rpm_prints_is_read(text in "[a-z|():0-9.\\-\n\u{e9}]{0,60}") {
            let installed = parse(&text);
            prop_assert!(installed.packages.values().all(|version| !version.is_empty()));
        }
    }

    #[test]
    fn a_root_with_rpm_is_read_by_rpm_and_a_change_moves_its_stamps() {
        let Some(lab) = RpmLab::new() else { return };
        let root = Root::new(lab.path("root")).unwrap();
        lab.install(&[Rpm::new("tea", "1")]);
        let before = super::super::read(&root).unwrap();
        assert_eq!(before.packages["tea:noarch"], "1-1");
        let stamps = || super::super::stamps(&root).unwrap();
        let first = stamps();
        super::super::read(&root).unwrap();
        assert_eq!(stamps(), first, "reading moves nothing");
        lab.install(&[Rpm::new("tea", "2")]);
        assert_ne!(stamps(), first);
        let after = super::super::read(&root).unwrap();
        assert_eq!(after.packages["tea:noarch"], "2-1");
    }
}
