//! The union of what the hosts of one platform would take.

use super::{Answer, ResolveError};
use cofferdam_engine::{id::HostId, patch::LockedPackage};
use std::collections::{BTreeMap, BTreeSet};

/// The packages that some hosts of one platform would take.
#[derive(Debug, Default)]
pub(super) struct Union {
    /// By name, with the host that said so first.
    packages: BTreeMap<String, (LockedPackage, HostId)>,
    needed_by: BTreeMap<String, BTreeSet<String>>,
}

impl Union {
    /// Adds what one host would take.
    ///
    /// # Errors
    /// [`ResolveError::Differ`] when another host would take other bits of one package.
    pub(super) fn add(&mut self, answer: Answer) -> Result<(), ResolveError> {
        for one in answer.packages {
            let name = one.locked.name.clone();
            if let Some((known, first)) = self.packages.get(&name)
                && *known != one.locked
            {
                return Err(ResolveError::Differ {
                    platform: answer.platform,
                    package: name,
                    one: Box::new((first.clone(), known.version.clone())),
                    other: Box::new((answer.host, one.locked.version)),
                });
            }
            if !one.needed_by.is_empty() {
                let needed_by = self.needed_by.entry(name.clone()).or_default();
                needed_by.extend(one.needed_by);
            }
            let first = answer.host.clone();
            self.packages.entry(name).or_insert((one.locked, first));
        }
        Ok(())
    }

    /// The packages in order of names, and which of them are needed by which.
    pub(super) fn into_parts(self) -> (Vec<LockedPackage>, BTreeMap<String, BTreeSet<String>>) {
        let packages = self.packages.into_values().map(|(locked, _)| locked);
        (packages.collect(), self.needed_by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::{digest::Digest, inventory::Platform};
    use cofferdam_proto::session::SimulatedPackage;

    fn answer(host: &str, packages: &[(&str, &str, &[&str])]) -> Answer {
        let package = |(name, version, by): &(&str, &str, &[&str])| SimulatedPackage {
            installed: by.is_empty().then(|| "1".to_owned()),
            locked: LockedPackage {
                name: (*name).to_owned(),
                version: (*version).to_owned(),
                sha256: Digest::of(version),
                size: 1,
            },
            needed_by: by.iter().map(|name| (*name).to_owned()).collect(),
        };
        Answer {
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            host: HostId::new(host).unwrap(),
            packages: packages.iter().map(package).collect(),
        }
    }

    #[test]
    fn what_each_host_would_take_is_locked_once() {
        let mut union = Union::default();
        union
            .add(answer(
                "web-1",
                &[("curl", "8", &[]), ("lib", "2", &["curl"])],
            ))
            .unwrap();
        union
            .add(answer("web-2", &[("bash", "5", &[]), ("lib", "2", &[])]))
            .unwrap();
        union.add(answer("web-3", &[])).unwrap();
        let (packages, needed_by) = union.into_parts();
        let names: Vec<_> = packages.iter().map(|package| &*package.name).collect();
        assert_eq!(names, ["bash", "curl", "lib"]);
        let curl = BTreeSet::from(["curl".to_owned()]);
        assert_eq!(needed_by, BTreeMap::from([("lib".to_owned(), curl)]));
    }

    #[test]
    fn hosts_that_would_take_other_bits_are_named() {
        let mut union = Union::default();
        union.add(answer("web-1", &[("curl", "8", &[])])).unwrap();
        let error = union
            .add(answer("web-2", &[("curl", "9", &[])]))
            .unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("web-1 would take 8, web-2 would take 9"),
            "{said}"
        );
    }
}
