//! What the first wave proves, what it must, and what an operator may waive.

use super::{
    fleet::{Fleet, NOOP, demo, locked_openssl, waiver, wave},
    sizes,
};
use crate::{
    id::HostId,
    plan::{Plan, PlanError, Warning},
};
use std::collections::BTreeSet;

const IN_ZONE_A: &str = "to = \"50%\"\nmatch = 'zone == \"a\"'";

/// A canary in zone a, which lacks a type, a region and two zones of the demo's fleet.
fn narrow(waivers: &[&str]) -> String {
    let waves = wave("canary", IN_ZONE_A) + &wave("all", "to = \"100%\"");
    let waivers: String = waivers.iter().map(|s| waiver(s, "2027-05-01")).collect();
    format!("{NOOP}{waves}{waivers}")
}

const LACKING: [&str; 4] = ["instance_type=t3", "region=r2", "zone=r1/b", "zone=r2/c"];

/// 50 zones of 500 hosts and five services; four hosts of each zone, 200 in all, are of one type.
fn incident_2() -> Fleet {
    let mut fleet = Fleet::default();
    for i in 0..25_000 {
        let (zone, kind) = (i / 500, i % 8);
        let kind = match i % 125 {
            7 => "r5.24xlarge".to_owned(),
            _ => format!("m{kind}.large"),
        };
        let name = format!("host-{i:05}");
        let labels = [
            ("service", format!("service-{}", i % 5)),
            ("region", format!("r{}", zone / 5)),
            ("zone", format!("z{}", zone % 5)),
            ("instance_type", kind),
        ];
        let labels = labels
            .each_ref()
            .map(|(label, value)| (*label, value.as_str()));
        fleet.add(&name, &labels);
    }
    fleet.placed()
}

/// How many hosts each stratum has, and how many of those are in the first wave.
fn counts(plan: &Plan) -> Vec<(usize, usize)> {
    let mut counts = vec![(0, 0); plan.strata.len()];
    for host in plan.hosts.values() {
        for stratum in &host.strata {
            let (hosts, first) = &mut counts[usize::try_from(*stratum).unwrap()];
            *hosts += 1;
            *first += usize::from(host.wave.0 == 0);
        }
    }
    counts
}

/// The whole of what a plan says of coverage.
fn course(plan: &Plan) -> String {
    let mut text = format!("waves of {:?} hosts\n", sizes(plan));
    for (stratum, (hosts, first)) in plan.strata.iter().zip(counts(plan)) {
        text += &format!("{stratum}: {first} of {hosts}\n");
    }
    for waived in &plan.waived {
        let (stratum, hosts) = (&waived.stratum, waived.hosts);
        let (reason, expires) = (&waived.reason, waived.expires);
        text += &format!("waived until {expires}: {stratum} ({hosts}), {reason}\n");
    }
    for warning in &plan.warnings {
        text += &format!("warning: {warning}\n");
    }
    text
}

#[test]
fn a_type_that_is_spread_thin_over_a_large_fleet_is_in_the_canary_at_least_twice() {
    let plan = incident_2().plan(NOOP);
    insta::assert_snapshot!(course(&plan));
}

#[test]
fn a_host_that_cannot_be_started_is_in_the_canary_only_where_no_other_will_do() {
    let mut fleet = demo();
    let canary = |fleet: &Fleet| -> BTreeSet<HostId> {
        let plan = fleet.plan(NOOP);
        plan.waves[0].slices.values().flatten().cloned().collect()
    };
    let (rare, others): (BTreeSet<HostId>, BTreeSet<HostId>) = {
        let is_rare = |host: &HostId| fleet.hosts[host].value("instance_type") == Some("rare");
        fleet.hosts.keys().cloned().partition(is_rare)
    };
    let first = canary(&fleet);

    fleet.unready = first.intersection(&others).cloned().collect();
    assert!(canary(&fleet).is_disjoint(&fleet.unready));
    fleet.unready = rare;
    assert!(!canary(&fleet).is_disjoint(&fleet.unready));
}

#[test]
fn a_canary_without_room_for_a_thin_type_is_refused_unless_it_is_waived() {
    let fleet = incident_2();
    let waves = wave(
        "canary",
        "to = \"1%\"\nmatch = 'instance_type != \"r5.24xlarge\"'",
    ) + &wave("full", "to = \"100%\"");
    let refused = fleet.try_plan(&format!("{NOOP}{waves}")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "wave canary is the first and has no host of instance_type=r5.24xlarge (200 hosts); let its match and size take one of each, leave such hosts out of select, or say in a [[waiver]] why it may"
    );
    let waiver = waiver("instance_type=r5.24xlarge", "2027-05-01");
    let plan = fleet.plan(&format!("{NOOP}{waves}{waiver}"));
    insta::assert_snapshot!(course(&plan));
}

#[test]
fn a_first_wave_of_so_many_hosts_takes_no_more_and_is_refused_when_they_do_not_cover() {
    let waves = |hosts: usize| {
        let canary = wave("canary", &format!("hosts = {hosts}"));
        format!("{NOOP}{canary}{}", wave("full", "to = \"100%\""))
    };
    assert_eq!(sizes(&demo().plan(&waves(4))), [4, 20]);
    let refused = demo().try_plan(&waves(3)).unwrap_err();
    let [PlanError::NotCovered { strata, .. }] = refused.0.as_slice() else {
        panic!("{refused}");
    };
    assert_eq!(strata.len(), 1);
    let waived = waves(3) + &waiver(&strata[0].stratum.to_string(), "2027-05-01");
    assert_eq!(sizes(&demo().plan(&waived)), [3, 21]);
}

#[test]
fn what_the_first_wave_lacks_is_refused_until_each_is_waived() {
    let refused = demo().try_plan(&narrow(&LACKING[1..])).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "wave canary is the first and has no host of instance_type=t3 (7 hosts); let its match and size take one of each, leave such hosts out of select, or say in a [[waiver]] why it may"
    );
    let plan = demo().plan(&narrow(&LACKING));
    let waived: Vec<_> = plan.waived.iter().map(|w| w.stratum.to_string()).collect();
    assert_eq!(waived, LACKING);
    assert!(matches!(plan.warnings[..], [Warning::NoGate { .. }]));
}

#[test]
fn a_waiver_holds_to_the_end_of_its_last_day() {
    let with = |expires: &str| format!("{NOOP}{}", waiver("region=r9", expires));
    demo().plan(&with("2027-05-01"));
    assert_eq!(
        demo()
            .try_plan(&with("2027-04-30"))
            .unwrap_err()
            .to_string(),
        "the waiver of region=r9 ended with 2027-04-30; take it out, or decide anew and give it a later day"
    );
}

#[test]
fn a_waiver_that_waives_nothing_is_a_warning() {
    let text =
        NOOP.to_owned() + &waiver("zone=r1/a", "2027-05-01") + &waiver("zone=a", "2027-05-01");
    let warnings = demo().plan(&text).warnings;
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    let of_waivers = warnings.len() - 2;
    assert_eq!(
        warnings[of_waivers..],
        [
            "the waiver of zone=r1/a is not needed, the first wave has a host of it: take it out",
            "no planned host is of zone=a, which a waiver names: correct it, or take it out"
        ]
    );
}

#[test]
fn a_rollout_says_which_labels_and_pairs_make_strata() {
    let strata = |top: &str| -> Vec<String> {
        let plan = demo().plan(&format!("{top}{NOOP}"));
        plan.strata.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        strata("coverage = [\"region\"]"),
        ["region=r1", "region=r2"]
    );
    assert_eq!(
        strata("coverage = []\ncoverage_pairs = [[\"instance_type\", \"region\"]]"),
        [
            "instance_type=rare region=r1",
            "instance_type=rare region=r2",
            "instance_type=t1 region=r1",
            "instance_type=t2 region=r1",
            "instance_type=t2 region=r2",
            "instance_type=t3 region=r1",
            "instance_type=t3 region=r2",
        ]
    );
}

fn names(plan: &Plan) -> Vec<String> {
    plan.strata.iter().map(ToString::to_string).collect()
}

#[test]
fn the_first_wave_has_a_host_of_every_region_whatever_the_coverage() {
    let fleet = Fleet::default()
        .with("web", "r1/a", "t", 150)
        .with("web", "r2/b", "t", 8);
    let plan = fleet.plan(&format!("coverage = [\"service\"]\n{NOOP}"));
    let first = plan.waves[0].slices.keys().map(ToString::to_string);
    assert_eq!(first.collect::<Vec<_>>(), ["r1-a-1", "r2-b-1"]);
    assert_eq!(names(&plan), ["service=web"]);

    let narrow = wave("canary", "to = \"50%\"\nmatch = 'region == \"r1\"'");
    let file = format!(
        "coverage = [\"service\"]\n{NOOP}{narrow}{}",
        wave("all", "to = \"100%\"")
    );
    let errors = fleet.try_plan(&file).unwrap_err().to_string();
    assert!(
        errors.contains("has no host of region=r2 (8 hosts)"),
        "{errors}"
    );

    let plan = fleet.plan(&(file + &waiver("region=r2", "2027-05-01")));
    let tried_first = ["region=r1", "region=r2", "service=web"];
    assert_eq!(names(&plan), tried_first);
}

#[test]
fn deltas_that_are_not_told_apart_are_a_warning() {
    let spec = "[patch]\nkind = \"packages\"\npackages = { openssl = \"3\" }\n[select]\nmatch = 'service == \"web\"'";
    let last_warning = |top: &str| -> Option<String> {
        let fleet = demo();
        let lock = locked_openssl(&["amd64"]);
        let plan = fleet.try_plan_with(&format!("{top}{spec}"), &lock).unwrap();
        let last = plan.warnings.last();
        last.map(ToString::to_string)
    };
    assert_eq!(
        last_warning("").unwrap(),
        "the packages of 24 hosts are not known: they count as alike only where their digest is the same; each host tells them when it is connected, so plan again then"
    );
    assert_eq!(
        last_warning("coverage = [\"zone\", \"instance_type\"]\n").unwrap(),
        "coverage leaves out delta: hosts that the patch changes in different ways count as alike; add it"
    );
}
