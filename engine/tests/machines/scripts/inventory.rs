//! Inventories written down as tables, for plans that need no world.

use cofferdam_engine::{
    calendar::Calendar,
    cell::Hello,
    cells,
    denial::Denials,
    digest::Digest,
    document::Places,
    fleet::{Fleet, FleetEvent},
    id::{HostId, Incarnation},
    inventory::{Facts, Host, INSTANCE_TYPE, Labels, PackageSet, Platform, REGION, SERVICE, ZONE},
    lint::{self, Finding},
    patch::{LockFile, Locked, LockedPackage, LockedPlatform, Patch},
    plan::{Plan, PlanInput},
    reach::Reach,
    services::Services,
    spec::Spec,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// The first of May 2027.
const NOW: Timestamp = Timestamp(1_809_129_600_000);

/// The hosts of a table, in their cells.
pub(super) struct Inventory {
    hosts: BTreeMap<HostId, Host>,
    fleet: Fleet,
    package_sets: BTreeMap<Digest, PackageSet>,
    services: Services,
}

/// What comes of a rollout file.
pub(super) struct Outcome {
    pub(super) plan: Option<Plan>,
    pub(super) findings: Vec<Finding>,
}

impl Inventory {
    /// The hosts of a table: how many, service, region/zone, instance type, os release/architecture,
    /// kernel, version of openssl (`-` where it is not installed, `?` where nobody knows). They are
    /// called `SERVICE-REGION+ZONE-1` and so on.
    pub(super) fn of(table: &str, services: &str) -> Self {
        let services = Services::parse("services.toml", services);
        let mut inventory = Self {
            hosts: BTreeMap::new(),
            fleet: Fleet::default(),
            package_sets: BTreeMap::new(),
            services: services.unwrap_or_else(|mistakes| panic!("{mistakes}")),
        };
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [count, rest @ ..] = words.as_slice() else {
                panic!("a line has words");
            };
            for _ in 0..count.parse().expect("a line begins with a number") {
                inventory.add(rest);
            }
        }
        inventory.connect();
        inventory
    }

    /// Gives those a cell that can be in one.
    fn connect(&mut self) {
        for host in self.hosts.values() {
            let hello = Box::new(Hello {
                host: host.clone(),
                incarnation: Incarnation(1),
                boot_id: "1".to_owned(),
                version: "1".to_owned(),
                in_service: true,
                detail: String::new(),
                open: None,
                newest: None,
            });
            let connects = FleetEvent::HostConnected { hello };
            if cells::unplaceable(host).is_none() {
                self.fleet.apply(&connects, NOW).expect("it is placed");
            }
        }
    }

    fn add(&mut self, words: &[&str]) {
        let [service, place, kind, platform, kernel, openssl] = words else {
            panic!("six columns follow the number, not {words:?}");
        };
        let (region, zone) = place.split_once('/').expect("a place is REGION/ZONE");
        let (os_release, architecture) = platform.split_once('/').expect("a platform is OS/ARCH");
        let prefix = format!("{service}-{region}{zone}-");
        let number = 1 + self.count_of(&prefix);
        let labels = [
            (SERVICE, *service),
            (REGION, region),
            (ZONE, zone),
            (INSTANCE_TYPE, kind),
        ];
        // A zone that is not written is a label that the host lacks.
        let labels = labels.iter().filter(|(_, value)| !value.is_empty());
        let labels: Labels = labels
            .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
            .collect();
        let id =
            HostId::new(format!("{prefix}{number:02}")).expect("the names of tables are names");
        let host = Host {
            id: id.clone(),
            labels,
            facts: Facts {
                platform: Platform {
                    os_release: os_release.to_owned(),
                    architecture: architecture.to_owned(),
                },
                kernel: (*kernel).to_owned(),
                packages: self.packages(openssl),
            }
            .into(),
        };
        self.hosts.insert(id, host);
    }

    fn count_of(&self, prefix: &str) -> usize {
        let names = self.hosts.keys();
        names.filter(|id| id.as_str().starts_with(prefix)).count()
    }

    fn packages(&mut self, openssl: &str) -> Digest {
        let mut packages = BTreeMap::from([("bash".to_owned(), "5.2".to_owned())]);
        if openssl != "-" {
            packages.insert("openssl".to_owned(), openssl.to_owned());
        }
        let packages = PackageSet(packages);
        let digest = packages.digest();
        if openssl != "?" {
            self.package_sets.insert(digest, packages);
        }
        digest
    }

    /// What comes of a rollout file, with everything that is wrong with it or may be.
    pub(super) fn plan(&self, file: &str) -> Outcome {
        self.plan_with(file, |_| {})
    }

    /// The same, with a lock file that was changed after it was made.
    pub(super) fn plan_with(&self, file: &str, change: impl Fn(&mut LockFile)) -> Outcome {
        const NAME: &str = "openssl.toml";
        let spec = match Spec::parse(NAME, file) {
            Ok(spec) => spec,
            Err(mistakes) => {
                let findings = lint::mistakes(&mistakes);
                return Outcome {
                    plan: None,
                    findings,
                };
            }
        };
        let places = Places::of(NAME, file);
        let denials = Denials::default();
        let input = PlanInput {
            hosts: &self.hosts,
            cells: self.fleet.homes(),
            package_sets: &self.package_sets,
            casualties: &BTreeSet::new(),
            unready: &BTreeSet::new(),
            calendar: &Calendar::default(),
            denials: &denials,
            now: NOW,
            services: &self.services,
        };
        let mut lock = self.lock(&spec);
        change(&mut lock);
        match Plan::make(&spec, &lock, &input) {
            Ok(plan) => Outcome {
                findings: lint::of_plan(&spec, &plan, &input, &places),
                plan: Some(plan),
            },
            Err(errors) => Outcome {
                findings: lint::of_errors(&spec, &errors, &input, &places),
                plan: None,
            },
        }
    }

    /// The wishes of a rollout of packages, met for every platform.
    fn lock(&self, spec: &Spec) -> LockFile {
        let Patch::Packages { packages } = spec.patch() else {
            panic!("the rollouts of these scripts are of packages");
        };
        let packages = packages.iter().map(|(name, wish)| LockedPackage {
            name: name.clone(),
            version: wish.to_string(),
            sha256: Digest::of(name),
            size: 1,
        });
        let packages: Vec<_> = packages.collect();
        let hosts = self.hosts.values();
        let platforms: BTreeSet<_> = hosts.map(|host| host.facts.platform.clone()).collect();
        let platforms = platforms.into_iter().map(|platform| LockedPlatform {
            platform,
            packages: packages.clone(),
            reach: Reach::Every,
            fixes: None,
        });
        LockFile {
            rollout: spec.name().to_string(),
            content: Locked::Packages {
                platforms: platforms.collect(),
            },
        }
    }
}
