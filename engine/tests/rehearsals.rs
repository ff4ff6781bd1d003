//! Rehearsals of fleets that change, of clocks that stand somewhere, of many causes, and beside their bound.

use cofferdam_engine::{
    calendar::Calendar,
    id::HostId,
    inventory::Host,
    modelled_fleet::{self, Generated, ModelledFleet},
    rehearse::{
        Rehearsal,
        incident::Incident,
        made_up,
        report::Report,
        scenario::{FaultKind, Scenario},
    },
    services::Services,
    share::Share,
    spec::Spec,
};
use std::collections::BTreeSet;

const ROLLOUT: &str = r#"
name = "openssl"
bake = "5m"
[brake]
cell_least = 20
[patch]
kind = "packages"
packages = { openssl = "latest" }
[select]
match = 'service == "web"'
[[wave]]
name = "canary"
to = "5%"
[[wave]]
name = "all"
to = "100%"
"#;

/// A fleet of one service in two zones, with some metal.
fn fleet(of_each: usize, metal: usize) -> ModelledFleet {
    let kind = |zone: &str, letter: &str, machine: &str, count| {
        format!(
            "[[hosts]]\nprefix = \"web-{zone}{letter}-\"\ncount = {count}\n[hosts.labels]\nservice = \"web\"\nregion = \"r1\"\nzone = \"{zone}\"\ninstance_type = \"{machine}\"\n"
        )
    };
    let kinds = ["a", "b"]
        .map(|zone| kind(zone, "l", "m5.large", of_each) + &kind(zone, "m", "i3.metal", metal));
    ModelledFleet::parse("fleet", &kinds.concat()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn scenario(text: &str) -> Scenario {
    Scenario::parse("faults", text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn play(fleet: &ModelledFleet, rollout: &str, calendar: &str, scenario: &Scenario) -> Report {
    play_beside(&Services::default(), fleet, rollout, calendar, scenario)
}

/// The same where services are declared.
fn play_beside(
    services: &Services,
    fleet: &ModelledFleet,
    rollout: &str,
    calendar: &str,
    scenario: &Scenario,
) -> Report {
    let spec = Spec::parse("rollout", rollout).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let hosts: Vec<Host> = fleet.hosts().collect();
    let rehearsal = Rehearsal {
        spec: &spec,
        lock: &made_up::lock_file(&spec, &hosts).expect("its bits can be made up"),
        hosts: &hosts,
        beginning: &fleet.beginning(),
        package_sets: &fleet.package_sets(),
        services,
        calendar: &Calendar::parse("calendar", calendar).expect("a good calendar"),
        scenario,
        seed: 1,
    };
    let report = rehearsal.play().unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(report.broken, Vec::<String>::new());
    report
}

#[test]
fn a_rehearsal_begins_from_how_the_hosts_stand_and_ends_otherwise_for_it() {
    let kind = |names: &str, state: &str| {
        format!(
            "[[hosts]]\n{names}\n{state}\nlabels = {{ service = \"web\", region = \"r1\", zone = \"a\" }}\n"
        )
    };
    // Of ten hosts of a zone one may be out: where one is out already, no other is taken.
    let broken = "out = { why = \"the disk is full\" }";
    let [well, broken] = ["", broken].map(|state| {
        let text = kind("names = [\"web-1\"]", state) + &kind("prefix = \"web-1\"\ncount = 9", "");
        ModelledFleet::parse("fleet", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    });

    let [well, broken] =
        [well, broken].map(|fleet| play(&fleet, ROLLOUT, "", &Scenario::default()));

    assert_eq!((well.phase.as_str(), well.patched), ("done", 10));
    assert_eq!((broken.phase.as_str(), broken.patched), ("paused", 0));
    assert_eq!(broken.harmed, Vec::<HostId>::new());
    let name = |id: &HostId| id.as_str().to_owned();
    assert_eq!(
        broken.out_at_the_end.iter().map(name).collect::<Vec<_>>(),
        ["web-1"]
    );
}

/// The mix of faults, each of which strikes so many of a small fleet for the hundreds of a large one.
fn mix_that_strikes(each: usize) -> Scenario {
    let mut mix = Scenario::mix().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    for fault in &mut mix.faults {
        fault.hosts.share = Share::ALL;
        fault.hosts.most = Some(each);
    }
    mix
}

/// With no word on it, 2 % of a wave may be left out: 8 of the last one of 400 hosts.
#[test]
fn a_rollout_pauses_by_itself_once_more_hosts_are_left_out_than_may_be() {
    for (each, is_too_many) in [(1, false), (3, true)] {
        let report = play(&fleet(180, 20), ROLLOUT, "", &mix_that_strikes(each));
        let pauses: Vec<_> = report.pauses.iter().map(|pause| &*pause.why).collect();
        let by_it = pauses.iter().filter(|why| why.contains("(hosts_left_out)"));
        assert_eq!(by_it.count(), usize::from(is_too_many), "{pauses:?}");
        assert_eq!(report.phase == "done", !is_too_many, "{pauses:?}");
    }
}

#[test]
fn the_mix_of_faults_leaves_few_things_each_with_all_its_hosts() {
    let report = play(
        &fleet(90, 10),
        &format!("hosts_left_out = \"10%\"\n{ROLLOUT}"),
        "",
        &mix_that_strikes(2),
    );
    assert_eq!(report.phase, "done", "{:?}", report.pauses);
    assert!(report.hands() < 10, "{:#?}", report.left);
    let hosts: Vec<_> = report.left.iter().flat_map(|left| &left.hosts).collect();
    let each_once: BTreeSet<_> = hosts.iter().collect();
    assert_eq!(each_once.len(), hosts.len(), "a host is of one cause");
    assert_eq!(hosts.len(), report.planned - report.patched);
}

#[test]
fn hosts_of_a_stratum_that_stands_out_are_a_thing_of_their_own() {
    let report = play(
        &fleet(95, 10),
        ROLLOUT,
        "",
        &scenario(
            "[[fault]]\nname = \"firmware\"\nmatch = 'instance_type == \"i3.metal\" and host != \"web-am-1\" and host != \"web-bm-1\"'\nhosts = 4\nstep = \"verify\"\ngoes = \"fails\"\nfailure = \"unhealthy\"\n\
             [[fault]]\nname = \"bad luck\"\nmatch = 'instance_type == \"m5.large\"'\nhosts = 1\nstep = \"verify\"\ngoes = \"fails\"\nfailure = \"unhealthy\"\n",
        ),
    );
    let left: Vec<_> = report
        .left
        .iter()
        .map(|left| (left.stratum.as_deref(), left.hosts.len()))
        .collect();
    assert_eq!(left, [(Some("instance_type=i3.metal"), 4), (None, 1)]);
}

#[test]
fn hosts_that_come_late_join_and_those_that_go_are_no_failures() {
    let report = play(
        &fleet(18, 2),
        ROLLOUT,
        "",
        &scenario(
            "[[fault]]\nname = \"scaled out\"\nmatch = 'zone == \"a\"'\nhosts = 5\nevent = \"hosts-come\"\nat = \"2m\"\n\
             [[fault]]\nname = \"scaled in\"\nmatch = 'zone == \"b\"'\nhosts = 3\nevent = \"hosts-gone\"\nat = \"3m\"\n",
        ),
    );
    assert_eq!((report.phase.as_str(), report.patched), ("done", 37));
    assert_eq!((report.harmed.len(), report.hands()), (0, 0));
    let came = report.faults.first().expect("the first fault");
    assert!(came.by.starts_with("it is in cell r1-a-"), "{came:?}");
}

const GONE: &str = "[[fault]]\nname = \"scaled in\"\nmatch = 'zone == \"b\"'\nhosts = 3\nevent = \"hosts-gone\"\nat = \"8m\"\n";

#[test]
fn a_host_that_waits_for_an_approval_is_left_for_a_person_unless_an_act_gives_it() {
    let lone = fleet(10, 1);
    let file = ROLLOUT.replace(
        "bake = \"5m\"",
        "bake = \"3h\"\nstage_within = \"0s\"\napprovers = [\"ana\"]",
    );
    let file = file
        + "[[limits]]\nfloor = [{ group_by = [\"zone\", \"instance_type\"], min_in_service = \"50%\" }]\n";
    let report = play(&lone, &file, "", &Scenario::default());
    let left: Vec<_> = report
        .left
        .iter()
        .map(|left| (left.cause.as_str(), left.hosts.len()))
        .collect();
    assert_eq!(left, [("waits for an approval (cofferdam approve)", 2)]);
    assert_eq!((report.phase.as_str(), report.patched), ("running", 20));

    let acts =
        "[[act]]\nat = \"1m\"\ndoes = \"approve\"\n[[act]]\nat = \"1h\"\ndoes = \"promote\"\n";
    let report = play(&lone, &file, "", &scenario(acts));
    assert_eq!(report.left, []);
    assert_eq!((report.phase.as_str(), report.patched), ("done", 22));
    assert!(report.took_ms < 2 * 3_600_000, "{}", report.took_ms);
}

#[test]
fn a_throttled_inventory_delays_starts_and_breaks_nothing() {
    let throttled = format!(
        "{GONE}[[fault]]\nname = \"throttled\"\nevent = \"inventory-throttled\"\nat = \"5m\"\nfor = \"1h\"\nlate = \"20m\"\n"
    );
    let (prompt, late) = (scenario(GONE), scenario(&throttled));
    let prompt = play(&fleet(18, 2), ROLLOUT, "", &prompt);
    let late = play(&fleet(18, 2), ROLLOUT, "", &late);
    for report in [&prompt, &late] {
        assert_eq!((report.phase.as_str(), report.patched), ("done", 37));
        assert_eq!((report.hands(), report.out_at_the_end.len()), (0, 0));
    }
    assert!(late.took_ms > prompt.took_ms, "{}", late.took_ms);
    let held = |report: &Report| report.holds.iter().any(|held| held.rule == "zone-trouble");
    assert_eq!((held(&prompt), held(&late)), (false, true));
    let by: Vec<_> = late.faults.iter().map(|fault| &*fault.by).collect();
    assert_eq!(by, ["not connected"; 2]);
}

#[test]
fn freezes_hold_by_the_clock_that_the_scenario_starts_at() {
    let hours = |from: &str| {
        let calendar = format!(
            "[[freeze]]\nname = \"sales\"\nfrom = \"{from}\"\nuntil = \"2026-11-26T20:00\"\n"
        );
        let started = scenario("start = \"2026-11-26T17:55\"\n");
        play(&fleet(9, 1), ROLLOUT, &calendar, &started).took_ms / 3_600_000
    };
    assert_eq!(hours("2026-11-26T16:00"), 2, "the freeze, and the waves");
    assert_eq!(hours("2026-11-26T19:00"), 0, "all is over before it begins");
}

#[test]
fn the_storys_own_rollout_over_25000_hosts_takes_hardly_longer_than_its_limits() {
    let fleet = modelled_fleet::generate(&Generated {
        hosts: 25_000,
        regions: 12,
        seed: 1,
    });
    let times = scenario(include_str!("../scenarios/story/faults.toml"));
    let report = play(
        &fleet,
        include_str!("../scenarios/story/rollout.toml"),
        "",
        &times,
    );
    assert_eq!((report.phase.as_str(), report.patched), ("done", 25_000));
    let over = report.overhead_permille().expect("it is done");
    assert!(over < 20, "{over} thousandths over {} ms", report.bound_ms);
    assert!(report.bound_ms <= report.took_ms, "nothing is quicker");
}

#[test]
fn nothing_is_quicker_than_its_bound_where_the_first_host_was_all_of_its_cells_part() {
    let fleet = modelled_fleet::generate(&Generated {
        hosts: 60,
        regions: 1,
        seed: 6,
    });
    // The canary has one host in each of three zones: the box that goes ahead is the second zone's.
    let rollout = ROLLOUT.replace("\"web\"", "\"api\" or service == \"worker\"");
    let needs = "[service.api]\ntier = 1\nowners = [\"anna\"]\n[service.worker]\ntier = 1\nowners = [\"anna\"]\ndepends_on = [\"api\"]\n";
    for (declared, most) in [("", 50), (needs, 500)] {
        let services = Services::parse("services", declared).expect("good services");
        let report = play_beside(&services, &fleet, &rollout, "", &Scenario::default());
        let (bound, took) = (report.bound_ms, report.took_ms);
        assert!(bound <= took, "{took} ms are less than {bound}");
        let over = report.overhead_permille().expect("it is done");
        assert!(over < most, "{over} thousandths over {bound} ms");
    }
}

#[test]
fn an_incident_on_more_hosts_must_come_to_the_same() {
    let incident = Incident::built_in(7).expect("it is built in");
    let incident = incident
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
        .on(300);
    let played = incident.play(1).unwrap_or_else(|errors| panic!("{errors}"));
    let patched = played.report.patched;
    assert_eq!(
        (played.report.hosts, patched, played.unmet),
        (300, 297, Vec::new())
    );
}

#[test]
fn an_incident_whose_bits_cannot_be_made_up_is_refused_where_it_stands() {
    let file = "incident = 1\ntitle = \"x\"\nfleet = '''\n[[hosts]]\nprefix = \"a-\"\ncount = 1\nlabels = { service = \"a\", region = \"r\", zone = \"z\" }\n'''\nrollout = '''\nname = \"all\"\n[patch]\nkind = \"packages\"\nsecurity = \"all\"\n[select]\nmatch = 'service == \"a\"'\n'''\n[expect]\nphase = \"done\"\n";
    let refused = Incident::parse("99-x.toml", file).expect_err("it has no bits");
    let refused = refused.to_string();
    assert!(
        refused.starts_with("99-x.toml:9:11: rollout: "),
        "{refused}"
    );
    assert!(refused.contains("name the packages"), "{refused}");
}

#[test]
fn a_throttled_inventory_says_how_late_its_answers_are() {
    let text = "start = \"tomorrow\"\n[[fault]]\nname = \"x\"\nevent = \"inventory-throttled\"\nat = \"1m\"\n";
    let refused = Scenario::parse("faults.toml", text).expect_err("it does not say");
    let refused = refused.to_string();
    for line in [
        "faults.toml:1:9: start: `tomorrow` is no moment",
        "faults.toml:2:1: [[fault]]: `inventory-throttled` says",
    ] {
        assert!(refused.contains(line), "{refused}");
    }
    let mix = Scenario::mix().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert!(
        mix.faults
            .iter()
            .all(|fault| matches!(fault.kind, FaultKind::Step { .. }))
    );
}
