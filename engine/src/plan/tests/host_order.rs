//! Hosts that go before or after the others of their wave.

use super::{
    super::*,
    fleet::{Fleet, NOOP, demo},
};

/// 300 hosts, two of which are validators and three the patcher's own; one says that it is neither.
fn marked() -> Fleet {
    let mut fleet = Fleet::default().with("web", "r1/a", "t", 294);
    for (name, label, value) in [
        ("v1", "validator", "true"),
        ("v2", "validator", "yes"),
        ("p1", "patcher", "true"),
        ("p2", "patcher", "true"),
        ("p3", "patcher", "true"),
        ("n1", "patcher", "false"),
    ] {
        let place = [
            ("service", "web"),
            ("region", "r1"),
            ("zone", "a"),
            ("instance_type", "t"),
        ];
        let labels = [place.as_slice(), &[(label, value)]].concat();
        fleet.add(name, &labels);
    }
    fleet.placed()
}

fn wave_of(plan: &Plan, host: &str) -> u32 {
    plan.hosts[&HostId::new(host).unwrap()].wave.0
}

#[test]
fn validators_go_first_then_one_box_then_the_rest_of_the_canary() {
    let plan = marked().plan(NOOP);
    let canary = &plan.waves[0];
    assert_eq!(
        canary.slices.values().map(Vec::len).sum::<usize>(),
        3,
        "1 %: both validators and a box"
    );
    let [validators, one_box] = canary.order.ahead.as_slice() else {
        panic!("two lists go ahead");
    };
    assert_eq!(validators.len(), 2);
    assert_eq!((wave_of(&plan, "v1"), wave_of(&plan, "v2")), (0, 0));
    assert_eq!(one_box.len(), 1);
    assert!(
        plan.waves[1..]
            .iter()
            .all(|wave| wave.order.ahead.is_empty())
    );
}

#[test]
fn the_one_box_is_of_the_rarest_strata() {
    let plan = demo().plan(NOOP);
    let [one_box] = plan.waves[0].order.ahead.as_slice() else {
        panic!("without validators one box goes ahead");
    };
    let mut strata = plan.strata_of(&one_box[0]);
    assert!(strata.any(|stratum| stratum.to_string() == "instance_type=rare"));
}

#[test]
fn the_last_wave_alone_takes_the_patchers_own_hosts_and_they_come_last() {
    let plan = marked().plan(NOOP);
    for host in ["p1", "p2", "p3"] {
        assert_eq!(wave_of(&plan, host), 2);
    }
    assert_eq!(plan.waves[2].order.behind.len(), 3);
    let sizes: Vec<usize> = (plan.waves.iter())
        .map(|wave| wave.slices.values().map(Vec::len).sum())
        .collect();
    assert_eq!(sizes[0] + sizes[1], 30, "they count where shares are taken");
}

#[test]
fn strata_that_only_the_patchers_own_hosts_are_of_are_named() {
    let mut fleet = Fleet::default().with("web", "r1/a", "t", 20);
    let labels = [
        ("service", "web"),
        ("region", "r1"),
        ("zone", "a"),
        ("instance_type", "own"),
        ("patcher", "true"),
    ];
    fleet.add("p1", &labels);
    let warnings = fleet.placed().plan(NOOP).warnings;
    let lines: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    let expected = "wave canary has no host of instance_type=own: only the patcher's own hosts are of them, and those come last; watch them in the last wave, or give such a stratum a host that is none";
    assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
}
