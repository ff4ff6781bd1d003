//! Files of faults, and what faults come to in a rehearsal: who notices them, when they end, and what is left.

use cofferdam_engine::{
    calendar::Calendar,
    inventory::Host,
    modelled_fleet::ModelledFleet,
    rehearse::{
        Rehearsal, made_up,
        report::{Checks, Report},
        scenario::Scenario,
    },
    services::Services,
    spec::Spec,
};

const ROLLOUT: &str = r#"
name = "openssl"
bake = "5m"
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

/// One service in two zones of two regions.
fn fleet(of_each: usize) -> ModelledFleet {
    let kinds = [("a", "r1"), ("b", "r2")].map(|(zone, region)| {
        format!(
            "[[hosts]]\nprefix = \"web-{zone}-\"\ncount = {of_each}\n[hosts.labels]\nservice = \"web\"\nregion = \"{region}\"\nzone = \"{zone}\"\n"
        )
    });
    ModelledFleet::parse("fleet", &kinds.concat()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn play(rollout: &str, faults: &str) -> Report {
    play_on(&fleet(20), rollout, faults)
}

fn play_on(fleet: &ModelledFleet, rollout: &str, faults: &str) -> Report {
    let spec = Spec::parse("rollout", rollout).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let hosts: Vec<Host> = fleet.hosts().collect();
    let rehearsal = Rehearsal {
        spec: &spec,
        lock: &made_up::lock_file(&spec, &hosts).expect("its bits can be made up"),
        hosts: &hosts,
        beginning: &fleet.beginning(),
        package_sets: &fleet.package_sets(),
        services: &Services::default(),
        calendar: &Calendar::default(),
        scenario: &Scenario::parse("faults", faults)
            .unwrap_or_else(|mistakes| panic!("{mistakes}")),
        seed: 1,
    };
    let report = rehearsal.play().unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(report.broken, Vec::<String>::new());
    report
}

fn fault(name: &str, whom: &str, what: &str) -> String {
    format!("[[fault]]\nname = \"{name}\"\nmatch = '{whom}'\n{what}\n")
}

#[test]
fn a_small_fleet_is_checked_at_every_step_and_a_large_one_says_how_often_it_was() {
    let small = play(ROLLOUT, "");
    assert_eq!(small.checks, Checks::EachStep);
    let large = play_on(&fleet(150), ROLLOUT, "");
    assert!(
        matches!(large.checks, Checks::EachCommand { looks: 5.. }),
        "{:?}",
        large.checks
    );
}

#[test]
fn a_rollout_that_nothing_moves_ends_the_rehearsal_and_its_hosts_are_left_with_what_holds_them() {
    let cut = fault("cut", "zone == \"b\"", "event = \"cells-cut\"\nat = \"0s\"");
    let report = play(ROLLOUT, &cut);
    assert_eq!(
        (report.phase.as_str(), report.has_stalled),
        ("running", true)
    );
    assert!(report.took_ms < 24 * 3_600_000, "{} ms", report.took_ms);
    let left: usize = report.left.iter().map(|left| left.hosts.len()).sum();
    // Of what the cut cell did nobody has heard.
    assert!(left >= report.planned - report.patched, "{left}");
    let causes: Vec<&str> = report.left.iter().map(|left| &*left.cause).collect();
    assert!(
        causes
            .iter()
            .all(|cause| cause.starts_with("it still waits: ")),
        "{causes:?}"
    );
    assert!(
        causes.iter().any(|cause| cause.contains("unknown")),
        "{causes:?}"
    );
}

#[test]
fn hosts_that_wait_for_the_end_of_a_pause_are_left_and_the_pause_is_no_other_thing() {
    let pause = "[[act]]\nat = \"20m\"\ndoes = \"pause\"\n";
    let report = play(ROLLOUT, pause);
    assert_eq!(report.phase, "paused");
    let left: usize = report.left.iter().map(|left| left.hosts.len()).sum();
    assert_eq!((left, report.hands()), (report.planned - report.patched, 1));
}

#[test]
fn a_host_that_dies_in_its_reboot_is_out_and_harmed() {
    let rollout = ROLLOUT.replace("[patch]", "[patch]\nreboot = \"always\"");
    let dies = fault(
        "no boot",
        "host == \"web-a-7\"",
        "step = \"reboot\"\ngoes = \"dies\"",
    );
    let report = play(&rollout, &dies);
    let harmed: Vec<_> = report.harmed.iter().map(|host| host.as_str()).collect();
    let out: Vec<_> = report
        .out_at_the_end
        .iter()
        .map(|host| host.as_str())
        .collect();
    assert_eq!((harmed, out), (vec!["web-a-7"], vec!["web-a-7"]));
}

#[test]
fn a_host_reboots_only_where_the_patch_or_the_file_asks_for_it() {
    let took = |rollout: &str, faults: &str| play(rollout, faults).took_ms;
    let noop = ROLLOUT.replace(
        "kind = \"packages\"\npackages = { openssl = \"latest\" }",
        "kind = \"noop\"",
    );
    let kernel = ROLLOUT.replace("openssl = \"latest\"", "linux-image-amd64 = \"latest\"");
    let (noop, kernel) = (took(&noop, ""), took(&kernel, ""));
    let (some, all) = (
        took(ROLLOUT, ""),
        took(ROLLOUT, "needs_reboot = \"100%\"\n"),
    );
    assert_eq!((noop, kernel), (some, all));
    assert!(all > some + 60_000, "{all} and {some}");
}

#[test]
fn capacity_is_counted_by_the_rollouts_own_floors() {
    let floors = "[[limits]]\nfloor = [{ group_by = [\"service\"], min_in_service = \"95%\" }]\n";
    let report = play(&format!("{ROLLOUT}{floors}"), "");
    let groups: Vec<_> = report
        .groups
        .iter()
        .map(|peak| (&*peak.group, peak.members, peak.allowance))
        .collect();
    assert_eq!(groups, [("service=web", 40, 2)]);
    let usual = play(ROLLOUT, "");
    let names: Vec<_> = usual.groups.iter().map(|peak| &*peak.group).collect();
    assert_eq!(names.len(), 4, "zones and regions: {names:?}");
    assert!(names.contains(&"service=web region=r1"), "{names:?}");
    assert!(usual.groups.iter().all(|group| !group.course.is_empty()));
}

#[test]
fn a_hold_of_half_a_second_is_counted() {
    let report = play(ROLLOUT, "");
    let spacing = report
        .holds
        .iter()
        .find(|held| held.rule == "start-spacing");
    let spacing = spacing.expect("two hosts of a cell start one after the other");
    assert_eq!(spacing.longest_ms, 500);
}

#[test]
fn what_two_faults_cut_comes_back_with_the_last_of_them() {
    let cut = |name: &str, at: &str, lasts: &str| {
        let when = format!("event = \"cells-cut\"\nat = \"{at}\"\nfor = \"{lasts}\"");
        fault(name, "zone == \"b\"", &when)
    };
    let one = play(ROLLOUT, &cut("long", "0s", "3h"));
    let both = format!("{}{}", cut("long", "0s", "3h"), cut("short", "10m", "10m"));
    let both = play(ROLLOUT, &both);
    assert_eq!(one.took_ms, both.took_ms);
    assert!(one.took_ms > 3 * 3_600_000);
}

#[test]
fn a_coordinator_that_dies_twice_at_once_is_back_after_the_longer_of_both() {
    let dies = |name: &str, at: &str, lasts: &str| {
        format!(
            "[[fault]]\nname = \"{name}\"\nevent = \"coordinator-dies\"\nat = \"{at}\"\nfor = \"{lasts}\"\n"
        )
    };
    let both = play(
        ROLLOUT,
        &(dies("first", "2m", "10m") + &dies("second", "5m", "1h")),
    );
    let noticed: Vec<_> = both.faults.iter().map(|fault| fault.noticed_ms).collect();
    assert!(noticed.iter().all(|at| at.is_some()), "{noticed:?}");
    assert!(both.took_ms > 65 * 60_000, "{}", both.took_ms);
    assert_eq!(both.phase, "done");
}

#[test]
fn a_fault_is_noticed_by_what_it_does_to_its_own_host() {
    let faults = fault(
        "full disk",
        "host == \"web-a-7\" or host == \"web-b-7\"",
        "step = \"apply\"\ngoes = \"fails\"\nfailure = \"disk-full\"",
    ) + &fault(
        "falls",
        "host == \"web-b-7\"",
        "event = \"hosts-fall\"\nat = \"1m\"\nfor = \"2m\"",
    );
    let report = play(ROLLOUT, &faults);
    let seen: Vec<_> = report
        .faults
        .iter()
        .map(|fault| (&*fault.name, &*fault.by))
        .collect();
    assert_eq!(
        seen,
        [
            ("full disk", "disk-full: in the rehearsal"),
            ("falls", "not in service")
        ]
    );
    let [disk, falls] = [0, 1].map(|place: usize| &report.faults[place]);
    assert!(disk.struck_ms <= disk.noticed_ms);
    assert_eq!(falls.struck_ms, Some(60_000));
}

#[test]
fn what_never_comes_to_what_it_says_is_told() {
    let faults = fault(
        "typo",
        "zone == \"q\"",
        "step = \"apply\"\ngoes = \"hangs\"",
    ) + &fault(
        "late",
        "zone == \"a\"",
        "event = \"hosts-die\"\nat = \"9h\"\nfor = \"1m\"",
    ) + "[[act]]\nwhen = \"paused\"\ndoes = \"resume\"\n";
    let notes = play(ROLLOUT, &faults).notes;
    for (note, begins) in notes.iter().zip([
        "fault typo is about no host of the fleet",
        "fault late struck after the end",
        "an operator's resume waited for paused",
    ]) {
        assert!(note.starts_with(begins), "{notes:#?}");
    }
    assert_eq!(notes.len(), 3, "{notes:#?}");
}

#[test]
fn what_says_nothing_of_its_kind_is_refused_with_its_line_and_the_cure() {
    let text = "[[fault]]\nname = \"one\"\nstep = \"apply\"\ngoes = \"hangs\"\nfailure = \"io\"\n\
                [[fault]]\nname = \"one\"\nevent = \"coordinator-dies\"\nat = \"1m\"\nmatch = 'zone == \"a\"'\n\
                [[fault]]\nname = \"slow\"\nstep = \"apply\"\ngoes = \"slow\"\n\
                [[fault]]\nname = \"gone\"\nevent = \"hosts-gone\"\nat = \"1m\"\nfor = \"1m\"\n\
                [[act]]\nwhen = \"pausd\"\ndoes = \"resume\"\n\
                [[act]]\nat = \"1m\"\ndoes = \"resume\"\nmatch = 'zone == \"a\"'\n";
    let mistakes = Scenario::parse("faults.toml", text).expect_err("it is full of them");
    let mistakes = mistakes.to_string();
    for begins in [
        "faults.toml:5:11: failure in [[fault]]: `failure` says nothing of `hangs`",
        "faults.toml:7:8: name in [[fault]]: there is another fault `one`",
        "faults.toml:10:9: match in [[fault]]: `match` says nothing of `coordinator-dies`",
        "faults.toml:14:8: goes in [[fault]]: `slow` says by `takes`",
        "faults.toml:19:7: for in [[fault]]: `for` says nothing of `hosts-gone`",
        "faults.toml:21:8: when in [[act]]: ",
        "faults.toml:26:9: match in [[act]]: `match` says nothing of `resume`",
    ] {
        assert!(mistakes.contains(begins), "{begins} in\n{mistakes}");
    }
}
