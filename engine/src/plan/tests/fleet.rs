//! An inventory in a few lines.

use crate::{
    calendar::Calendar,
    denial::Denials,
    digest::Digest,
    fleet::{self, homed},
    id::HostId,
    inventory::{Facts, Host, PackageSet, Platform},
    patch::{LockFile, Locked, LockedPackage, LockedPlatform},
    plan::{Plan, PlanErrors, PlanInput},
    reach::Reach,
    services::Services,
    spec::Spec,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// An inventory as tests write it down.
#[derive(Default)]
pub(super) struct Fleet {
    pub(super) hosts: BTreeMap<HostId, Host>,
    pub(super) placed: fleet::Fleet,
    pub(super) package_sets: BTreeMap<Digest, PackageSet>,
    pub(super) services: Services,
    pub(super) calendar: Calendar,
    pub(super) unready: BTreeSet<HostId>,
}

impl Fleet {
    /// Adds `count` hosts of a service in a `REGION/ZONE`, with an instance type.
    pub(super) fn with(
        mut self,
        service: &str,
        place: &str,
        instance_type: &str,
        count: usize,
    ) -> Self {
        let (region, zone) = place.split_once('/').unwrap();
        for _ in 0..count {
            let name = format!("{service}-{region}{zone}-{:05}", self.hosts.len());
            self.add(
                &name,
                &[
                    ("service", service),
                    ("region", region),
                    ("zone", zone),
                    ("instance_type", instance_type),
                ],
            );
        }
        self.placed()
    }

    pub(super) fn add(&mut self, name: &str, labels: &[(&str, &str)]) -> &mut Host {
        let labels = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let id = HostId::new(name).unwrap();
        self.hosts.entry(id.clone()).or_insert(Host {
            id,
            labels: labels.collect(),
            facts: Facts {
                platform: platform("amd64"),
                kernel: "6.1".to_owned(),
                packages: PackageSet::default().digest(),
            }
            .into(),
        })
    }

    /// Puts every host that can be in a cell into one.
    pub(super) fn placed(mut self) -> Self {
        homed::connect(&mut self.placed, self.hosts.values());
        self
    }

    pub(super) fn plan(&self, spec: &str) -> Plan {
        self.try_plan(spec)
            .unwrap_or_else(|errors| panic!("{errors}"))
    }

    pub(super) fn try_plan(&self, spec: &str) -> Result<Plan, PlanErrors> {
        self.try_plan_with(spec, &lock(Locked::Noop))
    }

    pub(super) fn try_plan_with(&self, spec: &str, lock: &LockFile) -> Result<Plan, PlanErrors> {
        let text = format!("name = \"x\"\n{spec}");
        let spec = Spec::parse("x.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let input = PlanInput {
            hosts: &self.hosts,
            cells: self.placed.homes(),
            denials: &Denials::default(),
            casualties: &BTreeSet::new(),
            unready: &self.unready,
            package_sets: &self.package_sets,
            now: NOW,
            services: &self.services,
            calendar: &self.calendar,
        };
        Plan::make(&spec, lock, &input)
    }
}

/// 24 hosts: zones a and b of region r1, c of r2, 8 each; types of 8, 7, 7, and 2 in a and c.
pub(super) fn demo() -> Fleet {
    Fleet::default()
        .with("web", "r1/a", "t1", 4)
        .with("web", "r1/a", "t2", 3)
        .with("web", "r1/a", "rare", 1)
        .with("web", "r1/b", "t1", 4)
        .with("web", "r1/b", "t3", 4)
        .with("web", "r2/c", "t2", 4)
        .with("web", "r2/c", "t3", 3)
        .with("web", "r2/c", "rare", 1)
}

/// The first of May 2027.
pub(super) const NOW: Timestamp = Timestamp(1_809_129_600_000);

pub(super) const NOOP: &str = "
[patch]
kind = \"noop\"
[select]
match = 'service != \"none\"'
";

pub(super) fn wave(name: &str, size: &str) -> String {
    format!("[[wave]]\nname = \"{name}\"\n{size}\n")
}

/// Lets the first wave lack a stratum.
pub(super) fn waiver(stratum: &str, expires: &str) -> String {
    format!(
        "[[waiver]]\nstratum = \"{stratum}\"\nreason = \"proved by hand\"\nexpires = \"{expires}\"\n"
    )
}

pub(super) fn platform(architecture: &str) -> Platform {
    Platform {
        os_release: "debian-12".to_owned(),
        architecture: architecture.to_owned(),
    }
}

pub(super) fn lock(content: Locked) -> LockFile {
    LockFile {
        rollout: "x".to_owned(),
        content,
    }
}

pub(super) fn locked_openssl(architectures: &[&str]) -> LockFile {
    let platforms = architectures.iter().map(|architecture| LockedPlatform {
        reach: Reach::Every,
        fixes: None,
        platform: platform(architecture),
        packages: vec![LockedPackage {
            name: "openssl".to_owned(),
            version: "3".to_owned(),
            sha256: Digest::of("3"),
            size: 1,
        }],
    });
    lock(Locked::Packages {
        platforms: platforms.collect(),
    })
}
