mod coverage;
mod delta;
mod fleet;
mod host_order;
mod impact;
mod opening;
mod signed;
mod unaffected;
mod when;

use super::*;
use crate::inventory::PackageSet;
use fleet::{Fleet, NOOP, demo, locked_openssl, platform, waiver, wave};
use std::collections::BTreeSet;

/// How many hosts each wave takes.
fn sizes(plan: &Plan) -> Vec<usize> {
    let slices = |wave: &PlannedWave| wave.slices.values().map(Vec::len).sum();
    plan.waves.iter().map(slices).collect()
}

/// What does not hold in every plan, whatever its inputs.
fn broken(plan: &Plan) -> Vec<String> {
    let mut broken = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, wave) in plan.waves.iter().enumerate() {
        for (cell, hosts) in &wave.slices {
            for host in hosts {
                if !seen.insert(host) {
                    broken.push(format!("{host} is in two slices"));
                }
                let planned = &plan.hosts[host];
                if planned.cell != *cell || usize::try_from(planned.wave.0) != Ok(index) {
                    broken.push(format!("{host} is not where its slice is"));
                }
                if !plan.assignments[cell].hosts.contains(host) {
                    broken.push(format!("{host} is not in the assignment of {cell}"));
                }
                let bound = plan.assignments[cell].floors.iter();
                if !bound.clone().any(|floor| floor.hosts.contains(host)) {
                    broken.push(format!("{host} has no floor"));
                }
            }
        }
        let opened: Vec<_> = wave.opening.cells().collect();
        let distinct: BTreeSet<_> = opened.iter().copied().collect();
        if distinct.len() != opened.len() || !wave.slices.keys().eq(distinct) {
            broken.push(format!("wave {index} does not open each of its cells once"));
        }
    }
    if seen.len() != plan.hosts.len() {
        broken.push("a planned host is in no slice".to_owned());
    }
    broken
}

#[test]
fn waves_grow_cumulatively_and_end_with_everybody() {
    let fleet = Fleet::default().with("web", "r1/a", "t", 400);
    let plan = fleet.plan(NOOP);
    assert_eq!(sizes(&plan), [4, 36, 360]);
    assert_eq!(broken(&plan), [""; 0]);
    assert!(matches!(plan.warnings[..], [Warning::NoGate { .. }]));

    let waves =
        wave("one", "hosts = 1") + &wave("more", "hosts = 5") + &wave("half", "to = \"50%\"");
    let plan = fleet.plan(&format!("{NOOP}{waves}"));
    assert_eq!(sizes(&plan), [1, 4, 195]);
    assert!(plan.warnings.contains(&Warning::NotAll {
        hosts: 200,
        of: 400
    }));
}

#[test]
fn the_first_wave_has_a_host_of_every_stratum() {
    let plan = demo().plan(NOOP);
    let first = plan
        .hosts
        .iter()
        .filter(|(_, host)| host.wave == WaveIndex(0));
    let covered: BTreeSet<_> = first.clone().flat_map(|(_, host)| &host.strata).collect();
    assert_eq!(covered.len(), plan.strata.len());
    // Four types need four hosts, and those reach all zones.
    assert_eq!(first.count(), 4);
    assert!(plan.warnings.contains(&Warning::CanaryGrew {
        wave: WaveName::new("canary").unwrap(),
        takes: 4,
        sized: 1,
    }));
    assert_eq!(broken(&plan), [""; 0]);
}

#[test]
fn the_first_wave_is_no_larger_than_its_share_when_that_covers_all() {
    let plan = demo().plan(&format!("{NOOP}{}", wave("half", "to = \"50%\"")));
    assert_eq!(sizes(&plan), [12]);
    assert!(
        !plan
            .warnings
            .iter()
            .any(|w| matches!(w, Warning::CanaryGrew { .. }))
    );
}

#[test]
fn hosts_of_the_rarest_stratum_start_first() {
    let plan = demo().plan(&format!("order = \"none\"\n{NOOP}"));
    let first = &plan.waves[0];
    let cell = first.opening.cells().next().unwrap();
    let host = &first.slices[cell][0];
    assert!(
        plan.strata_of(host)
            .any(|s| s.to_string() == "instance_type=rare")
    );
}

#[test]
fn every_wave_takes_its_share_of_every_cell() {
    let fleet = Fleet::default()
        .with("web", "r1/a", "t", 500)
        .with("web", "r1/b", "t", 300)
        .with("web", "r2/a", "t", 100);
    let plan = fleet.plan(NOOP);
    for cell in plan.assignments.keys() {
        let of = |wave: usize| plan.waves[wave].slices.get(cell).map_or(0, Vec::len);
        let hosts = plan.assignments[cell].hosts.len();
        let tenth = of(0) + of(1);
        assert!(
            tenth.abs_diff(hosts / 10) <= 2,
            "{cell}: {tenth} of {hosts}"
        );
    }
}

#[test]
fn zones_of_one_name_in_two_regions_are_two_strata() {
    let fleet = Fleet::default()
        .with("web", "r1/a", "t", 10)
        .with("web", "r2/a", "t", 10);
    let plan = fleet.plan(NOOP);
    let zones = plan.strata.iter().filter(|stratum| stratum.label == "zone");
    let zones: Vec<_> = zones.map(ToString::to_string).collect();
    assert_eq!(zones, ["zone=r1/a", "zone=r2/a"]);
}

#[test]
fn a_wave_with_its_own_match_counts_only_those_hosts() {
    let waves = wave("a", "to = \"50%\"\nmatch = 'zone == \"a\"'") + &wave("all", "to = \"100%\"");
    // What zone a lacks is no matter here.
    let lacks = waiver("region=r2", "2027-05-01");
    let plan = demo().plan(&format!("coverage = [\"service\"]\n{NOOP}{waves}{lacks}"));
    assert_eq!(sizes(&plan), [4, 20]);
    assert!(
        plan.waves[0]
            .slices
            .keys()
            .all(|cell| cell.as_str() == "r1-a-1")
    );
}

#[test]
fn a_wave_of_cells_takes_whole_cells_of_each_region() {
    let fleet = Fleet::default()
        .with("web", "r1/a", "t", 600)
        .with("web", "r1/b", "t", 500)
        .with("web", "r2/a", "t", 500);
    let waves = wave("canary", "to = \"1%\"")
        + &wave("cells", "cells_per_region = 2")
        + &wave("all", "to = \"100%\"");
    let plan = fleet.plan(&format!(
        "{NOOP}[[limits]]\nfloor = [{{ min_in_service = \"50%\" }}]\n{waves}"
    ));
    let whole: Vec<_> = plan.waves[1].slices.keys().map(CellId::as_str).collect();
    // One cell of each zone of r1: of zone a the smaller one.
    assert_eq!(whole, ["r1-a-2", "r1-b-1", "r2-a-1"]);
    assert!(
        plan.waves[2]
            .slices
            .keys()
            .all(|cell| cell.as_str() == "r1-a-1")
    );
    assert_eq!(broken(&plan), [""; 0]);
}

#[test]
fn a_first_wave_of_cells_takes_them_whole_and_beside_them_what_they_lack() {
    let fleet = Fleet::default()
        .with("web", "r1/a", "t", 5)
        .with("web", "r1/b", "t", 9)
        .with("web", "r1/b", "rare", 1)
        .with("web", "r2/c", "t", 5);
    let waves = wave("cells", "cells_per_region = 1") + &wave("all", "to = \"100%\"");
    let plan = fleet.plan(&format!("{NOOP}{waves}"));
    let first = plan.waves[0].slices.iter();
    let first: Vec<_> = first
        .map(|(cell, hosts)| (cell.as_str(), hosts.len()))
        .collect();
    // The one host of zone b is of the rare type as well.
    assert_eq!(first, [("r1-a-1", 5), ("r1-b-1", 1), ("r2-c-1", 5)]);
    assert_eq!(broken(&plan), [""; 0]);
}

#[test]
fn a_wave_that_comes_out_empty_says_so() {
    let all = wave("all", "to = \"100%\"\nbake = \"5m\"");
    let waves = all.clone() + &wave("again", "to = \"100%\"\nbake = \"1h\"");
    let plan = demo().plan(&format!("{NOOP}{waves}"));
    assert_eq!(sizes(&plan), [24, 0]);
    let again = WaveName::new("again").unwrap();
    assert!(plan.warnings.contains(&Warning::EmptyWave { wave: again }));
    assert_eq!(broken(&plan), [""; 0]);

    let without = demo().plan(&format!("{NOOP}{all}"));
    assert_eq!(plan.estimate, without.estimate, "it takes no time");
}

#[test]
fn limits_reach_the_cells_of_their_hosts() {
    let fleet = Fleet::default()
        .with("web", "r1/a", "t", 20)
        .with("ledger", "r1/a", "t", 20)
        .with("web", "r1/b", "t", 20);
    let limits = "[[limits]]\nmatch = 'service == \"ledger\"'\nat_once_per_cell = 1\nfloor = [{ min_in_service = \"95%\" }]\n";
    let plan = fleet.plan(&format!("at_once_per_cell = 7\n{NOOP}{limits}"));
    let a = &plan.assignments[&CellId::new("r1-a-1").unwrap()];
    let b = &plan.assignments[&CellId::new("r1-b-1").unwrap()];
    assert_eq!(a.pace.at_once_per_cell, 1);
    assert_eq!(b.pace.at_once_per_cell, 7);
    let meet = Warning::LimitsMeet { cells: 1, least: 1 };
    assert!(plan.warnings.contains(&meet));
    let floors = |assignment: &Assignment| -> Vec<(String, usize)> {
        let rows = assignment.floors.iter();
        rows.map(|f| (f.rule.min_in_service.to_string(), f.hosts.len()))
            .collect()
    };
    let ninety = || ("90%".to_owned(), 20);
    assert_eq!(floors(a), [("95%".to_owned(), 20), ninety(), ninety()]);
    assert_eq!(floors(b), [ninety(), ninety()]);
}

#[test]
fn a_group_in_several_cells_has_tokens_for_what_rounding_leaves_over() {
    let fleet = Fleet::default()
        .with("web", "r1/a", "t", 609)
        .with("db", "r1/a", "t", 8)
        .with("db", "r1/b", "t", 8);
    let plan = fleet.plan(NOOP);
    let wide = plan.blast.wide.iter().map(|g| {
        let WideGroup {
            group,
            cells,
            members,
            allowance,
            tokens,
            ..
        } = g;
        format!("{group}: {members} in {cells}, {allowance} with {tokens}")
    });
    assert_eq!(
        wide.collect::<Vec<_>>(),
        [
            "service=db region=r1: 16 in 2, 1 with 1",
            "service=web region=r1: 609 in 2, 60 with 0",
            "service=web zone=a: 609 in 2, 60 with 0",
        ]
    );
    let groups = plan.blast.groups.iter();
    let groups = groups.map(|g| (g.service.as_str(), g.zone.as_str(), g.allowance));
    let expected = [("db", "a", 1), ("web", "a", 60), ("db", "b", 1)];
    assert_eq!(groups.collect::<Vec<_>>(), expected);
}

#[test]
fn the_blast_says_how_many_of_each_group_may_be_out() {
    let plan = demo().plan(&format!(
        "{NOOP}[[limits]]\nfloor = [{{ min_in_service = \"75%\" }}]"
    ));
    let groups = plan.blast.groups.iter();
    let groups: Vec<_> = groups
        .map(|g| {
            format!(
                "{}/{} {} {}/{}/{}",
                g.region, g.zone, g.service, g.members, g.planned, g.allowance
            )
        })
        .collect();
    assert_eq!(
        groups,
        ["r1/a web 8/8/2", "r1/b web 8/8/2", "r2/c web 8/8/2"]
    );
    assert_eq!(
        (plan.blast.hosts, plan.blast.selected, plan.blast.known),
        (24, 24, 24)
    );
}

#[test]
fn a_group_of_several_services_lets_out_as_many_of_each_as_of_all() {
    let fleet = Fleet::default()
        .with("api", "r1/a", "t", 2)
        .with("web", "r1/a", "t", 6)
        .with("web", "r1/b", "t", 4);
    for (group_by, expected) in [
        ("zone", [("api", "a", 2), ("web", "a", 4), ("web", "b", 2)]),
        (
            "region",
            [("api", "a", 2), ("web", "a", 6), ("web", "b", 4)],
        ),
        (
            "service",
            [("api", "a", 1), ("web", "a", 5), ("web", "b", 4)],
        ),
    ] {
        let plan = fleet.plan(&format!(
            "{NOOP}[[limits]]\nfloor = [{{ group_by = [\"{group_by}\"], min_in_service = \"50%\" }}]"
        ));
        let groups = plan.blast.groups.iter();
        let groups = groups.map(|g| (g.service.as_str(), g.zone.as_str(), g.allowance));
        assert_eq!(groups.collect::<Vec<_>>(), expected, "{group_by}");
    }
}

#[test]
fn the_one_host_of_a_group_leaves_nobody_once_it_is_approved() {
    let fleet = Fleet::default()
        .with("db", "r1/a", "t", 1)
        .with("web", "r1/a", "t", 20);
    let plan = fleet.plan(&format!("approvers = [\"ana\"]\n{NOOP}"));
    let groups = plan.blast.groups.iter();
    let groups: Vec<_> = groups
        .map(|g| (g.service.as_str(), g.may_be_out(), g.more_load_permille()))
        .collect();
    assert_eq!(groups, [("db", 1, None), ("web", 2, Some(112))]);
}

#[test]
fn a_plan_is_refused_for_every_reason_at_once() {
    let mut fleet = Fleet::default()
        .with("web", "r1/a", "t", 10)
        .with("lone", "r1/a", "t", 1)
        .with("all", "r1/a", "t", 3)
        .with("part", "r1/b", "t", 504)
        .with("wide", "r1/b", "t", 1)
        .with("wide", "r2/b", "t", 1);
    fleet.add("nowhere", &[("service", "web")]);
    fleet
        .add(
            "arm",
            &[("service", "web"), ("region", "r1"), ("zone", "a")],
        )
        .facts
        .platform = platform("arm64");
    let fleet = fleet.placed();
    let spec = "
[patch]
kind = \"packages\"
packages = { openssl = \"4\", curl = \"latest\" }
[select]
match = 'service != \"none\"'
[[limits]]
match = 'service == \"all\"'
floor = [{ min_in_service = \"100%\" }]
";
    let mut lock = locked_openssl(&["amd64"]);
    lock.rollout = "y".to_owned();
    assert_eq!(
        fleet.try_plan_with(spec, &lock).unwrap_err().to_string(),
        "the lock file is of rollout y, not of x; make it anew with `cofferdam plan --relock`
the rollout file wishes curl = \"latest\", the lock file has none for debian-12/amd64; make it anew with `cofferdam plan --relock`
the rollout file wishes openssl = \"4\", the lock file has 3 for debian-12/amd64; make it anew with `cofferdam plan --relock`
the lock file has no packages for debian-12/arm64, the platform of arm; make it anew with `cofferdam plan --relock`, or leave them out with `os_release` and `architecture` in match
no cell holds nowhere; give such hosts the labels region, zone and service where they are enrolled, or leave them out of match
the floor lets no host out of service=lone region=r1 in r1-a-1, service=lone zone=a in r1-a-1, service=wide region=r1 in r1-b-2, service=wide region=r2 in r2-b-1, service=wide zone=b in r1-b-2 and 1 more; nothing stands in for the one host of a group: name `approvers` who may say that it may be out, leave it out of match, or give it a floor of \"0%\" in [[limits]]
the floor lets no host out of service=all zone=a in r1-a-1; all of a group must stay in service: lower its min_in_service in [[limits]]"
    );
}

#[test]
fn a_selection_of_nobody_is_refused() {
    let nobody = NOOP.replace("!=", "==");
    assert_eq!(
        demo().try_plan(&nobody).unwrap_err().to_string(),
        "no host of 24 matches `service == \"none\"`; `cofferdam hosts -o json` shows their labels"
    );
}

#[test]
fn a_lock_file_of_another_kind_is_refused() {
    let errors = demo()
        .try_plan_with(NOOP, &locked_openssl(&["amd64"]))
        .unwrap_err();
    assert_eq!(errors.0, [PlanError::OtherPatch]);
}

#[test]
fn a_lone_host_may_go_with_a_floor_of_nothing() {
    let fleet = Fleet::default().with("lone", "r1/a", "t", 1);
    assert!(fleet.try_plan(NOOP).is_err());
    let floor = "[[limits]]\nfloor = [{ min_in_service = \"0%\" }]";
    assert_eq!(sizes(&fleet.plan(&format!("{NOOP}{floor}"))), [1, 0, 0]);
}

#[test]
fn hosts_with_other_packages_are_of_other_strata() {
    let mut fleet = Fleet::default().with("web", "r1/a", "t", 30);
    let sets = [[("openssl", "1")], [("openssl", "2")]];
    let sets = sets.map(|set| PackageSet(set.map(|(n, v)| (n.to_owned(), v.to_owned())).into()));
    for (i, host) in fleet.hosts.values_mut().enumerate() {
        // Two sets are known, the third is not.
        let unknown = Digest::of("unknown");
        host.facts.packages = [sets[0].digest(), sets[1].digest(), unknown][i % 3];
    }
    fleet.package_sets = sets.map(|set| (set.digest(), set)).into();
    let spec = "[patch]\nkind = \"packages\"\npackages = { openssl = \"3\" }\n[select]\nmatch = 'service == \"web\"'";
    let plan = fleet
        .try_plan_with(spec, &locked_openssl(&["amd64"]))
        .unwrap();
    let deltas = plan
        .strata
        .iter()
        .filter(|stratum| stratum.label == "delta");
    assert_eq!(deltas.count(), 3);
    assert_eq!(sizes(&plan)[0], 3);
}

#[test]
fn the_same_inputs_make_the_same_plan_and_others_another() {
    let plan = demo().plan(NOOP);
    assert_eq!(demo().plan(NOOP), plan);
    let stored = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap(), plan);
    assert_ne!(
        demo()
            .plan(&format!("bake = \"1s\"\n{NOOP}"))
            .rollout_digest,
        plan.rollout_digest
    );
}

#[test]
fn the_estimate_bounds_the_time() {
    let fast = "bake = \"1s\"\nstable_for = \"1s\"\ngrace = \"0s\"\nstage_within = \"0s\"\nstart_spacing = \"100ms\"\ncells_gap = \"0s\"\norder = \"none\"\n";
    let waves = wave("all", "to = \"100%\"");
    let plan = demo().plan(&format!("{fast}{NOOP}{waves}"));
    // 8 hosts a cell, one at a time, at least 1 s each; at most all deadlines of each.
    let deadlines = 60 + 60 + 300 + 60 + 900 + 600 + 300 + 300;
    assert_eq!(plan.estimate.least, Duration::from_secs(8));
    assert_eq!(
        plan.estimate.most,
        Duration::from_millis(8 * deadlines * 1000 + 700)
    );
    let slow = demo().plan(NOOP);
    assert!(slow.estimate.least > plan.estimate.least);
    assert!(slow.estimate.most > plan.estimate.most);
}

#[test]
fn a_fleet_of_thousands_of_kinds_is_covered_quickly() {
    let mut fleet = Fleet::default();
    for i in 0..5_000 {
        let zone = format!("z{}", i % 20);
        let host = fleet.add(
            &format!("h{i}"),
            &[
                ("service", "web"),
                ("region", "r1"),
                ("zone", &zone),
                ("instance_type", &format!("t{}", i % 50)),
            ],
        );
        host.facts.kernel = format!("6.1.{}", i / 2);
    }
    let plan = fleet.placed().plan(NOOP);
    assert_eq!(sizes(&plan)[0], 2_500);
    assert_eq!(broken(&plan), [""; 0]);
}

#[test]
fn each_cell_is_told_the_windows_of_its_own_hosts() {
    let fleet = Fleet::default()
        .with("web", "r1/a", "large", 2)
        .with("web", "r1/a", "small", 1)
        .with("web", "r1/b", "large", 2);
    let window = |keys: &str| format!("[[window]]\nstart = \"22:00\"\nend = \"04:00\"\n{keys}\n");
    let windows = window("match = 'instance_type == \"small\"'")
        + &window("match = 'service == \"api\"'")
        + &window("last_start = \"1h\"");
    let plan = fleet.plan(&format!("{NOOP}{windows}"));

    let of = |cell: usize| {
        let assignment = plan.assignments.values().nth(cell).unwrap();
        let windows = assignment.windows.iter();
        let bound =
            |bound: &crate::warrant::WindowAssignment| bound.hosts.as_ref().map(BTreeSet::len);
        windows.map(bound).collect::<Vec<_>>()
    };
    assert_eq!(of(0), [Some(1), None]);
    assert_eq!(of(1), [None]);
}
