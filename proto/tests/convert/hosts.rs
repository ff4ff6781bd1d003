//! What operators are told of hosts comes back as it went.

use crate::sample::{cell, host, over_the_wire, platform, rollout, text};
use cofferdam_engine::{digest::Digest, inventory::PackageSet, run::RunState, time::Timestamp};
use cofferdam_proto::{
    operator::{HostView, OutView, RolloutState, RunView},
    v1,
};
use std::collections::BTreeMap;

#[test]
pub(super) fn a_host_arrives_unchanged() {
    for view in [bare_host(), full_host()] {
        assert_eq!(over_the_wire::<v1::HostView, _>(view.clone()), Ok(view));
    }
}

#[test]
pub(super) fn what_is_installed_arrives_unchanged() {
    let installed = PackageSet([(text("openssl"), text("3.0.15-1~deb12u1"))].into());
    assert_eq!(
        over_the_wire::<v1::Packages, _>(installed.clone()),
        Ok(installed)
    );
}

#[test]
fn json_has_the_names_that_scripts_rely_on() {
    let json = serde_json::to_value(full_host()).unwrap();

    let expected = serde_json::json!({
        "host": "web-1",
        "cell": "r1-a-1",
        "labels": { "zone": "a" },
        "platform": { "os_release": "debian-12", "architecture": "amd64" },
        "kernel": "6.1.0-28",
        "connected_since_ms": 1,
        "in_service": true,
        "detail": "check disk failed",
        "out": { "holder": "rollout x", "why": "draining", "since_ms": 2, "until_ms": 4 },
        "run": {
            "rollout": "openssl-2026-11",
            "state": "draining",
            "since_ms": 3,
            "slow": true
        },
        "agent_version": "0.1.0",
        "guard": null,
        "drift": null,
        "effect": null,
        "left_behind": null,
        "packages": Digest::of("packages")
    });
    assert_eq!(json, expected);
    let state = serde_json::to_value(RolloutState::RollingBack).unwrap();
    assert_eq!(state, "rolling-back");
}

fn bare_host() -> HostView {
    HostView {
        host: host(),
        cell: cell(),
        labels: BTreeMap::new().into(),
        platform: platform(),
        kernel: String::new(),
        connected_since_ms: None,
        in_service: false,
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

fn full_host() -> HostView {
    HostView {
        labels: [(text("zone"), text("a"))].into(),
        kernel: text("6.1.0-28"),
        connected_since_ms: Some(Timestamp(1)),
        in_service: true,
        detail: text("check disk failed"),
        out: Some(OutView {
            holder: text("rollout x"),
            why: text("draining"),
            since_ms: Timestamp(2),
            until_ms: Some(Timestamp(4)),
        }),
        run: Some(RunView {
            rollout: rollout(),
            state: RunState::Draining,
            since_ms: Timestamp(3),
            slow: true,
        }),
        agent_version: text("0.1.0"),
        packages: Some(Digest::of("packages")),
        ..bare_host()
    }
}
