//! Fleets that do not stand well: exported, and rehearsed as they stand.

use crate::{coordinator::Script, fleet, lab::Lab};
use cofferdam_engine::{
    denial::Place,
    digest::Digest,
    id::{CellId, HostId, OperatorId},
    inventory::PackageSet,
    ledger::Holder,
    time::Timestamp,
};
use cofferdam_proto::operator::{
    CalendarView, DenialView, HostView, LiftView, OutView, ServicesView,
};
use serde_json::Value;
use std::fs;

const OPENSSL: &str = r#"
name = "openssl"
[patch]
kind = "packages"
packages = { openssl = "latest" }
[select]
match = 'service == "web"'
[[wave]]
name = "all"
to = "100%"
[[limits]]
floor = [{ group_by = ["service", "zone"], min_in_service = "20%" }]
"#;

/// What is exported of [`unwell`].
const EXPORTED: &str = r#"# The hosts that the coordinator knew, as they stood then, by `cofferdam fleet export`.

[[hosts]]
names = ["web-2"]
os_release = "debian-12"
kernel = "6.1.0-38-amd64"
architecture = "amd64"
[hosts.labels]
instance_type = "m5.large"
region = "r1"
service = "web"
zone = "a"
[hosts.packages]
openssl = "9999:rehearsed"

[[hosts]]
names = ["web-5"]
os_release = "debian-12"
kernel = "6.1.0-38-amd64"
architecture = "amd64"
packages = "set-1"
connected = false
[hosts.labels]
instance_type = "m5.large"
region = "r1"
service = "web"
zone = "a"

[[hosts]]
names = ["web-1"]
os_release = "debian-12"
kernel = "6.1.0-38-amd64"
architecture = "amd64"
packages = "set-1"
[hosts.labels]
instance_type = "m5.large"
region = "r1"
service = "web"
zone = "a"

[[hosts]]
names = ["web-4"]
os_release = "debian-12"
kernel = "6.1.0-38-amd64"
architecture = "amd64"
packages = "set-1"
[hosts.labels]
instance_type = "m5.large"
region = "r1"
service = "web"
zone = "a"
[hosts.out]
why = "reserved: a new disk"
by = "ana"
for = "168h"

[[hosts]]
names = ["web-3"]
os_release = "debian-12"
kernel = "6.1.0-38-amd64"
architecture = "amd64"
packages = "set-1"
[hosts.labels]
instance_type = "m5.large"
region = "r1"
service = "web"
zone = "a"
[hosts.out]
why = "the disk is full"

[packages.set-1]
openssl = "3.0.15-1"

[[denied]]
bits = "9aaf3667a401a8d710c871c2a553c736fd1be51355ab41d97605613423998a51"
hosts = ["web-5"]
by = "ana"
why = "slow queries"

[[denied]]
bits = "e3a14bfee273fe40749d79424e8b3020b9ea6b6c939dcd83b394ae4d7c30c359"
hosts = ["web-1", "web-2", "web-3", "web-4", "web-5"]
by = "ana"
why = "slow queries"
"#;

/// A set with one version of openssl.
fn with_openssl(version: &str) -> PackageSet {
    PackageSet([("openssl".to_owned(), version.to_owned())].into())
}

/// Of five hosts one serves with what most have, one has the patch, one is broken, one is taken, one is away.
fn hosts() -> Vec<HostView> {
    let host = |name: &str| HostView {
        packages: Some(with_openssl("3.0.15-1").digest()),
        ..fleet::host(name, "m5.large")
    };
    vec![
        host("web-1"),
        HostView {
            packages: Some(with_openssl("9999:rehearsed").digest()),
            ..host("web-2")
        },
        HostView {
            in_service: false,
            out: Some(OutView {
                holder: Holder::Itself.to_string(),
                why: "the disk is full".to_owned(),
                since_ms: Timestamp(1),
                until_ms: None,
            }),
            ..host("web-3")
        },
        HostView {
            out: Some(OutView {
                holder: "ana".to_owned(),
                why: "reserved: a new disk".to_owned(),
                since_ms: Timestamp(1),
                until_ms: Some(Timestamp(u64::MAX)),
            }),
            ..host("web-4")
        },
        HostView {
            connected_since_ms: None,
            ..host("web-5")
        },
    ]
}

/// Denials at a host, in the cell of all, in a cell that is no more, and one that was lifted.
fn denials() -> Vec<DenialView> {
    let denial = |bits: &str, place, lifted| DenialView {
        bits: Digest::of(bits),
        place,
        by: OperatorId::new("ana").ok(),
        rollout: None,
        reason: "slow queries".to_owned(),
        at_ms: Timestamp(1),
        lifted,
    };
    let lift = LiftView {
        by: OperatorId::new("bo").unwrap(),
        reason: String::new(),
        at_ms: Timestamp(2),
    };
    let in_cell = |cell: &str| Place::Cell {
        cell: CellId::new(cell).unwrap(),
    };
    let at_host = Place::Host {
        host: HostId::new("web-5").unwrap(),
    };
    vec![
        denial("of a host", at_host, None),
        denial("of a cell", in_cell("r1-a-1"), None),
        denial("of a cell that is no more", in_cell("r1-a-9"), None),
        denial("no more", Place::Fleet, Some(lift)),
    ]
}

fn unwell() -> Script {
    Script {
        hosts: hosts(),
        package_sets: ["3.0.15-1", "9999:rehearsed"].map(with_openssl).into(),
        denials: denials(),
        services: Some(ServicesView {
            services: Vec::new(),
            undeclared: Vec::new(),
        }),
        calendar: Some(CalendarView {
            declared_by: None,
            declared_at_ms: None,
            freezes: Vec::new(),
        }),
        ..Script::default()
    }
}

#[test]
fn an_exported_fleet_stands_as_the_live_one_and_is_rehearsed_alike() {
    let lab = Lab::new(unwell());
    let exported = lab.run("fleet export");
    assert_eq!((exported.code, exported.out.as_str()), (0, EXPORTED));
    fs::write(lab.path("fleet.toml"), &exported.out).unwrap();
    fs::write(lab.path("openssl.toml"), OPENSSL).unwrap();
    fs::write(lab.path("day.toml"), "start = \"2026-11-26T18:00\"\n").unwrap();

    let [live, paper] = ["live", "fleet.toml"].map(|fleet| {
        lab.run(&format!(
            "rehearse openssl.toml --fleet {fleet} --faults day.toml -o json"
        ))
    });

    let report = live.json();
    assert_eq!(report, paper.json());
    let cause = |left: &Value| (left["cause"].clone(), left["hosts"][0].clone());
    let left = report["left"].as_array().unwrap().iter().map(cause);
    let held = "the host is held by ana (reserved: a new disk)";
    let expected = [
        (held, "web-4"),
        ("the host is not connected", "web-5"),
        ("the host is not in service, by itself", "web-3"),
    ];
    let expected = expected.map(|(cause, host)| (Value::from(cause), Value::from(host)));
    assert_eq!(left.collect::<Vec<_>>(), expected);
    let begun = "when it began, 2 of the hosts were out and 1 not connected";
    assert_eq!(report["notes"], serde_json::json!([begun]));
}
