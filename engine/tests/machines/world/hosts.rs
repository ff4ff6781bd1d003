//! Fills a world with hosts.

use super::World;
use cofferdam_engine::{
    digest::Digest,
    id::{CellId, HostId},
    inventory::{Facts, Host, INSTANCE_TYPE, Labels, PackageSet, Platform, REGION, SERVICE, ZONE},
};
use std::time::Duration;

/// A host by its name.
pub(crate) fn id(name: &str) -> HostId {
    HostId::new(name).expect("the tests' names are names")
}

/// The package set of every host.
pub(super) fn packages() -> PackageSet {
    installed(["1", "1"])
}

fn installed([openssl, curl]: [&str; 2]) -> PackageSet {
    let versions = [("openssl", openssl), ("curl", curl)];
    PackageSet(
        versions
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .into(),
    )
}

/// The platform of every host.
pub(crate) fn platform() -> Platform {
    Platform {
        os_release: "debian-12".to_owned(),
        architecture: "amd64".to_owned(),
    }
}

impl World {
    /// Adds hosts of a service in a zone such as `r1/a`, called `SERVICE-ZONE-1` and so on, and
    /// starts their agents.
    pub(crate) fn hosts(self, service: &str, place: &str, count: usize) -> Self {
        self.typed_hosts(service, place, "plain", count)
    }

    /// The same, of an instance type; they are called `TYPE-ZONE-1` and so on.
    pub(crate) fn typed_hosts(
        mut self,
        service: &str,
        place: &str,
        kind: &str,
        count: usize,
    ) -> Self {
        self.add_hosts(service, place, kind, count);
        self.advance(Duration::from_secs(1));
        self
    }

    /// The same, while everything goes on.
    pub(crate) fn add_hosts(&mut self, service: &str, place: &str, kind: &str, count: usize) {
        let (region, zone) = place.split_once('/').expect("a place is REGION/ZONE");
        let prefix = if kind == "plain" { service } else { kind };
        for number in 1..=count {
            let name = id(&format!("{prefix}-{zone}-{number}"));
            self.join(host(name, service, region, zone, kind));
        }
    }

    /// A host of a number is born in the first zone, unless it was before.
    pub(crate) fn add_born(&mut self, number: usize) {
        let name = id(&format!("born-a-{number}"));
        if !self.agents.contains_key(&name) {
            let host = host(name, "web", "r1", "a", "born");
            self.join(host);
        }
    }

    /// A host is given another service, and dials again; one that has it already does not.
    pub(crate) fn relabel(&mut self, host: &HostId, service: &str) {
        let agent = self.agents.get_mut(host).expect("the host is there");
        let labels = &mut agent.host.labels;
        let before = labels.insert(SERVICE.to_owned(), service.to_owned());
        if before.as_deref() != Some(service) {
            self.break_session(host);
        }
    }

    /// Adds hosts of the service web in a zone that a label marks; they are called `LABEL-ZONE-1` and so
    /// on.
    pub(crate) fn add_marked(&mut self, label: &str, place: &str, count: usize) {
        let (region, zone) = place.split_once('/').expect("a place is REGION/ZONE");
        for number in 1..=count {
            let labels: Labels = [
                (SERVICE, "web"),
                (REGION, region),
                (ZONE, zone),
                (INSTANCE_TYPE, "plain"),
                (label, "true"),
            ]
            .map(|(label, value)| (label.to_owned(), value.to_owned()))
            .into();
            self.join(Host {
                id: id(&format!("{label}-{zone}-{number}")),
                labels,
                facts: facts().into(),
            });
        }
    }

    /// Somebody installs these versions of openssl and curl on a host, which nobody is told of yet.
    pub(crate) fn installs(&mut self, host: &str, versions: [&str; 2]) {
        self.install(&id(host), installed(versions));
    }

    /// The cell of a host.
    pub(crate) fn cell_of(&self, host: &str) -> CellId {
        self.owner.fleet.homes()[&id(host)].clone()
    }
}

fn host(id: HostId, service: &str, region: &str, zone: &str, kind: &str) -> Host {
    let labels: Labels = [
        (SERVICE, service),
        (REGION, region),
        (ZONE, zone),
        (INSTANCE_TYPE, kind),
    ]
    .map(|(label, value)| (label.to_owned(), value.to_owned()))
    .into();
    Host {
        id,
        labels,
        facts: facts().into(),
    }
}

fn facts() -> Facts {
    let packages: Digest = packages().digest();
    Facts {
        platform: platform(),
        kernel: "6.1.0-18-amd64".to_owned(),
        packages,
    }
}
