//! The built-in incidents: what a rehearsal of each must show, it shows; and where what mends one is left
//! out, it does not.

use cofferdam_engine::rehearse::{
    incident::{Incident, Played},
    scenario::{Deed, FaultKind, Scenario},
};

fn built_in(number: u32) -> Incident {
    let incident = Incident::built_in(number).expect("it is built in");
    incident.unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn play(incident: &Incident) -> Played {
    play_by(incident, 1)
}

fn play_by(incident: &Incident, seed: u64) -> Played {
    incident
        .play(seed)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

/// Which seeds: some of twenty-five, and in the soak all of them.
#[expect(
    clippy::disallowed_methods,
    reason = "how large the tests are is said from outside"
)]
fn seeds() -> Vec<u64> {
    match std::env::var("COFFERDAM_SOAK") {
        Ok(_) => (1..=25).collect(),
        Err(_) => vec![1, 19],
    }
}

/// Not on its own hosts alone, nor by one seed alone.
fn is_no_incident_any_more(number: u32) {
    let incident = built_in(number);
    for seed in seeds() {
        let unmet = play_by(&incident, seed).unmet;
        assert!(unmet.is_empty(), "seed {seed}: {unmet:#?}");
    }
    for hosts in SIZES {
        let unmet = play(&incident.on(hosts)).unmet;
        assert!(unmet.is_empty(), "{hosts} hosts: {unmet:#?}");
    }
}

/// On how many hosts each incident is played beside its own few.
const SIZES: [usize; 1] = [300];

#[test]
fn one_slow_host_stalls_nothing() {
    is_no_incident_any_more(1);
}

#[test]
fn an_instance_type_that_the_patch_breaks_stops_the_canary() {
    is_no_incident_any_more(2);
}

#[test]
fn a_zone_that_is_cut_off_goes_on_by_itself() {
    is_no_incident_any_more(3);
}

#[test]
fn a_coordinator_that_crashes_goes_on_where_it_was() {
    is_no_incident_any_more(4);
}

#[test]
fn terminated_hosts_are_neither_failures_nor_casualties() {
    is_no_incident_any_more(7);
}

#[test]
fn hosts_that_run_and_are_not_healthy_do_not_pass() {
    is_no_incident_any_more(10);
}

#[test]
fn a_rollback_says_what_did_not_go_back() {
    is_no_incident_any_more(15);
}

#[test]
fn what_was_rolled_back_is_not_installed_again() {
    is_no_incident_any_more(16);
}

#[test]
fn a_host_that_died_in_its_change_frees_nothing_until_it_is_deleted() {
    is_no_incident_any_more(17);
}

#[test]
fn failures_are_retried_and_what_is_left_stands_once_by_its_cause() {
    is_no_incident_any_more(19);
}

#[test]
fn a_stuck_host_is_held_by_a_rule_that_is_named() {
    is_no_incident_any_more(20);
}

#[test]
fn the_same_seed_makes_the_same_rehearsal_and_another_another() {
    let incident = built_in(10);
    let (once, again) = (play(&incident).report, play(&incident).report);
    assert_eq!(once, again);
    assert_ne!(
        once.took_ms,
        incident.play(2).expect("a plan").report.took_ms
    );
}

#[test]
fn an_incident_of_which_nobody_is_warned_is_still_one() {
    let mut unattended = built_in(2);
    unattended.scenario.acts.clear();
    let unmet = play(&unattended).unmet;
    assert!(
        unmet.contains(&"it is paused, and not done".to_owned()),
        "{unmet:#?}"
    );

    let mut careless = built_in(16);
    careless
        .scenario
        .acts
        .retain(|act| act.does != Deed::Rollback);
    let Played { report, unmet } = play(&careless);
    assert_eq!(report.refused, Vec::<String>::new(), "it has another name");
    assert!(
        unmet.iter().any(|line| line.contains("denied")),
        "{unmet:#?}"
    );
}

#[test]
fn coordination_costs_time_and_is_told_apart() {
    let mut slow = built_in(7);
    let quick = play(&slow).report.took_ms;
    slow.scenario.costs.turn = std::time::Duration::from_secs(2);
    assert!(play(&slow).report.took_ms > quick + 60_000);
}

#[test]
fn a_file_of_faults_says_each_mistake_with_its_line_and_the_cure() {
    let text = "[times]\napply = \"20s 10s 30s\"\n\n[[fault]]\nname = \"disk\"\nstep = \"aply\"\ngoes = \"fails\"\n\n\
                [[fault]]\nname = \"nothing\"\n\n[[act]]\ndoes = \"exclude\"\nwhen = \"paused\"\n";
    let mistakes = Scenario::parse("faults.toml", text)
        .unwrap_err()
        .to_string();
    let lines: Vec<&str> = mistakes
        .lines()
        .map(|line| line.split(';').next().unwrap_or_default())
        .collect();
    assert_eq!(
        lines,
        [
            "faults.toml:2:9: apply in [times]: one duration is expected, or three that rise, as in \"20s 40s 90s\": of 100 times 50, 90 and 99 take at most that",
            "faults.toml:6:8: step in [[fault]]: \"stage\" or \"drain\" or \"apply\" or \"reboot\" or \"verify\" or \"rollback\" or \"verify-rollback\" or \"readmit\" is expected, this is \"aply\"",
            "faults.toml:9:1: [[fault]]: a fault has either `step`, with `goes`, or `event`, with `at`",
            "faults.toml:13:8: does in [[act]]: `exclude` says whom by `match`",
        ]
    );
}

#[test]
fn the_mix_of_faults_strikes_six_hosts_of_ten_thousand() {
    let mix = Scenario::mix().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let shares: Vec<String> = mix
        .faults
        .iter()
        .map(|fault| fault.hosts.share.to_string())
        .collect();
    assert_eq!(shares, ["0.01%"; 6]);
}

#[test]
fn each_incident_says_what_goes_wrong_and_in_which_order_it_is_numbered() {
    let numbers: Vec<u32> = Incident::numbers().collect();
    assert!(numbers.is_sorted());
    for number in numbers {
        let incident = built_in(number);
        assert_eq!(incident.number, number);
        let does_something =
            !incident.scenario.faults.is_empty() || !incident.scenario.acts.is_empty();
        assert!(does_something, "incident {number}");
        for fault in &incident.scenario.faults {
            let is_timed = matches!(fault.kind, FaultKind::Timed { .. });
            assert!(is_timed || fault.hosts.selection.is_some() || fault.hosts.most.is_some());
        }
    }
}
