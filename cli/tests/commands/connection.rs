//! The way to the coordinator: config, certificates, and what `doctor` says of them.

use crate::{coordinator::Script, lab::Lab};
use cofferdam_engine::{id::OwnerEpoch, time::Timestamp};
use cofferdam_proto::operator::Description;
use std::fs;

fn lab() -> Lab {
    let description = Description {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: OwnerEpoch(3),
        trust_domain: "example.org".to_owned(),
        store: "sled at /var/lib/cofferdam-coordinator".to_owned(),
        started_at_ms: Timestamp(0),
        connected: 23,
        hosts: 24,
        cells: 3,
        rollouts: 1,
    };
    Lab::new(Script {
        description: Some(description),
        ..Script::default()
    })
}

/// The verdict of one check.
fn verdict<'a>(found: &'a serde_json::Value, check: &str) -> &'a str {
    let checks = found["checks"].as_array().unwrap().iter();
    let mut checks = checks.filter(|finding| finding["check"] == check);
    checks.next().unwrap()["verdict"].as_str().unwrap()
}

#[test]
fn doctor_finds_nothing_wrong_where_nothing_is() {
    let lab = lab();
    let ran = lab.run("doctor -o json");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let found = ran.json();
    for check in [
        "config",
        "identity",
        "key",
        "connection",
        "coordinator",
        "clocks",
    ] {
        assert_eq!(verdict(&found, check), "ok", "{check}: {}", ran.out);
    }
    assert_eq!(
        verdict(&found, "certificate"),
        "warn",
        "it ends in two days"
    );
    assert_eq!(verdict(&found, "agents"), "warn", "one is not connected");
}

#[test]
fn a_certificate_of_another_authority_is_refused_and_doctor_says_so() {
    let (lab, other) = (lab(), lab());
    for name in ["operator-ana.crt", "operator-ana.key"] {
        fs::copy(other.path(name), lab.path(name)).unwrap();
    }
    let list = lab.run("list");
    assert_eq!(list.code, 1);
    assert!(list.err.contains("doctor"), "{}", list.err);
    let doctor = lab.run("doctor -o json");
    assert_eq!(doctor.code, 1);
    assert_eq!(verdict(&doctor.json(), "certificate"), "fail");
    assert_eq!(verdict(&doctor.json(), "connection"), "fail");
}

#[test]
fn the_name_in_the_coordinators_certificate_is_checked() {
    let lab = lab();
    let ran = lab.run("list --server-name elsewhere.example.org");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("elsewhere.example.org"), "{}", ran.err);
}

#[test]
fn another_trust_domain_than_was_asked_for_is_refused() {
    let lab = lab();
    let ran = lab.run("list --trust-domain other.org");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("example.org"), "{}", ran.err);
}

#[test]
fn an_unknown_key_in_the_config_is_an_error_with_its_line() {
    let lab = lab();
    let path = lab.path("config.toml");
    let text = fs::read_to_string(&path).unwrap() + "endpiont = \"x\"\n";
    fs::write(&path, text).unwrap();
    let ran = lab.run("list");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("line 6"), "{}", ran.err);
    assert!(ran.err.contains("endpiont"), "{}", ran.err);
}

#[test]
fn nobody_at_the_endpoint_is_said_with_its_address() {
    let lab = lab();
    let ran = lab.run("list --endpoint https://127.0.0.1:1");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("https://127.0.0.1:1"), "{}", ran.err);
    assert!(ran.err.contains("onnection refused"), "{}", ran.err);
}
