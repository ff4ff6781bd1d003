//! Each rule's smallest file, and its whole message.

use super::*;
use crate::{
    calendar::Calendar,
    denial::Denials,
    fleet::{Fleet, homed},
    id::HostId,
    inventory::{Facts, Host, PackageSet},
    services::Services,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// A file with more at its top and its end. What is at the top begins in line 1, what is at the end
/// in line 6 plus the lines of the top.
fn file(top: &str, patch: &str, end: &str) -> String {
    format!(
        "{top}name = \"x\"\n[patch]\nkind = \"noop\"\n{patch}[select]\nmatch = 'service != \"none\"'\n{end}"
    )
}

fn shown(findings: &[Finding]) -> Vec<String> {
    let show = |found: &Finding| {
        let severity = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        format!("{severity} {} {found}", found.rule)
    };
    findings.iter().map(show).collect()
}

fn of_file_alone(text: &str) -> Vec<String> {
    match Spec::parse("f.toml", text) {
        Ok(spec) => shown(&alone(&spec, &Places::of("f.toml", text))),
        Err(errors) => shown(&mistakes(&errors)),
    }
}

/// Four hosts of web in r1/a, one of them of another type; all without other labels.
fn four() -> BTreeMap<HostId, Host> {
    let host = |number: usize| {
        let id = HostId::new(format!("web-{number}")).unwrap();
        let kind = if number == 3 { "rare" } else { "plain" };
        let labels = [
            ("service", "web"),
            ("region", "r1"),
            ("zone", "a"),
            ("instance_type", kind),
        ];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let facts = Facts {
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            kernel: "6.1".to_owned(),
            packages: PackageSet::default().digest(),
        };
        let host = Host {
            id: id.clone(),
            labels: labels.into(),
            facts: facts.into(),
        };
        (id, host)
    };
    (0..4).map(host).collect()
}

/// What a fleet shows, apart from what it shows of every rollout.
fn of_fleet(text: &str, hosts: &BTreeMap<HostId, Host>) -> Vec<String> {
    let of_all = ["no gate watches", "its size says"];
    let mut shown = all_of_fleet(text, hosts);
    shown.retain(|line| !of_all.iter().any(|part| line.contains(part)));
    shown
}

/// What a fleet shows of gates.
fn of_gates(text: &str, hosts: &BTreeMap<HostId, Host>) -> Vec<String> {
    let mut shown = all_of_fleet(text, hosts);
    shown.retain(|line| line.starts_with("warning gate"));
    shown
}

fn all_of_fleet(text: &str, hosts: &BTreeMap<HostId, Host>) -> Vec<String> {
    let mut fleet = Fleet::default();
    homed::connect(&mut fleet, hosts.values());
    let spec = Spec::parse("f.toml", text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let input = PlanInput {
        hosts,
        cells: fleet.homes(),
        package_sets: &BTreeMap::new(),
        denials: &Denials::default(),
        casualties: &BTreeSet::new(),
        unready: &BTreeSet::new(),
        services: &Services::default(),
        calendar: &Calendar::default(),
        now: Timestamp(1_800_000_000_000),
    };
    let places = Places::of("f.toml", text);
    shown(&with_fleet(&spec, None, &input, &places))
}

const ALL: &str = "[[wave]]\nname = \"all\"\nto = \"100%\"\n";

#[test]
fn a_file_alone_shows_brakes_deadlines_and_waves_that_cannot_be_meant() {
    let top = |top: &str| file(&format!("{top}\n"), "", "");
    for (text, expected) in [
        (
            top("brake = { cell_share = \"100%\" }"),
            "warning brake f.toml:1:24: the cell's brake never fires: no more than 100% of the hosts can fail; lower cell_share",
        ),
        (
            top("brake = { fleet_share = \"100%\" }"),
            "warning brake f.toml:1:25: the fleet's brake never fires: no more than 100% of the hosts can fail; lower fleet_share",
        ),
        (
            top("brake = { cell_share = \"0%\", cell_least = 1 }"),
            "warning brake f.toml:1:24: the cell's brake fires with the first host that fails, before a second opinion is heard: raise cell_share or cell_least",
        ),
        (
            top("brake = { velocity_share = \"100%\" }"),
            "warning brake f.toml:1:28: the velocity's brake fires as soon as a wave is slower than at its best: lower velocity_share",
        ),
        (
            top("late_deadline = \"30s\"\napply_deadline = \"30s\"\nscript_deadline = \"30s\""),
            "warning deadline f.toml:1:17: stable_for_canary of 1m does not fit into late_deadline of 30s: every host that does not reboot is given up before it can be stable; raise late_deadline, or lower stable_for_canary",
        ),
        (
            top("first_answer = \"10m\""),
            "warning deadline f.toml:1:16: first_answer of 10m does not fit into verify_deadline of 5m: an application may answer in time and its host fail all the same; raise verify_deadline, or lower first_answer",
        ),
        (
            top("script_deadline = \"1h\""),
            "warning deadline f.toml:1:19: script_deadline of 1h does not fit into apply_deadline of 15m: a maintainer script never has all of its time; raise apply_deadline, or lower script_deadline",
        ),
        (
            top("claim_wait = \"5m\""),
            "warning deadline f.toml:1:14: claim_wait of 5m does not fit into start_by of 1m: an order is void before its claim is given up; raise start_by, or lower claim_wait",
        ),
        (
            file("reboot_deadline = \"5s\"\n", "reboot = \"always\"\n", ""),
            "warning deadline f.toml:1:19: hosts may reboot, and reboot_deadline of 5s is shorter than the 1m that a boot takes: raise it, or say reboot = \"never\" in [patch]",
        ),
        (
            file("", "", "[[wave]]\nname = \"half\"\nto = \"50%\"\n"),
            "warning wave f.toml:8:6: no wave goes to 100%: after wave half the other hosts stay as they are; add a wave with to = \"100%\", or narrow select",
        ),
        (
            file(
                "",
                "",
                "[[window]]\nstart = \"22:00\"\nend = \"23:00\"\nlast_start = \"1h\"\n",
            ),
            "warning window f.toml:9:14: the window never opens: nothing starts in the last 1h of its 1h; shorten last_start, or make the window longer",
        ),
        (
            top("brake = { velocity_share = \"0%\" }"),
            "warning brake f.toml:1:28: the velocity's brake never fires: no wave is slower than nothing; raise velocity_share",
        ),
    ] {
        assert_eq!(of_file_alone(&text), [expected], "{text}");
    }
}

#[test]
fn a_change_that_does_not_fit_into_the_time_without_a_reboot_is_named_unless_all_reboot() {
    let always = "late_deadline = \"4m\"\n";
    assert_eq!(
        of_file_alone(&file(always, "reboot = \"always\"\n", "")),
        [""; 0]
    );
    for (text, expected) in [
        (
            file("late_deadline = \"4m\"\n", "", ""),
            "warning deadline f.toml:1:17: apply_deadline of 15m does not fit into late_deadline of 4m: a host that does not reboot is given up while its change may still go on; raise late_deadline, or lower apply_deadline",
        ),
        (
            file("apply_deadline = \"30m\"\n", "reboot = \"never\"\n", ""),
            "warning deadline f.toml:1:18: apply_deadline of 30m does not fit into late_deadline of 5m: a host that does not reboot is given up while its change may still go on; raise late_deadline, or lower apply_deadline",
        ),
    ] {
        assert_eq!(of_file_alone(&text), [expected], "{text}");
    }
}

#[test]
fn a_span_of_the_brake_that_is_over_before_a_run_can_be_is_named() {
    let over = |brake: &str| of_file_alone(&file(&format!("brake = {{ {brake} }}\n"), "", ""));
    assert_eq!(
        over("velocity_over = \"5s\""),
        [
            "warning brake f.toml:1:27: the velocity's brake never fires: it goes by runs that take no longer than velocity_over of 5s, and each takes 10s to be stable alone; raise velocity_over to several runs, with drain, apply and reboot"
        ]
    );
    assert_eq!(over("velocity_over = \"11s\""), [""; 0]);
}

#[test]
fn a_file_that_is_no_rollout_is_an_error_at_its_place() {
    let text = file("bakes = \"1m\"\n", "", "");
    let expected = "error file f.toml:1:1: unknown key \"bakes\"; did you mean \"bake\"?";
    assert_eq!(of_file_alone(&text), [expected]);
}

#[test]
fn a_rollout_that_stands_for_nobody_is_an_error() {
    for (top, against) in [
        ("late_join = \"skip\"", "late_join = \"skip\""),
        ("repair = true", "repair = true"),
    ] {
        let text = file(&format!("standing = true\n{top}\n"), "", "");
        let expected = format!(
            "error file f.toml:1:12: standing: a rollout stands for hosts that come later, and {against} leaves those as they are; keep one of the two"
        );
        assert_eq!(of_file_alone(&text), [expected]);
    }
}

#[test]
fn what_may_well_be_meant_is_not_noted() {
    for text in [
        file("", "", ""),
        file("reboot_deadline = \"5s\"\n", "reboot = \"never\"\n", ""),
        file("brake = { cell_share = \"0%\" }\n", "", ""),
        file("at_once_per_cell = 1\n", "", ""),
        file("", "", "[[wave]]\nname = \"some\"\nhosts = 5\n"),
    ] {
        assert_eq!(of_file_alone(&text), [""; 0], "{text}");
    }
    assert_eq!(of_fleet(&file("", "", ALL), &four()), [""; 0]);
}

#[test]
fn services_that_no_gate_watches_are_named() {
    let (text, mut hosts) = (file("", "", ALL), four());
    for host in hosts.values_mut().skip(2) {
        host.labels.insert("service".to_owned(), "api".to_owned());
    }
    assert_eq!(
        of_gates(&text, &hosts),
        [
            "warning gate f.toml:6:1: no gate watches the patched hosts of api, web: a bake passes when its time is over, so look at them yourself before it is, or pause"
        ]
    );
}

#[test]
fn a_fleet_shows_what_matches_nothing() {
    let floor = "[[limits]]\nmatch = 'service == \"wbe\"'\nat_once_per_cell = 1\n";
    for (text, expected) in [
        (
            file("", "", "").replace("!=", "=="),
            "error selection f.toml:5:9: no host of 4 matches `service == \"none\"`; `cofferdam hosts -o json` shows their labels",
        ),
        (
            file("", "", &(ALL.to_owned() + floor)),
            "warning selection f.toml:10:9: none of the 4 selected hosts matches `service == \"wbe\"`; correct it, or take its [[limits]] out; `cofferdam hosts -o json` shows their labels",
        ),
        (
            file(
                "",
                "",
                &format!(
                    "{ALL}[[window]]\nmatch = 'zone == \"b\"'\nstart = \"22:00\"\nend = \"23:00\"\n"
                ),
            ),
            "warning selection f.toml:10:9: none of the 4 selected hosts matches `zone == \"b\"`; correct it, or take its [[window]] out; `cofferdam hosts -o json` shows their labels",
        ),
        (
            file("coverage = [\"zone\", \"rack\"]\n", "", ALL),
            "warning coverage f.toml:1:21: no selected host has the label rack: correct it, or take it out; `cofferdam hosts -o json` shows their labels",
        ),
        (
            file(
                "coverage_pairs = [[\"zone\", \"delta\"], [\"zone\", \"rack\"]]\n",
                "",
                ALL,
            ),
            "warning coverage f.toml:1:47: no selected host has the label rack: correct it, or take it out; `cofferdam hosts -o json` shows their labels",
        ),
    ] {
        assert_eq!(of_fleet(&text, &four()), [expected], "{text}");
    }
}

#[test]
fn a_fleet_shows_a_brake_that_fires_with_the_first_failure() {
    let said = |of: &str, hosts: &str, column: usize| {
        format!(
            "warning brake f.toml:1:{column}: the {of}'s brake fires with the first host that fails, before a second opinion is heard: one of the 4 {hosts} is more than 0.1%; raise {of}_least or {of}_share"
        )
    };
    let both = "brake = { cell_share = \"0.1%\", cell_least = 1, fleet_share = \"0.1%\", fleet_least = 1 }\n";
    assert_eq!(
        of_fleet(&file(both, "", ALL), &four()),
        [
            said("cell", "hosts of the largest cell", 45),
            said("fleet", "hosts that the rollout takes", 84),
        ]
    );
    for enough in [
        "brake = { cell_share = \"25%\", cell_least = 1 }\n",
        "brake = { cell_share = \"0.1%\" }\n",
    ] {
        assert_eq!(
            of_fleet(&file(enough, "", ALL), &four()),
            [""; 0],
            "{enough}"
        );
    }
}

#[test]
fn a_fleet_shows_what_can_never_be() {
    let narrow = "[[wave]]\nname = \"all\"\nto = \"100%\"\nmatch = 'instance_type != \"rare\"'\n";
    let brake = "brake = { cell_least = 5 }\n";
    for (text, expected) in [
        (
            file(brake, "", ALL),
            "warning brake f.toml:1:24: the cell's brake never fires: it waits for 5 failed hosts, and of the 4 that the rollout takes no cell has more; lower cell_least",
        ),
        (
            file("brake = { velocity_least = 9 }\n", "", ALL),
            "warning brake f.toml:1:28: the velocity's brake never fires: it waits until 9 hosts were over in one velocity_over, and the rollout takes 4; lower velocity_least",
        ),
        (
            file(
                "",
                "",
                &format!(
                    "{ALL}[[limits]]\nfloor = [{{ group_by = [\"sevice\"], min_in_service = \"50%\" }}]\n"
                ),
            ),
            "warning floor f.toml:10:9: no selected host has the label sevice: correct it, or take it out; `cofferdam hosts -o json` shows their labels",
        ),
        (
            file("", "", "[[wave]]\nname = \"one\"\nhosts = 2\n"),
            "warning wave f.toml:6:1: 2 of 4 selected hosts are in no wave and stay as they are; end with a wave of to = \"100%\" to take them",
        ),
        (
            file("", "", &(narrow.to_owned() + &ALL.replace("all", "rest"))),
            "error coverage f.toml:6:1: wave all is the first and has no host of instance_type=rare (1 host); let its match and size take one of each, leave such hosts out of select, or say in a [[waiver]] why it may",
        ),
        (
            file(
                "",
                "",
                &format!(
                    "{ALL}[[waiver]]\nstratum = \"zone=b\"\nreason = \"x\"\nexpires = \"2030-01-01\"\n"
                ),
            ),
            "warning waiver f.toml:10:11: no planned host is of zone=b, which a waiver names: correct it, or take it out",
        ),
        (
            file(
                "",
                "",
                &format!(
                    "{ALL}[[waiver]]\nstratum = \"zone=b\"\nreason = \"x\"\nexpires = \"2020-01-01\"\n"
                ),
            ),
            "error waiver f.toml:12:11: the waiver of zone=b ended with 2020-01-01; take it out, or decide anew and give it a later day",
        ),
        (
            file(
                "",
                "",
                &format!("{ALL}[[limits]]\nfloor = [{{ min_in_service = \"100%\" }}]\n"),
            ),
            "error floor f.toml:9:1: the floor lets no host out of service=web zone=a in r1-a-1; all of a group must stay in service: lower its min_in_service in [[limits]]",
        ),
    ] {
        assert_eq!(of_fleet(&text, &four()), [expected], "{text}");
    }
}

#[test]
fn hosts_that_lack_the_label_of_a_floor_are_counted_and_named() {
    let mut hosts = four();
    for (host, shard) in hosts.values_mut().zip(["1", "1"]) {
        host.labels.insert("shard".to_owned(), shard.to_owned());
    }
    let floor = |label: &str| {
        format!(
            "[[limits]]\n{label}floor = [{{ group_by = [\"shard\"], min_in_service = \"50%\" }}]\n"
        )
    };
    assert_eq!(
        of_fleet(&file("", "", &(ALL.to_owned() + &floor(""))), &hosts),
        [
            "warning floor f.toml:10:9: 2 of the hosts that this floor is for lack the label shard, as web-2, web-3, and count as one group, shard=?: give it to them where they are enrolled, or give them a [[limits]] of their own"
        ]
    );
    let of_those = floor("match = 'shard in (\"1\")'\n");
    assert_eq!(
        of_fleet(&file("", "", &(ALL.to_owned() + &of_those)), &hosts),
        [""; 0]
    );
}

#[test]
fn a_group_of_one_that_nobody_may_approve_is_an_error() {
    let mut hosts = four();
    let lone = hosts.values_mut().next().unwrap();
    lone.labels.insert("zone".to_owned(), "b".to_owned());
    assert_eq!(
        of_fleet(&file("", "", ALL), &hosts),
        [
            "error approval f.toml:5:9: the floor lets no host out of service=web zone=b in r1-b-1; nothing stands in for the one host of a group: name `approvers` who may say that it may be out, leave it out of match, or give it a floor of \"0%\" in [[limits]]"
        ]
    );
    let approved = file("approvers = [\"ana\"]\n", "", ALL);
    assert_eq!(of_fleet(&approved, &hosts), [""; 0]);
}

#[test]
fn a_host_in_no_group_is_an_error() {
    let mut hosts = four();
    let lost = hosts.values_mut().next().unwrap();
    lost.labels.remove("zone");
    assert_eq!(
        of_fleet(&file("", "", ALL), &hosts),
        [
            "error group f.toml:5:9: no cell holds web-0; give such hosts the labels region, zone and service where they are enrolled, or leave them out of match"
        ]
    );
}

#[test]
fn without_a_lock_file_what_the_file_wishes_is_taken_as_locked() {
    let text = file("", "", ALL).replace(
        "\"noop\"",
        "\"packages\"\npackages = { a = \"1\", b = \"latest\" }",
    );
    let unknown = "warning coverage f.toml:1:1: the packages of 4 hosts are not known: they count as alike only where their digest is the same; each host tells them when it is connected, so plan again then";
    assert_eq!(of_fleet(&text, &four()), [unknown]);
}

#[test]
fn keys_that_do_nothing_and_values_that_can_hardly_be_meant_are_named() {
    let waves = "[[wave]]\nname = \"a\"\nto = \"1%\"\nunknown_share = \"5%\"\nzone_bake = \"1h\"\n[[wave]]\nname = \"b\"\nto = \"100%\"\n";
    let zones = of_file_alone(&file("order = \"none\"\nzone_bake = \"5h\"\n", "", waves));
    assert_eq!(
        zones,
        [
            "warning unused f.toml:2:13: order = \"none\" goes through no zones, so that nothing waits after one; leave zone_bake out, or write order = \"fan-out\" or \"regions\"",
            "warning unused f.toml:11:17: the first wave never goes on without a cell that is not heard of, whatever the share; leave it out",
            "warning unused f.toml:12:13: order = \"none\" goes through no zones, so that nothing waits after one; leave zone_bake out, or write order = \"fan-out\" or \"regions\"",
        ]
    );
    let odd = "grace = \"40d\"\nbake = \"31d\"\nhosts_left_out = \"100%\"\n";
    let window = "[[window]]\nstart = \"09:00\"\nend = \"09:00\"\n";
    assert_eq!(
        of_file_alone(&file(odd, "", window)),
        [
            "warning endless f.toml:1:9: a wait of 960h is over 720h: the rollout will hardly end; shorten it",
            "warning endless f.toml:2:8: a wait of 744h is over 720h: the rollout will hardly end; shorten it",
            "warning left-out f.toml:3:18: a wave passes though 100% of its hosts were left out, and what it shows is little; lower hosts_left_out",
            "warning window f.toml:11:7: the window ends when it starts, so it is open all day long; write start = \"00:00\" and end = \"24:00\" if that is meant",
        ]
    );
}

#[test]
fn waits_for_each_host_and_waves_without_their_cells_can_hardly_be_meant() {
    let odd = "start_spacing = \"48h\"\nretry_backoff = \"900h\"\nunknown_share = \"100%\"\n";
    let odd = of_file_alone(&file(odd, "", ""));
    assert_eq!(
        odd,
        [
            "warning endless f.toml:1:17: a wait of 48h is over 24h: a wave has many hosts, and will hardly end; shorten it",
            "warning endless f.toml:2:17: a wait of 900h is over 24h: a wave has many hosts, and will hardly end; shorten it",
            "warning left-out f.toml:3:17: a wave passes though 100% of its hosts are in cells that are not heard of, and what it shows is little; lower unknown_share",
        ]
    );
}

#[test]
fn of_an_upgrade_that_no_host_has_resolved_all_is_looked_at_but_the_bits() {
    let text = file("", "", ALL).replace("\"noop\"", "\"packages\"\nsecurity = \"all\"");
    let unresolved = "warning unresolved f.toml:2:1: which packages this is, and which hosts need them, is not resolved yet: hosts with nothing to upgrade, package deltas and denied bits are looked at by `cofferdam plan`";
    assert_eq!(of_fleet(&text, &four()), [unresolved]);

    let no_home = four().into_iter().map(|(id, mut host)| {
        host.labels.remove("service");
        (id, host)
    });
    let shown = of_fleet(&text, &no_home.collect());
    assert!(
        shown.iter().any(|line| line.starts_with("error group")),
        "{shown:?}"
    );
}
