//! A new release comes to every process in mid-rollout, in the order that operators are told.

use cofferdam_proto::operator::{RolloutState, RolloutView};
use cofferdam_tests::{
    evidence,
    fleet::Fleet,
    machine::Machine,
    process::Process,
    rollout::{self, CANARY_FIRST},
};
use std::time::Duration;

const HOSTS: usize = 4;

/// A run of some seconds, three restarts that are settled, and the others' runs.
const WITHIN: Duration = Duration::from_secs(120);

/// How long a process may take to stop: it has nothing to wait for.
const STOPS_WITHIN: Duration = Duration::from_secs(20);

fn start_control(fleet: &Fleet) -> Process {
    Process::start(fleet.site.control(), &fleet.site.control_log())
}

#[tokio::test]
async fn coordinators_and_agents_that_are_upgraded_in_mid_rollout_end_it_as_if_nothing_happened() {
    let mut fleet = Fleet::lay_out(Machine::several(HOSTS));
    fleet.site.take_apart();
    let mut control = start_control(&fleet);
    fleet.start_all().await;
    let slow =
        rollout::noop("upgrade", "").replacen("stable_for = \"10ms\"", "stable_for = \"2s\"", 1);
    let rollout = fleet.start_rollout("upgrade", &(slow + CANARY_FIRST)).await;
    let is_at_work = |view: &RolloutView| view.waves.iter().any(|wave| wave.running > 0);
    fleet
        .until("a host to be at work", &rollout, WITHIN, is_at_work)
        .await;

    control.terminate();
    control.wait(STOPS_WITHIN);
    control = start_control(&fleet);
    fleet
        .until("the control plane to be back", &rollout, WITHIN, |_| true)
        .await;
    fleet.coordinator().terminate();
    fleet.coordinator().wait(STOPS_WITHIN);
    fleet.start_coordinator(None);
    for host in fleet.hosts() {
        fleet.agent(&host).terminate();
        fleet.agent(&host).wait(STOPS_WITHIN);
        fleet.start_agent(&host, None);
    }
    let view = fleet.end_of(&rollout, WITHIN).await;

    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    let passed: u64 = view.waves.iter().map(|wave| wave.passed).sum();
    assert_eq!(passed, HOSTS as u64, "{view:#?}");
    fleet.in_service().await;
    for host in fleet.hosts() {
        evidence::assert_patched_once(&fleet.site, &host);
    }
    let log = fleet.site.control_log();
    drop(control);
    evidence::assert_calm(&[log], &[]);
    fleet.finish();
}
