//! Fleets as files.

use crate::{coordinator::Script, lab::Lab};
use cofferdam_engine::{
    id::{CellId, HostId},
    inventory::{INSTANCE_TYPE, Platform, REGION, SERVICE, ZONE},
    modelled_fleet::ModelledFleet,
    time::Timestamp,
};
use cofferdam_proto::operator::HostView;

/// A host of the service web, as a coordinator tells of it.
pub(crate) fn host(name: &str, instance_type: &str) -> HostView {
    let labels = [
        (SERVICE, "web"),
        (REGION, "r1"),
        (ZONE, "a"),
        (INSTANCE_TYPE, instance_type),
    ];
    HostView {
        host: HostId::new(name).unwrap(),
        cell: CellId::new("r1-a-1").unwrap(),
        labels: labels.map(|(l, v)| (l.to_owned(), v.to_owned())).into(),
        platform: Platform {
            os_release: "debian-12".to_owned(),
            architecture: "amd64".to_owned(),
        },
        kernel: "6.1.0-38-amd64".to_owned(),
        connected_since_ms: Some(Timestamp(1)),
        in_service: true,
        detail: String::new(),
        out: None,
        run: None,
        agent_version: String::new(),
        guard: None,
        drift: None,
        effect: None,
        left_behind: None,
        packages: None,
    }
}

#[test]
fn the_hosts_that_the_coordinator_knows_are_written_kind_by_kind() {
    let hosts = vec![
        host("web-1", "m5.large"),
        host("web-2", "r5.4xlarge"),
        host("web-3", "m5.large"),
    ];
    let script = Script {
        hosts,
        ..Script::default()
    };
    let ran = Lab::new(script).run("fleet export");
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.out, @r#"
    # The hosts that the coordinator knew, as they stood then, by `cofferdam fleet export`.

    [[hosts]]
    names = ["web-1", "web-3"]
    os_release = "debian-12"
    kernel = "6.1.0-38-amd64"
    architecture = "amd64"
    [hosts.labels]
    instance_type = "m5.large"
    region = "r1"
    service = "web"
    zone = "a"

    [[hosts]]
    names = ["web-2"]
    os_release = "debian-12"
    kernel = "6.1.0-38-amd64"
    architecture = "amd64"
    [hosts.labels]
    instance_type = "r5.4xlarge"
    region = "r1"
    service = "web"
    zone = "a"
    "#);
    let fleet = ModelledFleet::parse("fleet.toml", &ran.out).unwrap();
    assert_eq!(fleet.len(), 3);
}

#[test]
fn no_file_is_written_of_a_coordinator_without_hosts() {
    let ran = Lab::new(Script::default()).run("fleet export");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("knows no host yet"), "{}", ran.err);
}

#[test]
fn a_fleet_is_made_up_without_a_coordinator() {
    let lab = Lab::new(Script::default());
    let line = "fleet generate --hosts 300 --regions 2 --config nowhere.toml";
    let ran = lab.run(line);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let head = "# A made-up fleet, by `cofferdam fleet generate --hosts 300 --regions 2 --seed 1`.\n\n[[hosts]]\n";
    assert!(ran.out.starts_with(head), "{}", ran.out);
    let fleet = ModelledFleet::parse("fleet.toml", &ran.out).unwrap();
    assert_eq!(fleet.len(), 300);
    let json = lab.run(&format!("{line} -o json")).json();
    assert_eq!(json["hosts"], 300);
    assert_eq!(json["kinds"], fleet.kinds().len());
    assert_eq!(json["toml"], ran.out);
    assert_ne!(lab.run(&format!("{line} --seed 2")).out, ran.out);
}

#[test]
fn a_fleet_of_a_size_that_is_not_modelled_is_a_mistake_of_usage() {
    let lab = Lab::new(Script::default());
    for sizes in [
        "--hosts 0 --regions 1",
        "--hosts 5 --regions 0",
        "--hosts 5",
    ] {
        assert_eq!(
            lab.run(&format!("fleet generate {sizes}")).code,
            2,
            "{sizes}"
        );
    }
    assert_eq!(lab.run("fleet").code, 2);
}
